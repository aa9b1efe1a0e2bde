#!/usr/bin/env bash
# early: 150
# One row is one row: what the standby refuses for its content is left out and told, and the rest of the repair, the rest of its
# table and all other tables are mended and proven.
set -euo pipefail
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
two_servers
both 'create table checked (id int primary key, n int, v text)' 'create table good (id int primary key, v text)' \
  "create type mood as enum ('calm')" 'create table moods (id int primary key, m mood)' 'create table copied (id int primary key)' \
  'insert into checked select i, i, i::text from generate_series(1, 600) i' 'insert into good select i, i::text from generate_series(1, 600) i' \
  "insert into moods select i, 'calm' from generate_series(1, 100) i"
primary "alter type mood add value 'angry'" "update moods set m = 'angry' where id = 3" # before there is a link: no stream brings it
standby 'alter table checked add constraint small check (n < 1000)' 'alter table copied add check (id < 7990)'
write_config 'checked, moods, good, copied' 'full_sync_interval: 600' 'max_retry_attempts: 1'
link_up
repairs() { jq -rc "select(.table == \"public.$1\") | $2" "$work/state/repairs.backup_node.jsonl" | tail -n 1; }
report() { jq -rc "$1" "$work/state/full-sync.backup_node.json"; }

# --- a row in quarantine, whose constraint stays; others of its table and of another one are spoilt, too ---
primary 'update checked set n = 5000 where id = 7'
"$BIN/capture" 2>>"$work/pass.log" | "$BIN/queue" put 2>>"$work/pass.log"
expect 1 "$BIN/apply"
same "in quarantine" 1 "$("$BIN/queue" stat --json | jq .dead)"
spoil() { standby "update checked set v = 'spoilt' where id in (5, 6, 8)" 'delete from checked where id = 600' "update good set v = 'spoilt' where id = 300"; }
spoil
expect 1 "$BIN/sync-full"
told '^sync-full: still different on backup_node: public.checked, public.moods; see '
told 'warn .*backup_node: public.checked: the row {"id":7} is refused, and left as it is: .*small'
told 'warn .*backup_node: public.moods: the row {"id":3} is refused, and left as it is: invalid input value for enum public.mood: "angry"; ALTER TYPE public.mood ADD VALUE .angry. '
same "the report" '[1,null]' "$(report '[.exit_code, .failed]')"
same "of the table with the row" '[false,"1 changed, 0 missing, 0 extra",4,1]' "$(report '.tables["public.checked"] | [.proven, .why, .repaired, .refused]')"
same "of the other" '[true,1,0]' "$(report '.tables["public.good"] | [.proven, .repaired, .refused]')"
equal_tables good
same "the row" 7 "$(standby 'select n from checked where id = 7')"
same "others of its table" "0" "$(standby "select count(*) from checked where v = 'spoilt' or id = 600 and n <> 600")"
same "still in quarantine" 1 "$("$BIN/queue" stat --json | jq .dead)"

# --- the repair alone: counted, in the report, and a finding ---
spoil
"$BIN/diff" >"$work/lines" 2>>"$work/pass.log" || true
expect 1 "$BIN/apply" --report "$work/report" - <"$work/lines"
told 'public.checked: repaired 4 (1 inserted, 3 updated, 0 deleted); 1 refused by the standby: mend what refuses them, and compare again'
same "what became of rows" "2 refused 5 repaired" "$(jq -r .result "$work/report" | sort -r | uniq -c | awk '{print $1, $2}' | sort | xargs)"
same "in the record" 1 "$(repairs checked .refused)"
equal_tables good

# --- of a table that is refused as a whole a few rows are named; a copy that is refused leaves the others ---
primary 'update checked set n = n + 2000 where id > 500' 'insert into copied select generate_series(1, 8000)'
standby "update good set v = 'spoilt' where id = 300"
"$BIN/capture" 2>>"$work/pass.log" | "$BIN/queue" put 2>>"$work/pass.log"
expect 1 "$BIN/apply"
standby 'truncate copied'
"$BIN/diff" >"$work/lines" 2>>"$work/pass.log" || true
same "copies" 1 "$(grep -c '"copy"' "$work/lines")"
expect 1 "$BIN/apply" - <"$work/lines"
told 'public.checked: repaired 0 .*; 101 refused by the standby'
same "lines of it" 10 "$(grep -c 'public.checked: the row .* is refused' "$work/err")"
told 'public.copied: the copy of it is refused, and the table left as it is: .*check'
equal_tables good

# --- when what refuses them is mended they come, and leave quarantine ---
standby 'alter table checked drop constraint small' "alter type mood add value 'angry'" 'alter table copied drop constraint copied_id_check'
expect 0 "$BIN/sync-full"
equal_tables
same "in quarantine at last" 0 "$("$BIN/queue" stat --json | jq .dead)"

# --- a row too long for a line, and one that cannot be read: the table is left out, nothing of it is printed ---
both 'create table large (id int primary key, v text)' 'create table torn (id int primary key, v text)' "insert into torn values (1, 'a'), (2, 'b')" "insert into large values (1, 'a'), (3, 'c')"
for name in primary standby; do on_server "$name" "insert into large values (2, repeat('x', 140000000))"; done
write_config 'large, torn, good' 'full_sync_interval: 600' 'max_retry_attempts: 1'
with_rights capture init
standby "update large set v = v || '.' where id in (1, 2); delete from large where id = 3; insert into large values (4, 'd')" "update good set v = 'spoilt' where id = 300; delete from good where id = 301"
export EXPECT_SECONDS=240 # a busy machine takes many seconds for each look at such a row
expect 1 "$BIN/sync-full"
told 'warn .*public.large: a row that differs .*; going on without this table'
told '^sync-full: still different on backup_node: public.large; see '
same "the others" '[true,2,true]' "$(report '[.tables["public.good"].proven, .tables["public.good"].repaired, .tables["public.torn"].proven]')"
equal_tables good torn
primary 'delete from large where id = 2'
"$BIN/capture" 2>>"$work/pass.log" | "$BIN/queue" put 2>>"$work/pass.log"
expect 0 "$BIN/apply"
standby "update large set v = 'spoilt' where id = 1" "update good set v = 'spoilt' where id = 300" checkpoint
torn=$CLUSTERS_DIR/standby/data/$(standby "select pg_relation_filepath('torn')")
cluster_stop standby
head -c 24 /dev/zero | tr '\0' x | dd of="$torn" conv=notrunc status=none
cluster_start standby
expect 65 "$BIN/diff"
ended_with diff 'public.torn: backup_node: .*invalid page'
same "tables whose changes are printed" 'public.good public.large' "$(jq -r '.table // empty' "$work/out" | sort -u | xargs)"
expect 65 "$BIN/sync-full"
told '^sync-full: cannot be compared on backup_node: public.torn; see '
same "the others, of which one is torn" '[false,true,true]' "$(report '.tables | [.["public.torn", "public.large", "public.good"].proven]')"
equal_tables good large
say "one_row_test: passed"
