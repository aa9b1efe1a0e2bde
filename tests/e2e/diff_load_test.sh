#!/usr/bin/env bash
# serial: what it shows depends on how many transactions the machine writes beside it
# `diff` while both sides are written: no difference that is none, every one that is, and `diff | apply -` mends it; by the
# cut, and by looking again where there is none. RUNS=50 is the issue's figure; RATE is of transactions a second, of which
# some wait for each other.
set -euo pipefail
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
RUNS=${RUNS:-4}
RATE=${RATE:-520}

milliseconds() { echo $(($(date +%s%N) / 1000000)); }
exact() { ! grep -q 'not exact\|without an exact cut' "$work/err" || fail "$1 was not exact: $(cat "$work/err")"; }

# --- five tables; what the load touches lies below 100000, what is planted above ---
two_servers
both "create table accounts (id int primary key, n bigint not null, note text)" \
  "create table ledger (id bigserial primary key, account int, n bigint)" \
  "create table words (k text primary key, v text)" \
  "create table heap (a int, b text); alter table heap replica identity full" \
  "create table pages (id uuid primary key default gen_random_uuid(), account int, body text)"
for name in primary standby; do
  on_server "$name" "insert into accounts select i, i, 'note' from generate_series(1, 1000) i" \
    "insert into accounts select i, i, case i % 2 when 0 then 'still' else '' end from generate_series(100001, 105000) i" \
    "insert into words select 'w' || i, 'v' from generate_series(1, 500) i" "insert into words select 'still ' || i, 'v' from generate_series(1, 500) i" \
    "insert into heap select i % 50, 'b' from generate_series(1, 500) i" "insert into heap select 1000 + i / 3, 'still' from generate_series(0, 299) i"
done
synced='accounts, ledger, words, heap, pages'
write_config "$synced" "sync_timeout: 30" "sync_interval: 30" "max_retry_attempts: 2"
link_up
follow_capture
follow_apply
cat >"$work/load.sql" <<'SQL'
\set id random(1, 1000)
\set n random(-100, 100)
\set what random(1, 100)
begin;
update accounts set n = n + :n, note = 'at ' || :n where id = :id;
insert into ledger (account, n) values (:id, :n);
\if :what <= 40
delete from ledger where id in (select id from ledger order by id limit 2 for update skip locked);
\elif :what <= 50
insert into heap values (:id % 50, 'x' || :n % 5);
\elif :what <= 60
delete from heap where ctid = (select ctid from heap where a = :id % 50 limit 1 for update skip locked);
\elif :what <= 65
update heap set b = left(b || :n, 12) where ctid = (select ctid from heap where a = :id % 50 limit 1 for update skip locked);
\elif :what <= 75
update words set k = 'w' || txid_current(), v = null where k = (select k from words where k < 'w2' and k > 'w' limit 1 for update skip locked);
\elif :what <= 80
insert into words values ('w' || :id, '') on conflict (k) do update set v = coalesce(words.v, '') || 'a';
\elif :what <= 90
insert into pages (account, body) values (:id, repeat('page ', :id));
\elif :what <= 98
update pages set body = body || :n, account = :id where id = (select id from pages order by random() limit 1 for update skip locked);
\else
delete from pages where account % 100 = :id % 100;
\endif
commit;
SQL
load_begin() { # RATE
  "$CLUSTER_BIN/pgbench" -h "$CLUSTERS_DIR/primary" -p "$(cluster_port primary)" -U postgres -n -c 4 -T 3600 -R "$1" -f "$work/load.sql" crawler \
    >"$work/load.out" 2>"$work/load.log" &
  load=$!
}
written() { primary "select last_value from ledger_id_seq"; } # each takes one
load_begin "$RATE"
sleep 2

# --- nothing differs ---
total=0
most=0
began=$(milliseconds)
first=$(written)
for ((i = 1; i <= RUNS; ++i)); do
  begin=$(milliseconds)
  expect 0 "$BIN/diff"
  took=$(($(milliseconds) - begin))
  total=$((total + took))
  [ "$took" -le "$most" ] || most=$took
  exact "run $i"
  same "run $i prints" "" "$(cat "$work/out")"
done
rate=$((($(written) - first) * 1000 / ($(milliseconds) - began)))
say "$RUNS runs without a difference beside $rate transactions a second, $((total / RUNS)) ms each, at most $most"
at_least "transactions a second" 50 "$rate"

# --- what is planted is found, and nothing else ---
plant() {
  standby "update accounts set n = n # 1 where id = 100010" "delete from accounts where id = 100020" "insert into accounts values (200001, 0, 'extra')" \
    "update accounts set n = case id when 100030 then 100032 else 100030 end where id in (100030, 100032)" "update accounts set note = null where id = 100041" \
    "update words set v = 'V' where k = 'still 7'" "delete from words where k = 'still 8'" "insert into words values ('still', null)" \
    "delete from heap where ctid = (select min(ctid) from heap where a = 1001)" "insert into heap values (1002, 'still'), (3000, null)"
}
planted='["delete","accounts",200001]
["delete","heap",1002]
["delete","heap",3000]
["delete","words","still"]
["insert","accounts",100020]
["insert","heap",1001]
["insert","words","still 8"]
["update","accounts",100010]
["update","accounts",100030]
["update","accounts",100032]
["update","accounts",100041]
["update","words","still 7"]'
changes() { # of a stream: what, where, which
  jq -c 'select(.type == "insert" or .type == "update" or .type == "delete") | [.type, (.table | ltrimstr("public.")), ((.key // .new) | (.id // .k // .a))]' "$1" | LC_ALL=C sort
}
plant
for ((i = 1; i <= RUNS; ++i)); do
  expect 1 "$BIN/diff"
  exact "planted, run $i"
  same "what is found, run $i" "$planted" "$(changes "$work/out")"
