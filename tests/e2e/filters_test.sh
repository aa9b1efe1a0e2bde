#!/usr/bin/env bash
# early: 90
# Filters: a condition and a list of columns for a table, which the primary's server applies, and a program that keeps
# lines. What the server or the program cannot do is refused or stopped with one line, and nothing is lost by it.
# shellcheck disable=SC2016 # what filters and SQL expand is theirs
set -euo pipefail
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
# shellcheck source=tests/e2e/bad_lib.sh
. "$e2e/bad_lib.sh"

two_servers
both 'create table images (id int primary key, url text not null, is_downloaded boolean not null default false, body text, views int not null default 0)' \
  'alter table images alter body set storage external' \
  "create table users (id int primary key, name text, password text default 'none')" \
  'create table plain (id int primary key, a int)'
# The role makes the publication itself here, so that PostgreSQL's own word on each filter comes before anything is made.
keep() { primary "alter table $1 owner to keeper"; }
primary 'create role keeper' 'grant keeper to pgtandem' 'grant create on database crawler to pgtandem'
for table in images users plain; do keep "$table"; done
publications() { primary 'select count(*) from pg_publication'; }
images() { on_server "$1" "select id, url, views, md5(body) from images ${2:-} order by id"; }
wanted='where is_downloaded'
nap=1000.$$ # s, and by it we know our own programs

# --- what the server would not take is refused before anything is made ---
refused_filter() { # CODE PATTERN FILTERS
  write_config 'images, users, plain' "filters: $3"
  refused "$1" "$2" "$BIN/capture" init
  same "publications after '$3'" "${made:-0}" "$(publications)"
}
refused_filter 78 'filters.public.images: PostgreSQL refuses it: .*syntax error' '{images: {where: "is_downloaded AND"}}'
refused_filter 78 'filters.public.images: PostgreSQL refuses it: .*no_such.* does not exist' '{images: {where: "no_such > 1"}}'
refused_filter 78 'filters.public.images: PostgreSQL refuses it: .*must be type boolean' '{images: {where: "views"}}'
refused_filter 78 'PostgreSQL refuses it: .*(subquery|subqueries|WHERE expression)' '{images: {where: "id in (select 1)"}}'
refused_filter 78 'PostgreSQL refuses it: .*no parameter' '{images: {where: "id = $1"}}'
primary 'create function odd(int) returns boolean immutable language sql as $$ select $1 % 2 = 1 $$'
refused_filter 78 'PostgreSQL refuses it: .*[Uu]ser-defined' '{images: {where: "public.odd(id)"}}'
for text in 'true) OR (true' 'true), TABLE plain WHERE (true' 'true) --' 'true); drop table plain; --' 'true) /*' \
  "true) WITH (publish = 'insert'"; do
  refused_filter 78 'filters.public.images: PostgreSQL refuses it' "{images: {where: \"$text\"}}"
done
refused_filter 78 'filters.public.users.columns names "nome"' '{users: {columns: [id, nome]}}'
refused_filter 78 'filters names public.other, which is not in sync_tables' '{other: {where: "true"}}'
refused_filter 65 'where uses "is_downloaded".*ALTER TABLE "public"."images" REPLICA IDENTITY FULL' '{images: {where: "is_downloaded"}}'
refused_filter 65 'columns lacks "id"' '{users: {columns: [name]}}'
primary 'create unique index on images (id, is_downloaded)' 'alter table images replica identity using index images_id_is_downloaded_idx'
refused_filter 65 'would come without its large values of "url", "body"; ALTER TABLE "public"."images" REPLICA IDENTITY FULL' '{images: {where: "is_downloaded"}}'
primary 'alter table users replica identity full'
refused_filter 65 'ALTER TABLE "public"."users" REPLICA IDENTITY DEFAULT' '{users: {columns: [id, name]}}'
primary 'alter table users replica identity default' 'alter table images replica identity full' 'drop index images_id_is_downloaded_idx'

