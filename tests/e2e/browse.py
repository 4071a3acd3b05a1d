#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""
Looks at pages of `tracemalloc html` in a real browser, as a person does: browse.py TRACEMALLOC FOLDER.

In the folder: demo.html and part.html of demo.trace; snapshots.html of snapshots.trace; pair.html of
old.trace and new.trace; hostile.html.  Prints a line for each check; exits with 0 if all hold.
"""
import json
import subprocess
import sys
import traceback

from selenium import webdriver
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

METRICS = {"peak": "peak_bytes", "current": "current_bytes", "allocated": "allocated_bytes",
           "allocations": "allocations", "temporary": "temporary"}
ROW = 22  # pixels of a row of the call tree


class Browser:
    def __init__(self, tracemalloc, folder):
        self.tracemalloc, self.folder, self.failed, self.page = tracemalloc, folder, 0, ""
        options = webdriver.ChromeOptions()
        for argument in ("--headless=new", "--no-sandbox", "--disable-gpu", "--window-size=1300,1100"):
            options.add_argument(argument)
        options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
        service = webdriver.chrome.service.Service("/usr/bin/chromedriver")
        self.driver = webdriver.Chrome(service=service, options=options)

    def check(self, name, holds, found=""):
        print(("ok" if holds else "not ok") + f" - {self.page}: {name}")
        if not holds:
            self.failed += 1
            print(f"#   found: {found!r}")

    def same(self, name, expected, found):
        self.check(name, expected == found, f"{found} instead of {expected}")

    def open(self, page):
        self.page = page
        self.driver.get_log("browser"), self.driver.get_log("performance")
        self.driver.get(f"file://{self.folder}/{page}")
        self.settle()

    def settle(self):
        """What a change brings about comes after short waits of the page's own; ours ends after them."""
        self.driver.execute_async_script(
            "const done = arguments[0], frame = (then) => requestAnimationFrame(then);"
            "setTimeout(() => frame(() => frame(() => done())), 180)")

    def quiet(self):
        """No error, and nothing asked for but the page."""
        self.same("no error, no warning", [], [entry["message"] for entry in self.driver.get_log("browser")])
        messages = [json.loads(entry["message"])["message"] for entry in self.driver.get_log("performance")]
        asked = [message["params"]["request"]["url"] for message in messages
                 if message["method"] == "Network.requestWillBeSent"]
        self.same("no request but for the page", [f"file://{self.folder}/{self.page}"], asked)

    def report(self, trace, *options):
        command = [self.tracemalloc, "report", "--json", *options, f"{self.folder}/{trace}"]
        return json.loads(subprocess.check_output(command, stderr=subprocess.DEVNULL))

    def js(self, script, *arguments):
        return self.driver.execute_script(script, *arguments)

    def id(self, name):
        return self.driver.find_element(By.ID, name)

    def text(self, name):
        return self.id(name).text

    def tells(self, what, name, text):
        """The element has the text."""
        self.check(what, text in self.text(name), self.text(name))

    def choose(self, name, value):
        """A radio button, by keyboard's and screen readers' way: its input."""
        self.js(f"document.querySelector('input[name={name}][value={value}]').click()")
        self.settle()

    def select(self, name, text):
        for option in self.id(name).find_elements(By.TAG_NAME, "option"):
            if option.text.startswith(text):
                option.click()
        self.settle()

    def figure(self, metric):
        return self.js("const total = document.querySelector(`input[value=${arguments[0]}] ~ .value`);"
                       "return Number(total.dataset.figure)", metric)

    def figures(self):
        return {metric: self.figure(metric) for metric in METRICS}

    def total(self):
        """Of the call tree: the sum over all its rows."""
        return self.js("return Number(document.getElementById('graph').dataset.total)")

    def rows(self):
        return [[cell.text for cell in row.find_elements(By.TAG_NAME, "td")]
                for row in self.driver.find_elements(By.CSS_SELECTOR, "#table tbody tr")]

    def keys(self, *keys):
        ActionChains(self.driver, duration=20).send_keys(*keys).perform()
        self.settle()

    def to(self, element, x, y, pointer=None):
        """The pointer, moved to a position in an element, from its top left corner."""
        size, pointer = element.size, pointer or ActionChains(self.driver, duration=20)
        return pointer.move_to_element_with_offset(element, round(x - size["width"] / 2),
                                                   round(y - size["height"] / 2))


