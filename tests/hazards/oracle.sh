# SPDX-License-Identifier: MIT
#
# Sourced by tests of programs that must behave as without the recorder, and know the truth about themselves.
. tests/lib.sh
hazards=$build/tests/hazards
mkdir "$tmp/untraced" "$tmp/traced"

# in_place WHICH COMMAND...: in a directory of its own, with the shell's $limits; output, messages and exit
# status are kept as WHICH.*.  They go through pipes, since a limit of file sizes may be one.  The time is
# only to end what hangs.
in_place() {
    local which=$1
    shift
    { { {
        (cd "$tmp/$which" && ulimit -c 0 $limits && exec timeout -k 5 60 "$@" 2>&3 3>&- </dev/null)
        echo $? >"$tmp/$which.status"
    } 2>/dev/null | cat >"$tmp/$which.out"; } 3>&1 | cat >"$tmp/$which.err"; }
}

# as_untraced NAME COMMAND...: untraced, and by the recorder with the options in $options; its trace is in
# $trace.  An empty $trace leaves the default name.  Other libraries to be preloaded are in $before and
# $after.  What the recorder is to say, if it cannot do its work, is in $says.
as_untraced() {
    local name=$1
    shift
    rm -rf "$tmp"/trace "$tmp"/trace.*
    in_place untraced env LD_PRELOAD="$before:$after" "$@"
    in_place traced env LD_PRELOAD="$before:$lib:$after" \
        LIBTRACE_OPTIONS="${trace:+out=$trace}${options:+,$options}" "$@"
    same "$name: exit status" "$(cat "$tmp/untraced.status")" "$(cat "$tmp/traced.status")"
    same "$name: output" "$(cat "$tmp/untraced.out")" "$(cat "$tmp/traced.out")"
    same "$name: messages" "$(echo "${says:+tracemalloc: $says}" | grep . | cat - "$tmp/untraced.err")" \
        "$(cat "$tmp/traced.err")"
}
trace=$tmp/trace
options= limits= before= after= says= by=site

# as_told NAME [FILE]: what the program printed of itself, lines of "FUNCTION MEMBER NUMBER", is what the
# report says of the sites that have the function in their stack (of the innermost functions alone, if
# by=function); of the totals, if the function is "totals".
as_told() {
    local told
    told=$(grep -E '^[A-Za-z_]+ [a-z_]+ -?[0-9]+$' "$tmp/traced.out")
    same "$1: as it says itself" "${told:-nothing}" \
        "$("$tracemalloc" report --json --group-by "$by" "${2:-$trace}" | jq -r --arg told "$told" '
            def of($f; $m): [.sites[] | select(any(.frames[]; .function == $f))[$m]] | add // 0;
            . as $report | $told | split("\n")[] | split(" ") as [$f, $m] |
            "\($f) \($m) \($report | if $f == "totals" then .totals[$m] else of($f; $m) end)"')"
}

# totals FILTER [FILE]
totals() {
    "$tracemalloc" report --json --limit 1 "${2:-$trace}" | jq -r ".totals | $1"
}

# whole NAME [FILE]: nothing was missed, no stack was cut.
whole() {
    same "$1: a whole trace" "0 0" "$(totals '"\(.missed_events) \(.truncated_stacks)"' "${2:-$trace}")"
}
