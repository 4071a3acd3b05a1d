#!/bin/bash
# SPDX-License-Identifier: MIT
#
# A file includes only from its own layer and below; recorder and analyzer share format.h and nothing else.
set -u
failed=0

# layers FOLDER LAYER...: from the top down.  Includes are looked at as they resolve.
layers() {
    local top=$1 file include target layer wanted i
    shift
    local -A depth=()
    i=0
    for layer; do depth[$layer]=$((i++)); done
    while read -r file; do
        layer=$(dirname "${file#"$top"/}")
        while read -r include; do
            target=$(realpath -m --relative-to="$top" "$(dirname "$file")/$include")
            [ -e "$top/$target" ] || target=$include
            [ -e "$top/$target" ] || continue
            wanted=$(dirname "$target")
            [ "$wanted" = . ] && [ "$top" = shim ] && continue
            if [ "${depth[$wanted]:-x}" = x ] || [ "${depth[$layer]:-x}" = x ] ||
                [ "${depth[$wanted]}" -lt "${depth[$layer]}" ]; then
                echo "# $file ($layer) includes $include ($wanted)"
                bad=1
            fi
        done < <(sed -nE 's/^ *# *include "([^"]+)".*/\1/p' "$file")
    done < <(find "$top" -name '*.[ch]')
}

report() {
    if [ "$bad" = 0 ]; then
        echo "ok - $1"
    else
        echo "not ok - $1"
        failed=$((failed + 1))
    fi
}

bad=0
layers shim edge track unwind base
report "shim: edge > track > unwind > base"

bad=0
layers analyzer . commands output model
report "analyzer: main > commands > output > model"

bad=0
grep -rnE '#include ".*(shim/|base/|track/|unwind/|edge/)' analyzer demo && bad=1
grep -rnE '#include "(\.\./)*analyzer' shim demo && bad=1
report "recorder, analyzer and demo share only the headers at the top of shim/"

bad=0
grep -rlE '#include <(uthash|utlist|utarray)' shim | grep -v '^shim/base/hash.h$' && bad=1
grep -rlE '#include <libunwind' shim | grep -v '^shim/unwind/learn.c$' && bad=1
report "uthash only in base/hash.h, libunwind only in unwind/learn.c"
exit $failed
