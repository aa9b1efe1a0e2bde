#!/usr/bin/env bash
# While it catches up apply writes two batches at once, but for the rows that are in both, and commits them in the primary's
# order: whichever of its two sessions is ended, and when, nothing is lost, repeated or out of order, and no sequence goes back.
set -euo pipefail
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

two_servers
both 'create table hits (id serial primary key, page text)' 'create table lines (line int, at int)' 'alter table lines replica identity nothing'
# The transactions overwrite these forty by turns, so that each batch has some in common with the one before it, and not all.
both 'create table slots (slot int primary key, line int)' 'insert into slots select n, 0 from generate_series(0, 39) n'
write_config 'hits, lines, slots' 'batch_size: 100' 'max_queue_size: 10000000' 'logging: {level: debug}' 'retry_delay: 0.1'
link_up
# Every transaction numbers itself in the key-less table, and in one of the slots; every eleventh makes that one anew.
load() { # FROM TO
  primary 'set synchronous_commit = off' "do \$\$ begin for i in $1 .. $2 loop
    insert into hits (page) values ('page ' || i);
    insert into lines values (i, i);
    if i % 11 = 0 then
      delete from slots where slot = i * 7 % 40;
      insert into slots values (i * 7 % 40, i);
    else
      update slots set line = i where slot = i * 7 % 40;
    end if;
    commit; end loop; end \$\$" checkpoint
  "$BIN/capture" 2>>"$work/capture.log" | "$BIN/queue" put 2>>"$work/put.log"
}
sessions() { standby "select pid from pg_stat_activity where application_name = 'pgtandem apply' order by backend_start, pid"; }
two_sessions() { [ "$(sessions | wc -l)" = 2 ]; }
# Each moment of the standby is one that the primary had: all transactions up to some number, and none after it.
whole() {
  same "the last line against the number of lines and of rows" t "$(standby 'select count(*) = coalesce(max(line), 0) and count(*) = (select count(*) from hits) from lines')"
  same "slots that do not show the last transaction which wrote to them" 0 "$(standby 'select count(*) from slots, (select coalesce(max(line), 0) as last from lines) l
    where line <> coalesce((select max(i) from generate_series(greatest(last - 39, 1), last) i where i * 7 % 40 = slot), 0)')"
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
same "batches that were in each other's way" 0 "$(cat "$work/apply.log" "$work/err" | grep -c 'lock timeout' || true)"
same "the standby's sequence" 60000 "$(standby 'select last_value from hits_id_seq')"

# A unique index that only the standby has: what does not fit there is found in the primary's order, and named.
write_config 'hits, lines, slots' 'batch_size: 100' 'max_queue_size: 10000000' 'conflict_resolution: stop'
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

# Triggers that fire on the standby see one batch after the other: none fires while another batch that fired one is open.
standby 'create sequence beside' 'create function seen() returns trigger language plpgsql as $$ begin
    if not pg_try_advisory_xact_lock(1) then perform nextval($s$public.beside$s$); end if; return null; end $$' \
  'create trigger seen after insert on hits for each row execute function seen()' 'alter table hits enable always trigger seen'
load 60501 70000
expect 0 "$BIN/apply"
same "triggers that fired beside another batch" f "$(standby 'select is_called from beside')"
equal_tables
say "two_at_once_test: passed in $SECONDS s"
