# SPDX-License-Identifier: MIT
# needs: /usr/lib/postgresql psql
# limit: 120
row() {
    local bin
    bin=$(echo /usr/lib/postgresql/*/bin)
    export PATH=$bin:$PATH
    unprivileged initdb -D "$PWD/data" -U torture -A trust >init || return
    unprivileged pg_ctl -D "$PWD/data" -w -l "$PWD/data/log" -o "-c listen_addresses= -k $PWD" start >start ||
        return
    unprivileged pgbench -h "$PWD" -U torture -i -q -s 2 postgres 2>>loaded || return
    unprivileged pgbench -h "$PWD" -U torture -n -c 8 -j 4 -t 250 postgres | grep -E 'processed|failed'
    unprivileged pgbench -h "$PWD" -U torture -n -C -c 2 -t 20 -S postgres | grep -E 'processed|failed'
    local sql="unprivileged psql -h $PWD -U torture -At postgres -c"
    $sql 'select count(*) from pgbench_accounts, generate_series(1, 3)'
    $sql 'set max_parallel_workers_per_gather = 2; set parallel_setup_cost = 0;
        set min_parallel_table_scan_size = 0; select sum(aid), count(distinct bid) from pgbench_accounts'
    $sql 'select a = b from (select sum(abalance) a from pgbench_accounts) accounts,
        (select sum(bbalance) b from pgbench_branches) branches'
    $sql 'vacuum full analyze'
    $sql 'select 1 / 0'
    $sql "select pg_terminate_backend(pg_backend_pid())" 2>>terminated
    kinds postmaster "$(head -1 data/postmaster.pid)"
    unprivileged pg_ctl -D "$PWD/data" -w -m fast stop | tail -n 1
    count 'PANIC|was terminated by signal' data/log
}
