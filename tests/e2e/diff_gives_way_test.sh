#!/usr/bin/env bash
# early: 115
# A comparison is in nobody's way: who wants one of its tables to himself gets it within moments, and it ends with 75. Tables
# that are paused are left out, by diff and by the repair, and told. A standby that goes away in the middle is 69.
set -euo pipefail
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

two_servers
both "create table big (id int primary key, v text)" "create table rest (id int primary key, n int)" "create table shop (id int primary key, name text)" \
  "create table bag (n int)" "alter table bag replica identity full" "create table aside (id int primary key)"
for name in primary standby; do
  on_server "$name" "insert into big select i, 'v' || i from generate_series(1, 20000) i" "insert into rest select i, i from generate_series(1, 100) i" \
    "insert into shop select i, 'n' || i from generate_series(1, 100) i" "insert into bag select i from generate_series(1, 2600) i"
done
synced='big, rest, shop, bag, aside'
# The filter makes each row of the primary's cost a millisecond: a comparison of 20 s, in one statement.
slow=$work/slow.yaml
write_config "$synced" "sync_timeout: 20" "max_retry_attempts: 1" 'filters: {big: {where: "pg_catalog.pg_sleep(0.001) is not null"}, bag: {where: "pg_catalog.pg_sleep(0.001) is not null"}}'
mv "$PGTANDEM_CONFIG" "$slow"
write_config "$synced" "sync_timeout: 20" "max_retry_attempts: 1"
link_up
follow_capture
follow_apply

slow_diff() { # [OPTION…]: begins one, and returns when it reads
  "$BIN/diff" --config "$slow" "$@" >"$work/out" 2>"$work/err" &
  slow_pid=$!
  wait_until 20 "the comparison to read" reads
}
reads() { [ "$(primary "select count(*) from pg_stat_activity where application_name = 'pgtandem diff' and query ~ 'pg_sleep' and state = 'active'")" -gt 0 ]; }
slow_end() { # CODE
  local code=0
  wait "$slow_pid" || code=$?
  same "exit code of the comparison" "$1" "$code"
  ! grep -q '"commit"' "$work/out" || fail "what it printed could be applied"
}
gave_way() { # PATTERN
  slow_end 75
  same "lines of failure" 1 "$(grep -c '^diff: ' "$work/err")"
  told "^diff: gave way to who waits for a table that is compared: $1; start it again$"
}
count() { standby "select count(*) from $1"; }

# --- a TRUNCATE on the primary, an ALTER TABLE on the standby ---
standby "update rest set n = 0 where id = 1" # a line that waits for its commit
slow_diff
primary "set lock_timeout = '8s'; truncate big" >"$work/truncate" || fail "TRUNCATE waits for a comparison"
gave_way 'primary_node: pid [0-9]* (psql)'
emptied() { [ "$(count big)" = 0 ]; }
wait_until 20 "the standby to truncate, too" emptied
primary "insert into big select i, 'v' || i from generate_series(1, 20000) i"
wait_applied
slow_diff
standby "set lock_timeout = '8s'; alter table rest add column own int" || fail "ALTER TABLE waits for a comparison"
gave_way 'backup_node: pid [0-9]* (psql)'
# who waits for snapshots only is in nobody's way, and no reason to end
slow_diff
primary "set statement_timeout = '3s'" "create index concurrently own_index on big (v)" 2>"$work/index" && fail "the index did not wait for the comparison's snapshot"
grep -q 'statement timeout' "$work/index" || fail "the index did not wait: $(cat "$work/index")"
kill -0 "$slow_pid" 2>/dev/null || fail "it gave way to CREATE INDEX CONCURRENTLY: $(cat "$work/err")"
kill -TERM "$slow_pid"
slow_end 75
primary "drop index own_index"

# --- the applier's own TRUNCATE, where there is no cut ---
follow_stop
primary "truncate big"
primary "insert into big select i, 'v' || i from generate_series(1, 20000) i"
slow_diff --recheck
follow_capture
follow_apply
gave_way 'backup_node: pid [0-9]* (pgtandem apply)'
wait_applied
equal_tables big

# --- a first copy ---
standby "delete from big"
expect 1 "$BIN/diff" --table big
cp "$work/out" "$work/stream"
grep -q '"copy"' "$work/stream" || fail "no copy of an empty table: $(cat "$work/stream")"
"$BIN/apply" --config "$slow" - <"$work/stream" >"$work/out" 2>"$work/err" &
slow_pid=$!
copies() { [ "$(primary "select count(*) from pg_stat_activity where query ~ '^COPY .*pg_sleep' and state = 'active'")" -gt 0 ]; }
wait_until 20 "the copy to read" copies
primary "set lock_timeout = '8s'; truncate big" || fail "TRUNCATE waits for a copy"
slow_end 75
told '^apply: gave way to who waits for a table'
primary "insert into big select i, 'v' || i from generate_series(1, 20000) i"
wait_applied

