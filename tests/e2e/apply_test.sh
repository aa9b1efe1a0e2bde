#!/usr/bin/env bash
# early: 60
# apply, case by case: each change of the primary comes to the same on the standby, whatever the batch it falls into, the
# kind of key, the rights of its role and the rows that the standby had.
set -euo pipefail
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
# shellcheck source=tests/e2e/bad_lib.sh
. "$e2e/bad_lib.sh"

two_servers
TABLES=(pairs toasty composite indexed whole loose notes parted owned parent child)
both "create table pairs (id int primary key, code text unique, n int not null default 0, note text)" \
  "create table toasty (id int primary key, a text, b text); alter table toasty alter b set storage external" \
  "create table composite (a int, b text, c timestamptz, v numeric, primary key (c, a, b))" \
  "create table indexed (u text not null, w int not null, x text)" "create unique index indexed_key on indexed (w, u)" \
  "alter table indexed replica identity using index indexed_key" \
  "create table whole (id int primary key, j json, f float8); alter table whole replica identity full" \
  "create type kind as enum ('one', 'two')" \
  "create table loose (a int, j json, p point, t text, b bool default true, c char(5) default 'ab', d bytea default '\\x00ff', k kind default 'two', z timestamptz default '2026-01-01 00:00:00+00', v bit(3) default '101'); alter table loose replica identity full" \
  "create table notes (at int, what text); alter table notes replica identity nothing" \
  "create table parted (a int, t text) partition by list (a); create table parted_1 partition of parted for values in (1); create table parted_2 partition of parted for values in (2); alter table parted replica identity full; alter table parted_1 replica identity full; alter table parted_2 replica identity full" \
  "create table owned (k text primary key, n int generated always as identity, v text)" \
  "create table parent (id int primary key, name text)" \
  "create table child (id int primary key, parent int references parent on delete cascade, other int references child)"
config() { write_config "pairs, toasty, composite, indexed, whole, loose, notes, parted, owned, parent, child" "$@"; }
config
all_equal() { equal_tables "${TABLES[@]}"; }
# the first column after the progress row's LSN: how many operations are on the standby
sync() { pass && expect 0 "$BIN/apply" "$@"; }
rows() { standby "select string_agg($2::text, ' ' order by $2) from $1"; }

# --- init, drop ---
link_up
first=$(progress)
with_rights apply init
same "progress after a second init" "$first" "$(progress)"
expect 0 "$BIN/apply" drop
expect 0 "$BIN/apply" drop
same "schemas left" 0 "$(standby "select count(*) from pg_namespace where nspname = 'pgtandem'")"
with_rights apply init

# --- one pass applies what is there, and --until-lsn no more than is wanted ---
primary "insert into pairs select i, 'c' || i from generate_series(1, 5) i"
middle=$(primary 'select pg_current_wal_insert_lsn()')
primary "insert into pairs select i, 'c' || i from generate_series(6, 10) i"
pass
expect 0 "$BIN/apply" --until-lsn "$middle"
same "rows up to the LSN" 5 "$(standby 'select count(*) from pairs')"
expect 0 "$BIN/apply"
same "rows of all" 10 "$(standby 'select count(*) from pairs')"
# waiting for a spool that is not there yet
primary "insert into pairs values (11, 'c11')"
background until "$BIN/apply" --until-lsn "$(primary 'select pg_current_wal_insert_lsn()')"
sleep 0.3
! is_gone "${STARTED[until]}" || fail "--until-lsn did not wait for the spool"
pass
ended until 0 10
all_equal

# --- woken by the file system ---
config 'sync_interval: 30'
follow_capture
follow_apply
wait_until 10 "the slot in use" slot_active
sleep 1
slow=0
for i in 101 102 103 104 105; do
  primary "insert into pairs values ($i, 'c$i')"
  began=$(date +%s%3N)
  until [ "$(standby "select count(*) from pairs where id = $i")" = 1 ]; do [ $(($(date +%s%3N) - began)) -lt 5000 ] || break; done
  took=$(($(date +%s%3N) - began))
  [ "$took" -le 2000 ] || slow=$((slow + 1))
  sleep 0.3
done
at_most "of 5 rows, those that took more than 2 s although sync_interval is 30 s" 1 "$slow"
follow_stop
config

