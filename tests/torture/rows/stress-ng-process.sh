# SPDX-License-Identifier: MIT
# needs: stress-ng
# limit: 120
row() {
    stress fork 500
    stress vfork 500
    stress clone 200
    stress exec 100
    stress daemon 50
    stress zombie 100
    stress vforkmany 200
}
