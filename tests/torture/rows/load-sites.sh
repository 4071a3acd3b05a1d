# SPDX-License-Identifier: MIT
# limit: 300
# memory: 10
# flags: 0x8
# 25 million call sites: more than the 24 bits that a block's entry has for its site.
row() {
    "$PROGRAMS/load_sites" 21 0 1 | tee told
}

after() {
    told load_sites
    same "sites" 16777216 \
        "$("$TRACEMALLOC" info "$TRACES"/load_sites.* | awk '$1 == "site_count" {print $2}')"
}
