#!/usr/bin/env bash
# early: 75
# The cut: two snapshots of one state, while both sides are written; beside `apply --follow` and without it; and that nothing
# is left of it, whatever happens.
set -euo pipefail
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
PROBE=${PROBE:-$BIN/cut_probe} # of the build tree
CUTS=${CUTS:-6}      # under load
LENGTH=${LENGTH:-1800} # s that the load lasts at most; the test ends it

two_servers
both "create table accounts (id int primary key, n bigint not null)" "create table ledger (id bigserial primary key, account int, n bigint)"
primary "insert into accounts select i, 0 from generate_series(1, 50) i"
standby "insert into accounts select i, 0 from generate_series(1, 50) i"
# The socket's path is longer than its address may be.
long=state/$(printf 'of_a_path_%.0s' {1..15})
config() { write_config "accounts, ledger" "sync_timeout: 10" "sync_interval: 30" "state: {directory: $long}"; }
config
link_up

# probe [OPTION…]: a cut, kept; its line in $CUT. probe_end: it is given up.
probe() {
  rm -f "$work/probe.in"
  mkfifo "$work/probe.in"
  : >"$work/probe.out"
  exec {to_probe}<>"$work/probe.in"
  "$PROBE" "$@" <"$work/probe.in" >"$work/probe.out" 2>>"$work/probe.log" {to_probe}>&- &
  FOLLOW[probe]=$!
  wait_until 50 "a cut" grep -q . "$work/probe.out"
  CUT=$(head -n 1 "$work/probe.out")
}
probe_end() {
  exec {to_probe}>&-
  wait "${FOLLOW[probe]}" 2>/dev/null || true
  unset "FOLLOW[probe]"
}
of_cut() { jq -r ".$1" <<<"$CUT"; }
at_snapshot() { # SERVER SQL: at the cut
  on_server "$1" "begin isolation level repeatable read" "set transaction snapshot '$(of_cut "$1_snapshot")'" "$2" commit | sed '/^BEGIN$/d; /^SET$/d; /^COMMIT$/d'
}
ALL="select md5(coalesce(string_agg(t, '|' order by t), '')) from (select 'a' || a::text as t from accounts a union all select 'l' || l::text from ledger l) x"
SUM="select (select sum(n) from accounts) - (select coalesce(sum(n), 0) from ledger)"
compare_cut() { # WHAT
  same "$1: exact" true "$(of_cut exact)"
  same "$1: the books, primary" 0 "$(at_snapshot primary "$SUM")"
  same "$1: the books, standby" 0 "$(at_snapshot standby "$SUM")"
  same "$1: both sides at $(of_cut lsn)" "$(at_snapshot primary "$ALL")" "$(at_snapshot standby "$ALL")"
}
nothing_left() {
  same "slots of cuts" 0 "$(primary "select count(*) from pg_replication_slots where slot_name like 'pgtandem_cut%'")"
  wait_until 5 "the cut's sessions to end" sessions_gone
}
sessions_gone() {
  [ "$(primary "select count(*) from pg_stat_activity where application_name = 'pgtandem cut'")" = 0 ] &&
    [ "$(standby "select count(*) from pg_stat_activity where application_name = 'pgtandem cut'")" = 0 ]
}
milliseconds() { echo $(($(date +%s%N) / 1000000)); }

# --- nothing runs: capture, queue and apply are done by the cut itself ---
primary "update accounts set n = 5 where id = 1; insert into ledger (account, n) values (1, 5)"
probe
compare_cut "nothing runs"
differ "where the standby is" 0/0 "$(of_cut standby)"
# the lock is free again: another apply may run beside the snapshots
expect 0 "$BIN/apply"
probe_end
nothing_left

# --- while a cut is the applier itself another one waits for its turn, and says so ---
probe --hold
expect 75 "$BIN/apply"
grep -q '^apply: .*is held by pid [0-9]* .*; wait until it ends' "$work/err" || fail "it is not told: $(cat "$work/err")"
probe_end
expect 0 "$BIN/apply"

# --- both follow, idle: within moments, not sync_interval ---
follow_capture
follow_apply
wait_until 10 "the applier's socket" test -S "$work/$long/apply.backup_node.sock"
same "the socket's mode" 600 "$(stat -c %a "$work/$long/apply.backup_node.sock")"
sleep 1
probe && probe_end # the first one may meet a queue that is told of idle positions once a second
sleep 1.2
begin=$(milliseconds)
probe
took=$(($(milliseconds) - begin))
compare_cut "idle"
say "an idle cut took $took ms"
at_most "an idle cut, ms" 3000 "$took" # sync_interval is 30 s
probe_end