# --- --dry-run: SQL that psql takes, and nothing changes ---
primary "insert into toasty select i, 'a' || i, repeat('b', 5000) from generate_series(1, 5) i" \
  "insert into composite values (1, E'it''s \\\\ \"b\" \t', '2026-01-01 00:00:00+00', 1.50), (2, 'b', 'infinity', 'NaN')" \
  "update toasty set a = 'changed' where id = 2" "update composite set a = 3, v = null where a = 1" \
  "insert into loose values (1, '{\"a\": 1}', '(1,2)', null), (1, '{\"a\": 1}', '(1,2)', null), (2, null, null, 'two')" \
  "delete from loose where ctid = (select min(ctid) from loose where a = 1)" "update loose set t = 'three' where a = 2" \
  "insert into parted values (1, 'x'), (2, 'x'), (1, 'y'), (2, null)" "update parted set t = 'z' where a = 2 and t = 'x'" "delete from parted where a = 1 and t = 'x'" "update parted set a = 2 where a = 1" \
  "insert into whole values (1, '{\"x\": [1, 2]}', 0.1), (2, null, '-0')" "update whole set f = 'NaN' where id = 1" \
  "insert into indexed values ('u', 1, 'x'), ('v', 1, 'y')" "update indexed set u = 'w', x = null where u = 'v'" \
  "insert into notes values (1, 'n'), (1, 'n')" "insert into parent values (1, 'p'), (2, 'q')" \
  "insert into child values (1, 1, 1), (2, 2, 1)" "delete from parent where id = 2" "truncate notes" "insert into notes values (2, 'm')"
