#!/bin/bash
# SPDX-License-Identifier: MIT
#
# Symbols are kept from one report to the next, and nothing tells so but the time.  Debug information that is no
# longer there, while the file is as it was, shows what came out of the cache.
set -u
. tests/lib.sh
cd "$tmp" || exit 1
cache=$XDG_CACHE_HOME/tracemalloc

cat >library.c <<'END'
#include <stdlib.h>
static inline __attribute__((always_inline)) void *inlined(int n) { return malloc(n); }
__attribute__((noinline)) void *of_library(int n) { void *volatile p = inlined(n); return p; }
END
cat >program.c <<'END'
#include <stdlib.h>
void *of_library(int n), *of_plain(int n);
__attribute__((noinline)) static void *direct(int n) { void *volatile p = malloc(n); return p; }
int main(int argc, char **argv)
{
    void *volatile kept[] = {of_library(100), of_plain(10), argc > 1 ? direct(1) : 0};
    return kept[0] == argv;
}
END
sed 's/of_library/of_plain/' library.c >plain.c
gcc -g -O1 -shared -fPIC -Wl,--build-id library.c -o library.so || exit 1
gcc -g -O1 -shared -fPIC -Wl,--build-id=none plain.c -o plain.so || exit 1
gcc -g -O1 -Wl,--build-id program.c ./library.so ./plain.so -o program || exit 1

id_of() { readelf -n "$1" | sed -n 's/.*Build ID: //p'; }
report() { "$tracemalloc" report --json "$@" trace; }
functions() {
    jq -r '[.sites[].frames[].function | values | select(test("^(main|of_library|inlined|direct|of_plain)$"))]
        | unique | join(" ")'
}
# How many frames of the program have a line.
lines_of_program() { jq '[.sites[].frames[] | select(.line and (.module | endswith("/program")))] | length'; }
# alike NAME FILE: a report now is that one, and there is not a word beside it.
alike() {
    report >now 2>&1
    check "$1" cmp "$2" now
}
# Wipes the units' debug information out of a file, which stays the same file by date and size.
wipe() {
    touch -r "$1" date
    readelf -SW "$1" | awk '/ \.debug_info /{ sub(/.*\.debug_info/, ""); print $3, $4 }' | {
        read -r offset size
        dd if=/dev/zero of="$1" bs=1 seek=$((0x$offset)) count=$((0x$size)) conv=notrunc status=none
    }
    touch -r date "$1"
}

traced "" ./program
report >first
same "what the first report found" "inlined main of_library of_plain" "$(functions <first)"
alike "a second report is the same, byte for byte" first
check "it is kept by build-id" [ -s "$cache/$(id_of program)" -a -s "$cache/$(id_of library.so)" ]
same "nobody else may read it" "700 600" "$(stat -c %a "$cache") $(stat -c %a "$cache/$(id_of program)")"
cp program program.good
cp library.so library.good
wipe program
wipe library.so
wipe plain.so
same "the names come out of the cache" "main of_library" \
    "$(report | functions | sed 's/inlined //; s/ of_plain//')"
without_plain() { jq -c 'del(.sites[].frames[] | select(.module | endswith("plain.so")))'; }
without_plain <first >wanted
report | without_plain >now
check "inlined functions too, what has no build-id excepted" cmp wanted now
same "--no-cache: not out of the cache" 0 "$(report --no-cache | lines_of_program)"
check "--no-cache: the cache stays" [ -s "$cache/$(id_of program)" ]
touch -d '2001-01-01' program
same "another date is another file" 0 "$(report | lines_of_program)"
cp program.good program
cp library.good library.so

# ---- what is new is added ----
traced "" ./program 1
report >second
same "addresses that were not asked for before" "direct inlined main of_library" "$(functions <second | sed 's/ of_plain//')"
alike "are kept, too" second

# ---- damage, and places where nothing can be kept ----
for how in 'truncate -s 10' 'truncate -s -1' 'sh -c "printf XXXXXXXX | dd of=\$1 bs=1 seek=100 conv=notrunc status=none" sh' \
    'sh -c "echo more >>\$1" sh' 'sh -c ":>\$1" sh'; do
    eval "$how \"$cache/$(id_of program)\""
    alike "a damaged cache ($how): the same, and not a word" second
done
wipe program
check "it was repaired" [ "$(report | functions | grep -c direct)" = 1 ]
cp program.good program
XDG_CACHE_HOME=/dev/null/no
alike "no place for it: the same, and not a word" second
XDG_CACHE_HOME=$tmp/shared
mkdir -p -m 777 "$XDG_CACHE_HOME/tracemalloc"
chmod 777 "$XDG_CACHE_HOME/tracemalloc"
alike "one that others may write to: the same" second
same "and nothing in it" "" "$(ls "$XDG_CACHE_HOME/tracemalloc")"
XDG_CACHE_HOME=$tmp/new/../new/cache
mkdir new
for i in 1 2 3 4 5 6 7 8; do report >"out.$i" 2>&1 & done
wait
for i in 1 2 3 4 5 6 7 8; do cmp -s second "out.$i" || echo "# $i differs"; done >differences
same "eight at once" "" "$(cat differences)"
same "they leave no half files" "" "$(ls new/cache/tracemalloc | grep new)"

# ---- what is missing may come back ----
mkdir split && cd split || exit 1
gcc -g -O1 -fPIC -gsplit-dwarf -c ../library.c && gcc -shared -Wl,--build-id library.o -o library.so || exit 1
cp ../plain.so ../program.c . && gcc -g program.c ./library.so ./plain.so -o program || exit 1
traced "" ./program
mv library.dwo kept.dwo
"$tracemalloc" report --json "$tmp/trace" >found
same "without a part of the debug information" "main of_library" \
    "$(functions <found | sed 's/ of_plain//; s/inlined //')"
mv kept.dwo library.dwo
"$tracemalloc" report --json "$tmp/trace" >found
same "that it was not there is not kept" "inlined main of_library" "$(functions <found | sed 's/ of_plain//')"
cd ..

# ---- progress: a clock that runs 2000 times as fast makes any work long ----
XDG_CACHE_HOME=$tmp/none
cat >fast <<END
#!/bin/sh
NO_FAKE_STAT=1 exec faketime -f '+0 x2000' "$tracemalloc" report --no-cache --group-by line "\$@"
END
chmod +x fast
on_terminal() { TERM=$1 script -qec "$2" /dev/null </dev/null; }
on_terminal xterm './fast trace' >terminal
check "on a terminal: a line that says how far it is" grep -qaE $'\rreading symbols  \\[#*\\.*\\] +[0-9]+ %' terminal
check "which is gone before the report begins" grep -qaE $'\r\033\\[K(\033\\[1m)?\\./program' terminal
on_terminal dumb './fast trace' >terminal
check "not on one that can do nothing" bash -c "! grep -qa reading terminal"
./fast trace >out 2>err
same "not where stderr is no terminal" "" "$(cat err)"
TERM=xterm script -qec "$tracemalloc report --no-cache trace" /dev/null </dev/null >terminal
check "short work: no line" bash -c "! grep -qa reading terminal"
for i in $(seq 200); do cp trace "trace.$i"; done
on_terminal xterm "./fast ." >terminal
check "many traces: a line, too" grep -qaE $'\rreading traces  \\[#*\\.*\\] +[0-9]+ %' terminal
finish
