#!/usr/bin/env bash
# early: 70
# What cannot be compared is one line that says what to do, and never exit code 1: that is "different" and nothing else.
set -euo pipefail
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
# shellcheck disable=SC2119 # its arguments are optional
two_servers
both 'create role reader login' "create collation caseless (provider = icu, locale = 'und-u-ks-level2', deterministic = false)" \
  'create table good (id int primary key, v text)' 'create table hidden (id int primary key)' 'create table guarded (id int primary key)' \
  'create table partly (id int primary key, v text, secret text)' \
  'create view seen as select 1 as id' 'grant select on good, guarded, seen to reader' 'alter table guarded enable row level security'
primary 'create table lone (id int primary key)' 'create table keyed (id int primary key, k int)' 'create table typed (id int primary key, v jsonb)' \
  'create table narrow (id int primary key, v text)' 'create table made (id int primary key, v int)' 'create table folded (k text primary key)' \
  'create table collated (id int primary key, v text collate "C")' 'grant select on all tables in schema public to reader' 'revoke select on hidden, partly from reader' \
  'grant select (id, v) on partly to reader'
standby 'create table keyed (id int, k int primary key)' 'create table typed (id int primary key, v json)' 'create table narrow (id int primary key)' \
  'create table made (id int primary key, v int generated always as (id) stored)' 'create table folded (k text collate caseless primary key)' \
  'create table collated (id int primary key, v text)' 'create table orphan (id int primary key)' 'grant select on all tables in schema public to reader'
PRIMARY_URL=$(cluster_url primary crawler reader)
STANDBY_URL=$(cluster_url standby crawler reader)
export PRIMARY_URL STANDBY_URL

refused() { # CODE PATTERN TABLES [CONFIG-LINE…]
  write_config "${@:3}"
  expect "$1" "$BIN/diff"
  ended_with diff "$2"
  same "lines on stdout" "" "$(cat "$work/out")"
}
refused 65 'backup_node: table public.lone does not exist; create it as on the primary' 'good, lone'
refused 78 'primary_node: table public.orphan of sync_tables does not exist' 'good, orphan'
refused 65 'table public.keyed has no unique index on the primary.s key; CREATE UNIQUE INDEX ON "public"."keyed" ("id")' keyed
refused 65 'table public.typed has the column "v" as json, the primary as jsonb.*ALTER TABLE "public"."typed" ALTER COLUMN "v" TYPE jsonb' typed
refused 65 'table public.narrow has no column "v"; ALTER TABLE "public"."narrow" ADD COLUMN "v" text' narrow
refused 65 'table public.made generates the column "v"' made
refused 65 'table public.folded has another collation for the key' folded
refused 77 'primary_node: table public.hidden may not be read; GRANT .*SELECT ON "public"."hidden"' hidden
refused 77 'primary_node: table public.partly may not be read; GRANT .*SELECT ON "public"."partly"' partly 'filters: {partly: {columns: [id, v]}}'
refused 77 'table public.guarded has row-level security.*ALTER ROLE reader BYPASSRLS' guarded
refused 65 'public.seen is not a table' seen
both 'create table mixed (r int, id int) partition by list (r)' 'create table mixed_1 partition of mixed for values in (1)' 'create extension file_fdw' \
  'create server files foreign data wrapper file_fdw' 'grant select on mixed to reader'
primary "create foreign table mixed_2 partition of mixed for values in (2) server files options (filename '/dev/null')"
refused 65 'primary_node: table public.mixed has the foreign table public.mixed_2 as a partition.*sync_tables instead, or .*DETACH PARTITION public.mixed_2' mixed
standby "create foreign table mixed_2 partition of mixed for values in (2) server files options (filename '/dev/null')"
primary 'drop foreign table mixed_2'
refused 65 'backup_node: table public.mixed has the foreign table public.mixed_2 as a partition' mixed
refused 78 'columns names "nome", which the table does not have' good 'filters: {good: {columns: [id, nome]}}'
write_config collated
expect 0 "$BIN/diff"
same "a collation that differs" 1 "$(grep -c 'column "v" has the collation of the database on backup_node, the primary.s pg_catalog."C"' "$work/err")"

