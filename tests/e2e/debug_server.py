#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""
debug_server.py FOLDER: a server of debug files as debuginfod is one, of FOLDER/<build-id>.debug.  Prints its port;
a line in FOLDER/log for each request.  While FOLDER/hang is there it takes requests and does not answer; while
FOLDER/slow is there it sends the half of a file, waits for two seconds, and sends the rest.
"""
import contextlib
import http.server
import os
import sys
import time

FOLDER = sys.argv[1]


def there(name):
    return os.path.exists(f"{FOLDER}/{name}")


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        with open(f"{FOLDER}/log", "a", encoding="ascii") as log:
            log.write(self.path + "\n")
        while there("hang"):
            time.sleep(0.05)
        parts = self.path.split("/")
        path = f"{FOLDER}/{parts[2]}.debug" if parts[1] == "buildid" and parts[3] == "debuginfo" else ""
        if not os.path.isfile(path):
            self.send_error(404)
            return
        with open(path, "rb") as file, contextlib.suppress(ConnectionError):
            self.send(file.read())

    def send(self, content):
        half = len(content) // 2
        self.send_response(200)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content[:half])
        self.wfile.flush()
        time.sleep(2 if there("slow") else 0)
        self.wfile.write(content[half:])

    def log_message(self, *_):
        pass


with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
    print(server.server_port, flush=True)
    server.serve_forever()
