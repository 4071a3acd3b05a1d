# SPDX-License-Identifier: MIT
#
# bash row.sh ROW FUNCTION: what the rows share, and the shell that runs one; it is traced too.
#
# Of a row everything that goes to standard output is compared, and the exit status.  It runs in an empty
# directory that everybody may write, in every run the same; PORT is free on 127.0.0.1.

# unprivileged COMMAND...: as nobody, if we are root.
unprivileged() {
    if [ "$(id -u)" = 0 ]; then
        setpriv --reuid=65534 --regid=65534 --clear-groups "$@"
    else
        "$@"
    fi
}

# until_true COMMAND...: waits for a server; the row's time is bounded from outside.
until_true() {
    until "$@" >>waited 2>&1; do
        sleep 0.1
    done
}

# listening: somebody is at $PORT.
listening() {
    exec 3<>"/dev/tcp/127.0.0.1/$PORT" && exec 3>&-
}

# load OPTION... URL: requests, all of which shall be answered.
load() {
    ab -q "$@" | grep -E '^(Complete|Failed|Non-2xx)'
}

# facts NAME PID: what a process has open, and how many threads.
facts() {
    local fd
    echo "$1: $(ls "/proc/$2/task" | wc -l) threads"
    for fd in "/proc/$2/fd"/*; do
        readlink "$fd"
    done | sed -E 's/:\[[0-9]+\]//; s/^/    /' | sort | uniq -c
}

# kinds NAME PID: only how many of each kind, where the files differ from run to run.
kinds() {
    facts "$1" "$2" | sed 's/\/.*/file/' |
        awk '{n = $1; $1 = ""; sum[$0] += n} END {for (k in sum) print sum[k], k}' | sort
}

# cpython_test NAME: one of CPython's own test programs; how many tests, and how it ended.
cpython_test() {
    PYTHONMALLOC=malloc /usr/bin/python3 -m unittest -v "test.$1" >said 2>&1
    local status=$?
    sed -nE 's/ in [0-9.]+s$//; /^(Ran|OK|FAILED|FAIL:|ERROR:)/p' said
    return $status
}

# stress NAME OPS [OPTION=VALUE...]: one of stress-ng's loads, on two processes.
stress() {
    local options=("--$1" 2 "--$1-ops" "$2") option
    for option in "${@:3}"; do
        options+=("--${option%%=*}" "${option#*=}")
    done
    stress-ng --quiet --timeout 20 --temp-path "$PWD" "${options[@]}"
    echo "$1: $?"
}

# over LIBRARY: many threads over another allocator, behind the recorder and before it.
over() {
    LD_PRELOAD=${LD_PRELOAD:+$LD_PRELOAD:}$1 "$PROGRAMS/load_threads" 300 15 "$PWD/told" &&
        LD_PRELOAD=$1${LD_PRELOAD:+:$LD_PRELOAD} LIBTRACE_OPTIONS=${LIBTRACE_OPTIONS:-},quiet=1 \
            "$PROGRAMS/load_threads" 300 5 "$PWD/told_before"
}

# count PATTERN FILE: lines that say so.
count() {
    grep -ciE "$1" "$2" || [ $? = 1 ]
}

# For `after`, which looks at the traces in $TRACES, and whose every line is a fault:
# same WHAT RIGHT FOUND
same() {
    [ "$2" = "$3" ] || echo "$1: $3, not $2"
}

# json FILTER NAME: of the trace whose name begins so.
json() {
    "$TRACEMALLOC" report --json --group-by function "$TRACES/$2".* | jq -cr "$1"
}

# told NAME [FUNCTION]: the trace has what the program said, which is in the file `told`: allocations, bytes,
# frees, reallocations, blocks, live bytes; at the calls of a function, or in all.
told() {
    local which='[.totals]'
    [ -z "${2:-}" ] || which="[.sites[] | select(.frames[0].function == \"$2\")]"
    same "every event" "$(cat told)" "$(json "$which"' |
        map([.allocations, .allocated_bytes, .frees, .reallocations, .current_blocks, .current_bytes]) |
        transpose | map(add | tostring) | join(" ")' "$1")"
}

# shellcheck source=/dev/null
. "$1"
"$2" || exit
if [ "$2" = row ]; then facts shell $$; fi
