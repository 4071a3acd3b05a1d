# SPDX-License-Identifier: MIT
# needs: /usr/lib/python3.11/test/test_threading.py
# limit: 170
row() {
    cpython_test test_threading
}
