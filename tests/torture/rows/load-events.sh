# SPDX-License-Identifier: MIT
# limit: 240
# A thousand million events.
row() {
    "$PROGRAMS/load_events" 1000000000 | tee told
}

after() {
    told load_events
}
