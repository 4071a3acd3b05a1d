# SPDX-License-Identifier: MIT
# limit: 120
# 1000 threads allocate for a minute, and free each other's blocks.
row() {
    "$PROGRAMS/load_threads" 1000 60 "$PWD/told"
}

after() {
    told load_threads load_work
}
