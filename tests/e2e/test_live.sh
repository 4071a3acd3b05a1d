#!/bin/bash
# SPDX-License-Identifier: MIT
#
# The live view in a real terminal: what it shows of a program that does as it is told, its keys, its ends.
. tests/lib.sh

watched=$programs/watched
# line TEXT: the number of the line that has it.
line() { grep -n -m 1 -F "$1" tests/programs/watched.c | cut -d: -f1; }
few=watched\\.c:$(line 'malloc(100000)') many=watched\\.c:$(line 'malloc(10)') fetch=watched\\.c:$(line '= site_few()')
server=$tmp/tmux
terminal() { tmux -S "$server" -f /dev/null "$@" 9>&-; }
on_screen() { terminal capture-pane -p -t view 2>/dev/null; }
trap 'terminal kill-server 2>/dev/null; exec 9>&-; rm -rf "$tmp" "$tmp.cache"' EXIT

# begin COLUMNSxROWS COMMAND...: runs it in a terminal of that size, between two lines.
begin() {
    local size=$1
    shift
    terminal kill-server 2>/dev/null
    while [ -e "$server" ] && terminal has-session 2>/dev/null; do sleep 0.02; done
    rm -f "$tmp/before" "$tmp/after" "$tmp/status"
    printf '%q ' "$@" >"$tmp/command"
    cat >"$tmp/session" <<'EOF'
cd "$1" && export LC_ALL=C.UTF-8
[ -e in_tmux ] || unset TMUX TMUX_PANE
echo the line before
stty -g >before
eval "$(cat command)"
echo $? >status
stty -g >after
echo the line behind
exec sleep 100
EOF
    terminal new-session -d -s view -x "${size%x*}" -y "${size#*x}" bash "$tmp/session" "$tmp"
}

# shows PATTERN...: whether the screen has all of them within a few seconds.
shows() {
    local pattern picture missing
    for ((i = 0; i < 100; i++)); do
        picture=$(on_screen)
        missing=
        for pattern; do
            grep -qE -e "$pattern" <<<"$picture" || missing="$missing '$pattern'"
        done
        [ -z "$missing" ] && return 0
        sleep 0.05
    done
    echo "# not on the screen:$missing"
    sed 's/^/#   /' <<<"$picture"
    return 1
}
keys() { terminal send-keys -t view "$@"; }
# The program and its orders.
start() {
    rm -f "$tmp/orders"
    mkfifo "$tmp/orders"
    LD_PRELOAD=$lib LIBTRACE_OPTIONS=out=$tmp/trace "$1" <"$tmp/orders" >"$tmp/answers" &
    program=$!
    exec 9>"$tmp/orders"
}
order() {
    local done
    done=$(wc -l <"$tmp/answers")
    echo "$1" >&9
    for ((i = 0; i < 100; i++)); do
        [ "$(wc -l <"$tmp/answers")" -gt "$done" ] && return 0
        sleep 0.02
    done
    return 1
}
# ended STATUS: the view is gone, the terminal as it was.
ended() {
    for ((i = 0; i < 100 && ! $([ -e "$tmp/after" ] && echo 1 || echo 0); i++)); do sleep 0.05; done
    shows 'the line before' 'the line behind' || return 1
    [ "$(cat "$tmp/status")" = "$1" ] && cmp -s "$tmp/before" "$tmp/after" && return 0
    echo "#   status $(cat "$tmp/status")"
    return 1
}
viewer() { pgrep -P "$(terminal list-panes -t view -F '#{pane_pid}')" -x tracemalloc; }

# ---- a program that runs ----------------------------------------------------------------------------

start "$watched"
order 'few 40'
begin 120x30 "$tracemalloc" live "$program"
shows '40 +site_few'
order 'many 1000'
check "a process is found by its pid: state, totals" \
    shows "watched +● running for .* pid $program" 'current +3\.8 MiB +1,04[0-9] blocks' 'allocated .* allocations'