def totals_of(report):
    return {metric: report["totals"][member] for metric, member in METRICS.items()}


def share_with(report, member, text):
    """Of the sites that have a function, file or module with the text anywhere in their stacks."""
    def has(site):
        return any(text in (frame[field] or "").lower() for frame in site["frames"]
                   for field in ("function", "file", "module"))
    return sum(site[member] for site in report["sites"] if has(site)) / report["totals"][member]


def figures_are_those_of_the_report(b):
    report = b.report("demo.trace")
    b.same("figures are those of the report", totals_of(report), b.figures())
    for metric, member in METRICS.items():
        b.choose("metric", metric)
        b.same(f"{metric}: the call tree sums to it", report["totals"][member], b.total())
    b.choose("metric", "peak")
    b.tells("the head has the command", "command", report["command"][0])
    b.tells("and how it ended", "facts", "exited 0 after")


def table_is_that_of_the_report(b):
    for by in ("line", "function", "file", "module"):
        b.choose("grouping", by)
        sites = [site for site in b.report("demo.trace", "--group-by", by)["sites"] if site["peak_bytes"]]
        rows = [row for row in b.rows() if row[0] != "0 B"]
        b.same(f"by {by}: as many rows as in the report", len(sites), len(rows))
        b.same(f"by {by}: blocks of the first", f"{sites[0]['peak_blocks']:,}", rows[0][2])
    b.choose("grouping", "function")
    b.driver.find_element(By.XPATH, "//th/button[text()='with callees']").click()
    b.settle()
    everything = b.driver.find_element(By.CSS_SELECTOR, "#detail b").text
    b.same("sorted by what a click says", everything, b.rows()[0][3])
    sorted_by = b.driver.find_element(By.CSS_SELECTOR, "th[aria-sort=descending]").text
    b.check("and that is told", sorted_by.startswith("with callees"), sorted_by)
    b.driver.find_element(By.XPATH, "//th/button[text()='peak']").click()


def zoom_works(b):
    graph = b.id("graph")
    graph.click()
    b.keys(Keys.ESCAPE)
    whole = b.text("detail")
    b.check("nothing zoomed: all of it", whole.startswith("all, peak"), whole)
    b.keys(*[Keys.ARROW_DOWN] * 9)
    b.check("arrows walk down the largest branches", b.text("detail").startswith("put"), b.text("detail"))
    b.keys(Keys.ENTER)
    b.tells("Enter zooms, the table follows", "counted", "below put")
    b.keys(Keys.ARROW_UP)
    b.check("up is the caller", b.text("detail").startswith("dict_add"), b.text("detail"))
    b.keys(Keys.ESCAPE)
    b.same("Escape shows all again", whole, b.text("detail"))
    b.check("in the table, too", "below" not in b.text("counted"), b.text("counted"))
    b.to(graph, 60, 9.5 * ROW).perform()
    b.settle()
    tip = b.id("tip")
    b.check("hovering tells", tip.is_displayed() and tip.text.startswith("put"), tip.text)
    b.to(graph, 60, 9.5 * ROW).click().perform()
    b.settle()
    b.tells("a click zooms", "counted", "below put")
    b.id("detail").find_element(By.CSS_SELECTOR, ".place").click()
    b.settle()
    b.tells("a click on a place copies it", "toast", "demo/dict.c:")
    graph.click()
    b.keys(Keys.ESCAPE)