# --- rows enter, change inside, and leave; a column stays away ---
good='{images: {where: "is_downloaded -- and a comment"}, public.users: {columns: [name, id]}}'
write_config 'images, users, plain' "filters: $good"
link_up
expect 0 "$BIN/capture" init
primary "insert into images (id, url, is_downloaded, body) values (1, 'a', true, repeat('x', 20000)), (2, 'b', false, repeat('y', 20000)), (3, 'c', true, null)" \
  "insert into users values (1, 'ann', 'secret')" "insert into plain values (1, 1)"
pass && expect 0 "$BIN/apply"
same "rows inside" "$(images primary "$wanted")" "$(images standby)"
same "columns" "1|ann|none" "$(standby 'select * from users')"
primary "update images set is_downloaded = true where id = 2" "update images set views = 7 where id = 1" \
  "update images set is_downloaded = false where id = 3" "update users set password = 'new', name = 'anne'"
pass
same "what the stream says of them" "insert 2, update 1, delete 3" \
  "$("$BIN/queue" get | jq -r 'select(.table == "public.images" and .type != "relation") | "\(.type) \((.new // .key).id)"' | tail -n 3 | paste -sd, | sed 's/,/, /g')"
! "$BIN/queue" get | grep -q 'password\|secret' || fail "a column that is not published is in the queue"
expect 0 "$BIN/apply"
same "rows inside, after some entered and left" "$(images primary "$wanted")" "$(images standby)"
primary "update images set id = 20 where id = 2" "delete from images where id = 1" "delete from users"
pass && expect 0 "$BIN/apply"
same "rows inside, after a key changed" "$(images primary "$wanted")" "$(images standby)"
same "users" 0 "$(standby 'select count(*) from users')"
# a TRUNCATE passes whatever the condition, with the rows that are inside
primary 'truncate images' "insert into images (id, url, is_downloaded) values (30, 'after', true), (31, 'out', false)"
pass && expect 0 "$BIN/apply"
same "rows inside, after a truncate" 30 "$(standby 'select id from images')"

# --- a column that stays away and has to have a value is named; with a default of its own the rows come ---
standby 'alter table users alter password drop default, alter password set not null'
primary "insert into users values (5, 'eve', 'x')"
pass
expect 1 "$BIN/apply"
grep -q 'public.users has the column password of its own, which needs a value; ALTER TABLE "public"."users" ALTER COLUMN "password" SET DEFAULT' "$work/err" || fail "it is not told: $(cat "$work/err")"
standby "alter table users alter password set default 'unknown'"
expect 0 "$BIN/apply"
same "a column that the standby fills" "5|eve|unknown" "$(standby 'select * from users')"

# --- another condition than the publication's stops capture until init; so does a hand on the publication ---
made=1
stopped_stream() { # CODE PATTERN
  expect "$1" "$BIN/capture"
  same "lines in the stream" 0 "$(grep -cv '"type":"source"' "$work/out" || true)"
  grep -qE "^capture: .*($2)" "$work/err" || fail "capture does not say '$2': $(cat "$work/err")"
}
refused_filter 78 'PostgreSQL refuses it' '{images: {where: "is_downloaded AND"}}'
write_config 'images, users, plain' 'filters: {images: {where: "is_downloaded and views >= 0"}, users: {columns: [id, name]}}'
stopped_stream 65 'other conditions.*capture init'
expect 0 "$BIN/capture" init
grep -q 'public.images has another filter from now on' "$work/err" || fail "init does not warn: $(cat "$work/err")"
same "warnings of one change" 1 "$(grep -c 'table public.images ' "$work/err")"
expect 0 "$BIN/capture"
write_config 'images, users, plain' 'filters: {images: {where: "is_downloaded and views >= 0"}}'
stopped_stream 65 'filters public.users otherwise.*capture init'
write_config 'images, users, plain' "filters: $good"
expect 0 "$BIN/capture" init
primary 'alter publication pgtandem_backup_node set table images where (not is_downloaded), users (name, id), plain'
stopped_stream 65 'other conditions.*capture init'
expect 0 "$BIN/capture" init
primary 'alter table images replica identity default'
stopped_stream 65 'ALTER TABLE "public"."images" REPLICA IDENTITY FULL'
primary 'alter table images replica identity full'

# --- rows that are there when a filter changes: their table is marked, and the full pass mends it by the filter of now ---
primary "insert into images (id, url, is_downloaded, views) values (50, 'in', true, 9), (51, 'soon out', true, 1)"
pass && expect 0 "$BIN/apply"
rm -f "$work"/state/marks/*
write_config 'images, users, plain' 'filters: {images: {where: "is_downloaded and views > 5"}, users: {columns: [id, name]}}'
expect 0 "$BIN/capture" init
pass && expect 0 "$BIN/apply"
same "the row that the old filter left" 1 "$(standby 'select count(*) from images where id = 51')"
jq -r '"\(.table) \(.reason)"' "$work"/state/marks/* | grep -q '^public.images has another filter from now on' || fail "the table is not marked"
code=0
"$BIN/diff" --table images 2>"$work/diff.log" >"$work/diff" || code=$?
same "exit code of diff" 1 "$code"
expect 0 "$BIN/apply" - <"$work/diff"
same "rows inside, by the new filter" "$(images primary 'where is_downloaded and views > 5')" "$(images standby)"
expect 0 "$BIN/verify" --table images
! grep -q public.images "$work"/state/marks/* 2>/dev/null || fail "the mark stays though the table is proven equal"
primary 'delete from images where id in (50, 51)'
pass && expect 0 "$BIN/apply"
# a column that came before, and is left out from now on, is none that the primary has lost
write_config 'images, users, plain' "filters: {${good:1:-1}, plain: {columns: [id]}}"
expect 0 "$BIN/capture" init
primary 'insert into plain values (77, 7)' 'update plain set a = 8 where id = 77'
pass && expect 0 "$BIN/apply"
same "without the column" '77|' "$(standby 'select * from plain where id = 77')"
primary 'delete from plain where id = 77'
write_config 'images, users, plain' "filters: $good"
expect 0 "$BIN/capture" init

# --- partitions: the identity of each has to carry the condition, and rows go through the root ---
both 'create table parts (id int primary key, ok boolean, note text) partition by range (id)' \
  'create table parts_1 partition of parts for values from (0) to (100)' \
  'create table parts_2 partition of parts for values from (100) to (200)'
keep parts
write_config 'images, users, plain, parts' "filters: {${good:1:-1}, parts: {where: ok}}"
refused 65 '"public"."parts" REPLICA IDENTITY FULL' "$BIN/capture" init
primary 'alter table parts replica identity full' 'alter table parts_1 replica identity full'
refused 65 'public"?."?parts_2"? REPLICA IDENTITY FULL' "$BIN/capture" init
primary 'alter table parts_2 replica identity full'
expect 0 "$BIN/capture" init
primary "insert into parts values (1, true, 'in'), (2, false, 'out'), (101, true, 'in'), (102, false, 'out')"
pass && expect 0 "$BIN/apply"
primary "update parts set ok = not ok" "update parts set id = 103 where id = 2"
pass && expect 0 "$BIN/apply"
same "rows of partitions inside" "$(primary 'select * from parts where ok order by id')" "$(standby 'select * from parts order by id')"
same "as many as there should be" 2 "$(standby 'select count(*) from parts')"

# --- a program keeps what it prints ---
program() { write_config 'images, users, plain' "filters: {program: [$1]}"; }
script() { # NAME, its text on stdin: a program in the configuration's folder
  { echo '#!/usr/bin/env bash' && cat; } >"$work/$1"
  chmod +x "$work/$1"
}
plain() { on_server "$1" 'select * from plain order by id'; }
program "/no/such/program"
refused 78 'filters.program: /no/such/program cannot be run: No such file' "$BIN/capture"
program "no-such-program-in-path"
refused 78 'filters.program: no-such-program-in-path cannot be run' "$BIN/capture"
program "jq, 'select('"
refused 78 'filters.program jq, given no line at all, ended with exit code' "$BIN/capture"
program "echo, garbage"
refused 78 'prints lines though it was given none' "$BIN/capture"

program "jq, -c, 'select(.table != \"public.plain\" or .new.a != 13)'"
expect 0 "$BIN/capture" init
primary "truncate plain; insert into plain select i, i from generate_series(1, 20) i" "insert into plain values (21, 13)" "update plain set a = 14 where id = 3"
pass && expect 0 "$BIN/apply"
same "rows that jq kept" "$(on_server primary 'select * from plain where a <> 13 order by id')" "$(plain standby)"
same "changes that the commits tell" "20 0 1" "$("$BIN/queue" get | jq -r 'select(.type == "commit") | .changes' | tail -n 3 | paste -sd' ')"
! "$BIN/queue" get | grep -q operation_id || fail "an operation_id is left in the stream"
primary "insert into plain values (22, 13)"
program "grep, 'public.plain.*\"a\":12'"
pass # grep ends with 1: it kept nothing, which is told
log_has "$work/capture.log" 'info .*filters.program grep kept 0 of 1 changes' || fail "what the program left out is not told"
primary "insert into plain values (23, 12)"
program "python3, -c, 'import sys, json; [print(json.dumps(json.loads(l))) for l in sys.stdin]'"
pass && expect 0 "$BIN/apply"
same "a row that Python wrote in its own words" 12 "$(standby 'select a from plain where id = 23')"

# --- what it may not do stops the pass with one line, passes nothing on, and loses nothing ---
bad_program() { # PATTERN: the program in $work/filter
  write_config 'images, users, plain' 'filters: {program: [./filter]}' 'sync_timeout: 2'
  durable=$(durable_lsn)
  code=0
  { "$BIN/capture" 2>"$work/err" || code=$?; echo "$code" >"$work/code"; } | "$BIN/queue" put 2>"$work/put.log" || true
  same "exit code of capture with a filter that it stops" 65 "$(cat "$work/code")"
  grep -qE "^capture: .*filters.program .*/filter.*($1)" "$work/err" || fail "capture does not say '$1': $(cat "$work/err")"
  same "error lines" 1 "$(grep -c '^capture: ' "$work/err")"
  same "what is durable after '$1'" "$durable" "$(durable_lsn)"
}
primary "insert into plain select i, 0 from generate_series(101, 120) i"
script filter <<<'read -r line || exit 0; printf "%s\n" "$line"; cat >/dev/null; echo garbage'
bad_program 'line 2 of what it printed is none that it was given'
script filter <<<'while read -r line; do printf "%s\n%s\n" "$line" "$line"; done'
bad_program 'line 2 of what it printed came before'
script filter <<<'tac'
bad_program 'line 2 of what it printed comes after a later one'
script filter <<<'sed "s/\"a\":0/\"a\":1/"'
bad_program 'line 1 of what it printed is changed'
script filter <<<'sed "s/#/#9/"'
bad_program 'its operation_id is unknown'
script filter <<<'sed "s/,\"operation_id\".*/}/"'
bad_program 'has no operation_id'
script filter <<<'read -r line || exit 0; printf "%s\n" "$line"; kill -KILL $$'
bad_program 'was killed by signal 9'
script filter <<<'[ "$(wc -l)" = 0 ] || exit 7'
bad_program 'ended with exit code 7'
script filter <<<'exit 0'
bad_program 'ended without having read all of its input'
script filter <<<'head -n 1 >/dev/null' # into its buffer it took more than that, and says that all is well
bad_program 'ended without having read all of its input'
script filter <<<"head -c 1 | grep -q . || exit 0; exec sleep $nap"
bad_program 'within 2.0 s .sync_timeout. and was killed'
script filter <<<"head -c 1 | grep -q . || exit 0; exec >&-; sleep $nap & wait"
bad_program 'was killed'
same "programs left" "" "$(pgrep -xf "sleep $nap" || true)"
same "rows on the standby" 0 "$(standby 'select count(*) from plain where id > 100')"

# --- what it says on stderr is a warning; after it is mended everything comes, in order, also a transaction of many chunks ---
primary "insert into plain select i, i from generate_series(1001, 120000) i" "delete from plain where id = 110"
script filter <<<'echo "looks fine" >&2; grep -v "\"a\":5000\b"'
pass && expect 0 "$BIN/apply"
log_has "$work/capture.log" 'warn .*filter: looks fine' || fail "no warning of the program's words"
same "rows after the program was mended" "$(on_server primary 'select count(*), sum(a), min(id), max(id) from plain where a <> 13 and a <> 5000')" \
  "$(on_server standby 'select count(*), sum(a), min(id), max(id) from plain where a <> 13')"
same "changes that the commits tell" "20 118999 1" "$("$BIN/queue" get | jq -r 'select(.type == "commit") | .changes' | tail -n 3 | paste -sd' ')"
at_least "runs of the program" 3 "$(grep -c 'looks fine' "$work/capture.log")"

# --- with --follow: changes arrive soon, and a program that hangs does not let the primary's end time out ---
primary "alter system set wal_sender_timeout = '2s'" 'select pg_reload_conf()' >/dev/null
write_config 'images, users, plain' 'filters: {program: [./filter]}' 'sync_timeout: 6'
script filter <<<'[ ! -e slow ] || sleep 4; cat'
sed -i "2s|^|cd '$work'; |" "$work/filter"
follow_capture
follow_apply
primary "insert into plain values (200001, 1)"
wait_applied 20
walsender() { primary "select pid from pg_stat_replication where application_name like 'pgtandem%'"; }
before=$(walsender)
touch "$work/slow"
primary "insert into plain values (200002, 1)"
wait_applied 30
same "the walsender, after a program that took twice its timeout" "$before" "$(walsender)"
# a connection that is lost while the program works: what it was given comes again, once
primary "insert into plain select i, 1 from generate_series(210001, 210050) i"
wait_until 5 "the program at work" pgrep -P "${FOLLOW[capture]}"
primary "select pg_terminate_backend($before)" >/dev/null
rm "$work/slow"
wait_applied 30
differ "the walsender, after it was ended" "$before" "$(walsender)"
same "rows of the time" 50 "$(standby 'select count(*) from plain where id between 210001 and 210050')"
# and a stop ends it with the program
script filter <<<"head -c 1 | grep -q . || exit 0; exec sleep $nap"
primary "insert into plain values (200003, 1)"
wait_until 5 "the program to hang" pgrep -xf "sleep $nap"
follow_stop
same "programs left" "" "$(pgrep -xf "sleep $nap" || true)"
script filter <<<'cat'
pass && expect 0 "$BIN/apply"
same "rows in the end" "$(on_server primary 'select count(*), sum(a) from plain where a <> 13 and a <> 5000')" \
  "$(on_server standby 'select count(*), sum(a) from plain where a <> 13')"
# --- the full pass asks the program, too: what it keeps away is no difference, and nothing private arrives by any way ---
both 'create table notes (id int primary key, twice int generated always as (id * 2) stored, body text, private boolean)' \
  'create table heap (a int, private boolean)'
primary "insert into notes (id, body, private) select i, E'tab\\t \\\\ line\\n' || i, i % 3 = 0 from generate_series(1, 6000) i" \
  'insert into heap values (1, true), (1, true), (2, false), (2, false)'
primary 'alter table heap replica identity full'
keep notes && keep heap
private="filters: {program: [jq, -c, 'select(.new.private != true)']}"
public() { # SERVER
  on_server "$1" 'select count(*), sum(hashtext(body)) from notes where not private' 'select a, count(*) from heap where not private group by a'
}
nothing_private() {
  same "public rows, $1" "$(public primary)" "$(public standby)"
  same "private rows on the standby, $1" "0 0" "$(standby 'select count(*) from notes where private' 'select count(*) from heap where private' | paste -sd' ')"
}
proven() { # left out of notes, of heap
  jq -r '.nodes.backup_node | .run.result, (.tables | .["public.notes"], .["public.heap"] | .left_out)' "$work/state/verify.json" | paste -sd' '
}
expect 0 "$BIN/apply" drop
with_rights capture drop
write_config 'notes, heap' "$private"
rm -rf "$work/spool"
link_up
expect 0 "$BIN/sync-full" --init
nothing_private "after the first copy"
grep -q 'copied public.notes .*: 4000 rows, 2000 left out by filters.program' "$work/err" || fail "the copy does not tell: $(cat "$work/err")"
same "what is proven" "equal 2000 2" "$(proven)"
expect 0 "$BIN/diff"
same "what diff prints" "" "$(cat "$work/out")"
expect 0 "$BIN/diff" --summary
grep -q '^public.notes  equal  6000 rows, 4000 on the standby, 2000 left out by filters.program$' "$work/out" || fail "$(cat "$work/out")"
# what else differs is found and mended beside them; a row that became private stays as it was
standby 'delete from notes where id in (1, 2)' "update notes set body = 'wrong' where id = 4" \
  "insert into notes values (7000, default, 'extra', false)" 'insert into heap values (2, false), (3, false)'
primary 'update notes set private = true where id = 5'
for way in '' --recheck; do
  code=0
  # shellcheck disable=SC2086 # none, or one
  "$BIN/diff" $way >"$work/diff.lines" 2>"$work/err" || code=$?
  same "exit code of diff $way" 1 "$code"
  same "what diff $way prints" "delete delete delete insert insert update" \
    "$(jq -r 'select(.table != null and .type != "relation") | .type' "$work/diff.lines" | sort | paste -sd' ')"
done
# of what a comparison named, nothing that became private since
primary 'update notes set private = true where id = 2'
expect 0 "$BIN/apply" - <"$work/diff.lines"
same "the row that became private" 0 "$(standby 'select count(*) from notes where id = 2')"
same "the rows that are mended" 1,4 "$(standby 'select id from notes where id in (1, 2, 4, 7000) order by id' | paste -sd,)"
standby 'delete from notes where id = 5'
# a pass that reads a part counts what is left out in it, the others' count is about what it was
for how in '' --full ''; do
  # shellcheck disable=SC2086 # none, or one
  expect 0 "$BIN/sync-full" $how
  nothing_private "after a full pass"
  [ -z "$how" ] || same "what is proven" "equal 2002 2" "$(proven)"
  same "what a part of it proves" equal "$(proven | cut -d' ' -f 1)"
done
expect 0 "$BIN/verify" --sample 50
# rows that are read back after they were applied, and became private since
primary "insert into notes (id, body, private) values (8001, 'new', false), (8002, 'new', false)"
pass && expect 0 "$BIN/apply" --report "$work/report"
primary 'update notes set private = true where id = 8001'
expect 0 "$BIN/verify" - <"$work/report"
grep -q '^public.notes  equal  2 rows, 1 left out by filters.program$' "$work/out" || fail "$(cat "$work/out")"
expect 0 "$BIN/status" health
write_config 'notes, heap' 'filters: {program: [sh, -c, "read -r line || exit 0; cat; exit 3"]}'
refused 65 'filters.program sh ended with exit code 3' "$BIN/diff"
say "filters_test: passed in $SECONDS s"
