# SPDX-License-Identifier: MIT
# needs: stress-ng
# limit: 120
row() {
    stress sigsegv 2000
    stress sigabrt 100
    stress sigfpe 500
    stress sigtrap 1000
    stress sigq 2000
    stress seccomp 50
    stress timer 1000
    stress schedpolicy 100
}
