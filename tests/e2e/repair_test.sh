#!/usr/bin/env bash
# `apply -` with a comparison's lines: what they name is mended as it is now on the primary, never as it was when the lines
# were written; no row that changed since is taken back, none that went since comes again. The lines are made by hand here.
set -euo pipefail
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

two_servers
both "create table items (id int primary key, n int, code text unique, note text)" \
  "create table bag (a int, b text, c char(4), j json); alter table bag replica identity full" \
  "create table parent (id int primary key, name text)" \
  "create table child (id int primary key, parent int not null references parent, name text)" \
  "create table computed (id int primary key, n int, twice int generated always as (n * 2) stored)" \
  "create table declared (id int primary key, p numeric(8, 2), v varchar(20))"
standby "alter table declared alter p type numeric(10, 4), alter v type text"
write_config "items, bag, parent, child, computed, declared" "sync_timeout: 10"
link_up
sync() {
  "$BIN/capture" 2>>"$work/pass.log" | "$BIN/queue" put 2>>"$work/pass.log"
  expect 0 "$BIN/apply"
}

declare -A SHAPE=(
  [items]='{"type":"relation","table":"public.items","columns":[{"name":"id","type":"integer"},{"name":"n","type":"integer"},{"name":"code","type":"text"},{"name":"note","type":"text"}],"key":["id"]}'
  [bag]='{"type":"relation","table":"public.bag","columns":[{"name":"a","type":"integer"},{"name":"b","type":"text"},{"name":"c","type":"character"},{"name":"j","type":"json"}],"key":["a","b","c","j"],"identity":"full"}'
  [parent]='{"type":"relation","table":"public.parent","columns":[{"name":"id","type":"integer"},{"name":"name","type":"text"}],"key":["id"]}'
  [child]='{"type":"relation","table":"public.child","columns":[{"name":"id","type":"integer"},{"name":"parent","type":"integer"},{"name":"name","type":"text"}],"key":["id"]}'
  [computed]='{"type":"relation","table":"public.computed","columns":[{"name":"id","type":"integer"},{"name":"n","type":"integer"}],"key":["id"]}'
  [declared]='{"type":"relation","table":"public.declared","columns":[{"name":"id","type":"integer"},{"name":"p","type":"numeric"},{"name":"v","type":"character varying"}],"key":["id"]}'
)
CUT=
head_lines() { # as diff begins, with the present position as its cut
  CUT=$(primary 'select pg_current_wal_insert_lsn()')
  "$BIN/queue" get 2>/dev/null | head -n 1 | jq -c --arg cut "$CUT" '. + {cut: $cut}' >"$work/diff"
  printf '%s\n' "${SHAPE[@]}" '{"type":"begin","lsn":"'"$CUT"'"}' >>"$work/diff"
}
lines() { # LINE…: to $work/diff, whole
  head_lines
  printf '%s\n' "$@" '{"type":"commit","lsn":"'"$CUT"'","end_lsn":"F/0"}' | sed '/^$/d' >>"$work/diff"
}
mend() { # CODE [OPTION…]
  local code=$1
  shift
  expect "$code" "$BIN/apply" "$@" - <"$work/diff"
}
row() { standby "select $2 from items where id = $1"; }

primary "insert into items select i, i, 'c' || i, 'note ' || i from generate_series(1, 40) i"
sync

# --- what was changed, lost and added behind our back ---
standby "update items set note = 'spoilt' where id = 1; delete from items where id = 2; insert into items values (99, 9, 'x', 'extra')"
lines '{"type":"delete","table":"public.items","key":{"id":99}}' \
  '{"type":"update","table":"public.items","key":{"id":1},"new":{"id":1,"n":1,"code":"c1","note":"note 1"}}' \
  '{"type":"insert","table":"public.items","key":{"id":2},"new":{"id":2,"n":2,"code":"c2","note":"note 2"}}'
mend 0 --dry-run
grep -q '^UPDATE "public"."items" SET .*note 1.* WHERE "id" = .1.;$' "$work/out" || fail "--dry-run does not print the update: $(cat "$work/out")"
grep -q '^DELETE FROM "public"."items"' "$work/out" || fail "--dry-run does not print the delete"
same "a row after --dry-run" spoilt "$(row 1 note)"
mend 0 --report "$work/report"
told "public.items: repaired 3 (1 inserted, 1 updated, 1 deleted)"
equal_tables items
same "results in the report" "3 repaired" "$(jq -r .result "$work/report" | sort | uniq -c | sed 's/^ *//')"
same "the record" '{"inserted":1,"updated":1,"deleted":1}' "$(tail -n 1 "$work/state/repairs.backup_node.jsonl" | jq -c '{inserted, updated, deleted}')"
# twice: the second finds nothing to do
mend 0
told "repaired 0 (0 inserted, 0 updated, 0 deleted); 3 had become equal"
equal_tables items

