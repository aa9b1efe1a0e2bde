#!/usr/bin/env bash
# early: 65
# Slot and spool belong together: whatever happens to the slot, the publication or the server, capture never leaves a gap
# without a word, and it never lets the primary forget what the spool does not hold for certain.
set -euo pipefail
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
# shellcheck source=tests/e2e/bad_lib.sh
. "$e2e/bad_lib.sh"

two_servers wal_sender_timeout=2s
both 'create table images (id int primary key, url text)'
write_config images 'max_retry_attempts: 2'
sender() { primary "select active_pid from pg_replication_slots where slot_name = 'pgtandem_backup_node'"; }
insert() { primary "insert into images select i, repeat('x', ${3:-10}) from generate_series($1, $2) i"; }
held() { # CODE PATTERN: a pass that must not even begin; the spool stays as it was
  local before
  before=$(durable_lsn 2>/dev/null || true)
  expect "$1" "$BIN/capture"
  [ "$(grep -cvE '^[0-9T:.Z-]+ (debug|info|warn) ' "$work/err")" = 1 ] || fail "not one line: $(cat "$work/err")"
  grep -qE "^capture: .*($2)" "$work/err" || fail "capture does not say '$2': $(cat "$work/err")"
  same "the stream" "" "$(cat "$work/out")"
  same "the spool" "$before" "$(durable_lsn 2>/dev/null || true)"
}
begin_anew() { # the way out that capture names
  "$BIN/capture" drop >/dev/null 2>&1 || true
  "$BIN/apply" drop 2>/dev/null || true
  rm -rf "$work/spool"
  link_up
  both 'truncate images'
  pass
  expect 0 "$BIN/apply"
}
slot="'pgtandem_backup_node'"
way_out='capture drop.*apply drop.*empty the spool.*sync-full --init'

# --- what happens to a slot and a publication ---
link_up
insert 1 10
pass
insert 11 20
primary "select pg_drop_replication_slot($slot)" >/dev/null
held 65 "slot pgtandem_backup_node is gone.*$way_out"
refused 65 "is gone.*$way_out" "$BIN/capture" init

primary "select pg_create_logical_replication_slot($slot, 'pgoutput')" >/dev/null
held 65 "ahead of the spool.*$way_out"
refused 65 "$way_out" "$BIN/capture" init

begin_anew
insert 21 30
primary "select pg_replication_slot_advance($slot, pg_current_wal_lsn())" >/dev/null
held 65 "ahead of the spool.*$way_out"

begin_anew
primary "select pg_drop_replication_slot($slot)" "select pg_create_logical_replication_slot($slot, 'test_decoding')" >/dev/null
held 65 'is not ours'
primary "select pg_drop_replication_slot($slot)" >/dev/null

begin_anew
insert 1 10
primary 'drop publication pgtandem_backup_node'
insert 11 20
held 65 "publication pgtandem_backup_node is gone.*$way_out"
refused 65 "publication pgtandem_backup_node is gone.*$way_out" "$BIN/capture" init
# a new one under the old name, but the slot knows the time without it
primary 'create publication pgtandem_backup_node for table images with (publish_via_partition_root)'
expect 65 "$BIN/capture"
grep -qE "does not exist.*$way_out" "$work/err" || fail "a publication that was made anew: $(cat "$work/err")"

begin_anew
primary 'create table other (id int primary key)' 'alter publication pgtandem_backup_node add table other'
held 65 'does not fit sync_tables.*run `capture init`'
with_rights capture init
pass
for change in "set (publish = 'insert, update')" 'set (publish_via_partition_root = false)' 'set table images (id)' 'set table images where (id > 5)'; do
  primary "alter publication pgtandem_backup_node $change"
  held 65 'publication pgtandem_backup_node .*run `capture init`'
  with_rights capture init
  pass
