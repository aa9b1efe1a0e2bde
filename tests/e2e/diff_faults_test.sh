#!/usr/bin/env bash
# early: 90
# Whatever happens to a table or a server while a comparison reads: never a difference that is none, never a hang; it gives way,
# or ends, with one line and its exit code. VACUUM FULL, CLUSTER, ALTER TABLE, partitions that come and go, a table or a server
# in another's place, a server that restarts.
set -euo pipefail
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
two_servers
both 'create table big (id int primary key, v text, w text)' 'create table parts (id int, r int, v text, primary key (id, r)) partition by list (r)' \
  'create table parts_1 partition of parts for values in (1)' 'create table parts_2 partition of parts for values in (2)' 'create table later (id int not null, r int not null, v text, primary key (id, r))' \
  "insert into big select n, repeat('x', 100), null from generate_series(1, 8000) n" "insert into parts select n, 1, repeat('x', 100) from generate_series(1, 5000) n" \
  "insert into parts select n, 2, '' from generate_series(1, 10) n"
# Rows that were committed long before any comparison, in a table that becomes a partition; on the primary alone.
primary "insert into later select n, 3, '' from generate_series(1, 100) n"
# The filter makes each row of the primary's cost a millisecond: a comparison of 5 s or more, in many statements.
slow=$work/slow.yaml
write_config 'big, parts' 'sync_timeout: 20' 'max_retry_attempts: 1' \
  'filters: {big: {where: "pg_catalog.pg_sleep(0.001) is not null"}, parts: {where: "pg_catalog.pg_sleep(0.001) is not null"}}'
mv "$PGTANDEM_CONFIG" "$slow"
write_config 'big, parts' 'sync_timeout: 20' 'max_retry_attempts: 1'
link_up
follow_capture
follow_apply

reads() { [ "$(primary "select count(*) from pg_stat_activity where application_name = 'pgtandem diff' and query ~ 'pg_sleep' and state = 'active'")" -gt 0 ]; }
begin() { # TOOL [OPTION…]: returns when it reads
  tool=$1
  timeout 60 "$BIN/$tool" --config "$slow" "${@:2}" >"$work/out" 2>"$work/err" &
  pid=$!
  wait_until 30 "$tool to read" reads
}
ends() { # CODE PATTERN
  local code=0
  wait "$pid" || code=$?
  same "exit code of $tool" "$1" "$code"
  ! grep -qE '"(insert|update|delete)"|different' "$work/out" || fail "a difference that is none: $(head -c 500 "$work/out")"
  [ -z "$2" ] || same "lines of failure" 1 "$(grep -c "^$tool: .*$2" "$work/err")"
}
patient="set lock_timeout = '8s'"

# --- what rewrites a table waits for the comparison, which ends for it; what does not is beside it ---
for sql in 'vacuum full big' 'cluster big using big_pkey' 'alter table big drop column w, add column w text'; do
  for tool in diff verify; do
    begin "$tool" --table big
    primary "$patient" "$sql" || fail "'$sql' waits for $tool"
    ends 75 'gave way to who waits for a table that is compared: primary_node: pid [0-9]* (psql); start it again'
  done
done
for sql in 'vacuum full big' 'alter table big rename to gone; create table big (like gone including all); insert into big select * from gone; drop table gone'; do
  begin diff --table big
  standby "$patient" "$sql" || fail "'$sql' waits for a comparison"
  ends 75 'gave way to .*: backup_node: pid'
done
begin diff --table big
primary 'vacuum big' 'analyze big' 'create index big_v on big (v)' 'drop index big_v' &
beside=$!
standby 'vacuum big' 'analyze big'
wait "$beside"
ends 75 'gave way to' # DROP INDEX wants the table; all before it did not
expect 0 "$BIN/diff"
expect 0 "$BIN/verify"

# --- partitions: one that comes brings rows that the snapshot sees, on one side only ---
for tool in diff verify; do
  begin "$tool" --table parts
  primary 'alter table parts attach partition later for values in (3)'
  ends 75 'primary_node: a partition was attached to public.parts, or detached, while it was compared; start it again'
  primary 'alter table parts detach partition later'
done
begin diff --table parts
primary "$patient" 'alter table parts detach partition parts_2' || fail "DETACH waits for a comparison"
ends 75 'gave way to'
primary 'alter table parts attach partition parts_2 for values in (2)'
begin diff --table parts
primary "set statement_timeout = '2s'" 'alter table parts detach partition parts_2 concurrently' 2>"$work/detach" && fail "it did not wait for the comparison's snapshot"
ends 0 ''
primary 'alter table parts detach partition parts_2 finalize' 'alter table parts attach partition parts_2 for values in (2)'
expect 0 "$BIN/diff"

# --- a server that restarts in the middle: an end within moments, and nothing left ---
follow_stop apply
for name in primary standby; do
  node=primary_node
  [ "$name" = primary ] || node=backup_node
  for tool in diff verify; do
    begin "$tool" --table big
    cluster_stop "$name" fast
    ends 69 "$node"
    cluster_start "$name"
  done
done
follow_apply
wait_applied
expect 0 "$BIN/diff"
same "slots" 0 "$(primary "select count(*) from pg_replication_slots where temporary")"
same "what was running is not proven" true "$(expect 0 "$BIN/verify" && jq '.nodes.backup_node.tables["public.big"].equal' "$work/state/verify.json")"

# --- a failover: the server in its place has another timeline, and no part of it is compared with this queue's standby ---
primary 'checkpoint'
follow_stop
cluster_stop primary fast
touch "$(cluster_dir primary)/data/standby.signal"
cluster_start primary
primary 'select pg_promote()' >"$work/promoted"
for call in 'diff' 'diff --recheck' 'diff --table big --summary' verify 'verify --sample 5'; do
  # shellcheck disable=SC2086 # words
  expect 65 "$BIN/"$call
  same "lines of failure, $call" 1 "$(grep -cE "^${call%% *}: .*(another server, or timeline, than the queue's|is on timeline 2)" "$work/err")"
done
say "diff_faults_test: passed"
