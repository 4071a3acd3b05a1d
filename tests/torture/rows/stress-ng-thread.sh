# SPDX-License-Identifier: MIT
# needs: stress-ng
# limit: 120
row() {
    stress pthread 500
    stress context 500
    stress dynlib 500
    stress sem-sysv 5000
    stress poll 2000
}
