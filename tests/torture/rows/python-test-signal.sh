# SPDX-License-Identifier: MIT
# needs: /usr/lib/python3.11/test/test_signal.py
# limit: 170
row() {
    cpython_test test_signal
}
