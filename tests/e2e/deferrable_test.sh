#!/usr/bin/env bash
# Constraints that are DEFERRABLE: PostgreSQL does not keep them in a session with replica role, and tells any other one at the
# commit. So apply asks itself at the end of each batch: what the primary's transactions did passes as it came, and a row of the
# standby's own is in the way as it is under any other constraint, with either role.
set -euo pipefail
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
# shellcheck source=tests/e2e/bad_lib.sh
. "$e2e/bad_lib.sh"

two_servers
both 'create table slots (id int primary key, place int, note text, unique (place) deferrable initially deferred)' \
  'create table stays (id int primary key, during int4range, exclude using gist (during with &&) deferrable initially deferred)' \
  'create table ranks (id int primary key deferrable initially deferred, note text)' 'create table firm (id int primary key, n int, e int, brought int, twice int generated always as (n * 2) stored, unique (n, e) deferrable, unique (twice) deferrable)' 'alter table ranks replica identity full' 'create table other (id int primary key)'
config() { write_config 'slots, stays, ranks, firm, other' 'logging: {level: debug}' "$@"; }
config
link_up
log=$work/state/conflicts.backup_node.jsonl
mkdir -p "$work/state" && touch "$log"
kinds() { tail -n +$((seen + 1)) "$log" | jq -r '"\(.kind) \(.change.new.id): \([.standby[].id] | join(" "))"' | sort | paste -sd, | sed 's/,/, /g'; }
held() { "$BIN/queue" dead list --json | jq -r 'select(.sqlstate != "") | "\(.sqlstate) \(.change.new.id)"' | LC_ALL=C sort | paste -sd, | sed 's/,/, /g'; }
retry() { # EXIT-CODE
  expect 0 "$BIN/queue" dead retry all
  expect "$1" "$BIN/apply"
}
start() { # rows on both sides, and no marks, letters and conflicts
  config "$@"
  expect 0 "$BIN/queue" dead drop all
  standby 'truncate slots, stays, ranks, firm, other'
  primary 'truncate slots, stays, ranks, firm, other' 'insert into slots select n, n from generate_series(1, 9) n' \
    "insert into stays select n, int4range(n * 10, n * 10 + 5) from generate_series(1, 5) n" "insert into ranks select n, 'rank' from generate_series(1, 5) n" \
    'insert into firm select n, n, 1, 1 from generate_series(1, 5) n'
  pass
  expect 0 "$BIN/apply"
  equal_tables
  rm -f "$work"/state/marks/*
  seen=$(wc -l <"$log")
}
taken() { # the primary's values, which rows of the standby's own have; among others of one batch
  standby "insert into slots values (100, 105, 'ours'), (101, 106, 'ours'), (102, 107, 'ours')" "insert into stays values (100, '[200,300)')"
  primary 'insert into slots values (10, 10)' 'begin; update slots set place = 8 where id = 4; update slots set place = 44 where id = 4; commit' \
    'insert into slots values (11, 105)' 'update slots set place = 106 where id = 2' \
    'begin; update slots set id = 33, place = 107 where id = 3; update slots set note = $$last$$ where id = 33; commit' \
    "update stays set during = '[250,260)' where id = 5" 'insert into slots values (12, 12)'
  # rows that are told apart by all that is in them
  standby "insert into ranks values (6, 'ours')"
  primary "insert into ranks values (7, 'theirs'), (6, 'theirs'), (8, 'theirs')"
  pass
}

for role in replica ordinary; do
  [ "$role" = replica ] || standby 'revoke set on parameter session_replication_role from pgtandem'

  # --- what only the primary did: no conflict, whatever was there twice on the way, in one batch or in pieces of one ---
  start
  primary 'update slots set place = 10 - place' 'begin; update slots set place = 9 where id = 2; update slots set place = 20 where id = 2; commit' \
    'begin; set constraints all deferred; update slots set place = 7 where id = 4; truncate other; update slots set place = 6 where id = 3; insert into other values (1); commit' \
    "begin; set constraints all deferred; update stays set during = '[20,45)' where id = 1; update stays set during = '[10,12)' where id = 1; commit" \
    'begin; set constraints all deferred; update ranks set id = id % 5 + 1; delete from ranks where id = 2; insert into ranks values (2); commit' \
    'update firm set n = n % 5 + 1'
  pass
  expect 0 "$BIN/apply"
  same "conflicts of the primary's own doing, $role" "" "$(kinds)"
  equal_tables

  # --- rows of the standby's own give way, and no other one ---
  start
  taken
  standby 'insert into firm values (100, 50, 1)'
  primary 'update firm set n = 50 where id = 4'
  pass
  expect 0 "$BIN/apply"
  same "conflicts, $role" "unique_taken 11: 100, unique_taken 2: 101, unique_taken 33: 102, unique_taken 4: 100, unique_taken 5: 100, unique_taken 6: 6" "$(kinds)"
  same "tables whose removed rows are to be looked up" "public.firm public.ranks public.slots public.stays" "$(jq -r .table "$work"/state/marks/* | sort | xargs)"
  equal_tables

  # --- or stay, and what they keep out is held until they are gone: nothing else is, and a retry does not pass them ---
  start 'conflict_resolution: standby_wins'
  taken
  expect 1 "$BIN/apply"
  for again in first retried; do
    [ "$again" = first ] || retry 1
    same "held, $role, $again" "23505 11, 23505 2, 23505 33, 23505 6, 23P01 5" "$(held)"
    same "the standby's rows, and the others of the batch, $role" "10 12 100 101 102|1 2 3 4 5 100" \
      "$(standby "select (select string_agg(id::text, ' ' order by id) from slots where id > 9), (select string_agg(id::text, ' ' order by id) from stays)")"
  done
  standby 'delete from slots where id >= 100' 'delete from stays where id = 100' "delete from ranks where note = 'ours'"
  retry 0
  equal_tables

  # --- or nothing goes on ---
  start 'conflict_resolution: stop'
  standby "insert into slots values (100, 105, 'ours')"
  primary 'insert into slots values (10, 10)' 'insert into slots values (11, 105)'
  pass
  refused 65 'operation [0-9A-F/]+#1 on public.slots: conflict unique_taken .*conflict_resolution is stop' "$BIN/apply"
  same "what came before it, $role" 10 "$(standby "select string_agg(id::text, ' ') from slots where id in (10, 11)")"
  standby 'delete from slots where id = 100'
  expect 0 "$BIN/apply"
  equal_tables
done
say "deferrable_test: passed in $SECONDS s"