# --- hazard: a row that was missing at the cut, and deleted on the primary since, must not come again ---
standby "delete from items where id = 3"
lines '{"type":"insert","table":"public.items","key":{"id":3},"new":{"id":3,"n":3,"code":"c3","note":"note 3"}}'
primary "delete from items where id = 3"
mend 0
same "a row deleted since the cut" "" "$(row 3 id)"
# (its delete is still on its way, and finds it gone)
sync
equal_tables items

# --- hazard: a row that changed since the cut must not go back ---
standby "update items set note = 'spoilt' where id = 4"
lines '{"type":"update","table":"public.items","key":{"id":4},"new":{"id":4,"n":4,"code":"c4","note":"note 4"}}'
primary "update items set note = 'newer' where id = 4"
sync
same "the newer row before the repair" newer "$(row 4 note)"
mend 0
same "the newer row after the repair" newer "$(row 4 note)"
# and one that was there only at the cut must not go now
standby "insert into items values (98, 1, 'c98', 'extra')"
lines '{"type":"delete","table":"public.items","key":{"id":98}}'
primary "insert into items values (98, 1, 'c98', 'mine')"
mend 0
same "a row that the primary made since" mine "$(row 98 note)"
sync
equal_tables items

# --- two rows that exchanged a unique value ---
primary "update items set code = 'tmp' where id = 5; update items set code = 'c5' where id = 6; update items set code = 'c6' where id = 5"
sync
standby "update items set code = 'tmp' where id = 5; update items set code = 'c6' where id = 6; update items set code = 'c5' where id = 5"
lines '{"type":"update","table":"public.items","key":{"id":5},"new":{"id":5,"code":"c6"},"unchanged":["n","note"]}' \
  '{"type":"update","table":"public.items","key":{"id":6},"new":{"id":6,"code":"c5"},"unchanged":["n","note"]}'
mend 0
equal_tables items

# --- no key: rows are counted ---
primary "insert into bag values (1, 'x', 'ab', '{\"a\": 1}'), (1, 'x', 'ab', '{\"a\": 1}'), (2, null, null, null), (2, null, null, null), (3, 'only', '', '[]')"
sync
standby "delete from bag where ctid in (select min(ctid) from bag group by a); insert into bag values (4, 'extra', 'z', null), (4, 'extra', 'z', null), (2, '', null, null)"
lines '{"type":"delete","table":"public.bag","key":{"a":4,"b":"extra","c":"z   ","j":null}}' \
  '{"type":"delete","table":"public.bag","key":{"a":4,"b":"extra","c":"z   ","j":null}}' \
  '{"type":"delete","table":"public.bag","key":{"a":2,"b":"","c":null,"j":null}}' \
  '{"type":"insert","table":"public.bag","new":{"a":1,"b":"x","c":"ab  ","j":"{\"a\": 1}"}}' \
  '{"type":"insert","table":"public.bag","new":{"a":2,"b":null,"c":null,"j":null}}' \
  '{"type":"insert","table":"public.bag","new":{"a":3,"b":"only","c":"    ","j":"[]"}}'
mend 0
told "public.bag: repaired 6 (3 inserted, 0 updated, 3 deleted)"
equal_tables bag
mend 0
equal_tables bag

# --- foreign keys, generated columns, other declarations ---
primary "insert into parent values (1, 'a'), (2, 'b'); insert into child values (10, 1, 'x'), (20, 2, 'y')" \
  "insert into computed values (1, 5), (2, 6)" "insert into declared values (1, 1.5, 'word'), (2, 2, 'other')"
sync
standby "delete from child; delete from parent where id = 2; update computed set n = 7 where id = 2; delete from computed where id = 1; update declared set p = 1.6 where id = 1"
lines '{"type":"insert","table":"public.child","new":{"id":10,"parent":1,"name":"x"}}' \
  '{"type":"insert","table":"public.child","new":{"id":20,"parent":2,"name":"y"}}' \
  '{"type":"insert","table":"public.parent","new":{"id":2,"name":"b"}}' \
  '{"type":"insert","table":"public.computed","new":{"id":1,"n":5}}' \
  '{"type":"update","table":"public.computed","key":{"id":2},"new":{"id":2,"n":6}}' \
  '{"type":"update","table":"public.declared","key":{"id":1},"new":{"id":1,"p":"1.50","v":"word"}}' \
  '{"type":"update","table":"public.declared","key":{"id":2},"new":{"id":2,"p":"2.00","v":"other"}}'
