#!/bin/bash
# SPDX-License-Identifier: MIT
#
# Debug information from a server: asked only if the user has named it, never silently, and Ctrl-C goes on without.
set -u
. tests/lib.sh
program=$PWD/tests/e2e/debug_server.py
cd "$tmp" || exit 1
mkdir server
python3 "$program" server >port 2>/dev/null &
server=$!
trap 'kill $server; wait $server 2>/dev/null; rm -rf "$tmp" "$tmp.cache"' EXIT
for _ in $(seq 100); do [ -s port ] && break; sleep 0.1; done
url=http://127.0.0.1:$(cat port)

cat >program.c <<'END'
#include <stdlib.h>
__attribute__((noinline)) static void *known(void) { void *volatile p = malloc(100); return p; }
int main(void) { return known() == 0; }
END
gcc -g -O1 -Wl,--build-id program.c -o program || exit 1
id=$(readelf -n program | sed -n 's/.*Build ID: //p')
objcopy --only-keep-debug program "server/$id.debug"
strip program
traced "" ./program

forget() { rm -rf "$XDG_CACHE_HOME" server/log; }
# The name of the function that allocated, then what was said.
report() { "$tracemalloc" report --json "$@" trace 2>err | jq -r '.sites[0].frames[0].function'; cat err; }
asked() { [ ! -e server/log ] || sort server/log | uniq -c | sed 's/^ *//'; }

same "no server is named: none is asked" "null " "$(report | xargs) $(asked)"
export DEBUGINFOD_URLS=$url
same "a server: what it has is used, and it is said" "known
tracemalloc: asking $url for debug information; Ctrl-C goes on without it" "$(report)"
same "it was asked once" "1 /buildid/$id/debuginfo" "$(asked)"
same "the second time: nobody is asked, nothing is said" "known 1 /buildid/$id/debuginfo" "$(report) $(asked)"
same "--no-cache: libdebuginfod still has the file" "known 1 /buildid/$id/debuginfo" "$(report --no-cache) $(asked)"

forget
touch server/hang
begin=$(date +%s)
timeout --preserve-status -s INT 1 "$tracemalloc" report --json trace >out 2>err
same "Ctrl-C: the report comes without" "0 null" "$? $(jq -r '.sites[0].frames[0].function' out)"
same "and says so" "tracemalloc: asking $url for debug information; Ctrl-C goes on without it
tracemalloc: going on without debug information from there" "$(cat err)"
check "soon" [ $(($(date +%s) - begin)) -le 5 ]
rm server/hang

forget
touch server/slow
TERM=xterm script -qec "$tracemalloc report trace" /dev/null </dev/null >terminal
check "on a terminal: how far it is" grep -qaE $'debug information of program  \\[#+\\.+\\] +50 %' terminal
rm server/slow

forget
mv "server/$id.debug" server/gone
same "a server that does not have it" "null
tracemalloc: asking $url for debug information; Ctrl-C goes on without it" "$(report)"
forget
export DEBUGINFOD_URLS=http://127.0.0.1:1
same "a server that is not there" "null
tracemalloc: asking http://127.0.0.1:1 for debug information; Ctrl-C goes on without it
tracemalloc: http://127.0.0.1:1: Connection refused: going on without debug information from there" "$(report)"
forget
"$tracemalloc" run -o run ./program 2>err
same "the summary of a run asks nobody" "0 " "$(grep -c asking err) $(asked)"
finish
