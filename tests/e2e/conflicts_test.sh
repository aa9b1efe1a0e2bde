#!/usr/bin/env bash
# Where the standby has other rows than the primary's changes expect, the configured policy decides; each conflict is counted by
# kind and stands in the conflict log with both versions and its operation_id.
set -euo pipefail
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
# shellcheck source=tests/e2e/bad_lib.sh
. "$e2e/bad_lib.sh"

two_servers
people="create table people (id int primary key, email text, name text, seen timestamptz, unique (email))"
both "$people" "create table tags (id int primary key, tag text, person int, seen timestamptz)" "create unique index on tags (lower(tag)) where person > 0" \
  "create table large (id int primary key, n int, body text, seen timestamptz)" "alter table large alter body set storage external" \
  "create table rooms (id int primary key, during int4range, note text, seen timestamptz, exclude using gist (during with &&) where (note <> 'free'))"
both "create table pages (id int primary key, url text unique, body text, seen timestamptz, t int)" "alter table pages alter body set storage external" "create unique index on pages (md5(body))" \
  "create table codes (id int primary key, tag text, person int, code int unique, seen timestamptz)" "create unique index on codes (lower(tag)) where person > 0" \
  "create table ones (id int primary key, n int unique nulls not distinct, seen timestamptz)"
config() { write_config 'people, tags, large, rooms, pages, codes, ones' 'logging: {level: debug}' "$@"; }
config
link_up
log=$work/state/conflicts.backup_node.jsonl
people() { standby "select string_agg(id || ' ' || coalesce(email, '-') || ' ' || coalesce(name, '-'), ', ' order by id) from people"; }
kinds() { tail -n +$((seen + 1)) "$log" 2>/dev/null | jq -r .kind | sort | uniq -c | awk '{printf "%s%s %s", sep, $1, $2; sep = ", "}'; }
start() { # rows on both sides, then what only the standby has
  config
  primary "truncate people, tags" "insert into people select n, 'mail' || n, 'name ' || n, '2026-01-01' from generate_series(1, 6) n" "insert into tags values (1, 'One', 1), (2, 'Two', 2)"
  pass
  expect 0 "$BIN/apply"
  equal_tables
  standby "delete from people where id in (1, 2)" "insert into people values (10, 'mine', 'standby', '2026-06-01')" \
    "insert into people values (11, 'taken', 'standby', '2026-06-01')" "insert into tags values (12, 'TAKEN', 5)"
  seen=0
  [ ! -e "$log" ] || seen=$(wc -l <"$log")
}
changes() {
  primary "update people set name = 'changed' where id = 1" "delete from people where id = 2" \
    "insert into people values (10, 'theirs', 'primary', '2026-05-01')" "insert into people values (20, 'taken', 'primary', '2026-05-01')" \
    "insert into tags values (3, 'taken', 1)" "insert into people values (30, 'last', 'of all', '2026-05-01')"
  pass
}
all="1 delete_missing, 1 insert_exists, 2 unique_taken, 1 update_missing"

# --- primary_wins: the standby becomes the primary, but for the rows that gave way ---
start
changes
expect 0 "$BIN/apply"
same "kinds" "$all" "$(kinds)"
grep -q "conflicts: 1 insert_exists, 1 update_missing, 1 delete_missing, 2 unique_taken" "$work/err" || fail "the counts are not told: $(cat "$work/err")"
same "rows that hold a unique value are gone" 0 "$(standby "select (select count(*) from people where id = 11) + (select count(*) from tags where id = 12)")"
equal_tables
same "tables whose removed rows are to be looked up" "public.people public.tags" "$(jq -r .table "$work"/state/marks/* | sort | xargs)"
line=$(tail -n +$((seen + 1)) "$log" | jq -c 'select(.kind == "insert_exists")')
same "both versions" "theirs mine primary_wins" "$(jq -r '"\(.change.new.email) \(.standby.email) \(.policy)"' <<<"$line")"
id=$(jq -r .operation_id <<<"$line")
"$BIN/queue" get | jq -r 'if .type == "begin" then .lsn else select(.new.email? == "theirs") | "it" end' | grep -B 1 '^it$' | grep -qx "${id%#*}" ||
  fail "operation_id $id is not that of the transaction"
