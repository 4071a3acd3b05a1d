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
functions() { jq -r '[.sites[].frames[].function | values | select(test("^(main|of_library|inlined|direct|of_plain)$"))] | unique | join(" ")'; }
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
same "a second report is the same, byte for byte" "$(cat first)" "$(report)"
check "it is kept by build-id" [ -s "$cache/$(id_of program)" -a -s "$cache/$(id_of library.so)" ]
same "nobody else may read it" "700 600" "$(stat -c %a "$cache") $(stat -c %a "$cache/$(id_of program)")"
cp program program.good
cp library.so library.good
wipe program
wipe library.so
wipe plain.so
same "the names come out of the cache" "main of_library" "$(report | functions | sed 's/inlined //; s/ of_plain//')"
same "inlined functions too, what has no build-id excepted" "$(jq -c 'del(.sites[].frames[] | select(.module | endswith("plain.so")))' first)" \
    "$(report | jq -c 'del(.sites[].frames[] | select(.module | endswith("plain.so")))')"
same "--no-cache: not out of the cache" 0 "$(report --no-cache | jq '[.sites[].frames[] | select(.line and (.module | endswith("/program")))] | length')"
check "--no-cache: the cache stays" [ -s "$cache/$(id_of program)" ]
touch -d '2001-01-01' program
same "another date is another file" 0 "$(report | jq '[.sites[].frames[] | select(.line and (.module | endswith("/program")))] | length')"
cp program.good program
cp library.good library.so

# ---- what is new is added ----
traced "" ./program 1
report >second
same "addresses that were not asked for before" "direct inlined main of_library" "$(functions <second | sed 's/ of_plain//')"
same "are kept, too" "$(cat second)" "$(report)"

# ---- damage, and places where nothing can be kept ----
for how in 'truncate -s 10' 'truncate -s -1' 'sh -c "printf XXXXXXXX | dd of=\$1 bs=1 seek=100 conv=notrunc status=none" sh' \
    'sh -c "echo more >>\$1" sh' 'sh -c ":>\$1" sh'; do
    eval "$how \"$cache/$(id_of program)\""
    same "a damaged cache ($how): the same, and not a word" "$(cat second)" "$(report 2>&1)"
done
wipe program
check "it was repaired" [ "$(report | functions | grep -c direct)" = 1 ]
cp program.good program
XDG_CACHE_HOME=/dev/null/no
same "no place for it: the same, and not a word" "$(cat second)" "$(report 2>&1)"
XDG_CACHE_HOME=$tmp/shared
mkdir -p -m 777 "$XDG_CACHE_HOME/tracemalloc"
chmod 777 "$XDG_CACHE_HOME/tracemalloc"
same "one that others may write to: the same" "$(cat second)" "$(report 2>&1)"
same "and nothing in it" "" "$(ls "$XDG_CACHE_HOME/tracemalloc")"
XDG_CACHE_HOME=$tmp/new/../new/cache
mkdir new
for i in 1 2 3 4 5 6 7 8; do report >"out.$i" 2>&1 & done
wait
for i in 1 2 3 4 5 6 7 8; do cmp -s second "out.$i" || echo "# $i differs"; done >differences
same "eight at once" "" "$(cat differences)"
same "they leave no half files" "" "$(ls new/cache/tracemalloc | grep new)"

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
