#!/bin/bash
# SPDX-License-Identifier: MIT
#
# Where the trace is to be written somebody has put something else, before or meanwhile; the options, the
# program's name or its directory are made to do harm.
set -u
. tests/hazards/oracle.sh
program=$hazards/many_sites
victim=$tmp/victim

# ---- what is there already is left as it is ----
plant() {
    rm -rf "$tmp/place"* "$victim"
    echo precious >"$victim"
    chmod 644 "$victim"
    case $1 in
    "a link to a file") ln -s "$victim" "$tmp/place" ;;
    "a link to nowhere") ln -s "$tmp/nowhere" "$tmp/place" ;;
    "a hard link") ln "$victim" "$tmp/place" ;;
    "a pipe") mkfifo "$tmp/place" ;;
    "a directory") mkdir "$tmp/place" ;;
    esac
}
facts() { stat -c '%F %a %s %h' "$tmp/place" "$victim"; }

for what in "a link to a file" "a link to nowhere" "a hard link" "a pipe" "a directory"; do
    plant "$what"
    facts >"$tmp/before"
    trace=$tmp/place as_untraced "$what" "$program" 100
    same "$what: is left alone" "$(cat "$tmp/before") precious" "$(facts) $(cat "$victim")"
    check "$what: nothing is written through it" [ ! -e "$tmp/nowhere" ]
    same "$what: the trace is beside it" "600 101" \
        "$(stat -c %a "$tmp/place.2") $(of at_end allocations "$tmp/place.2")"
done

# Of the whole path only the last part is the recorder's.
mkdir "$tmp/real"
ln -s "$tmp/real" "$tmp/linked"
trace=$tmp/linked/trace as_untraced "a directory that is a link" "$program" 100
check "a directory that is a link: is used" [ -e "$tmp/real/trace" ]

# ---- what comes into its place meanwhile ----
for how in link file pipe directory nothing; do
    plant none
    trace=$tmp/place
    facts_of_victim=$(stat -c '%a %s' "$victim")
    rm -rf "$tmp/place"*
    in_place traced env LD_PRELOAD="$lib" LIBTRACE_OPTIONS="out=$trace" \
        "$hazards/replaces_trace" "$trace" $how "$victim"
    same "replaced by a $how: exit status" 0 "$(cat "$tmp/traced.status")"
    same "replaced by a $how: is left alone" "$facts_of_victim precious" \
        "$(stat -c '%a %s' "$victim") $(cat "$victim")"
    as_told "replaced by a $how: the trace, wherever it is" "$trace.aside"
done
trace=$tmp/trace

# ---- the mode ----
for mask in 0 077 0777; do
    rm -f "$trace" "$trace".*
    (umask $mask && LD_PRELOAD=$lib LIBTRACE_OPTIONS=out=$trace "$program" 100 >/dev/null)
    same "a umask of $mask" 600 "$(stat -c %a "$trace")"
done

# ---- options ----
# refused OPTIONS SAID...
refused() {
    local options=$1 shown
    shown=$(printf %.40q "$options")
    shift
    rm -f "$trace" "$trace".*
    in_place traced env LD_PRELOAD="$lib" LIBTRACE_OPTIONS="$options" "$program" 100
    same "options: $shown: said" "$(printf 'tracemalloc: %s\n' "$@")" "$(cat "$tmp/traced.err")"
    same "options: $shown: harmless" "0 3" "$(cat "$tmp/traced.status") $(wc -l <"$tmp/traced.out")"
}
long=$(printf 'x%.0s' $(seq 5000))
ignored="LIBTRACE_OPTIONS: ignoring"
refused "out=" "$ignored out="
refused "depth=99999999999999999999,depth=0,depth=-1,depth=" "$ignored depth=99999999999999999999" \
    "$ignored depth=0" "$ignored depth=-1" "$ignored depth="
refused "=,a=,=b,==" "$ignored =" "$ignored a=" "$ignored =b" "$ignored =="
refused "out=$long" "$ignored a part of it, too long"
refused $'\e[31mred\e[0m=\n\x9b31m\xc2\x9b31m\x7f' "$ignored ?[31mred?[0m=??31m??31m?"
refused "out=$tmp/${long:0:300}" "not recording: cannot create $tmp/${long:0:300}: the name is too long"
refused "out=$tmp/no/such" "not recording: cannot create $tmp/no/such: no such directory"
refused "out=$victim/x" "not recording: cannot create $victim/x: a part of the name is no directory"
refused "out=$tmp/real/" "not recording: cannot create $tmp/real/: error 21"

# ---- the names of the program and of its directory ----
names=($'new\nline' $'\e]0;title\a\e[31m' 'with  blanks' $'\xff\xfe\x9b' '%p%e%t%' '-o'
    $'a\tb' 'out=x,depth=1' '<script>' "$(printf 'n%.0s' $(seq 220))" '$(id)' '*')
for name in "${names[@]}"; do
    shown=$(printf %.30q "$name")
    mkdir -p "$tmp/names/$name"
    cp "$program" "$tmp/names/$name/$name"
    (cd "$tmp/names/$name" && LD_PRELOAD=$lib "./$name" 100 >"$tmp/traced.out" 2>"$tmp/traced.err")
    same "a program $shown: runs, in silence" "0 3 0" \
        "$? $(wc -l <"$tmp/traced.out") $(wc -c <"$tmp/traced.err")"
    files=("$tmp/names/$name/tracemalloc.$name".*.trace)
    trace=${files[0]}
    check "a program $shown: its trace" [ -f "$trace" ]
    same "a program $shown: the report has it, in characters" \
        "./$(printf %s "$name" | iconv -c -f utf-8 -t utf-8)" \
        "$(json '.command[0]' "$trace" | jq -rR . | tr -d '\357\277\275')"
    "$tracemalloc" report "$trace" >"$tmp/report"
    check "a program $shown: the terminal gets no other" \
        [ "$(LC_ALL=C grep -cP '[\x00-\x08\x0b-\x1f\x7f]' "$tmp/report")" = 0 ]
done
mkdir "$tmp/names/long"
long=$(printf 'n%.0s' $(seq 255))
cp "$program" "$tmp/names/long/$long"
(cd "$tmp/names/long" && LD_PRELOAD=$lib "./$long" 100 >"$tmp/traced.out" 2>"$tmp/traced.err")
same "a name of 255 bytes: runs" "0 3" "$? $(wc -l <"$tmp/traced.out")"
same "a name of 255 bytes: a line says that there is no trace" "1 the name is too long" \
    "$(wc -l <"$tmp/traced.err") $(sed 's/.*: //' "$tmp/traced.err")"
(cd "$tmp/names/long" && LIBTRACE_OPTIONS=out=$(printf '%%e%.0s' $(seq 20)) LD_PRELOAD=$lib "./$long" 100) \
    >"$tmp/traced.out" 2>/dev/null
same "a name of 5,000 bytes" "0 3" "$? $(wc -l <"$tmp/traced.out")"
finish
