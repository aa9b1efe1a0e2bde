#!/usr/bin/env bash
# long: a row of 100 MB, and comparisons that look again, take minutes
# Where no slot may ever be made (a managed server, a role without REPLICATION, services under another one): diff and the repair
# work by looking again, on their own, under load; so do verify's looks at rows; and what only a cut could prove is never called
# proven. Also where a transaction writes for too long, and with a row of 100 MB.
set -euo pipefail
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
two_servers
both 'create table items (id int primary key, n int, v text)' 'create table bag (a int, b text)' 'alter table bag replica identity full'
write_config 'items, bag' 'sync_timeout: 10'
link_up
primary "insert into items select i, 0, 'v' || i from generate_series(1, 5000) i" "insert into bag select i % 50, 'b' from generate_series(1, 300) i" \
  'create role poor login' 'grant pg_read_all_data to poor'
follow_capture
follow_apply
wait_applied
PRIMARY_URL=$(cluster_url primary crawler poor) write_config 'items, bag' 'sync_timeout: 10'
no_slot='primary_node: .*replication'

# --- while all of it is written ---
cat >"$work/load.sql" <<'SQL'
\set id random(1, 4000)
update items set n = n + 1 where id = :id;
insert into bag values (:id, 'l');
SQL
"$CLUSTER_BIN/pgbench" -h "$CLUSTERS_DIR/primary" -p "$(cluster_port primary)" -U postgres -n -c 2 -T 1800 -R 150 -f "$work/load.sql" crawler >"$work/load.out" 2>"$work/load.log" &
load=$!
sleep 1
for ((i = 0; i < 3; ++i)); do
  expect 0 "$BIN/diff"
  same "lines where nothing differs" "" "$(cat "$work/out")"
done
told "the comparison is not exact, since $no_slot.*: what differs is looked at again"
standby "update items set v = 'spoilt' where id in (4600, 4700)" "delete from items where id = 4800" "insert into items values (9000, 0, 'extra')" "insert into bag values (7, 'extra')"
expect 1 "$BIN/diff"
cp "$work/out" "$work/lines"
same "what differs" 'bag delete 7, items delete 9000, items insert 4800, items update 4600, items update 4700' \
  "$(jq -r 'select(.key and .type != "relation") | "\(.table[7:]) \(.type) \(.key.id // .key.a)"' "$work/lines" | sort | paste -sd, | sed 's/,/, /g')"
expect 1 "$BIN/diff" --summary
same "in the summary" '1' "$(grep -c '^public.items  different  .*: 2 changed, 1 missing, 1 extra$' "$work/out")"
# rows that are named, and rows at random, are looked at in the same way
jq -c 'select(.key and .type != "relation" and .table == "public.items") | {operation_id: "0/1#1", table, key, type, result: "applied"}' "$work/lines" >"$work/report"
expect 1 "$BIN/verify" - <"$work/report"
same "rows that differ" 'public.items  different  4 rows: 4 differ' "$(grep -o '^public.items  different  4 rows: 4 differ' "$work/out")"
expect 1 "$BIN/verify" --sample 12000
expect 0 "$BIN/apply" - <"$work/lines"
told 'public.items: repaired 4 (1 inserted, 2 updated, 1 deleted)'
expect 0 "$BIN/verify" - <"$work/report"
expect 0 "$BIN/diff"
# nothing is proven by it
expect 75 "$BIN/verify"
told '^verify: nothing is proven, since the comparison would not be exact: '
same "the receipt" '["unproven",{}]' "$(jq -c '.nodes.backup_node | [.run.result, .tables]' "$work/state/verify.json")"
# a row that comes and goes, and one more or less of rows that are alike, differ at no moment, however often they are looked at
cat >"$work/toggle.sql" <<'SQL'
insert into items values (7000, 0, 'comes and goes');
\sleep 4 ms
insert into bag values (60, 'alike');
\sleep 4 ms
delete from items where id = 7000;
\sleep 4 ms
delete from bag where ctid = (select ctid from bag where a = 60 limit 1);
\sleep 4 ms
SQL
primary "insert into bag select 60, 'alike' from generate_series(1, 3)"
printf '%s\n' '{"operation_id":"0/1#1","table":"public.items","key":{"id":7000},"type":"insert","result":"applied"}' \
  '{"operation_id":"0/1#2","table":"public.bag","key":{"a":60,"b":"alike"},"type":"insert","result":"applied"}' >"$work/toggled"
"$CLUSTER_BIN/pgbench" -h "$CLUSTERS_DIR/primary" -p "$(cluster_port primary)" -U postgres -n -c 1 -T 1800 -f "$work/toggle.sql" crawler >"$work/toggle.out" 2>"$work/toggle.log" &
toggle=$!
sleep 0.5
for ((i = 0; i < ${TOGGLES:-40}; ++i)); do
  code=0
  "$BIN/verify" - <"$work/toggled" >"$work/out" 2>"$work/err" || code=$?
  case $code in 0 | 75) ;; *) fail "after $i times: exit code $code: $(cat "$work/out")" ;; esac