check "call sites, also such as are new: bytes, share, blocks, place, callers" \
    shows "3\.8 MiB +9.\.. % .* 40 +site_few +.*$few +← fetch ← main" \
    "9\.8 KiB +0\.2 % .* 1,000 +site_many +.*$many +← collect ← main"
check "resident memory, and the picture of it" shows 'resident +[0-9.]+ MiB' '⣿.*⣿' '⣿ current +⠉⠉ resident'
order 'few 40'
order 'many 20000'
check "what the program allocates meanwhile is there" shows '7\.6 MiB .* 80 +site_few' '21,000 +site_many'
check "peak: it is now" shows 'peak +7\.8 MiB +21,08. blocks +it is now'
order free
check "what it frees is not" shows 'current +[0-9.]+ (B|KiB) ' 'peak +7\.8 MiB +21,08. blocks *[^i]'
check "change per second" shows 'current .* -[0-9.]+ MiB/s'
keys p
check "by the peak" shows 'peak +share' '7\.6 MiB .* 80 +site_few'
keys n
check "by the number of allocations, largest first" shows '^ +21,000 +99\.[0-9] % .* site_many'
keys s
check "s: the next way to rank" shows 'temporary +share'
keys a g
check "by line" shows 'allocated +share .* [0-9]+ lines' "7\.6 MiB .*$few"
keys g
check "by function" shows 'allocated .* [0-9]+ functions' '7\.6 MiB .*site_few'
keys Enter
check "the call sites of a function" shows '1 call site in site_few' 'site_few .* ← fetch ← main'
keys Enter
check "the whole stack of a site, with files and lines" \
    shows 'call stack of [0-9]+ frames' "0 +site_few +.*$few" "1 +fetch +.*$fetch" \
    '2 +main +.*watched\.c:4[0-9]' 'allocated +7\.6 MiB .* 80 allocations'
keys Escape
check "back to the sites" shows '1 call site in site_few'
keys Escape
check "back to the functions" shows ' functions'
keys Home Down Enter
check "keys that come at once: Enter is for the row that those before it chose" shows '1 call site in site_many'
keys Escape
check "back from there" shows ' functions'
keys G G /
keys collect
check "a filter while it is typed looks at whole stacks" shows '1 call site matching' 'site_many .* ← collect' '/collect'
keys BSpace BSpace BSpace BSpace BSpace BSpace BSpace nowhere
check "and may match nothing" shows 'nothing matches'
keys Escape
check "Esc drops it" shows ' call sites *$' 'site_few'
keys '?'
check "help" shows 'choose a row' 'blocks freed by the same thread'
keys '?' Space
check "pause" shows 'paused'
order 'many 7'
sleep 0.3
check "the picture stands meanwhile" shows 'paused' ' 21,000 +site_many'
keys Space
check "and catches up" shows ' 21,007 +site_many'
terminal resize-window -t view -x 20 -y 5
check "a tiny screen" shows '^ ● running' 'peak 7' 'allocated'
terminal resize-window -t view -x 3 -y 1
sleep 0.2
terminal resize-window -t view -x 80 -y 24
check "a usual one: the picture is below the totals" shows 'temporary' '^ +0 .*⣿' '205\.1 KiB .* site_many' 'q quit'
keys Down Down Down Up End Home j k
check "moving about" shows '205\.1 KiB .* site_many'
kill -KILL "$program"
wait "$program" 2>/dev/null
check "killed meanwhile: the view stays" shows '● ended after' 'current' '205\.1 KiB .* site_many'
keys q
check "q: exit status 0, the terminal as it was" ended 0

# ---- how the view ends ------------------------------------------------------------------------------

for signal in INT:0 TERM:143 HUP:129 SEGV:139 ABRT:134; do
    begin 100x24 "$tracemalloc" live "$tmp/trace"
    shows 'q quit' && kill -"${signal%:*}" "$(viewer)"
    check "SIG${signal%:*}: the terminal as it was" ended "${signal#*:}"
done

