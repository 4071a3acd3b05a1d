#!/bin/bash
# SPDX-License-Identifier: MIT
#
# What changed between two traces: of one program at other addresses, rebuilt, changed; of two snapshots.
set -u
. tests/lib.sh
CC=${CC:-cc}
root=$PWD
cd "$tmp" || exit 1

# diff_of ARGUMENTS...: sets status, and the files out and err
diff_of() {
    timeout 60 "$tracemalloc" diff "$@" >"$tmp/out" 2>"$tmp/err" </dev/null
    status=$?
}

status_is() { [ "$status" -eq "$1" ]; }
has() { grep -qF -- "$2" "$tmp/$1"; }
empty() { [ ! -s "$tmp/$1" ]; }
harmless() { ! grep -q '[[:cntrl:]]' "$tmp/$1"; }

# changes FILTER ARGUMENTS...: a jq filter over the JSON
changes() {
    local filter=$1
    shift
    timeout 60 "$tracemalloc" diff --json "$@" 2>"$tmp/err" | jq -cr "$filter"
}

# build DIRECTORY SED-SCRIPT: makes a version there
build() {
    mkdir -p "$1"
    sed "$2" "$root/tests/programs/versions.c" >"$1/versions.c"
    (cd "$1" && $CC -std=gnu11 -O1 -g -fno-builtin -I"$root/shim" -o versions versions.c)
}

# record NAME COMMAND...: leaves NAME
record() {
    rm -f "$1"
    LD_PRELOAD=$lib LIBTRACE_OPTIONS=out=$tmp/$1 "${@:2}"
}

# The sites of versions, by the line numbers of allocate's callers: kind, old and new bytes.
rows='.sites[] | [.change, .frames[1].function, .old.current_bytes, .new.current_bytes] | join(" ")'

build v1 ''
build v2 's|^/\* The next version.*|/*\n * Lines\n * and lines.\n */|; s|^    /\* and here.*|    if (!kept)\n        return;|'
build v3 's|^    /\* and here.*|    allocate(300);\n|; s|^    once();||'
check "the versions are built" [ -x v1/versions -a -x v2/versions -a -x v3/versions ]
record a v1/versions 10
record b v1/versions 10
record c v1/versions 12
record d v2/versions 10
record e v2/versions 12
record f v3/versions 10

# ---- one program -------------------------------------------------------------------------------------

diff_of a b
check "the same: no difference" eval 'status_is 0 && empty err && grep -qx "no difference" out'
same "though it lay elsewhere" true "$(changes .equal a b)"
diff_of a c
check "grown, largest first" eval 'grep -q "^1\. *+400 B  grown .*allocate" out && grep -q "^2\. *+200 B  grown" out'
check "how many of each" has out "2 call sites changed: 2 grown (1 unchanged)"
check "totals with their change" eval 'grep -q "^current .* 7.8 KiB .* 8.4 KiB .* +600 B .* +7.5 %$" out'
same "both sides in JSON" '[8000,8600,"a","c"]' \
    "$(changes '[.old.totals.current_bytes, .new.totals.current_bytes, .old.file, .new.file]' a c)"
same "every figure of a site" "grown pair 2000 2400
grown pair 1000 1200" "$(changes "$rows" a c)"
same "shrunk" "shrunk pair 2400 2000
shrunk pair 1200 1000" "$(changes "$rows" c a)"
same "by number" '["allocations","grown",10,12]' \
    "$(changes '[.metric] + (.sites[0] | [.change, .old.allocations, .new.allocations])' --sort allocations a c)"
same "by function" '["function","grown","allocate",8000,8600]' \
    "$(changes '[.group_by] + (.sites[0] | [.change, .frames[0].function, .old.peak_bytes, .new.peak_bytes])' \
        --group-by function a c)"
diff_of --min-bytes 300 a c
check "only large changes" eval 'has out "1 of them, by change of bytes at the peak" && ! grep -q "^2\." out'
diff_of --limit 1 a c
check "--limit" eval 'has out "1 of them, by change of bytes at the peak" && ! grep -q "^2\." out'
diff_of --sort temporary a c
check "no difference by this figure" has out "no difference in temporary blocks; --sort"
diff_of --filter function=nobody a c
check "nothing is left to compare" has out "no difference: there is nothing on either side"
same "folded stacks" "main;once;allocate 5000 5000
main;pair;allocate 3000 3600" \
    "$("$tracemalloc" diff --folded a c | sed 's/.*\(main;.*allocate\)/\1/' | sort)"

# ---- rebuilt -----------------------------------------------------------------------------------------

diff_of a d
check "rebuilt with lines added, elsewhere: no difference" eval 'status_is 0 && empty err && has out "no difference"'
same "changes of a rebuilt program" "grown pair 2000 2400
grown pair 1000 1200" "$(changes "$rows" a e)"
same "are told in the new version's lines" "$(grep -n 'allocate(200)' v2/versions.c | cut -d: -f1)" \
    "$(changes '.sites[0].frames[1].line' a e)"
