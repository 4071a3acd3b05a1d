#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""
page.py PAGE RUNS: how soon a page of `tracemalloc html` can be used, in headless Chromium, and how long a zoom
takes to be drawn: medians and the longest, in ms, as JSON.  A first load, of a browser that has just begun, does
not count.
"""
import json
import statistics
import sys
import time

from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

ZOOMS = 5


def entries(driver, kind, name):
    """What the page has noted of itself."""
    return driver.execute_script("return performance.getEntriesByName(arguments[1], arguments[0])"
                                 ".map((entry) => [entry.startTime, entry.duration])", kind, name)


def look(driver, page):
    """Opens it; walks down the largest branches, zooming into each."""
    driver.get("about:blank")
    driver.get(page)
    graph = driver.find_element(By.ID, "graph")
    graph.send_keys(Keys.ESCAPE)
    for _ in range(ZOOMS):
        graph.send_keys(Keys.ARROW_DOWN, Keys.ENTER)
        time.sleep(0.3)
    usable = entries(driver, "mark", "usable")[0][0]
    zooms = [duration for _, duration in entries(driver, "measure", "zoom")[1:]]
    return usable, zooms, int(graph.get_attribute("data-nodes"))


def main():
    page, runs = sys.argv[1], int(sys.argv[2])
    options = webdriver.ChromeOptions()
    for argument in ("--headless=new", "--no-sandbox", "--disable-gpu", "--window-size=1400,1000"):
        options.add_argument(argument)
    service = webdriver.chrome.service.Service("/usr/bin/chromedriver")
    driver = webdriver.Chrome(service=service, options=options)
    try:
        seen = [look(driver, f"file://{page}") for _ in range(runs + 1)][1:]
    finally:
        driver.quit()
    zooms = [zoom for _, of_run, _ in seen for zoom in of_run]
    print(json.dumps({"usable": statistics.median(usable for usable, _, _ in seen),
                      "zoom": statistics.median(zooms), "longest_zoom": max(zooms), "branches": seen[0][2]}))


if __name__ == "__main__":
    main()
