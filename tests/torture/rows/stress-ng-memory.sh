# SPDX-License-Identifier: MIT
# needs: stress-ng
# limit: 120
row() {
    stress malloc 20000 malloc-pthreads=4
    stress stack 20
    stress brk 20000
    stress mremap 20
    stress bigheap 50 bigheap-growth=64K
}