same "mode of the log" 600 "$(stat -c %a "$log")"

# --- none but the rows in the way: not for a value that the change does not carry, nor by an index that its row is not in ---
start
primary "insert into pages select n, 'url ' || n, repeat(md5(n::text), 500) from generate_series(1, 5) n" "insert into codes values (2, 'Two', 2, 2)"
pass
expect 0 "$BIN/apply"
standby "insert into pages values (90, 'taken', 'standby')" "insert into codes values (90, null, 0, 7)" "insert into ones values (90, null)"
primary "update pages set url = 'taken' where id = 1" "insert into codes values (3, 'Two', 0, 7)" "insert into ones values (1, null)"
seen=$(wc -l <"$log")
pass
expect 0 "$BIN/apply"
same "conflicts of one row each" "1 1 1" "$(tail -n +$((seen + 1)) "$log" | jq -r 'select(.kind == "unique_taken") | .standby | length' | xargs)"
same "the row in the way, of a table with a column t" taken "$(tail -n +$((seen + 1)) "$log" | jq -r 'select(.change.table == "public.pages") | .standby[0].url')"
equal_tables pages codes ones

# --- nor does a row that an exclusion constraint of the standby sets against the primary's ---
start
standby "insert into rooms values (90, '[1,10)', 'ours', null), (91, '[20,30)', 'ours', null), (92, '[40,50)', 'free', null)"
primary "insert into rooms values (1, '[5,8)', 'theirs', null), (2, '[60,70)', 'theirs', null), (3, '[42,43)', 'theirs', null)" "update rooms set during = '[25,26)' where id = 2"
pass
expect 0 "$BIN/apply"
same "kinds" "2 unique_taken" "$(kinds)"
same "rooms" "1 [5,8), 2 [25,26), 3 [42,43), 92 [40,50)" "$(standby "select string_agg(id || ' ' || during, ', ' order by id) from rooms")"
config 'conflict_resolution: standby_wins'
primary "update rooms set during = '[5,9)' where id = 1"
standby "insert into rooms values (93, '[100,110)', 'ours', null)"
primary "insert into rooms values (4, '[105,106)', 'theirs', null)"
pass
expect 0 "$BIN/apply"
same "rooms whose standby's rows stay" "1 [5,9), 2 [25,26), 3 [42,43), 92 [40,50), 93 [100,110)" "$(standby "select string_agg(id || ' ' || during, ', ' order by id) from rooms")"

config
primary "truncate rooms"
pass
expect 0 "$BIN/apply"
equal_tables rooms

# --- a row does not give way to one that is refused all the same ---
start
standby 'create function refuse() returns trigger language plpgsql as $$ begin if new.id = 40 then raise exception $m$not 40$m$; end if; return null; end $$' \
  'create trigger refuse after insert on people for each row execute function refuse()' 'alter table people enable always trigger refuse'
primary "insert into people values (40, 'taken', 'nobody')"
pass
expect 1 "$BIN/apply"
same "the row that holds the value, and what is told" "1 " "$(standby "select count(*) from people where id = 11") $(kinds)"
standby 'drop trigger refuse on people'
expect 0 "$BIN/queue" dead drop all
primary "delete from people where id = 40"
pass
expect 0 "$BIN/apply"

# --- a large value that did not change is not sent: a row without it stays away, its table is marked, and NULL is never put there ---
start
primary "insert into large select n, n, repeat('x', 5000) from generate_series(1, 5) n"
pass
expect 0 "$BIN/apply"
standby "delete from large where id in (1, 2, 4)"
primary "update large set n = 10 where id = 1" "update large set id = 20 where id = 2" "update large set n = 30 where id = 3" "update large set n = 40, body = 'short' where id = 4" \
  "begin; insert into large values (6, 6, repeat('y', 5000)); update large set n = 60 where id = 6; update large set id = 61 where id = 6; commit"