# --- a look at a table without a key takes as long as reading it, which no timeout ends ---
standby "delete from bag where n = 5"
expect 1 "$BIN/diff" --table bag
cp "$work/out" "$work/stream"
sed 's/sync_timeout: 20/sync_timeout: 2/' "$slow" >"$work/short.yaml"
expect 0 "$BIN/apply" --config "$work/short.yaml" - <"$work/stream"
same "rows of bag" 2600 "$(count bag)"

# --- a commit that waits for a synchronous standby is on ours, and is no difference ---
primary "alter system set synchronous_standby_names = 'nobody'" "select pg_reload_conf()" >"$work/reloaded"
setting() { [ "$(primary 'show synchronous_standby_names')" = nobody ]; }
wait_until 10 "the setting" setting
primary "update shop set name = 'later' where id = 2" &
waiting=$!
there() { [ "$(standby 'select name from shop where id = 2')" = later ]; }
wait_until 20 "the row on the standby" there
same "the row on the primary" n2 "$(primary 'select name from shop where id = 2')"
sed 's/sync_timeout: 20/sync_timeout: 2/' "$PGTANDEM_CONFIG" >"$work/soon.yaml" # a row is looked at for that long, and again
expect 75 "$BIN/diff" --config "$work/soon.yaml" --recheck --table shop
! grep -q '"key"' <(grep -v relation "$work/out") || fail "a row that is about to be visible is taken back: $(cat "$work/out")"
told 'too often to be sure of.*: 1 of public.shop;'
primary "alter system reset synchronous_standby_names" "select pg_reload_conf()" >"$work/reloaded"
wait "$waiting"

# --- a backlog is brought over before anything is locked ---
follow_stop
primary 'alter table shop alter name set storage external' "insert into shop select i, repeat('x', 2500) from generate_series(1001, 10000) i"
standby "begin; lock table shop; select pg_sleep(8)" >"$work/slept" &
"$BIN/diff" --table shop --table aside >"$work/out" 2>"$work/err" &
slow_pid=$!
behind() { [ "$(standby "select count(*) from pg_locks where not granted")" -gt 0 ]; }
wait_until 20 "the applier to wait" behind
primary "set lock_timeout = '4s'; truncate aside" || fail "TRUNCATE waits for a backlog"
slow_end 0
follow_capture
follow_apply
wait_applied

# --- a standby that goes away in the middle: what was named up to then is no whole transaction ---
"$BIN/diff" --config "$slow" 2>"$work/diff.log" | "$BIN/apply" - >"$work/apply-.log" 2>&1 &
piped=$!
wait_until 20 "the comparison to read" reads
cluster_stop standby immediate
wait "$piped" && fail "a repair that was broken off ends well: $(cat "$work/apply-.log")"
grep -q '^diff: .*backup_node' "$work/diff.log" || fail "diff does not tell that the standby went: $(cat "$work/diff.log")"
cluster_start standby
wait_applied
same "the row that was to be mended" 0 "$(standby "select n from rest where id = 1")"
slow_diff
cluster_stop standby immediate
slow_end 69
cluster_start standby
wait_applied

# --- a table that is paused ---
standby "alter table rest drop column own" "update shop set name = 'spoilt' where id = 7" # and rest is spoilt still
expect 1 "$BIN/diff"
cp "$work/out" "$work/stream"
primary "alter table shop rename column name to title; update shop set title = 'newer' where id = 8"
paused() { [ "$(standby "select count(*) from pgtandem.tables where lsn is not null")" = 1 ]; }
wait_until 20 "the table to be paused" paused
for options in '' --recheck; do
  # shellcheck disable=SC2086 # none or one word
  expect 1 "$BIN/diff" $options --summary
  same "lines about shop $options" 1 "$(grep -c 'shop' "$work/err")"
  told 'warn .*public.shop is left out, since it is paused on backup_node: .*title'
  ! grep -q shop "$work/out" || fail "a paused table is compared: $(cat "$work/out")"
  grep -q '^public.rest  different' "$work/out" || fail "the others are not compared: $(cat "$work/out")"
done
expect 1 "$BIN/apply" - <"$work/stream"
told 'public.shop is left out, since it is paused on backup_node: .*title'
same "a row of another table" 1 "$(standby "select n from rest where id = 1")"
same "a row of the paused one" spoilt "$(standby "select name from shop where id = 7")"
expect 1 "$BIN/diff" # all that is left
same "what is printed where the rest is equal" "" "$(cat "$work/out")"
standby "alter table shop rename column name to title"
back() { [ "$(standby "select count(*) from pgtandem.tables where lsn is not null")" = 0 ]; }
wait_until 40 "the table to go on" back
wait_applied
"$BIN/diff" 2>/dev/null >"$work/stream" && fail "what was spoilt while it was paused is not found"
expect 0 "$BIN/apply" - <"$work/stream"
expect 0 "$BIN/diff"
equal_tables
follow_stop
say "diff_gives_way_test: passed"