def search_works(b):
    report = b.report("demo.trace")
    b.keys("/")
    b.keys("dict_ADD")
    expected = share_with(report, "peak_bytes", "dict_add")
    found = b.js("return Number(document.getElementById('matched').dataset.share)")
    b.check("the share of what matches", abs(expected - found) < 1e-9, (expected, found))
    b.tells("is told", "matched", f"{100 * expected:.1f} %")
    b.same("the table has what matches", ["dict_add"], [row[4] for row in b.rows()])
    b.keys(Keys.ENTER)
    b.check("Enter goes to the match", b.text("detail").startswith("dict_add"), b.text("detail"))
    b.id("search").click()
    b.id("search").clear()
    b.keys("demo/main.c")
    expected = share_with(report, "peak_bytes", "demo/main.c")
    found = b.js("return Number(document.getElementById('matched').dataset.share)")
    b.check("what matches again in a stack counts once", abs(expected - found) < 1e-9, (expected, found))
    b.keys(Keys.ESCAPE)
    b.check("Escape ends it", b.text("matched") == "" and len(b.rows()) > 1, b.text("matched"))


def table_marks_tree(b):
    b.driver.find_element(By.CSS_SELECTOR, "#table tbody tr").click()
    b.settle()
    b.tells("a row of the table is marked in the tree", "matched", "branch")
    b.id("unmark").click()
    b.choose("grouping", "stack")
    b.driver.find_element(By.CSS_SELECTOR, "#table tbody tr").send_keys(Keys.ENTER)
    b.settle()
    b.check("a stack is shown in the tree", b.text("counted") == "1 stack below put", b.text("counted"))
    b.choose("grouping", "function")


def flip_works(b):
    total = b.total()
    b.choose("direction", "callers")
    b.same("callees to callers: the same sum", total, b.total())
    b.id("graph").click()
    b.keys(Keys.ESCAPE)
    b.keys(Keys.ARROW_DOWN)
    first = b.text("detail")
    b.keys(Keys.ARROW_DOWN)
    b.check("from who allocates", first.startswith("put"), first)
    b.check("to its callers", b.text("detail").startswith("dict_add"), b.text("detail"))
    b.choose("direction", "callees")


def schemes(b):
    def background():
        return b.js("return getComputedStyle(document.body).backgroundColor")
    light = background()
    b.driver.execute_cdp_cmd("Emulation.setEmulatedMedia",
                             {"features": [{"name": "prefers-color-scheme", "value": "dark"}]})
    b.check("dark by the system's wish", background() != light, light)
    b.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride",
                             {"width": 420, "height": 800, "deviceScaleFactor": 1, "mobile": False})
    b.settle()
    width = b.js("return document.documentElement.scrollWidth")
    b.check("nothing is wider than a narrow window", width <= 420, width)
    b.driver.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
    b.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})
    b.settle()


def accessible(b):
    unnamed = b.js("""return [...document.querySelectorAll('input, button, select, [tabindex]:not(tr)')]
        .filter((e) => e.offsetParent)
        .filter((e) => !(e.textContent.trim() || e.ariaLabel || e.labels?.[0]?.textContent.trim()))
        .map((e) => e.outerHTML)""")
    b.same("everything that can be operated has a name", [], unnamed)


def demo(b):
    b.open("demo.html")
    for part in (figures_are_those_of_the_report, table_is_that_of_the_report, zoom_works, search_works,
                 table_marks_tree, flip_works, schemes, accessible):
        part(b)
    b.quiet()


def chosen(b):
    """The moment, and what it is compared with, as the page says."""
    texts = b.js("return ['moment', 'base'].map((id) => document.getElementById(id).selectedOptions[0].text)")
    return tuple(text.split(",")[0] for text in texts)


def less(a, b):
    return {metric: a[metric] - b[metric] for metric in METRICS}


