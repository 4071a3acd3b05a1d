# SPDX-License-Identifier: MIT
# needs: mariadbd mariadb mariadb-install-db mariadb-slap
# limit: 120
row() {
    unprivileged mariadb-install-db --no-defaults --datadir="$PWD/data" \
        --auth-root-authentication-method=normal --skip-test-db >install 2>&1 || return
    unprivileged mariadbd --no-defaults --datadir="$PWD/data" --socket="$PWD/socket" --skip-networking \
        --pid-file="$PWD/data/pid" --log-error="$PWD/data/log.err" --innodb-buffer-pool-size=32M &
    local server=$!
    until_true mariadb-admin --no-defaults -S socket ping
    local sql="mariadb --no-defaults -S socket -N -e"
    $sql 'create database torture; use torture; create table t (a int primary key, b text, key (b(20)));
        insert into t select seq, repeat(seq, 5) from seq_1_to_20000; select count(*), sum(length(b)) from t;
        delete from t where a % 3 = 0; select count(*), max(b) from t; check table t'
    mariadb-slap --no-defaults -S socket -a --auto-generate-sql-load-type=mixed -c 8 -i 2 \
        --number-of-queries=2000 >slapped || return
    $sql 'select x from nowhere.t'
    mariadb-admin --no-defaults -S socket shutdown
    wait $server
    echo "server: $?"
    count 'got signal' data/log.err
}
