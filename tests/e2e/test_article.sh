#!/bin/bash
# SPDX-License-Identifier: MIT
#
# The measurements of demo/measure, over a small file; and demo/README.md, of which each command must print
# what the page shows.  Run from the top of the tree; BUILD is where the programs are.
set -u
. tests/lib.sh

head -n 8001 "$build/cta.csv" >"$tmp/small.csv"

python3 -B demo/measure/article.py "$build" "$tmp/small.csv" >"$tmp/article"
same "what the representations hold follows from their definitions" 0 $?
same "... and nothing differs" 0 "$(grep -c DIFFERS "$tmp/article")"
same "the strings of routes are counted by the recorder" "slots 8,000 cached 182" \
    "$(awk '/^Strings of routes/ { here = 1 } here && /^  (slots|cached)/ { print $1, $2 }' "$tmp/article" | xargs)"

# A list with room for 7, where there is room for 8.
mkdir "$tmp/top" && cp -r demo "$tmp/top"
sed -i 's/^LIST_CAPACITY = 8 /LIST_CAPACITY = 7 /' "$tmp/top/demo/measure/definitions.py"
python3 -B "$tmp/top/demo/measure/article.py" "$build" "$tmp/small.csv" >"$tmp/wrong" 2>&1
same "a wrong definition is found" "1 list|list - tuple|list" \
    "$? $(sed -n 's/^  \([a-z -]*[a-z]\) .*DIFFERS.*/\1/p' "$tmp/wrong" | paste -sd'|')"

if [ -x /usr/bin/python3 ]; then
    python3 -B demo/measure/article_python.py "$build" "$tmp/small.csv" >"$tmp/python" 2>&1
    same "Python's tracemalloc and the recorder agree on Python's objects" 0 $?
    grep DIFFERS "$tmp/python"
    same "what sqlite3 holds tracemalloc does not see" yes \
        "$(awk '$1 == "sqlite3" { gsub(",", ""); print ($2 < 10000 && $4 > 100000 ? "yes" : $0) }' "$tmp/python")"
else
    skip "the steps in Python" "no /usr/bin/python3"
fi

python3 -B demo/measure/page.py "$build" >"$tmp/page" 2>&1
status=$?
grep -E '^(ok|not ok|#)' "$tmp/page"
passed=$((passed + $(grep -c '^ok' "$tmp/page")))
failed=$((failed + $(grep -c '^not ok' "$tmp/page")))
check "demo/README.md shows commands, and what they print" [ "$status" = 0 ]

finish