pass
expect 0 "$BIN/apply"
same "kinds" "3 update_missing" "$(kinds)"
same "rows, and the length of what was not sent" "3 30 5000, 4 40 5, 5 5 5000, 61 60 5000" "$(standby "select string_agg(id || ' ' || n || ' ' || coalesce(length(body), -1), ', ' order by id) from large")"
same "marked for the next full pass" "a row is missing, and its update did not carry every value" "$(jq -r 'select(.table == "public.large").reason' "$work"/state/marks/*)"
code=0
"$BIN/diff" --table large 2>"$work/diff.log" >"$work/diff" || code=$?
same "exit code of diff" 1 "$code"
expect 0 "$BIN/apply" - <"$work/diff"
equal_tables large

# --- standby_wins: its rows stay ---
start
config 'conflict_resolution: standby_wins'
changes
expect 0 "$BIN/apply"
same "kinds" "$all" "$(kinds)"
same "people" "3 mail3 name 3, 4 mail4 name 4, 5 mail5 name 5, 6 mail6 name 6, 10 mine standby, 11 taken standby, 30 last of all" "$(people)"
same "tags" "1 One,2 Two,12 TAKEN" "$(standby "select string_agg(id || ' ' || tag, ',' order by id) from tags")"

# --- newest_wins: by the column that is named, also for an update that meets a later row ---
start
standby "update people set name = 'later here', seen = '2026-09-01' where id = 3" "update people set name = 'earlier here', seen = '2025-01-01' where id = 4"
standby "update people set seen = '2026-01-01' where id = 11" "update people set seen = null where id = 5"
config 'conflict_resolution: newest_wins' 'newest_column: seen'
primary "update people set name = 'changed', seen = '2026-05-01' where id in (3, 4, 5)" "insert into people values (10, 'theirs', 'primary', '2026-05-01')" \
  "insert into people values (20, 'taken', 'primary', '2026-05-01')" "update people set name = 'changed', seen = '2026-05-01' where id = 1"
pass
expect 0 "$BIN/apply"
same "kinds" "1 insert_exists, 1 unique_taken, 1 update_missing, 1 update_newer" "$(kinds)"
same "people" "1 mail1 changed, 3 mail3 later here, 4 mail4 changed, 5 mail5 changed, 6 mail6 name 6, 10 mine standby, 20 taken primary" "$(people)"
# without the column on either side nothing begins, and a change that comes without it stops
lacks='public.tags has no column seen, which newest_wins compares by'
standby 'alter table tags drop seen'
for command in apply 'apply init'; do
  # shellcheck disable=SC2086 # two words
  refused 78 "backup_node: table $lacks" "$BIN"/$command
done
standby 'alter table tags add seen timestamptz'
expect 0 "$BIN/apply" init
primary 'alter table tags drop seen'
refused 78 "primary_node: table $lacks" "$BIN/capture" init
config 'conflict_resolution: newest_wins' 'newest_column: seen' 'schema_drift: common_columns'
primary "insert into tags values (50, 'x', 1)"
pass
refused 65 "table $lacks" "$BIN/apply"
config 'schema_drift: common_columns'
expect 0 "$BIN/apply"
primary 'alter table tags add seen timestamptz'
# and none of a type of which no value is later than another
config 'conflict_resolution: newest_wins' 'newest_column: body'
both 'alter table tags add body json' 'alter table people add body json'
unordered='public.people has body as json, of which none is later than another'
refused 78 "primary_node: table $unordered" "$BIN/capture" init
for command in apply 'apply init'; do
  # shellcheck disable=SC2086 # two words
  refused 78 "backup_node: table $unordered" "$BIN"/$command
done
both 'alter table tags drop body' 'alter table people drop body'

