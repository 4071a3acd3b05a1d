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

# One byte more than there is, and one row less.
cp -r demo/measure "$tmp/measure"
sed -i 's/^WORD = 8 .*/WORD = 9/' "$tmp/measure/definitions.py"
mkdir -p "$tmp/demo" && mv "$tmp/measure" "$tmp/demo/measure"
python3 -B "$tmp/demo/measure/article.py" "$build" "$tmp/small.csv" >"$tmp/wrong" 2>&1
same "a wrong definition is found" 1 $?

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