mend 0
told "public.declared: repaired 1 (0 inserted, 1 updated, 0 deleted); 1 had become equal"
equal_tables parent child computed
same "the other scale" 1.5000 "$(standby 'select p from declared where id = 1')"

# --- no slot is free: each row is looked at until it is certain ---
for ((i = 0; i < 9; ++i)); do primary "select from pg_create_physical_replication_slot('full_$i')"; done
standby "update items set note = 'spoilt' where id = 7; delete from items where id = 8; insert into items values (97, 9, 'x97', 'extra')"
primary "update items set n = n + 1 where id = 10"
lines '{"type":"update","table":"public.items","key":{"id":7},"new":{"id":7,"n":1,"code":"c7","note":"old"}}' \
  '{"type":"delete","table":"public.items","key":{"id":97}}' \
  '{"type":"insert","table":"public.items","new":{"id":8,"n":8,"code":"c8","note":"old"}}'
mend 0
told "without an exact cut"
told "repaired 3 (1 inserted, 1 updated, 1 deleted)"
equal_tables items
for ((i = 0; i < 9; ++i)); do primary "select from pg_drop_replication_slot('full_$i')"; done

# --- what does not belong here ---
expect 65 "$BIN/queue" put <"$work/diff"
told "comparison's stream"
lines '{"type":"truncate","tables":["public.items"]}'
mend 65
told "truncate"
lines
jq -c 'if .type == "source" then .system_id = "1" else . end' "$work/diff" >"$work/other" && mv "$work/other" "$work/diff"
mend 65
told "the comparison was of"
standby "delete from items where id = 9"
head_lines # broken off
echo '{"type":"insert","table":"public.items","new":{"id":9,"n":9,"code":"c9","note":"note 9"}}' >>"$work/diff"
mend 65
told "broke off"
equal_tables items

# --- under load, with apply following: the lines are stale from the first moment, and wrong ---
cat >"$work/load.sql" <<'SQL'
\set id random(1, 60)
\set what random(1, 3)
\if :what = 1
delete from items where id = :id;
\elif :what = 2
insert into items values (:id, 0, 'c' || :id, 'made') on conflict do nothing;
\else
update items set n = n + 1, note = 'at ' || n where id = :id;
\endif
SQL
follow_capture
follow_apply
# what changes on the primary while a repair is being written comes after it: the delete of one row waits for a lock of ours,
# and what comes after it in the same repair must be neither older nor there again when all is done
wait_applied
standby "insert into items values (200, 0, 'x200', 'extra'); update items set note = 'spoilt' where id = 11; delete from items where id = 12"
lines '{"type":"delete","table":"public.items","key":{"id":200}}' \
  '{"type":"update","table":"public.items","key":{"id":11},"new":{"id":11,"n":11,"code":"c11","note":"note 11"}}' \
  '{"type":"insert","table":"public.items","new":{"id":12,"n":12,"code":"c12","note":"note 12"}}'
mkfifo "$work/locker"
cluster_psql standby crawler <"$work/locker" >"$work/locker.log" 2>&1 &
locker=$!
exec {to_locker}>"$work/locker"
echo "begin; select from items where id = 200 for update;" >&"$to_locker"
mine_is_locked() { [ "$(standby "select count(*) from pg_stat_activity where state = 'idle in transaction' and query ~ 'for update'")" = 1 ]; }
wait_until 10 "our lock" mine_is_locked
"$BIN/apply" - <"$work/diff" >"$work/mend.log" 2>&1 &
mending=$!
waits_for_us() { [ "$(standby "select count(*) from pg_stat_activity where wait_event_type = 'Lock' and query ~ 'DELETE'")" = 1 ]; }
wait_until 10 "the repair to wait for our lock" waits_for_us
primary "update items set note = 'newest' where id = 11; delete from items where id = 12"
wait_until 10 "the change in the queue" eval '[ "$(lsn_number "$("$BIN/queue" stat --json | jq -r .lsn)")" -ge "$(lsn_number "'"$(primary 'select pg_current_wal_insert_lsn()')"'")" ]'
sleep 1
echo "rollback;" >&"$to_locker"
exec {to_locker}>&-
wait "$locker"
wait "$mending" || fail "the repair failed: $(cat "$work/mend.log")"
wait_applied
same "a row that changed during its repair" newest "$(row 11 note)"
same "a row that went during its repair" "" "$(row 12 id)"
equal_tables items
"$CLUSTER_BIN/pgbench" -h "$CLUSTERS_DIR/primary" -p "$(cluster_port primary)" -U postgres -n -c 3 -T 1800 -R 300 -f "$work/load.sql" crawler >"$work/load.out" 2>"$work/load.log" &
load=$!
sleep 1
mapfile -t stale < <(for ((i = 1; i <= 60; ++i)); do printf '{"type":"%s","table":"public.items","key":{"id":%d},"new":{"id":%d,"n":-1,"code":"c%d","note":"stale"}}\n' "$([ $((i % 2)) = 0 ] && echo insert || echo update)" $i $i $i; done)
for ((round = 1; round <= ${ROUNDS:-6}; ++round)); do
  # what only the standby has, and no stream will touch
  # (the table's lock first: row by row it and the applier could wait for each other)
  standby "begin; lock table items in exclusive mode; update items set note = 'spoilt' where id % 7 = 0 and id <= 60; commit"
  lines "${stale[@]}"
  mend 0