begin 100x24 bash -c 'trap "" HUP; exec "$0" live trace' "$tracemalloc"
shows 'q quit'
view=$(viewer)
terminal kill-server
for ((i = 0; i < 100; i++)); do kill -0 "$view" 2>/dev/null || break; sleep 0.05; done
check "the terminal goes away, and nobody says so" test ! -e "/proc/$view"

# ---- files ------------------------------------------------------------------------------------------

cp "$tmp/trace" "$tmp/old"
begin 100x24 "$tracemalloc" live old
check "a file of a program that is no more" shows 'ended after' '70 B .* 7 +site_many'
mv "$tmp/old" "$tmp/older"
check "the file is removed: said, and shown on" shows 'old was removed' '70 B .* 7 +site_many'
cp "$tmp/older" "$tmp/old"
check "replaced" shows 'old was replaced: r opens the new one'
keys r
check "r opens the new one" shows '\? help' '70 B .* 7 +site_many'
truncate -s 5000 "$tmp/old"
check "cut short" shows 'old was cut short: 5000 bytes of' '70 B .* 7 +site_many'
keys q
check "and left as usual" ended 0

rm -f "$tmp"/old* "$tmp"/trace*
start "$watched"
order 'few 5'
cp "$tmp/trace" "$tmp/later"
begin 100x24 "$tracemalloc" live
check "without an argument: the newest that runs" shows "running for .* pid $program" '488\.3 KiB .* site_few'
keys q
ended 0
exec 9>&-
wait "$program"

# ---- a part of it -----------------------------------------------------------------------------------

start "$watched"
order 'few 5'
begin 120x30 "$tracemalloc" live --filter site_many --sort allocations "$program"
check "a filter that nothing matches so far" shows 'selected +0 +0\.0 % of allocations, 0 of [0-9]+ call sites' \
    'nothing matches'
order 'many 1000'
check "call sites that are new are filtered too: what part of all they are" \
    shows 'selected +1,000 +99\.. % of allocations, 1 of [0-9]+ call sites' '1,000 +99\.. % .* site_many'
check "and nothing else" test -z "$(on_screen | grep site_few)"
keys q
ended 0
begin 120x30 "$tracemalloc" live --cumulative --from main --hide 'site_*' --exclude 'module=libc.so*' \
    --min-bytes 1K "$program"
check "cumulative, by function: hidden frames count as their callers" \
    shows '3 functions, callees included' '498\.[0-9] KiB .* main ' '488\.3 KiB .* fetch' '9\.8 KiB .* collect'
keys Enter
check "the call sites of all callees" shows '2 call sites in main' 'fetch .* ← main$' 'collect .* ← main$'
keys Enter
check "a stack as it is seen" shows 'call stack of 2 frames' '0 +fetch' '1 +main' 'current +488\.3 KiB .* 5 blocks'
keys Escape Escape
order 'few 5'
check "what comes later is in all callers" shows '986\.[0-9] KiB .* main ' '976\.6 KiB .* fetch'
keys t
check "temporary blocks have no size" shows 'temporary blocks are counted, but not their bytes'
keys q
ended 0
exec 9>&-
wait "$program"
"$tracemalloc" live --all-frames "$tmp/trace" >/dev/null 2>&1
same "options that make no sense together: exit status 2" 2 $?

name=$tmp/$'evil\e[31m\nname'
cp "$watched" "$name"
start "$name"
order 'few 5'
begin 160x24 "$tracemalloc" live "$program"
check "hostile names do nothing to the terminal" shows 'evil\\x1b\[31m\\nname' 'site_few'
keys Enter
check "nor in a stack" shows '0 +site_few .* evil\\x1b\[31m\\nname'
exec 9>&-
wait "$program"
same "the program's exit status" 3 $?
check "it ends meanwhile" shows 'exited 3 after'
keys q
ended 0

# ---- other terminals --------------------------------------------------------------------------------

