#!/usr/bin/env bash
# While it catches up, apply commits without waiting for the standby's disk, and says how far the standby is only after a
# commit that did. So a crash of the standby takes batches back: what its cursor promised must be there even then, and what
# was taken back must come again.
set -euo pipefail
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

# Nothing of the WAL gets to the disk by itself: only the commits that wait bring it there, though the server's own setting
# is that none does.
two_servers fsync=on synchronous_commit=off wal_writer_delay=10s wal_writer_flush_after=0 wal_buffers=64MB
both 'create table hits (id int primary key, page text)'
write_config hits 'batch_size: 100' 'max_queue_size: 1000000' 'retry_delay: 0.2'
link_up
primary 'set synchronous_commit = off' "do \$\$ begin for i in 1 .. 200000 loop insert into hits values (i, repeat('x', 20)); commit; end loop; end \$\$" checkpoint
"$BIN/capture" 2>>"$work/capture.log" | "$BIN/queue" put 2>>"$work/put.log"

promised() { lsn_number "$("$BIN/queue" stat --json | jq -r .nodes.backup_node.lsn)"; }
stands() { lsn_number "$(standby 'select lsn from pgtandem.progress')"; }
reached() { standby 'select operations from pgtandem.progress'; }
unflushed() { [ "$(stands)" -gt "$(promised)" ]; }
halfway() { [ "$(reached)" -gt "$1" ]; }

taken_back=0
for ((round = 1; round <= 4; round++)); do
  follow_apply
  wait_until 30 "some batches" halfway "$((round * 12000))"
  wait_until 30 "commits that did not wait" unflushed
  # apply is held while the server goes: its next word is about the server that is back
  kill -STOP "${FOLLOW[apply]}"
  before=$(reached)
  cluster_stop standby immediate
  cluster_start standby
  after=$(reached)
  at_least "the commit LSN on the standby after a crash, against what the cursor promises" "$(promised)" "$(stands)"
  [ "$after" -ge "$before" ] || taken_back=$((taken_back + 1))
  kill -CONT "${FOLLOW[apply]}"
  wait_until 30 "apply to go on" halfway "$((before + 1000))"
  follow_stop apply
done
at_least "crashes that took batches back" 1 "$taken_back"
grep -q 'without what it had not flushed' "$work/apply.log" || fail "apply did not say that the standby came back at an earlier place"

expect 0 "$BIN/apply"
same "rows" 200000 "$(standby 'select count(*) from hits')"
equal_tables hits
# what was compared, and found equal, is on the disk
expect 0 "$BIN/diff"
cluster_stop standby immediate
cluster_start standby
same "rows after one more crash" 200000 "$(standby 'select count(*) from hits')"
expect 0 "$BIN/diff"
same "operations that wait" 0 "$("$BIN/queue" stat --json | jq .operations)"
say "standby_crash_test: passed in $SECONDS s; $taken_back crashes took batches back"
