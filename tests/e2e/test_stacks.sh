#!/bin/bash
# SPDX-License-Identifier: MIT
#
# The recorder's stacks, compared frame by frame with those of two other unwinders at the same moment: the
# programs of tests/stacks, by each compiler, with each kind of frame.  A difference fails, or is printed with
# its reason.
#
# STACKS=N compares about N times as much.
set -u
. tests/lib.sh
times=${STACKS:-1}
sources=$PWD/tests/stacks
programs=$build/tests/stacks
mkdir -p "$programs" && cd "$tmp" || exit 1
compilers=$(for c in gcc clang; do command -v $c >/dev/null && echo $c; done)
workers=$(nproc)

# ---- jobs: each leaves a line in NAME.said and its success in NAME.status ----

# build COMPILER PROGRAM VARIANT OPTION...: the program's path, rebuilt when its sources are newer.
build() {
    local compiler=$1 name=$2 program=$programs/$2-$3 source=$sources/$2.c object= link=
    [ "${3#libunwind}" = "$3" ] || link=-lunwind
    shift 3
    [ "$program" -nt "$sources/compare.c" ] && [ "$program" -nt "$sources/compare.h" ] &&
        [ "$program" -nt "$(echo "$sources/$name".c*)" ] && return
    set -- -g -Wall -Wextra "-I$sources/../../shim" "$@"
    if [ "$name" = throwing ]; then
        object=$tmp/$RANDOM$BASHPID.o
        "$compiler" -std=gnu11 "$@" -c -o "$object" "$sources/compare.c" || return
        compiler=${compiler/gcc/g} source=$sources/throwing.cc
        compiler=${compiler%++}++
    fi
    "$compiler" "$@" -o "$program" "$source" ${object:-"$sources/compare.c"} $link -lm -pthread
}

# job NAME OPTIONS PROGRAM [ARGUMENT]...: runs it under the recorder.
job() {
    local name=$1 options=$2
    shift 2
    timeout 60 env LD_PRELOAD="$lib" LIBTRACE_OPTIONS="out=$tmp/$name.trace${options:+,$options}" "$@" \
        >"$name.said" 2>"$name.complaint"
    echo $? >"$name.status"
}

# both NAME COMPILER PROGRAM VARIANT "OPTIONS" [ARGUMENT]...
both() {
    local name=$1 compiler=$2 program=$3 variant=$4 options=$5
    shift 5
    if build "$compiler" "$program" "$variant" $options 2>"$name.complaint"; then
        job "$name" "" "$programs/$program-$variant" "$@"
    else
        echo build failed >"$name.status"
    fi
    rm -f "$name.trace"
}

names=()
# queue NAME COMMAND...: in the background, as many at once as there are processors.
queue() {
    names+=("$1")
    while [ "$(jobs -rp | wc -l)" -ge "$workers" ]; do
        wait -n
    done
    "${@:2}" &
}

verdict() {
    local name=$1 status
    status=$(cat "$name.status" 2>/dev/null)
    if [ "$status" = 77 ]; then
        skip "$name" "$(cat "$name.said")"
    else
        check "$name: $(cat "$name.said" 2>/dev/null)" [ "$status" = 0 ]
        [ "$status" = 0 ] || { echo "#   status $status"; head -n 80 "$name.complaint"; }
    fi
}

verdicts() {
    wait
    for name in "${names[@]}"; do
        verdict "$name"
    done
    names=()
}

# ---- the random walk, in every kind of code ----
seed=0
for compiler in $compilers; do
    for level in 0 1 2 3; do
        for frame in omit no-omit; do
            for protection in none full; do
                seed=$((seed + 1))
                name=walk-$compiler-O$level-$frame-frame-pointer-cf-$protection
                queue "$name" both "$name" "$compiler" walk "${name#walk-}" \
                    "-O$level -f$frame-frame-pointer -fcf-protection=$protection" $((24000 * times)) $seed
            done
        done
    done
done
verdicts