pass
before=$(progress)
expect 0 "$BIN/apply" --dry-run
cp "$work/out" "$work/dry.sql"
same "progress after a dry run" "$before" "$(progress)"
same "rows after a dry run" "0|0" "$(standby 'select (select count(*) from toasty), (select count(*) from loose)')"
standby 'create database dry template template0'
"$CLUSTER_BIN/pg_dump" -h "$CLUSTERS_DIR/standby" -p "$(cluster_port standby)" -U postgres -d crawler | cluster_psql standby dry -o /dev/null
cluster_psql standby dry -o /dev/null -f "$work/dry.sql" || fail "psql refuses the SQL of --dry-run"
expect 0 "$BIN/apply" --report "$work/report"
all_equal
same "rows by --dry-run and psql" "$(table_rows standby "${TABLES[@]}")" "$(DATABASE=dry table_rows standby "${TABLES[@]}")"
# and --report: a line for each operation, under the id that the change format gives it
"$BIN/queue" get | jq -rc 'if .type == "begin" then "B " + .lsn elif .type == "insert" or .type == "update" or .type == "delete" or .type == "truncate"
  then "O " + .type + " " + (.table // (.tables | join(","))) else empty end' |
  awk '$1 == "B" { lsn = $2; n = 0; next } { n++; print lsn "#" n, $2, $3 }' >"$work/expected"
jq -r '[.operation_id, .type, .table // (.tables | join(","))] | join(" ")' "$work/report" | sort >"$work/reported"
lines=$(wc -l <"$work/reported")
at_least "reported operations" 30 "$lines"
tail -n "$lines" "$work/expected" | sort | diff - "$work/reported" >"$work/diff" || fail "the report is not what was applied (< expected): $(head "$work/diff")"
same "results" applied "$(jq -r .result "$work/report" | sort -u)"

# --- from stdin: with a source it keeps its place, without one it is applied as it comes ---
primary "insert into pairs values (201, 'c201'), (202, 'c202')" "update pairs set n = 5 where id = 201"
"$BIN/capture" >"$work/stream" 2>/dev/null
expect 0 "$BIN/apply" - <"$work/stream"
all_equal
at=$(progress)
expect 0 "$BIN/apply" - <"$work/stream"
same "the same stream again" "$at" "$(progress)"
pass
expect 0 "$BIN/apply"
all_equal
jq -c 'select(.type != "source" and .type != "keepalive")' "$work/stream" >"$work/nameless"
standby 'delete from pairs where id in (201, 202)'
at=$(progress)
expect 0 "$BIN/apply" - <"$work/nameless"
same "progress by a stream without a source" "$at" "$(progress)"
all_equal
jq -c 'if .type == "source" then .slot = "another" else . end' "$work/stream" >"$work/foreign"
INPUT=$work/foreign refused 65 'another' "$BIN/apply" -

# --- what does not fold ---
primary "update pairs set code = case id when 1 then 'swap' else 'c1' end where id in (1, 2)" 'select 1' >/dev/null
primary "begin; update pairs set code = 'tmp' where id = 3; update pairs set code = 'c3' where id = 4; update pairs set code = 'c4' where id = 3; commit"
primary "update pairs set id = 1000 where id = 5" "update pairs set id = 1001 where id = 1000" "update pairs set id = 5, note = 'round' where id = 1001"
primary "update pairs set id = 2000 where id = 6" "insert into pairs values (6, 'six again')" "delete from pairs where id = 7" "insert into pairs values (7, 'seven again')"
primary "begin; delete from pairs where id = 8; insert into pairs values (8, 'c8', 1); delete from pairs where id = 8; insert into pairs values (8, 'c8', 2); update pairs set n = 3 where id = 8; commit"
primary "insert into toasty values (50, 'a', repeat('t', 9000))" "update toasty set id = 51 where id = 50" "update toasty set id = 52, a = 'moved' where id = 51" \
  "update toasty set id = 60, a = 'old moved' where id = 3" "update toasty set id = 61 where id = 60" "update toasty set a = 'again' where id = 61"
primary "update composite set b = 'moved', c = '-infinity' where a = 2" "update indexed set w = w + 1" "update indexed set w = w - 1, u = u || '!'" \
  "insert into owned (k, v) values ('a', 'x'), ('b', 'y')" "update owned set v = 'z' where k = 'a'" "update owned set k = 'c' where k = 'b'" "update owned set v = 'more' where k = 'c'" "insert into owned (k, v) values ('d', 'd')" \
  "update parted set t = t || '!'" "insert into parted values (1, 'z!'), (2, 'z!')" "delete from parted where a = 1" \
  "delete from whole where id = 2" "update loose set a = a + 1" "insert into loose select 9, null, null, null from generate_series(1, 3)" "delete from loose where ctid = (select max(ctid) from loose)"
sync
all_equal

# an identity that no UPDATE may set, and that changed all the same
primary "update owned set v = 'again', n = default where k = 'a'"
sync
all_equal

# --- rows that the standby has otherwise: the primary wins, and it is told how often ---
standby "delete from pairs where id in (1, 2)" "delete from toasty where id = 1" "insert into pairs values (301, 'mine', 7, 'standby')"
primary "update pairs set n = 11 where id = 1" "delete from pairs where id = 2" "insert into pairs values (301, 'c301')" "update toasty set b = 'whole now' where id = 1"
sync
grep -q 'conflicts: 1 insert_exists, 2 update_missing, 1 delete_missing' "$work/err" || fail "the conflicts are not told: $(cat "$work/err")"
all_equal
# an update whose row is gone here and whose value did not travel can't be made anew: never NULL, and it is told
primary "insert into pairs values (302, 'before it')"
standby "delete from toasty where id = 4"
primary "update toasty set a = 'no b in this' where id = 4"
sync
grep -q 'conflicts: 1 update_missing' "$work/err" || fail "the row that stays away is not told: $(cat "$work/err")"
same "the row" 0 "$(standby 'select count(*) from toasty where id = 4')"
same "the table is marked for the next full pass" public.toasty "$(jq -r .table "$work"/state/marks/*)"
standby "insert into toasty select 4, 'no b in this', repeat('b', 5000)"
all_equal

# --- TRUNCATE in the middle of a batch ---
primary "insert into notes values (3, 'x')" "insert into child values (10, 1, 1)" "begin; truncate child, notes restart identity; insert into child values (11, 1, 11); insert into notes values (4, 'y'); commit" \
  "insert into notes values (5, 'z')" "truncate parent restart identity cascade" "insert into parent values (7, 'seven')" "insert into child values (12, 7, 12)"
sync --report "$work/report"
all_equal
same "reported truncates" 2 "$(grep -c '"type":"truncate"' "$work/report")"

# --- a row that the standby refuses, on stdin: what came before it stays (quarantine_test.sh has the same from the spool) ---
standby "alter table pairs add constraint small check (n < 1000)"
primary "insert into pairs values (401, 'good before')" "begin; insert into pairs values (402, 'good beside'); insert into pairs values (403, 'poison', 5000); commit"
"$BIN/capture" 2>/dev/null >"$work/stream"
poison=$(jq -r 'if .type == "begin" then .lsn else select(.new.code? == "poison") | "poison" end' "$work/stream" | grep -B 1 poison | head -n 1)
jq -c 'select(.type != "source" and .type != "keepalive")' "$work/stream" >"$work/nameless"
INPUT=$work/nameless refused 65 "operation $poison#2 on public.pairs: .*small" "$BIN/apply" -
same "what came before it, nothing of it" "1|0" "$(standby 'select count(*) filter (where id = 401), count(*) filter (where id in (402, 403)) from pairs')"
standby "alter table pairs drop constraint small" "delete from pairs where id = 401"
sync
all_equal

# --- the same of transactions that are too large for memory, between small ones ---
config 'batch_size: 5000'
large() { # FROM LAST-N: 12 MB, and two rows swap a unique value at its end
  primary "insert into pairs values ($1 - 1, 'before $1')" "begin; insert into pairs select i, 'L' || i, 0, repeat('x', 600) from generate_series($1, $1 + 20000) i;
    update pairs set code = 'L' where id = $1; update pairs set code = 'L$1' where id = $1 + 1; update pairs set code = 'L' || $1 + 1 where id = $1;
    update pairs set n = $2 where id = $1 + 7; commit" "insert into pairs values ($1 - 2, 'after $1')"
}
large 500100 1
sync
all_equal
standby "alter table pairs add constraint small check (n < 100000)"
large 600100 500000
pass
expect 1 "$BIN/apply"
same "before it, of it, after it" "1|20001|1" "$(standby "select count(*) filter (where id = 600099), count(*) filter (where id > 600099), count(*) filter (where id = 600098) from pairs")"
same "operations in quarantine" 1 "$("$BIN/queue" stat --json | jq .dead)"
standby "alter table pairs drop constraint small"
expect 0 "$BIN/queue" dead retry all
expect 0 "$BIN/apply"
all_equal
primary "delete from pairs where id > 500000"
sync
config

# --- a role without any privilege but its own, where triggers and foreign keys are awake ---
standby "create role modest login" "grant usage on schema public, pgtandem to modest" "grant select, insert, update, delete, truncate on all tables in schema public, pgtandem to modest"
STANDBY_URL=$(cluster_url standby crawler modest) config
primary "insert into parent select i, 'p' from generate_series(20, 40) i" "insert into child select i, i, i from generate_series(20, 40) i"
sync
primary "begin; update child set parent = 21 where parent = 20; delete from parent where id = 20; commit" \
  "begin; insert into parent values (50, 'new'); insert into child values (50, 50, 50); update child set other = 50 where id = 22; commit" \
  "delete from parent where id = 23" "begin; delete from child where id = 24; delete from parent where id = 24; commit" \
  "update pairs set code = case id when 6 then 'x' when 7 then 'y' end where id in (6, 7)" \
  "begin; update child set other = null; update child set id = id + 100; commit"
sync
all_equal
config

# --- the batch's size makes no difference ---
mixed() {
  primary "do \$\$ begin for i in $1 .. $1 + 299 loop
    insert into pairs values (i, 'm' || i); update pairs set n = n + 1 where id % 50 = i % 50;
    if i % 7 = 0 then delete from pairs where id = i - 5; end if;
    if i % 11 = 0 then update pairs set id = id + 100000 where id = i - 3; end if;
    if i % 31 = 0 then update pairs set code = 'm' where id = i - 1; update pairs set code = 'm' || (i - 1) where id = i; update pairs set code = 'm' || i where code = 'm'; end if;
    insert into loose values (i % 10, '[1]', '(0,0)', repeat('l', i % 5));
    if i % 13 = 0 then delete from loose where ctid = (select min(ctid) from loose); end if;
    if i % 100 = 0 then truncate notes; end if; insert into notes values (i, 'n');
    commit; end loop; end \$\$"
}
start=10000
for size in 1 7 5000; do
  config "batch_size: $size"
  primary "delete from pairs where code like 'm%'"
  mixed $start
  sync
  all_equal
  start=$((start + 1000))
done
config

# --- the standby stops in the middle, and a reader sees only whole transactions all the while ---
config 'max_retry_attempts: 20' 'retry_delay: 0.2' 'batch_size: 10'
primary "delete from pairs" "insert into pairs select i, 'q' || i, 0 from generate_series(1, 100) i"
sync
follow_capture
follow_apply
# each transaction moves an amount from one row to another: the sum is zero in every state that the primary had. It takes
# its time, so that there is work left whenever the standby goes
background writer cluster_psql primary crawler -c "do \$\$ begin for i in 1 .. 3000 loop
  update pairs set n = n - i where id = 1 + i % 100; update pairs set n = n + i where id = 1 + (i * 7 + 13) % 100; commit; perform pg_sleep(0.004); end loop; end \$\$"
torn=0
for i in 1 2 3; do
  for _ in {1..15}; do
    sum=$(standby 'select sum(n) from pairs' 2>/dev/null) || continue
    [ "$sum" = 0 ] || torn=$((torn + 1))
  done
  cluster_stop standby "$([ "$i" = 2 ] && echo fast || echo immediate)"
  sleep 0.3
  cluster_start standby
done
same "torn states that a reader saw" 0 "$torn"
ended writer 0 60
wait_applied 30
follow_stop
grep -q 'trying again' "$work/apply.log" || fail "apply did not notice that the standby was away"
all_equal
same "progress" "$("$BIN/queue" stat --json | jq .nodes.backup_node.applied)" "$(standby 'select operations from pgtandem.progress')"
say "apply_test: passed"
