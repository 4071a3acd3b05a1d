#!/bin/bash
# SPDX-License-Identifier: MIT
#
# What was never freed, of programs of which it is known; and suppressions.
set -u
. tests/lib.sh
leaky=$programs/leaky
cd "$tmp" || exit 1

# leaks ARGUMENTS...: sets status, and the files out and err
leaks() {
    timeout 60 "$tracemalloc" leaks "$@" >"$tmp/out" 2>"$tmp/err" </dev/null
    status=$?
}

status_is() { [ "$status" -eq "$1" ]; }
has() { grep -qF -- "$2" "$tmp/$1"; }
one_line() { [ "$(wc -l <"$tmp/$1")" -eq 1 ]; }
empty() { [ ! -s "$tmp/$1" ]; }

# sum FILTER ARGUMENTS...: a jq filter over the JSON
sum() {
    local filter=$1
    shift
    "$tracemalloc" leaks --json "$@" "$tmp/trace" | jq -cr "$filter"
}

# ---- what leaks --------------------------------------------------------------------------------------

traced "" "$leaky" return >/dev/null
leaks trace
check "exit 0: it is a report" eval 'status_is 0 && empty err'
check "what leaks, and no more" has out "leaked 3.1 KiB in 14 blocks"
same "largest first, by site" "cache 3 3000
list 10 160
nothing 1 0" "$(sum '.sites[] | [.frames[1].function, .current_blocks, .current_bytes] | join(" ")')"
same "the sums" '[true,{"bytes":3160,"blocks":14,"sites":3},3]' "$(sum '[.final, .leaked, .sites_total]')"
check "shares are shares of that" eval 'grep -q "^1\. .* 94.9 %  *3 blocks  keep  " out'
check "blocks of no bytes are listed" eval 'grep -q "^3\. .* 0 B .* 1 block  keep  " out'
check "what is held by design is suppressed, and said" has out "by the built-in list"
same "with what was leaked it is all" true \
    "$(sum '.leaked.bytes + .suppressed.bytes == .totals.current_bytes and
            .leaked.blocks + .suppressed.blocks == .totals.current_blocks')"
same "the lines' sums are the whole" true "$(sum '(.suppressed.by | map(.bytes) | add) == .suppressed.bytes')"
leaks --full trace
check "--full tells the built-in lines" has out "by built-in leak:setlocale$"
leaks --limit 1 trace
check "--limit" eval 'has out "1 of 3 call sites" && ! grep -q "^2\." out'
leaks --strict trace
check "--strict suppresses nothing" eval 'status_is 0 && ! has out suppressed && has out setlocale'
same "nor with --json" '[true,0]' \
    "$(sum '[.leaked.bytes == .totals.current_bytes, .suppressed.bytes]' --strict)"
leaks --json trace
check "JSON is one valid object" eval 'python3 -m json.tool <out >/dev/null'

traced "" "$leaky" free >/dev/null
leaks trace
check "nothing leaked: one sentence" has out "nothing is leaked but what is suppressed"
traced "" "$leaky" tidy
leaks --strict trace
check "everything freed: one sentence" has out "nothing is leaked: every block was freed"

# ---- who has not ended -------------------------------------------------------------------------------

(traced "" "$leaky" kill >/dev/null; :) 2>/dev/null
leaks trace
check "killed, but by whom is not known" has out "how it ended is not known: live at that moment, not necessarily"
same "is not final" false "$(sum .final)"
rm -f trace
"$tracemalloc" run -q -o trace "$leaky" kill >/dev/null 2>&1
leaks trace
check "killed" has out "killed: live at that moment, not necessarily leaked"
check "and it is called live" has out "live 3.1 KiB in 14 blocks"
rm -f trace
LD_PRELOAD=$lib LIBTRACE_OPTIONS=out=$tmp/trace "$leaky" pause >paused &
for _ in $(seq 100); do [ -s paused ] && break; sleep 0.05; done
leaks trace
kill $!
wait $! 2>/dev/null
check "still running" has out "still running: live at this moment, not necessarily leaked"

# ---- suppressions ------------------------------------------------------------------------------------