# ---- all programs, in some ----
variants() {
    local lazy="-Wl,-z,lazy" now="-Wl,-z,now"
    for compiler in $compilers; do
        echo "$compiler-O0-lazy $compiler -O0 -fno-omit-frame-pointer $lazy"
        echo "$compiler-O2-now $compiler -O2 $now"
        echo "$compiler-O3-no-plt $compiler -O3 -fno-plt -fcf-protection=full"
    done
    echo "gcc-O2-realigned gcc -O2 -mstackrealign $lazy"
    echo "gcc-O1-no-pie gcc -O1 -no-pie -fno-pie -fno-omit-frame-pointer"
    echo "libunwind-gcc-O2 gcc -O2 -DWITH_LIBUNWIND"
}

while read -r variant compiler options; do
    for program in walk signals contexts throwing assembly charsets; do
        name=$program-$variant arguments=$((8000 * times))
        case $program-$variant in
        # Exceptions would be libunwind's as well; where no table says anything it guesses.
        throwing-libunwind* | assembly-libunwind*) continue ;;
        # Seed, and a signal every so many microseconds.
        walk-*) arguments+=" $((seed += 1)) 100" ;;
        esac
        queue "$name" both "$name" "$compiler" "$program" "$variant" "$options" $arguments
    done
done < <(variants)
verdicts

# ---- plug-ins ----
plugins=()
for frame in 200 300 1000 5000; do
    gcc -g -O2 -fPIC -shared -DFRAME=$frame -o "plugin$frame.so" "$sources/plugin.c"
    plugins+=("$tmp/plugin$frame.so")
done
gcc -g -O2 -fPIC -shared -DFRAME=400 -DMISSING -o missing.so "$sources/plugin.c"
plugins+=("$tmp/missing.so")
gcc -O2 -Wall -Wextra "-I$sources/../../shim" -o nodes "$sources/nodes.c"
for compiler in $compilers; do
    build $compiler plugins $compiler-O2 -O2
    build $compiler deep $compiler-O2 -O2
    plugin_test="$programs/plugins-$compiler-O2"
    queue plugins-$compiler job plugins-$compiler "" "$plugin_test" $((2000 * times)) 1024 "${plugins[@]}"
    queue plugins-depth-16-$compiler job plugins-depth-16-$compiler depth=16 "$plugin_test" \
        $((5000 * times)) 16 "${plugins[@]}"
    if setarch -R true 2>/dev/null; then
        queue plugins-fixed-$compiler job plugins-fixed-$compiler depth=16 setarch -R "$plugin_test" \
            $((5000 * times)) 16 "${plugins[@]}"
    fi
    queue deep-$compiler job deep-$compiler "" "$programs/deep-$compiler-O2" compare $((500 * times))
done
build gcc plugins libunwind -O2 -DWITH_LIBUNWIND
queue plugins-libunwind job plugins-libunwind depth=16 "$programs/plugins-libunwind" $((1000 * times)) 16 \
    "${plugins[@]}"
verdicts
total=$(cat ./*.said | awk '{a += $1; f += $3} END {print a, f}')
check "in all: ${total% *} allocations, ${total#* } frames compared" [ "${total% *}" -ge 100000 ]

# ---- beyond the depth limit ----
# 6000 levels are some 9000 frames, of which each may be a node twice, and 6000 that allocate.
job alternate depth=1024 "$programs/deep-gcc-O2" alternate 6000 1024
verdict alternate
read -r nodes _ cut_sites cut_allocations _ < <(./nodes alternate.trace)
check "recursion beyond the limit: $nodes nodes do not multiply" [ "$nodes" -lt 36000 ]
# Both allocations of the levels beyond twice the limit.
check "recursion beyond the limit: $cut_allocations allocations on $cut_sites cut stacks are flagged" \
    [ "$cut_allocations" -ge 8500 ]
same "recursion beyond the limit: as the report says" "$cut_allocations" \
    "$("$tracemalloc" report --json --limit 1 alternate.trace | jq .totals.truncated_stacks)"
job levels "" "$programs/deep-gcc-O2" levels 100000
verdict levels
read -r nodes _ < <(./nodes levels.trace)
check "100000 levels, two allocations in each: $nodes nodes" [ "$nodes" -lt 600000 ]

# ---- what a signal interrupted is marked ----
job marked "" "$programs/signals-gcc-O2-now" 1000
read -r _ _ _ _ exact < <(./nodes marked.trace)
check "frames that a signal interrupted are marked: $exact" [ "${exact:-0}" -gt 100 ]
finish
