# SPDX-License-Identifier: MIT
# needs: /usr/lib/x86_64-linux-gnu/libtcmalloc_minimal.so.4
# 300 threads over another allocator; then with that one before the recorder, where it may see nothing.
row() {
    over /usr/lib/x86_64-linux-gnu/libtcmalloc_minimal.so.4
}

after() {
    told load_threads load_work
}