# --- under load, again and again ---
cat >"$work/load.sql" <<'SQL'
\set account random(1, 50)
\set amount random(-100, 100)
begin;
update accounts set n = n + :amount where id = :account;
insert into ledger (account, n) values (:account, :amount);
commit;
SQL
"$CLUSTER_BIN/pgbench" -h "$CLUSTERS_DIR/primary" -p "$(cluster_port primary)" -U postgres -n -c 4 -T "$LENGTH" -R 300 \
  -f "$work/load.sql" crawler >"$work/load.out" 2>"$work/load.log" &
load=$!
sleep 1
total=0
lsn=
for ((i = 1; i <= CUTS; ++i)); do
  begin=$(milliseconds)
  probe
  total=$((total + $(milliseconds) - begin))
  differ "the LSN of two cuts" "$lsn" "$(of_cut lsn)"
  lsn=$(of_cut lsn)
  compare_cut "cut $i under load"
  probe_end
done
say "$CUTS cuts under load, $((total / CUTS)) ms each"

# --- a held applier waits, and goes on when its holder is killed ---
probe --hold
compare_cut "held"
sleep 0.5
same "the standby, held" "$(of_cut standby)" "$(standby "select lsn from pgtandem.progress")"
kill -KILL "${FOLLOW[probe]}"
begin=$(milliseconds)
moved() { [ "$(standby "select lsn from pgtandem.progress")" != "$(of_cut standby)" ]; }
wait_until 5 "the applier to go on" moved
took=$(($(milliseconds) - begin))
say "after its holder was killed the applier went on within $took ms"
at_most "the applier goes on, ms" 3000 "$took" # by itself it would after 20 s; on an idle machine it is 0.3
probe_end
nothing_left

# --- one that is stopped in its tracks loses it by time: its connection lives, it says nothing ---
probe --hold
kill -STOP "${FOLLOW[probe]}"
wait_until 30 "the applier to go on by itself" moved
grep -q "says nothing for" "$work/apply.log" || fail "the applier does not tell that it went on"
kill -CONT "${FOLLOW[probe]}"
probe_end

# --- a transaction that writes for long: the applier is not kept, the fallback says who it was ---
primary 'grant pg_read_all_stats to pgtandem' # else only the process id is told
{ echo "begin; insert into ledger (account, n) values (1, 0);"; sleep 15; echo "rollback;"; } | cluster_psql primary crawler >"$work/writer.log" 2>&1 &
writer=$!
sleep 0.5
probe --limit 4
same "a long writer: exact" false "$(of_cut exact)"
grep -q "primary_node: a snapshot has to wait for a transaction that writes: pid [0-9]*, open for [0-9]* s, idle in transaction" "$work/probe.log" || fail "who writes is not told: $(cat "$work/probe.log")"
at_snapshot primary "$ALL" >/dev/null
probe_end
nothing_left
# and within the limit it is waited for
probe --limit 40
compare_cut "after the writer"
probe_end
wait "$writer"

# --- who wants a table to himself is told of ---
probe
primary "set lock_timeout = '3s'; truncate accounts" 2>/dev/null & # the applier must not get that: it is refused
waits=$!
sleep 1
echo -n '?' >&"$to_probe"
answered() { [ "$(wc -l <"$work/probe.out")" = 2 ]; }
wait_until 10 "the answer" answered
way=$(tail -n 1 "$work/probe.out")
[[ $way == "primary_node: pid "* ]] || fail "who waits is not told: '$way'"
wait "$waits" && fail "TRUNCATE passed a lock"
probe_end
kill "$load"
wait "$load" || true
wait_applied
follow_stop

# --- no right to a slot: not exact, and said ---
for name in primary standby; do
  on_server "$name" "create role poor login; grant pg_read_all_data to poor"
done
standby "grant usage on schema pgtandem to poor; grant select on pgtandem.progress to poor"
PRIMARY_URL=$(cluster_url primary crawler poor) config
probe
same "no right: exact" false "$(of_cut exact)"
grep -q "comparing without an exact cut" "$work/probe.log" || fail "the fallback is not told"
same "no right: both sides" "$(at_snapshot primary "$ALL")" "$(at_snapshot standby "$ALL")"
probe_end
config

# --- no slot free ---
for ((i = 0; i < 9; ++i)); do primary "select from pg_create_physical_replication_slot('full_$i')"; done
probe
same "no slot free: exact" false "$(of_cut exact)"
grep -q "replication slots are in use" "$work/probe.log" || fail "that no slot is free is not told"
probe_end
for ((i = 0; i < 9; ++i)); do primary "select from pg_drop_replication_slot('full_$i')"; done

# --- another server than the queue's is no primary to compare with ---
PRIMARY_URL=$(cluster_url standby crawler) config
expect 65 "$PROBE"
grep -q "another server" "$work/err" || fail "another server is taken for the primary: $(cat "$work/err")"
config
nothing_left
say "cut_test: passed"