done
kill "$toggle"
wait "$toggle" || true
wait_applied
expect 0 "$BIN/verify" - <"$work/toggled"
# and the full pass mends what differs, and says that it has no proof
standby "update items set v = 'spoilt' where id = 4701"
expect 75 "$BIN/sync-full"
same "repaired" 1 "$(jq '.tables["public.items"].repaired' "$work/state/full-sync.backup_node.json")"
same "the pass" '[75,"verify",false]' "$(jq -c '[.exit_code, .failed, .tables["public.items"].proven]' "$work/state/full-sync.backup_node.json")"
kill "$load"
wait "$load" || true
wait_applied
equal_tables

# --- a transaction that writes for longer than sync_timeout ---
write_config 'items, bag' 'sync_timeout: 2'
primary 'grant pg_read_all_stats to pgtandem'
{ echo "begin; insert into bag values (1, 'open');"; sleep 20; echo 'rollback;'; } | cluster_psql primary crawler >"$work/writer.log" 2>&1 &
writer=$!
sleep 0.5
standby "update items set v = 'spoilt' where id = 4702"
expect 1 "$BIN/diff"
told 'not exact, since primary_node: a snapshot has to wait for a transaction that writes: pid [0-9]*, open for [0-9]* s, idle in transaction'
same "found beside it" '{"id":4702}' "$(jq -c 'select(.key and .type != "relation") | .key' "$work/out")"
kill "$writer" 2>/dev/null || true
primary "select pg_terminate_backend(pid) from pg_stat_activity where state = 'idle in transaction'" >"$work/terminated"
wait "$writer" 2>/dev/null || true
write_config 'items, bag' 'sync_timeout: 10'

# --- a row of 100 MB: mended whole or not at all, in memory that is known ---
most_of() { # FILE COMMAND…: its exit code; the most memory that it had in use, in MiB, to FILE
  local code=0 most=0 now pid file=$1
  shift
  "$@" <&3 & # in the background its stdin would be /dev/null
  pid=$!
  while now=$(sed -n 's/^VmHWM:[^0-9]*\([0-9]*\) kB/\1/p' "/proc/$pid/status" 2>/dev/null) && [ -n "$now" ]; do
    most=$now
    sleep 0.02
  done
  wait "$pid" || code=$?
  echo $((most / 1024)) >"$file"
  return "$code"
} 3<&0
primary "insert into items values (6000, 1, repeat('0123456789', 10000000))"
wait_applied 60
standby "update items set v = v || '.', n = 2 where id = 6000" "update items set v = 'spoilt' where id = 1"
most_of "$work/diff.mib" "$BIN/diff" >"$work/lines" 2>"$work/err" && fail "it is not found"
most_of "$work/apply.mib" "$BIN/apply" - <"$work/lines" >"$work/out" 2>"$work/err" || fail "it is not mended: $(cat "$work/err")"
say "a row of 100 MB: diff $(cat "$work/diff.mib") MiB, apply - $(cat "$work/apply.mib") MiB"
at_most "memory of diff, MiB" "${DIFF_MIB:-700}" "$(cat "$work/diff.mib")"
at_most "memory of apply -, MiB" "${APPLY_MIB:-1400}" "$(cat "$work/apply.mib")"
equal_tables
follow_stop
say "diff_noslot_test: passed"
