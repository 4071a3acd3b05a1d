# SPDX-License-Identifier: MIT
# needs: redis-server redis-cli redis-benchmark
row() {
    redis-server --port 0 --unixsocket "$PWD/socket" --save '' --appendonly no --logfile log \
        --io-threads 2 --io-threads-do-reads yes &
    local server=$! i
    until_true redis-cli -s socket ping
    redis-benchmark -s socket -n 4000 -c 20 -P 4 -q >rates || return
    redis-cli -s socket flushall
    redis-cli -s socket eval 'for i = 1, 20000 do redis.call("set", "key" .. i, string.rep("x", i % 200)) end
        return 7' 0
    for i in 1 2 3 4 5; do
        redis-cli -s socket bgsave
        until_true eval '[ "$(redis-cli -s socket info persistence | grep -c rdb_bgsave_in_progress:0)" = 1 ]'
        redis-cli -s socket info persistence | grep rdb_last_bgsave_status
        redis-cli -s socket set "more$i" "$i"
    done
    redis-cli -s socket dbsize
    redis-check-rdb dump.rdb | grep -E 'keys read|looks OK' | sed 's/^\[.*\] //'
    facts redis-server $server
    redis-cli -s socket shutdown nosave
    wait $server
    echo "server: $?"
}
