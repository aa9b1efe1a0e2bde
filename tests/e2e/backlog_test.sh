#!/usr/bin/env bash
# early: 65
# The backlog is ours, not the primary's: with the standby down, capture reads 500,000 changes into the spool and the primary
# keeps no more than a few WAL segments; when the standby is back everything arrives. And a synced table in which nothing
# happens does not make the primary keep what others write.
set -euo pipefail
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
most=$((3 * 16 * 1024 * 1024)) # bytes of WAL kept for the slot, after a checkpoint: three segments

two_servers max_wal_size=64MB min_wal_size=32MB
images_tables
# not synced
primary 'create table page_views (id bigserial primary key, page text)'
write_config 'images, categories' 'batch_size: 2000' 'enable_compression: true'
link_up

retained() { primary checkpoint "select pg_wal_lsn_diff(pg_current_wal_lsn(), restart_lsn)::bigint from pg_replication_slots where slot_name = 'pgtandem_backup_node'"; }
retains_little() { [ "$(retained)" -le "$most" ]; }
few_files() { primary checkpoint >/dev/null && [ "$(files)" -le 10 ]; }
files() { primary "select sum(size) / (16 * 1024 * 1024) from pg_ls_waldir()" | cut -d . -f 1; }
stat() { "$BIN/queue" stat --json | jq -r "$1"; }
spooled() { [ "$(lsn_number "$(stat .lsn)")" -ge "$(lsn_number "$1")" ]; }

follow_capture
follow_apply
primary "insert into categories (name) select 'category ' || n from generate_series(1, 100) n"
wait_applied

# --- the standby is down ---
cluster_stop standby immediate
before=$(primary 'select pg_current_wal_insert_lsn()')
# 300,000 rows inserted, 150,000 updated, 50,000 deleted, in 100 transactions
for ((i = 0; i < 50; i++)); do
  echo "insert into images (url, title, md5_hash, category_id, exif_data, crawled_at)
    select 'https://example.org/' || n, 'picture ' || n, md5(n::text), 1 + n % 100, json_build_object('n', n), now()
      from generate_series($i * 6000 + 1, $i * 6000 + 6000) n;
    begin;
    update images set title = title || '!', views = views + 1 where id > $i * 6000 and id <= $i * 6000 + 3000;
    delete from images where id > $i * 6000 + 5000 and id <= $i * 6000 + 6000;
    commit;"
done | cluster_psql primary crawler
last=$(primary 'select pg_current_wal_insert_lsn()')
wait_until 90 "the spool at $last" spooled "$last"
# The slot's restart_lsn moves to a running-xacts record that capture has confirmed: a checkpoint or two after the last change.
wait_until 20 "the primary to keep less than $most bytes of WAL (it keeps $(retained))" retains_little
# Files go at the checkpoint after that.
wait_until 20 "the primary to have 10 files of WAL at most (it has $(files))" few_files
say "written $((($(lsn_number "$last") - $(lsn_number "$before")) >> 20)) MiB of WAL; kept for the slot $(($(retained) >> 10)) KiB, $(files) files"
at_least "operations that wait" 500000 "$(stat .operations)"
same "congested" true "$(stat .congested)"
differ "commit time of the oldest that waits" null "$(stat .oldest_pending)"
at_least "segments" 1 "$(stat .segments)"
say "spool: $(($(stat .bytes) >> 10)) KiB in $(stat .segments) segments"
kill -0 "${FOLLOW[apply]}" || fail "apply --follow gave up while the standby was down"

# --- and back ---
cluster_start standby
wait_applied 120
same "operations that wait" 0 "$(stat .operations)"
same "congested" false "$(stat .congested)"
same "commit time of the oldest that waits" null "$(stat .oldest_pending)"
equal_tables images categories
same "images" 250000 "$(standby 'select count(*) from images')"
expect 0 "$BIN/queue" prune
at_most "segments once all is applied, retain being 0" 1 "$(stat .segments)"

# --- nothing happens in the synced tables, much in another ---
puts=$(stat .transactions)
for ((i = 0; i < 40; i++)); do
  echo "insert into page_views (page) select repeat('x', 200) from generate_series(1, 20000);"
done | cluster_psql primary crawler
quiet=$(primary 'select pg_current_wal_insert_lsn()')
at_least "bytes of WAL for the unsynced table" $((2 * most)) $(($(lsn_number "$quiet") - $(lsn_number "$last")))
wait_until 30 "the primary to let go of WAL of an unsynced table" retains_little
wait_applied 30 "$quiet"
same "transactions in the queue, nothing synced having changed" "$puts" "$(stat .transactions)"
follow_stop
# Also with passes, where nobody is connected between them: a slot lets go of WAL up to where a checkpoint was seen in the
# stream and acknowledged, so it takes one pass more.
primary "insert into page_views (page) select repeat('x', 200) from generate_series(1, 400000)"
for ((i = 0; i < 3; i++)); do
  "$BIN/capture" | "$BIN/queue" put
  kept=$(retained)
done 2>>"$work/pass.log"
at_most "bytes of WAL kept after three passes" "$most" "$kept"
say "backlog_test: passed in $SECONDS s"