def snapshots(b):
    b.open("snapshots.html")
    one, last = (totals_of(b.report(f"snapshots.trace{at}")) for at in ("@one", "@-1"))
    chart = b.id("chart")
    b.same("at first the end", ("the end", "nothing"), chosen(b))
    area = b.js("return document.querySelector('#chart canvas').getBoundingClientRect()")
    b.check("there is a timeline", area["width"] > 500 and area["height"] > 50, area)
    # Of a run of 1.225 s: one at 0.4 s, the last at 0.8 s.
    from_, to = (b.js("""const canvas = document.querySelector('#chart canvas').getBoundingClientRect();
        const labels = [...document.querySelectorAll('.dygraph-axis-label-x')], x = (label) => {
            const box = label.getBoundingClientRect(); return box.left + box.width / 2 - canvas.left; };
        const find = (text) => x(labels.find((label) => label.textContent === text));
        return find(arguments[0])""", label) for label in ("400 ms", "800 ms"))
    b.to(chart, from_ + 8, 60).click().perform()
    b.settle()
    b.same("a click takes the nearest snapshot", ("one", "nothing"), chosen(b))
    b.same("its figures are those of the report", one, b.figures())
    b.same("what was live then is looked at", one["current"], b.total())
    b.to(chart, to + 9, 60, b.to(chart, from_ - 12, 60).click_and_hold()).release().perform()
    b.settle()
    b.same("a brush compares the two nearest its ends", ("snapshot 2", "one"), chosen(b))
    b.same("figures are differences", less(last, one), b.figures())
    b.same("so is the call tree", last["current"] - one["current"], b.total())
    b.tells("a snapshot says why it was taken", "time-hint", "1.0 GiB were not to be had")
    b.select("base", "nothing")
    b.same("by keyboard, too: compared with nothing", last, b.figures())
    b.quiet()


def pair(b):
    b.open("pair.html")
    old, new = (totals_of(b.report(name)) for name in ("old.trace", "new.trace"))
    b.same("figures are differences", less(new, old), b.figures())
    b.same("so is the call tree", new["peak"] - old["peak"], b.total())
    signs = {row[0][0] for row in b.rows()}
    b.check("some grew, some shrank", signs >= {"+", "−"}, signs)
    b.select("base", "nothing")
    b.same("one can be looked at alone", new, b.figures())
    b.quiet()


def part(b):
    """Of a view, and what is hidden from it."""
    b.open("part.html")
    view = ("--from", "representation_load", "--hide", "function=put")
    sites = b.report("demo.trace", *view)["sites"]
    allocated = sum(site["allocated_bytes"] for site in sites)
    b.same("figures are those of the view", allocated, b.figure("allocated"))
    b.same("what was to be looked at is", b.figure("allocated"), b.total())
    functions = {row[4] for row in b.rows()}
    b.check("what is hidden is not there, nor what is outside", not functions & {"put", "main"}
            and "representation_load" in functions, functions)
    b.tells("it is told", "notes", f"selected: {len(sites)} of ")
    b.quiet()


def hostile(b):
    b.open("hostile.html")
    b.same("nothing of a name was run", None, b.js("return window.hit ?? null"))
    b.same("or became an element", 0, b.js("return document.querySelectorAll('#evil, img, iframe').length"))
    b.same("figures are all there", totals_of(b.report("hostile.trace")), b.figures())
    b.choose("grouping", "module")
    shown = b.js("return document.body.textContent")
    b.check("names are shown as they are", "</script><script>window.hit = 1</script>" in shown)
    b.check("what is not to be seen is written out", "\\u202e" in shown and "\\u2028" in shown)
    b.check("and does nothing", "\u202e" not in shown and "\u2028" not in shown)
    b.check("what is no text, too", "\ufffd" in shown)
    b.same("the longest is no wider than the page", True,
           b.js("return document.documentElement.scrollWidth <= innerWidth"))
    b.id("graph").click()
    b.keys(Keys.ARROW_DOWN, Keys.ARROW_RIGHT, Keys.ARROW_RIGHT, Keys.ENTER)
    b.keys(Keys.ESCAPE)
    b.keys("/")
    b.keys("</script>")
    b.tells("they can be searched", "matched", "1 branch")
    b.quiet()


def main():
    b = Browser(*sys.argv[1:3])
    try:
        for look in (demo, snapshots, pair, part, hostile):
            try:
                look(b)
            except Exception:  # pylint: disable=broad-except
                b.check("could be looked at", False, traceback.format_exc())
    finally:
        b.driver.quit()
    return 1 if b.failed else 0


if __name__ == "__main__":
    sys.exit(main())
