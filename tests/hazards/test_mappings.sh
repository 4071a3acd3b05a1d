#!/bin/bash
# SPDX-License-Identifier: MIT
#
# Books of mappings, whose addresses change hands without a word: as untraced, and every figure that is known.
set -u
. tests/hazards/oracle.sh
options=mmap=on

for how in races vforks small many; do
    as_untraced "$how" "$hazards/maps" $how
    as_told "$how"
    whole "$how"
done
as_untraced "handler" "$hazards/maps" handler
check "handler: what it could not record is counted as missed" [ "$(totals .missed_events)" -gt 0 ]
same "handler: the sums are those of the sites" "$(totals .current_bytes)" \
    "$(json '[.sites[].current_bytes] | add' "$trace")"

# What an allocator maps is its own affair, in the midst of a call and by itself.
rm -f "$trace"
while read -r name file; do
    path=/usr/lib/x86_64-linux-gnu/$file
    if [ ! -e "$path" ]; then
        skip "$name" "$file is not installed"
        continue
    fi
    timeout -k 1 60 env LD_PRELOAD="$path" "$hazards/news" >"$tmp/out.0"
    timeout -k 1 60 env LD_PRELOAD="$lib:$path" LIBTRACE_OPTIONS="out=$trace,mmap=on" "$hazards/news" >"$tmp/out"
    check "$name: as untraced" cmp "$tmp/out.0" "$tmp/out"
    same "$name: its blocks are counted, its mappings not; nothing is missed" "heap 0" \
        "$(json '[.sites[] | select(.allocations > 0).domain] | unique | join(" ")' "$trace") $(totals .missed_events)"
    rm -f "$trace"
done <<EOT
jemalloc libjemalloc.so.2
tcmalloc libtcmalloc_minimal.so.4
mimalloc libmimalloc.so.2
EOT

# It calls us under its lock: whatever we allocated there would be asked of it.
timeout -k 1 60 "$hazards/mapping_malloc" >"$tmp/out.0"
timeout -k 1 60 env LD_PRELOAD="$lib" LIBTRACE_OPTIONS="out=$trace,mmap=on,quiet=1" "$hazards/mapping_malloc" \
    >"$tmp/out" 2>"$tmp/err"
same "a program with its own malloc: it ends well" 0 $?
# The recorder's own start asks it for some blocks more.
check "a program with its own malloc: what that maps is seen" \
    [ "$(of own_chunk allocations "$trace")" -ge "$(($(cat "$tmp/out.0") - 1))" ]
rm -f "$trace"

# A program that maps files and memory, like any.
python=/usr/bin/python3
if [ ! -x "$python" ]; then
    skip "python" "no /usr/bin/python3"
    finish
fi
cat >"$tmp/maps.py" <<'EOT'
import mmap, os, sqlite3, sys
path = sys.argv[1]
with open(path, "wb") as f:
    f.write(b"x" * 1000000)
with open(path, "r+b") as f:
    m = mmap.mmap(f.fileno(), 0)
    m[5:10] = b"hello"
    m.resize(2000000)
    print(m[:12], len(m))
    m.close()
a = mmap.mmap(-1, 10000)
a.write(b"abc")
print(a[:3], len(a))
db = sqlite3.connect(":memory:")
db.execute("pragma mmap_size=1000000")
db.execute("create table t (x)")
db.executemany("insert into t values (?)", [(i,) for i in range(1000)])
print(db.execute("select sum(x) from t").fetchone())
EOT
as_untraced "python" "$python" "$tmp/maps.py" "$tmp/mapped"
same "python: its mappings, of pages" "1 0 0" \
    "$(json '[.sites[] | select(.domain == "mmap" and .allocated_bytes == 12288)] | length' "$trace") $(
        json '[.sites[] | select(.domain == "file").current_bytes] | add // 0' "$trace") $(totals .missed_events)"
check "python: as much of a file as it has" \
    [ "$(json '[.sites[] | select(.domain == "file").allocated_bytes] | add // 0' "$trace")" -ge 3001344 ]
finish