done
kill "$load"
wait "$load" || true
wait_applied
same "stale rows" 0 "$(standby "select count(*) from items where note = 'stale'")"
equal_tables items
follow_stop
! grep -q 'insert_exists\|update_missing' "$work/apply.log" || fail "a repair got into the stream's way: $(grep conflict "$work/apply.log")"
same "slots of cuts" 0 "$(primary "select count(*) from pg_replication_slots where slot_name like 'pgtandem_cut%'")"
# --- keys that are equal by = and not in text: found, mended, and then equal, for the difference does not come again ---
both 'create extension citext' 'create table words (k citext primary key, n int)' 'create table amounts (k numeric primary key, n int)' \
  'create table measures (k float8 primary key, n int)' 'create table lines (a citext, b numeric, v text, primary key (a, b))'
primary "insert into words values ('a', 1), ('b', 2)" 'insert into amounts values (1.0, 1), (2, 2)' 'insert into measures values (0, 1), (1, 2)' "insert into lines values ('a', 1.0, 'x')"
standby "insert into words values ('A', 1), ('b', 2)" 'insert into amounts values (1.00, 1), (2, 2)' "insert into measures values ('-0', 1), (1, 2)" "insert into lines values ('A', 1.00, 'y')"
write_config 'words, amounts, measures, lines' 'sync_timeout: 10'
with_rights capture init
for how in '' --recheck; do
  # shellcheck disable=SC2086 # no word, or one
  expect 1 "$BIN/diff" $how
  cp "$work/out" "$work/lines"
  same "tables that differ, $how" 'public.amounts public.lines public.measures public.words' "$(jq -r 'select(.key and .type != "relation") | .table' "$work/lines" | sort -u | xargs)"
done
expect 0 "$BIN/apply" - <"$work/lines"
expect 0 "$BIN/diff"
equal_tables words amounts measures lines
expect 0 "$BIN/verify"

# --- a role that may not set session_replication_role: foreign keys are checked, and it is mended all the same; what a trigger
# would spoil is refused before anything is ---
both 'create table orders (id int primary key, n int, up int references orders)' \
  'insert into orders select i, i, nullif(i / 2, 0) from generate_series(1, 20) i'
standby 'update orders set n = -1 where id in (3, 5)' 'delete from orders where id > 9' 'insert into orders values (98, 1, 5), (99, 1, 98)' \
  'create function doubled() returns trigger language plpgsql as $$ begin new.n := new.n * 2; return new; end $$' \
  'create trigger doubled before insert or update on orders for each row execute function doubled()'
cluster_psql standby postgres -c "do 'begin if current_setting(''server_version_num'')::int >= 150000 then execute ''revoke set on parameter session_replication_role from pgtandem''; end if; end'"
write_config orders 'sync_timeout: 10'
with_rights capture init
expect 1 "$BIN/diff"
cp "$work/out" "$work/diff"
rows=$(standby 'select * from orders order by id')
mend 77
ended_with apply 'table public.orders has triggers or rules that would change what the primary sends; GRANT SET ON PARAMETER .*, or ALTER TABLE public.orders DISABLE TRIGGER doubled'
same "rows of what was refused" "$rows" "$(standby 'select * from orders order by id')"
standby 'alter table orders disable trigger doubled'
mend 0
told 'public.orders: repaired 15 (11 inserted, 2 updated, 2 deleted)'
equal_tables orders
say "repair_test: passed"