# --- stop: nothing of the transaction, and the operation is named ---
start
config 'conflict_resolution: stop'
primary "update people set name = 'fine' where id = 6" "begin; update people set name = 'also fine' where id = 5; insert into people values (10, 'theirs', 'primary'); commit" "update people set name = 'after' where id = 6"
pass
refused 65 'operation [0-9A-F]+/[0-9A-F]+#2 on public.people: conflict insert_exists on backup_node, and conflict_resolution is stop' "$BIN/apply"
same "what came before it" "fine|name 5" "$(standby "select (select name from people where id = 6), (select name from people where id = 5)")"
config
expect 0 "$BIN/apply"
same "and after it" "after" "$(standby "select name from people where id = 6")"

# --- what comes out of quarantine meets rows that were made or deleted by hand meanwhile: the policy decides there, too ---
start
config
standby "alter table people add constraint clean check (name <> 'poison')"
primary "insert into people select n, 'held ' || n, 'poison', '2026-03-01' from generate_series(41, 47) n" "update people set name = 'poison', seen = '2026-03-01' where id = 3" "delete from people where id = 2"
pass
expect 1 "$BIN/apply"
standby 'alter table people drop constraint clean' "insert into people values (41, 'a', 'by hand'), (42, 'b', 'by hand'), (49, 'held 45', 'by hand')" \
  "insert into people values (43, 'c', 'by hand', '2026-09-01'), (44, 'd', 'by hand', '2026-01-01')" \
  'delete from people where id = 3'
retry() { # ID CODE KINDS [LINE…]: of which policy
  local id=$1 code=$2 kinds=$3
  shift 3
  config "$@"
  seen=$(wc -l <"$log")
  expect 0 "$BIN/queue" dead retry "$("$BIN/queue" dead list --json | jq -r "select(.change.new.id == $id).operation_id")"
  expect "$code" "$BIN/apply" --report "$work/report"
  same "conflicts of the retry of $id" "$kinds" "$(kinds)"
}
left=$("$BIN/queue" stat --json | jq .dead)
retry 41 1 '' 'conflict_resolution: stop'
grep -q 'stays in quarantine: .*conflict insert_exists on backup_node, and conflict_resolution is stop' "$work/err" || fail "apply says: $(cat "$work/err")"
same "left of $left after a conflict under stop" "$left" "$("$BIN/queue" stat --json | jq .dead)"
retry 41 1 '1 insert_exists'
grep -q 'is out of quarantine; conflicts: 1 insert_exists' "$work/err" || fail "apply says: $(cat "$work/err")"
grep -q 'in 0 transactions, .*; conflicts: 1 insert_exists' "$work/err" || fail "the conflict is not counted: $(cat "$work/err")"
same "the report" 'insert conflict insert_exists' "$(jq -r '"\(.type) \(.result)"' "$work/report")"
retry 42 1 '1 insert_exists' 'conflict_resolution: standby_wins'
retry 43 1 '1 insert_exists' 'conflict_resolution: newest_wins' 'newest_column: seen'
retry 44 1 '1 insert_exists' 'conflict_resolution: newest_wins' 'newest_column: seen'
retry 45 1 '1 unique_taken'
retry 3 1 '1 update_missing'
retry 46 1 ''
retry 47 0 ''
same "people" "3 mail3 poison, 41 held 41 poison, 42 b by hand, 43 c by hand, 44 held 44 poison, 45 held 45 poison, 46 held 46 poison, 47 held 47 poison" \
  "$(standby "select string_agg(id || ' ' || email || ' ' || name, ', ' order by id) from people where id = 3 or id > 40")"

# --- a policy that does not exist, and newest_wins without its column, at the start ---
config 'conflict_resolution: last_wins'
refused 78 'last_wins' "$BIN/apply"
config 'conflict_resolution: newest_wins'
refused 78 'newest_wins compares a column; name it in newest_column' "$BIN/apply"
say "conflicts_test: passed in $SECONDS s"
