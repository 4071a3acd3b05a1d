# SPDX-License-Identifier: MIT
# needs: sqlite3
row() {
    sqlite3 base <<'SQL'
pragma journal_mode = wal;
create table t(a integer primary key, b text, c real);
with recursive n(i) as (select 1 union all select i + 1 from n where i < 100000)
    insert into t select i, printf('row %d of many', i * 7919 % 100000), i * 0.5 from n;
create index tb on t(b);
select count(*), sum(a), max(b), avg(c) from t;
select b, count(*) from t group by substr(b, 1, 6) order by 2 desc, 1 limit 5;
delete from t where a % 3;
vacuum;
pragma integrity_check;
SQL
    seq 4 | xargs -P 4 -I{} sqlite3 base 'pragma busy_timeout = 20000;' 'update t set c = c + 1;' | sort
    sqlite3 base 'select count(*), sum(c) from t'
}