write_config good
for arguments in '--table other' '--table a.b.c' '--jobs 0' '--jobs x' '--jobs 65' 'extra' '--table='; do
  # shellcheck disable=SC2086 # words
  expect 64 "$BIN/diff" $arguments
done
expect 64 "$BIN/diff" --node nobody
expect 74 "$BIN/diff" --report "$work/nowhere/report"
ended_with diff "cannot open $work/nowhere/report: No such file"
expect 0 "$BIN/diff" --table good --table public.good --summary
same "a table named twice" 1 "$(wc -l <"$work/out")"

# --- a row of more than a line may hold is one error, and costs its table; one that a line just holds: large_values_test ---
both 'create table large (id int primary key, v text); grant select on large to reader'
for name in primary standby; do on_server "$name" "insert into large values (1, 'a'), (2, repeat('x', 140000000))"; done
primary "insert into good values (1, 'a')"
standby "update large set v = v || '.' where id = 2" 'insert into large values (3), (4)'
write_config 'good, large, narrow'
expect 65 "$BIN/diff" --report "$work/report"
ended_with diff 'left out: public.narrow, public.large; the first since backup_node: table public.narrow has no column "v"'
told 'warn .*public.large: a row that differs takes a line of 133 MiB, more than a line may have (128 MiB).*; going on without this table'
same "what is printed" 'source begin relation insert commit 1' "$(jq -r 'if .type == "commit" then "commit \(.changes)" else .type end' "$work/out" | xargs)"
same "of which tables" 'public.good' "$(jq -r '.table // empty' "$work/out" | sort -u)"
same "the report" '["public.good","different",1] ["public.narrow","not compared",null] ["public.large","not compared",null]' \
  "$(jq -c '[.table, .result, .missing]' "$work/report" | xargs -d '\n')"
standby 'delete from large where id > 2'
write_config large
expect 1 "$BIN/diff" --summary
same "in the summary" 'public.large  different  2 rows: 1 changed, 0 missing, 0 extra' "$(cat "$work/out")"

# --- what waits to be compared goes to a file: one that cannot be made, or written, is one line, and nothing is told by halves ---
both 'create table many (id int primary key, v int); grant select on many to reader'
for name in primary standby; do on_server "$name" "insert into many select n, n from generate_series(1, 60000) n"; done
standby 'update many set v = -v'
write_config many
TMPDIR=$work/nowhere expect 74 "$BIN/diff"
ended_with diff 'cannot create a file for what waits to be compared; set TMPDIR to a directory with room: No such file'
if [ "$(id -u)" = 0 ] && mkdir "$work/small" && mount -t tmpfs -o size=64k,mode=0700 tmpfs "$work/small" 2>/dev/null; then
  clusters_at_exit "umount -l '$work/small'"
  TMPDIR=$work/small expect 73 "$BIN/diff"
  ended_with diff 'cannot write what waits to be compared: disk full; make room'
  ! grep -q '"commit"' "$work/out" || fail "a part of the changes is a whole transaction"
fi
expect 1 "$BIN/diff" --summary

# --- who reads the output has enough; a stop; a standby that goes away in the middle, or is not there ---
both 'create table long (id int primary key, v text); grant select on long to reader'
for name in primary standby; do on_server "$name" "insert into long select n, repeat(md5(n::text), 10) from generate_series(1, 400000) n"; done
standby "update long set v = ''"
write_config long 'max_retry_attempts: 1'
code=0
{ "$BIN/diff" 2>"$work/err" || echo $? >"$work/code"; } | head -n 3 >"$work/out"
same "exit code where the output is closed" 74 "$(cat "$work/code")"
"$BIN/diff" --summary >"$work/out" 2>"$work/err" &
pid=$!
sleep 0.5
kill -TERM "$pid"
wait "$pid" || code=$?
same "exit code of a comparison that was stopped" 75 "$code"
ended_with diff 'stopped before'
"$BIN/diff" --summary >"$work/out" 2>"$work/err" &
pid=$!
sleep 0.5
cluster_stop standby immediate
code=0
wait "$pid" || code=$?
same "exit code where the standby goes away" 69 "$code"
ended_with diff 'backup_node'
expect 69 "$BIN/diff"
ended_with diff 'backup_node'
say "what cannot be compared is said, and is never a difference"
