#!/usr/bin/env bash
# timeout: 180
# While it catches up apply writes two batches at once where no row is in both, and commits them in the primary's order:
# whichever of its two sessions is ended, and when, nothing is lost, repeated or out of order, and no sequence goes back.
set -euo pipefail
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

two_servers
both 'create table hits (id serial primary key, page text)' 'create table lines (line int, at int)' 'alter table lines replica identity nothing'
write_config 'hits, lines' 'batch_size: 100' 'max_queue_size: 10000000' 'logging: {level: debug}' 'retry_delay: 0.1'
link_up
# Every transaction numbers itself in the key-less table.
load() { # FROM TO
  primary 'set synchronous_commit = off' "do \$\$ begin for i in $1 .. $2 loop
    insert into hits (page) values ('page ' || i); insert into lines values (i, i); commit; end loop; end \$\$" checkpoint
  "$BIN/capture" 2>>"$work/capture.log" | "$BIN/queue" put 2>>"$work/put.log"
}
sessions() { standby "select pid from pg_stat_activity where application_name = 'pgtandem apply' order by backend_start, pid"; }
two_sessions() { [ "$(sessions | wc -l)" = 2 ]; }
# Each moment of the standby is one that the primary had: all transactions up to some number, and none after it.
whole() {
  same "the last line against the number of lines and of rows" t "$(standby 'select count(*) = coalesce(max(line), 0) and count(*) = (select count(*) from hits) from lines')"
}

load 1 60000
for round in 1 2 3 4 5 6; do
  follow_apply
  wait_until 20 "two sessions" two_sessions
  pid=$(sessions | sed -n "$((1 + round % 2))p")
  [ "$round" -gt 4 ] || standby "select pg_terminate_backend($pid)" >"$work/ended"
  whole
  [ "$round" -le 4 ] || kill -KILL "${FOLLOW[apply]}"
  whole
  if [ "$round" -le 4 ]; then follow_stop apply; else
    wait "${FOLLOW[apply]}" 2>"$work/killed" || true
    unset 'FOLLOW[apply]'
  fi
  at_most "rows so far, so that the next round has some to write" 59000 "$(standby 'select count(*) from hits')"
done
expect 0 "$BIN/apply"
whole
equal_tables
same "the standby's sequence" 60000 "$(standby 'select last_value from hits_id_seq')"

# A unique index that only the standby has: what does not fit there is found in the primary's order, and named.
standby 'create unique index on hits (page)'
primary "insert into hits (page) select 'other ' || n from generate_series(1, 250) n" "insert into hits (page) values ('other 250')"
"$BIN/capture" 2>>"$work/capture.log" | "$BIN/queue" put 2>>"$work/put.log"
load 60001 60500
started=$SECONDS
expect 65 "$BIN/apply"
at_most "seconds until that, although the earlier of two batches waited for the later" 20 $((SECONDS - started))
grep -q 'operation .* on public.hits' "$work/err" || fail "the operation is not named"
same "rows up to the one that does not fit" 60250 "$(standby 'select count(*) from hits')"
standby 'drop index hits_page_idx'
expect 0 "$BIN/apply"
equal_tables

# Triggers that fire on the standby see one batch after the other.
standby 'create function seen() returns trigger language plpgsql as $$ begin return null; end $$' \
  'create trigger seen after insert on hits for each row execute function seen()' 'alter table hits enable always trigger seen'
load 60501 70000
follow_apply
watched=0
while [ "$("$BIN/queue" stat --json | jq .operations)" -gt 0 ]; do
  watched=$((watched + 1))
  at_most "sessions that write, with a trigger that always fires" 1 "$(standby "select count(*) from pg_stat_activity
    where application_name = 'pgtandem apply' and backend_xid is not null")"
done
at_least "looks at them" 3 "$watched"
follow_stop apply
equal_tables
say "two_at_once_test: passed in $SECONDS s"