done
cp "$work/out" "$work/stream"

# --- without a slot: nothing but what is certain ---
for how in --recheck 'no slot free'; do
  options=()
  if [ "$how" = --recheck ]; then
    options=(--recheck)
  else
    for ((i = 0; i < 9; ++i)); do primary "select from pg_create_physical_replication_slot('full_$i')"; done
  fi
  begin=$(milliseconds)
  expect 1 "$BIN/diff" "${options[@]}"
  say "$how: $(($(milliseconds) - begin)) ms"
  same "what is found, $how" "$planted" "$(changes "$work/out")"
  ! grep -q 'too often' "$work/err" || fail "$how: not all is settled: $(cat "$work/err")"
  [ "$how" = --recheck ] || told 'the comparison is not exact, since .*: what differs is looked at again'
  jq -ec 'select(.type == "commit") | .changes' "$work/out" >"$work/commit"
  same "changes in the commit, $how" 12 "$(cat "$work/commit")"
done
expect 1 "$BIN/diff" --summary --table heap
told 'the comparison is not exact'
grep -qE '^public.heap  different  [0-9]+ rows.*: 0 changed, 1 missing, 2 extra$' "$work/out" || fail "the summary: $(cat "$work/out")"
for ((i = 0; i < 9; ++i)); do primary "select from pg_drop_replication_slot('full_$i')"; done

# --- mended under load, each time; what was found long ago does no harm ---
expect 0 "$BIN/apply" - <"$work/stream"
for ((i = 1; i <= RUNS; ++i)); do
  plant
  { "$BIN/diff" 2>"$work/diff.log" || echo $? >"$work/code"; } | timeout 60 "$BIN/apply" - >"$work/mend.log" 2>&1 || fail "the repair, run $i: $(cat "$work/mend.log")"
  same "exit code of diff, mending $i" 1 "$(cat "$work/code")"
  expect 0 "$BIN/diff"
  exact "after the repair, run $i"
  same "prints after the repair, run $i" "" "$(cat "$work/out")"
done
expect 0 "$BIN/diff" --recheck
same "--recheck prints where all is equal" "" "$(cat "$work/out")"
say "$RUNS repairs, equal at a cut after each"

# --- killed at any moment: nothing of it stays, and the applier goes on ---
nothing_left() {
  [ "$(primary "select (select count(*) from pg_replication_slots where slot_name like 'pgtandem_cut%') + (select count(*) from pg_stat_activity where application_name in ('pgtandem cut', 'pgtandem diff', 'pgtandem recheck'))")" = 0 ] &&
    [ "$(standby "select count(*) from pg_stat_activity where application_name in ('pgtandem cut', 'pgtandem diff', 'pgtandem recheck')")" = 0 ]
}
for ((i = 1; i <= ${KILLS:-8}; ++i)); do
  options=()
  [ $((i % 4)) != 0 ] || options=(--recheck)
  "$BIN/diff" "${options[@]}" >"$work/out" 2>"$work/err" &
  pid=$!
  sleep "0.$(printf %03d $((RANDOM % 700)))"
  kill -KILL "$pid" 2>/dev/null || true
  wait "$pid" 2>/dev/null || true
  wait_until 10 "nothing to be left, kill $i" nothing_left
  position=$(standby "select lsn from pgtandem.progress")
  moved() { [ "$(standby "select lsn from pgtandem.progress")" != "$position" ]; }
  wait_until 10 "the applier to go on, kill $i" moved
done
expect 0 "$BIN/diff"

# --- a row that is written all the time is never sure: that is told, and is neither equal nor different ---
kill -TERM "$load"
wait "$load" || true # a shell's background jobs do not hear an interrupt
echo "update accounts set n = n + 1 where id = 1;" >"$work/hot.sql"
"$CLUSTER_BIN/pgbench" -h "$CLUSTERS_DIR/primary" -p "$(cluster_port primary)" -U postgres -n -c 1 -T 3600 -R 1500 -f "$work/hot.sql" crawler >"$work/hot.out" 2>&1 &
load=$!
sleep 1
unsettled() {
  local code
  for _ in {1..30}; do # by luck the first look may find it equal, and then it is not looked at again
    code=0
    timeout 60 "$BIN/diff" --recheck --table accounts "${@:2}" >"$work/out" 2>"$work/err" || code=$?
    [ "$code" = 0 ] || break
  done
  same "exit code where a row does not settle" "$1" "$code"
  told 'too often to be sure of, so that it is not known whether they differ: 1 of public.accounts'
}
unsettled 75
same "of an unsettled row is printed" "" "$(cat "$work/out")"
unsettled 75 --summary
grep -qE '^public.accounts  unsettled  6000 rows: 1 unsettled$' "$work/out" || fail "the summary: $(cat "$work/out")"
standby "update accounts set n = n # 1 where id = 100010"
unsettled 1
same "beside an unsettled row" '["update","accounts",100010]' "$(changes "$work/out")"
expect 1 "$BIN/diff" --table accounts # the cut knows
exact "the hot row"
same "by the cut" '["update","accounts",100010]' "$(changes "$work/out")"
kill -TERM "$load"
wait "$load" || true # a shell's background jobs do not hear an interrupt
same "exit code of diff in a pipe" 1 "$("$BIN/diff" 2>/dev/null >"$work/stream" || echo $?)"
expect 0 "$BIN/apply" - <"$work/stream"
wait_applied
equal_tables
follow_stop
say "diff_load_test: passed"
