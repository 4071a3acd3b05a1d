# SPDX-License-Identifier: MIT
# limit: 120
# memory: 8
# 4 GiB of blocks in use, beside 20 GiB of blocks that are never touched.
row() {
    "$PROGRAMS/load_heap" 20480 4096 | tee told
}

after() {
    told load_heap
}