done
# altered, and altered back before anybody looked: what was written meanwhile is in no stream
rm -f "$work"/state/marks/*
primary "alter publication pgtandem_backup_node set (publish = 'insert')" "alter publication pgtandem_backup_node set (publish = 'insert, update, delete, truncate')"
pass
grep -q 'warn .*table public.images is published by a publication that was altered' "$work/capture.log" || fail "an altered publication: $(cat "$work/capture.log")"
same "tables marked" public.images "$(jq -r .table "$work"/state/marks/*)"
pass
! grep -q warn "$work/capture.log" || fail "an altered publication is told twice: $(cat "$work/capture.log")"
insert 1 10
primary 'update images set url = $$new$$ where id = 3' 'delete from images where id = 4'
pass
expect 0 "$BIN/apply"
equal_tables images

# the spool's directory is emptied: the slot may be ahead of anything
mv "$work/spool" "$work/spool.away"
held 65 'capture init'
refused 65 'knows nothing of it.*capture drop' "$BIN/capture" init
mv "$work/spool.away" "$work/spool"
insert 101 110
pass
expect 0 "$BIN/apply"
equal_tables images

# invalidated: the primary was told to keep so much WAL and no more
primary "alter system set max_slot_wal_keep_size = '1MB'" 'alter system set max_wal_size = $$32MB$$' 'select pg_reload_conf()' >/dev/null
primary 'create table noise (a text)'
lost() {
  primary "insert into noise select repeat('x', 1000) from generate_series(1, 20000)" 'select pg_switch_wal()' 'checkpoint' >/dev/null
  [ "$(primary "select wal_status from pg_replication_slots where slot_name = $slot")" = lost ]
}
wait_until 30 "the slot's loss" lost
held 65 "invalidated.*max_slot_wal_keep_size.*$way_out"
primary 'alter system reset all' 'select pg_reload_conf()' 'drop table noise' >/dev/null
begin_anew

# --- another server, another time of it ---
insert 1 10
pass
good_port=$(cluster_port primary)
standby 'alter role pgtandem replication'
PRIMARY_URL=$(cluster_url standby crawler pgtandem) write_config images
held 65 'another server'
write_config images
# the same server as it was before: its WAL ends before the spool
cluster_stop primary
cp -a "$(cluster_dir primary)/data" "$work/older"
cluster_start primary
insert 11 2000 500
pass
cluster_stop primary
mv "$(cluster_dir primary)/data" "$work/newer"
cp -a "$work/older" "$(cluster_dir primary)/data"
cluster_start primary
held 65 'WAL ends at .*, before the spool.*restored'
cluster_stop primary immediate
rm -rf "$(cluster_dir primary)/data"
# the same, promoted: another timeline
cp -a "$work/newer" "$(cluster_dir primary)/data"
cluster_as_owner touch "$(cluster_dir primary)/data/standby.signal"
cluster_start primary
cluster_as_owner "$CLUSTER_BIN/pg_ctl" promote -D "$(cluster_dir primary)/data" -s -w
held 65 'timeline 2, the spool on 1'
cluster_stop primary immediate
rm -rf "$(cluster_dir primary)/data"
mv "$work/newer" "$(cluster_dir primary)/data"
rm -rf "$work/older"
cluster_start primary
same "port" "$good_port" "$(cluster_port primary)"
pass
expect 0 "$BIN/apply"
equal_tables images

# --- nothing is confirmed that the spool does not hold ---
# The lines go to somebody who keeps them, and who is no queue: capture must not confirm one of them.
mark=$(durable_lsn)
before=$(slot_lsn)
insert 3001 3100
"$BIN/capture" >"$work/aside" 2>"$work/capture.log" || fail "capture ended with $?"
same "lines of the pass" 100 "$(grep -c '"type":"insert"' "$work/aside")"
same "the spool" "$mark" "$(durable_lsn)"
at_or_after "$mark" "$(slot_lsn)" || fail "confirmed $(slot_lsn) (before: $before), but the spool holds only up to $mark"
# A killed queue put, a hundred times on the way: never ahead of the mark
unset INPUT
for round in 1 2 3 4 5; do
  background pipeline bash -c '"$0/capture" --follow | { "$0/queue" put & echo $! >"$1"; wait; }' "$BIN" "$work/put.pid"
  insert $((4000 + round * 1000)) $((4900 + round * 1000)) 300
  wait_until 10 "a running put" test -s "$work/put.pid"
  sleep "0.$((round * 13 % 10))"
  kill -KILL "$(cat "$work/put.pid")"
  wait "${STARTED[pipeline]}" 2>/dev/null || true
  rm -f "$work/put.pid"
  at_or_after "$(durable_lsn)" "$(slot_lsn)" || fail "round $round: confirmed $(slot_lsn), the spool holds only up to $(durable_lsn)"
done
wait_until 10 "the end of capture" eval '! slot_active'
pass
expect 0 "$BIN/apply"
equal_tables images
at_or_after "$(slot_lsn)" "$(primary "select max(lsn) from (select confirmed_flush_lsn as lsn from pg_replication_slots) s")"

# --- an idle table does not hold the WAL while another is written ---
primary 'create table noise (a text)'
follow_capture
wait_until 10 "the slot in use" slot_active
primary "insert into noise select repeat('x', 1000) from generate_series(1, 1000)"
goal=$(primary 'select pg_current_wal_insert_lsn()')
moved() { at_or_after "$(slot_lsn)" "$goal"; }
wait_until 15 "the slot of an idle table at $goal" moved
follow_stop

# --- a reader that stands still for longer than wal_sender_timeout ---
mkfifo "$work/slow"
"$BIN/capture" --follow >"$work/slow" 2>"$work/capture.log" &
STARTED[capture]=$!
exec 7<"$work/slow"
wait_until 10 "the slot in use" slot_active
started=$(sender)
insert 20001 40000 1000
sleep 6
same "walsender behind a reader that stands still" "$started" "$(sender)"
! grep -q warn "$work/capture.log" || fail "capture was troubled: $(cat "$work/capture.log")"
"$BIN/queue" put <&7 2>"$work/put.log" &
STARTED[put]=$!
exec 7<&-
caught_up() { at_or_after "$(durable_lsn)" "$(primary 'select max(sent_lsn) from pg_stat_replication')" && [ "$("$BIN/queue" stat --json | jq -r .operations)" -ge 20000 ]; }
wait_until 30 "the rest of it" caught_up
stopped capture
ended put 0
expect 0 "$BIN/apply"
equal_tables images

# --- killed in the middle of a large transaction ---
insert 50001 90000 200
for after in 0.05 0.15 0.3 0.5; do
  background pipeline bash -c '{ "$0/capture" & echo $! >"$1"; wait; } | "$0/queue" put' "$BIN" "$work/capture.pid"
  wait_until 10 "a running capture" test -s "$work/capture.pid"
  sleep "$after"
  kill -KILL "$(cat "$work/capture.pid")" 2>/dev/null || true
  wait "${STARTED[pipeline]}" 2>/dev/null || true
  rm -f "$work/capture.pid"
  expect 0 "$BIN/queue" check
  wait_until 10 "the end of the walsender" eval '! slot_active'
done
pass
expect 0 "$BIN/apply"
equal_tables images
same "its transaction, once" 1 "$("$BIN/queue" get | grep -c '"type":"commit".*"changes":40000')"

# SIGTERM is a good end, idle or not
follow_capture
wait_until 10 "the slot in use" slot_active
follow_stop
wait_until 10 "the slot free" eval '! slot_active'
insert 100001 130000 200
background capture "$BIN/capture"
sleep 0.1
stopped capture
say "slot_test: passed"
