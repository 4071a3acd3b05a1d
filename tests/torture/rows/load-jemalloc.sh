# SPDX-License-Identifier: MIT
# needs: /usr/lib/x86_64-linux-gnu/libjemalloc.so.2
# 300 threads over another allocator; then with that one before the recorder, where it may see nothing.
row() {
    over /usr/lib/x86_64-linux-gnu/libjemalloc.so.2
}

after() {
    told load_threads load_work
}