traced "" "$leaky" return >/dev/null
printf '# what we know\n\nleak:^cache$\r\n  leak:nowhere\n' >one.supp
printf 'leak:programs/lea*.c\n' >two.supp
leaks --suppressions one.supp trace
check "by function" has out "leaked 160 B in 11 blocks"
check "says by which line" has out "2.9 KiB in 3 blocks by one.supp:3 leak:^cache\$"
check "and nothing of lines that are not used" eval '! has out nowhere'
leaks --suppressions two.supp trace
check "by source file" eval 'has out "nothing is leaked but" && has out " blocks by two.supp:1 leak:programs/lea*.c"'
leaks --suppressions two.supp --suppressions one.supp trace
check "several files: the innermost frame decides" eval 'has out "by two.supp:1" && ! has out one.supp'
same "in JSON" '[{"file":"one.supp","line":3,"pattern":"^cache$","bytes":3000,"blocks":3,"sites":1}]' \
    "$(sum '[.suppressed.by[] | select(.file)]' --suppressions one.supp)"
echo 'leak:/leaky$' >module.supp
leaks --strict --suppressions module.supp trace
check "by module" eval '! has out " keep "'
leaks --strict --suppressions one.supp trace
check "--strict leaves files alone" eval 'has out "by one.supp:3" && ! has out built-in'

# wrong NAME TEXT LINE: one line on stderr, nothing else
wrong() {
    local text=$2
    printf "%b" "$3" >"$tmp/wrong.supp"
    leaks --suppressions wrong.supp trace
    check "$1" eval 'status_is 1 && empty out && one_line err && has err "$text"'
}
wrong "a line that is none" "wrong.supp:2: not a suppression" 'leak:x\nrace:x\n'
wrong "an empty pattern" "wrong.supp:1: the pattern is empty" 'leak:  \n'
wrong "a zero byte" "wrong.supp:1: has a zero byte" 'leak:a\0000b\n'
wrong "control characters" 'wrong.supp:1: not a suppression' '\033[31m\n'
leaks --suppressions missing.supp trace
check "a missing file" eval 'status_is 1 && one_line err && has err "missing.supp: No such file"'
leaks --suppressions . trace
check "a directory" eval 'status_is 1 && one_line err && has err ".: Is a directory"'
printf 'leak:^keep$\n' >$'evil\033[31m\n.supp'
leaks --suppressions $'evil\033[31m\n.supp' trace
check "a hostile name of a file" eval 'has out "evil\\x1b[31m\\n.supp:1" && ! grep -q $'"'"'\033'"'"' out'
leaks --full --json trace
check "--full with --json is refused" eval 'status_is 2 && empty out'

# ---- what libraries hold by design -------------------------------------------------------------------

cat >files.c <<'EOF'
#include <stdio.h>
int main(void)
{
    for (volatile int i = 0; i < 5; i++)
        getc(fopen("/etc/passwd", "r"));
    puts("x");
    return 0;
}
EOF
"${CC:-cc}" -O1 -g -o files files.c
traced "" ./files >/dev/null
same "buffers of files that were not closed leak, that of stdout does not" "[10,1]" \
    "$(sum '[.leaked.blocks, .suppressed.blocks]')"

cat >pool.cc <<'EOF'
#include <iostream>
#include <locale>
#include <string>
int main()
{
    std::ios_base::sync_with_stdio(false);
    std::locale::global(std::locale("C.UTF-8"));
    std::string word;
    std::cin >> word;
    std::cout << word << "\n";
    try { throw word; } catch (const std::string &) { }
}
EOF
if c++ -O1 -g -o pool pool.cc 2>/dev/null; then
    echo word | traced "" ./pool >/dev/null
    leaks trace
    check "a C++ program leaks nothing" has out "nothing is leaked but what is suppressed"
    if c++ -O1 -g -static-libstdc++ -o static_pool pool.cc 2>/dev/null; then
        echo word | traced "" ./static_pool >/dev/null
        same "the emergency pool where it is linked statically" 0 \
            "$(sum '[.sites[] | select(.current_bytes == 72704)] | length')"
    else
        skip "the emergency pool where it is linked statically" "no static libstdc++"
    fi
else
    skip "a C++ program leaks nothing" "no C++ compiler"
fi
finish
