#!/bin/bash
# SPDX-License-Identifier: MIT
#
# Source text with figures in the margin: found where it lies by now, or not; whatever it is.
set -u
. tests/lib.sh
cd "$tmp" || exit 1
mkdir -p build/src

# Its seventh line allocates 10 blocks of 100 bytes; the eleventh calls it.
cat >build/src/odd.c <<'END'
#include <stdlib.h>
/* one */
/* two */
/* three */
__attribute__((noinline)) void *make(void)
{
	void *block = malloc(100);
	return block; /* four */
}
int main(void)
{ for (int i = 0; i < 10; i++) make(); }
/* five */
/* six */
/* seven */
END
printf '/* last \033[31m */\n' >>build/src/odd.c
(cd build && gcc -g -O1 -fno-builtin -o odd src/odd.c) || exit 1
touch -d '1 hour ago' build/src/odd.c
traced "" build/odd
[ -s trace ] || exit 1

# source OPTIONS...: what stands below the head
source() { "$tracemalloc" source --sort current "$@" trace | sed '1,/^allocated/d; /^temporary/d' | sed 1d; }

# said NAME STATUS TEXT OPTIONS...: one line on stderr, nothing else
said() {
    local name=$1 wanted=$2 text=$3
    shift 3
    "$tracemalloc" source "$@" trace >out 2>err
    local status=$?
    check "$name" eval '[ $status = $wanted ] && [ ! -s out ] && head -n 1 err | grep -qF -- "$text"'
}

# ---- what is shown -----------------------------------------------------------------------------------

cat >expected <<'END'
src/odd.c, lines by bytes live at the end
                             4  /* three */
                             5  __attribute__((noinline)) void *make(void)
                             6  {
1000 B  100.0 %  10 blocks   7          void *block = malloc(100);
                             8          return block; /* four */
                             9  }
                            10  int main(void)
END
source make >found
check "a function, with three lines around" cmp -s expected found || diff expected found | sed 's/^/#   /'
for what in odd.c src/odd.c ./src/odd.c 'o*.c' 'file=odd.c' "$tmp/build/src/odd.c" function=make 'ma*'; do
    same "$what is the same" "$(cat found)" "$(source "$what")"
done

source --all odd.c >all
same "--all: every line" 15 "$(grep -cE '^.{27} ?[ 1][0-9]( |$)' all)"
check "no control character of it reaches the terminal" eval 'grep -qF "last \x1b[31m" all && ! grep -q $'"'\033'"' all'
source --cumulative main >found
check "--cumulative: lines that call" grep -q '^1000 B  100.0 %  10 blocks  11  { for' found
same "of all that match, recursion or not, each line once" "$(source --cumulative '*' --from main | grep -c '10 blocks')" 2
source --filter nothing make >/dev/null 2>err
check "a filter" grep -qF "no file or function 'make' allocates anything that is selected" err
check "too small" grep -q 'no line is that large' <(source --min-bytes 1M make)
"$tracemalloc" source --json make trace >out
same "JSON: the file" "[\"src/odd.c\",\"$tmp/build/src/odd.c\",false,1000]" \
    "$(jq -c '.files[0] | [.file, .source, .newer, .current_bytes]' out)"
same "JSON: the line" '[7,1000,10,"\tvoid *block = malloc(100);"]' \
    "$(jq -c '.files[0].lines[0] | [.line, .current_bytes, .current_blocks, .text]' out)"

# ---- what is not there -------------------------------------------------------------------------------

said "a name that nothing has" 1 "no file or function 'nothing' allocates anything" nothing
said "a function that only calls" 1 "'main' itself allocates nothing; --cumulative shows what its callees do" main
"$tracemalloc" source >out 2>err
same "no name" "2 tracemalloc source: which file or function?" "$? $(head -n 1 err)"
said "a third name" 2 "one file or function and one trace" make make
cp build/odd stripped
strip -g stripped
traced "" ./stripped
said "no debug information" 1 "no line numbers for 'make': no debug information in $tmp/stripped" make
traced "" build/odd

touch -d '1 hour' build/src/odd.c
check "source that is newer" grep -qF "it is newer than $tmp/build/odd: lines may have moved" <(source make)
same "in JSON, too" true "$("$tracemalloc" source --json make trace | jq '.files[0].newer')"

only_the_figure() { grep -q '^1000 B  100.0 %  10 blocks  7$' "$1"; }
mkdir -p other/deep/src
mv build/src/odd.c other/deep/src/
source make >found
check "source that is gone: its figures" eval 'only_the_figure found && grep -qF "src/odd.c is not to be found; --source-path" found'
same "in JSON, too" '[null,null]' \
    "$("$tracemalloc" source --json make trace | jq -c '.files[0] | [.source, .lines[0].text]')"
check "--source-path" grep -q 'malloc(100)' <(source --source-path /nonexistent --source-path other/deep make)
mv other/deep/src/odd.c other/odd.c
check "--source-path, without the directories in between" grep -q 'malloc(100)' <(source --source-path other make)

# ---- what is no source -------------------------------------------------------------------------------

mkfifo build/src/odd.c
check "a FIFO" only_the_figure <(timeout 10 "$tracemalloc" source --sort current make trace)
rm build/src/odd.c
cp build/odd build/src/odd.c
source make >found
check "a binary file" eval 'only_the_figure found && grep -qF "odd.c is no text" found'
truncate -s 17M build/src/odd.c
check "one that is too large" grep -qF "odd.c is larger than 16 MiB" <(source make)
rm build/src/odd.c
: >build/src/odd.c
check "an empty one" only_the_figure <(source make)
printf 'short\n' >build/src/odd.c
check "one that is too short" grep -q '10 blocks  7  (behind the end of the file)' <(source make)
head -c 200000 /dev/zero | tr '\0' x | sed 's/^/\n\n\n\n\n\n/' >build/src/odd.c
source make >found
check "a line of 200,000 characters is cut" eval '[ "$(wc -L <found)" -lt 500 ] && grep -qF "xxx..." found'
printf '\n\n\n\n\n\n\xff\xfe \xe2\x80\xae \xc2\x9b \r\n' >build/src/odd.c
check "bytes that are no UTF-8, or turn it round" eval \
    '! LC_ALL=C.UTF-8 "$tracemalloc" source make trace | grep -q $'"'\342\200\256\|\302\233\|\377\|\r'"
check "in JSON, too" eval '"$tracemalloc" source --json make trace | jq -e . >/dev/null'

finish