begin 110x24 env TERM=vt100 NO_COLOR=1 LC_ALL=C "$tracemalloc" live "$tmp/trace"
check "no colours, no UTF-8" shows 'exited 3' 'site_few' '< fetch < main' 'q quit'
check "nothing but ASCII" test -z "$(on_screen | tr -d '\000-\177')"
keys q
for kind in dumb nonsense; do
    begin 160x24 env TERM=$kind "$tracemalloc" live "$tmp/trace"
    check "TERM=$kind: a sentence, exit status 2" ended 2
    check "the sentence" shows "^tracemalloc: .*TERM=$kind.*tracemalloc report"
done
"$tracemalloc" live "$tmp/trace" >"$tmp/out" 2>"$tmp/err" </dev/null
same "no terminal: exit status 2" 2 $?
same "and a sentence" 1 "$(grep -c 'no terminal' "$tmp/err")"
same "nothing on stdout" 0 "$(wc -c <"$tmp/out")"
"$tracemalloc" live 999999999 2>"$tmp/err"
same "no such process" "1 tracemalloc: there is no process 999999999, or it has ended: name its trace" "$? $(cat "$tmp/err")"
"$tracemalloc" live trace@1 2>"$tmp/err"
same "a snapshot" '2 tracemalloc: trace@1: a snapshot does not change: `tracemalloc report` shows it' "$? $(cat "$tmp/err")"
"$tracemalloc" live $$ 2>"$tmp/err"
same "a process that is not recorded" \
    "1 tracemalloc: process $$ is not recorded, or has allocated too little to leave a trace" "$? $(cat "$tmp/err")"

# ---- run --live -------------------------------------------------------------------------------------

cat >"$tmp/talk" <<'EOF'
echo to stdout
echo to stderr >&2
exec "$1" < <(echo few 3; sleep 2; echo many 5; sleep 0.5)
EOF
begin 100x30 "$tracemalloc" run --live -o talk.trace bash "$tmp/talk" "$watched"
check "run --live: the view, also of what a script turns into, and nothing else" shows '● exited 3 after' '293\.0 KiB .* site_few'
check "nothing of the output on it" test -z "$(on_screen | grep -E 'to std|did ')"
keys q
check "then the output, and the exit status" ended 3
check "in its order, and the summary" shows '^to stdout' '^to stderr' '^did few 3' '^did many 5' \
    '^tracemalloc: .*exited 3 after' 'more: tracemalloc report'
begin 100x30 "$tracemalloc" run --live -o killed.trace bash -c 'echo to stdout; "$0" < <(sleep 1)' "$watched"
shows '● running' && pkill -KILL -P "$(viewer)" -x tracemalloc
check "a view that dies: the output is not lost" ended 3
check "nor the summary" shows '^to stdout' 'more: tracemalloc report'
begin 100x30 bash -c '"$0" run --live -o "%e.trace" "$1" < <(echo few 3; sleep 2) >output' "$tracemalloc" "$watched"
check "redirected output goes where it should" shows '● running' '293\.0 KiB .* site_few'
keys q
check "and the program runs on after the view" ended 3
same "the output" "did few 3" "$(cat "$tmp/output")"
begin 100x30 "$tracemalloc" run --live nonsense
check "no such program" ended 127
begin 100x40 "$tracemalloc" run --live -o dies.trace "$watched" --
shows 'exited 3' && keys q
check "a program that reads the terminal finds its end" ended 3
touch "$tmp/in_tmux"
begin 100x40 bash -c '"$0" run --live -o pane.trace "$1" < <(echo few 3; sleep 0.7; echo die)' "$tracemalloc" "$watched"
check "in tmux the view has a pane of its own" ended 137
check "where it stays" grep -q 'site_few' <(for ((i = 0; i < 50; i++)); do
    terminal capture-pane -p -t view.1 2>/dev/null | grep 'killed by signal 9' && terminal capture-pane -p -t view.1 && break
    sleep 0.1
done)
same "the program's output is where it always is" 1 "$(on_screen | grep -c '^did few 3')"
setsid -w "$tracemalloc" run --live "$watched" </dev/null >"$tmp/out" 2>"$tmp/err"
same "no terminal at all: exit status 2" 2 $?
same "and a sentence why" 1 "$(grep -c 'there is no terminal' "$tmp/err")"

finish