same "and files" true "$(changes '.sites[0].frames[1].file | endswith("versions.c")' a e)"
same "a call more, a call less" "gone once 5000 0
new pair 0 3000" "$(changes "$rows" a f | sort)"
same "by file, whichever folder it is in" "grown 8000 8600
shrunk 8000 6000" "$(changes '.sites[] | [.change, .old.current_bytes, .new.current_bytes] | join(" ")' \
    --group-by file a e; changes '.sites[] | [.change, .old.current_bytes, .new.current_bytes] | join(" ")' \
    --group-by file a f)"
build v4 ''
cp v4/versions old
record g v4/versions 10
cp v2/versions v4/versions
diff_of g e
check "the old program is no more: that is said" \
    eval 'status_is 0 && has err "v4/versions has changed" && has err "keep what was traced"'
cp -p old v4/versions
"$tracemalloc" report --json g >/dev/null
cp v2/versions v4/versions
same "unless there was a report before: names are in the cache" "grown pair 2000 2400
grown pair 1000 1200" "$(changes "$rows" g e)"

# nodes TRACE...: how many the call tree of the page has
nodes() {
    "$tracemalloc" html -o - "$@" | python3 -c 'import json, re, sys
print(len(json.loads(re.search(r"application/json[^>]*>(.*?)</script>", sys.stdin.read(), re.S)[1])["nodes"]))'
}
same "the page of a rebuilt program has its stacks once" "$(nodes d)" "$(nodes a d)"

# ---- plug-ins ----------------------------------------------------------------------------------------

echo '#include <stdlib.h>
void plugin(int n) { while (n--) { void *volatile block = malloc(50); (void)block; } }' >plugin.c
echo 'int other;' >other.c
for name in plugin other; do $CC -g -fno-builtin -shared -fPIC -o $name.so $name.c; done
record h v1/versions 3 ./plugin.so
record i v1/versions 3 ./other.so ./plugin.so
record j v1/versions 5 ./plugin.so
same "a plug-in at another address" '[]' \
    "$(changes '[.sites[] | select(.frames[0].function == "plugin")]' h i)"
same "a plug-in that allocates more" "grown 150 250" \
    "$(changes '.sites[] | select(.frames[0].function == "plugin") |
        [.change, .old.current_bytes, .new.current_bytes] | join(" ")' h j)"

# ---- two programs, two snapshots ---------------------------------------------------------------------

record k "$programs/leaky" tidy
diff_of a k
check "two programs" eval 'status_is 0 && has out "the programs have different names" && has out gone && has out new'
diff_of c@before c@after
check "two snapshots of one" \
    eval 'status_is 0 && has out "2 call sites changed: 2 new" && has out "by change of live bytes"'
same "what was allocated between" "new pair 0 2400
new pair 0 1200" "$(changes "$rows" c@before c@after)"
same "a snapshot and the end" "new once 0 5000" "$(changes "$rows" c@after c)"

# ---- what is wrong -----------------------------------------------------------------------------------

for arguments in "" "a" "a b c" "--json --folded a b" "--folded --limit 3 a b" "--folded --group-by line a b" \
    "--json --full a b" "--sort size a b"; do
    diff_of $arguments
    check "diff $arguments: wrong usage" eval 'status_is 2 && empty out'
done
diff_of a missing
check "a missing trace" eval 'status_is 1 && empty out && has err "missing: No such file"'
diff_of a c@nothing
check "a missing snapshot" eval 'status_is 1 && empty out && has err "no snapshot"'
evil=$'evil\033[31m;\n</script>'
mkdir "$(dirname "$evil")"
cp v1/versions "$evil"
record l "./$evil" 10
diff_of --group-by module l c
check "hostile names in text" eval 'harmless out && harmless err'
cp l "$tmp/"$'l\033\n'
diff_of --json a $'l\033\n'
check "in JSON" eval 'python3 -m json.tool <out >/dev/null && harmless out'
printf 'void __attribute__((noinline)) f(void) __asm__("\\"a;b 1 2\\"");\n#include <stdlib.h>\n%s\n%s\n' \
    'void f(void) { void *volatile block = malloc(7); (void)block; __asm__ volatile(""); }' \
    'int main(void) { f(); __asm__ volatile(""); return 0; }' >names.c
$CC -O1 -fno-builtin -o names names.c
record m ./names
same "in folded stacks" "a:b 1 2 7 7" "$("$tracemalloc" diff --folded m m 2>/dev/null | sed 's/.*;//')"
for arguments in "a c" "--json a c" "--folded a c"; do
    "$tracemalloc" diff $arguments >/dev/full 2>err
    status=$?
    check "diff $arguments >/dev/full exits 1" eval 'status_is 1 && has err "No space left"'
done
finish
