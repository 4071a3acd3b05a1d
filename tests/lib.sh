# SPDX-License-Identifier: MIT
#
# Sourced by the end-to-end tests, from the top of the tree.  BUILD is where the programs are; $tmp is a
# directory of the test's own, removed at its end.
export LC_ALL=C
unset LD_PRELOAD LIBTRACE_OPTIONS
build=$(cd "${BUILD:-build}" && pwd)
lib=$build/libtrace.so
tracemalloc=$build/tracemalloc
programs=$build/tests/programs
tmp=$(mktemp -d) || exit 1
export XDG_CACHE_HOME=$tmp.cache DEBUGINFOD_URLS=
trap 'rm -rf "$tmp" "$tmp.cache"' EXIT
passed=0 failed=0 skipped=0

# check NAME COMMAND...: the command's success is the check's.
check() {
    local name=$1
    shift
    if "$@"; then
        echo "ok - $name"
        passed=$((passed + 1))
    else
        echo "not ok - $name"
        failed=$((failed + 1))
    fi
}

# same NAME EXPECTED FOUND
same() {
    check "$1" [ "$2" = "$3" ]
    [ "$2" = "$3" ] || printf '#   expected: %q\n#   found:    %q\n' "$2" "$3"
}

skip() {
    echo "ok - $1 # SKIP $2"
    skipped=$((skipped + 1))
}

finish() {
    echo "$passed passed, $failed failed, $skipped skipped"
    [ "$failed" = 0 ]
    exit
}

# traced OPTIONS COMMAND...: runs the command under the recorder, its trace in $tmp/trace.
traced() {
    local options=$1
    shift
    rm -f "$tmp"/trace*
    LD_PRELOAD=$lib LIBTRACE_OPTIONS=out=$tmp/trace${options:+,$options} "$@"
}

# json FILTER [FILE]: a jq filter over the report.
json() {
    "$tracemalloc" report --json "${2:-$tmp/trace}" | jq -cr "$1"
}

# of FUNCTION MEMBER [FILE]: the sum of a member over the sites that have the function in their stack.
of() {
    json "[.sites[] | select(any(.frames[]; .function == \"$1\")) | .$2] | add // 0" "${3:-}"
}

# site_figures [FILE]: the figures of each function site_*, a line each as tests/programs/model prints them:
# allocations, bytes, frees, reallocations, temporary, blocks and bytes at the end, at the peak.
site_figures() {
    json '[.sites[] | . as $s | first(.frames[].function | select(. != null and startswith("site_"))) | {f: ., s: $s}]
        | group_by(.f) | map([.[0].f] + (map(.s) | [(map(.allocations) | add), (map(.allocated_bytes) | add),
            (map(.frees) | add), (map(.reallocations) | add), (map(.temporary) | add),
            (map(.current_blocks) | add), (map(.current_bytes) | add),
            (map(.peak_blocks) | add), (map(.peak_bytes) | add)])) | .[] | map(tostring) | join(" ")' "${1:-}" | sort
}
