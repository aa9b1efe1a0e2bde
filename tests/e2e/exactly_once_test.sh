#!/usr/bin/env bash
# serial: forty seconds of catching up on a busy machine would be taken for a loss
# Exactly once, in commit order, whole: a mixed load on the primary, while capture, queue put and apply are killed, both
# servers crash and sessions are ended at random seeded moments. The seed fixes the plan, not the servers' own timing.
#   SEED=N         the plan of a run, which prints it (default: by the clock)
#   EVENTS=N       how many events (default 40; 0: load only)
#   LOAD_SECONDS=N how long the load goes on after the last event (default 3)
#   RATE=N         transactions a second (default 200)
#   MUTATE=1       then spoil the standby in one way after another: each check must notice (exactly_once_red_test.sh)
#   KEEP=1         keep spool and logs of a failure
set -euo pipefail
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
# shellcheck source=tests/e2e/load/faults.sh
. "$e2e/load/faults.sh"
# shellcheck source=tests/e2e/load/checks.sh
. "$e2e/load/checks.sh"
SEED=${SEED:-$(date +%s)}
EVENTS=${EVENTS:-40}
RATE=${RATE:-200}
say "exactly_once_test: SEED=$SEED EVENTS=$EVENTS RATE=$RATE"

# Crashes are part of this: both servers really sync.
two_servers fsync=on full_page_writes=on synchronous_commit=on deadlock_timeout=100ms restart_after_crash=on
images_tables
for name in primary standby; do cluster_psql "$name" crawler -f "$e2e/load/tables.sql"; done
cluster_psql standby crawler -f "$e2e/load/audit.sql"
compression=(false true)
write_config 'images, categories, ledger, marks, counters, accounts, notes, note_tags, visits, bulk' "enable_compression: ${compression[SEED % 2]}"
link_up
primary "select pg_create_logical_replication_slot('truth', 'test_decoding')" >/dev/null
cluster_psql primary crawler -f "$e2e/load/functions.sql"

workers=()
stop_workers() {
  local name
  touch "$work/stop" "$work/load_stop" 2>/dev/null || true
  [ "${#workers[@]}" = 0 ] || kill "${workers[@]}" 2>/dev/null || true
  for name in capture queue apply; do signal_program KILL "$name" || true; done
  [ "${#RESTART[@]}" = 0 ] || wait "${RESTART[@]}" || true # a server that is just starting must not outlive its directory
}
clusters_at_exit stop_workers
for worker in supervise_capture supervise_apply read_standby watch_acknowledged run_load; do
  "$worker" &
  workers+=("$!")
done
load=${workers[-1]}

schedule "$EVENTS" >"$work/schedule"
play <"$work/schedule"
sleep "${LOAD_SECONDS:-3}"
touch "$work/load_stop"
wait "$load"

# The standby has everything when it has what was committed last.
primary "insert into categories (name) values ('the last of all')"
arrived() { [ "$(standby "select count(*) from categories where name = 'the last of all'" 2>/dev/null)" = 1 ]; }
rows_before=-1
until arrived; do
  rows_now=$(standby 'select count(*) from audit.log')
  differ "rows written on the standby, the last transaction being still to come, and 30 s earlier" "$rows_before" "$rows_now"
  rows_before=$rows_now
  for ((i = 0; i < 150; i++)); do ! arrived || break; sleep 0.2; done
done
sleep 0.3
touch "$work/stop"
touch "$work/ends"
ended=$(wc -l <"$work/ends")
for name in capture apply; do kill -TERM "$(cat "$work/pid.$name")"; done
wait "${workers[@]}" || true
workers=()
same "how the programs ended when they were stopped" "apply 0 capture 0 put 0" "$(tail -n "+$((ended + 1))" "$work/ends" | sort | xargs)"
check_ends

gather_evidence
check_all
expect 0 "$BIN/queue" check
expect 0 "$BIN/queue" stat --json
same "left in the queue, in quarantine" "0 0" "$(jq -r '"\(.nodes.backup_node.operations) \(.dead)"' "$work/out")"
# A load that did nothing would prove nothing.
strange=$(grep 'ERROR:' "$work/load.log" | grep -vE 'terminating connection|the database system|deadlock|server closed' || true)
same "errors of the load itself" "" "$strange"
at_least "transactions" $((50 + EVENTS * 30)) "$(wc -l <"$work/truth")"
at_least "snapshots of the reader" $((10 + EVENTS)) "$(standby 'select count(*) from audit.snapshots')"
for kind in transfer crawl edit swap rekey replace savepoints; do # the others are rarer
  at_least "transactions of kind $kind" 1 "$(primary "select count(*) from ledger where kind = '$kind'")"
done

say "events: $(for name in "${!HITS[@]}"; do printf '%s %s, ' "$name" "${HITS[$name]}"; done | sed 's/, $//')"
say "programs ended: $(sort "$work/ends" | uniq -c | awk '{printf "%s%s (%s) %s", sep, $2, $3, $1; sep = ", "}')"
say "transactions $(wc -l <"$work/truth"), bulk ones $(primary "select count(distinct batch) from bulk"), batches on the standby $(standby \
  'select count(distinct batch) from audit.log'), snapshots $(standby 'select count(*) from audit.snapshots')"
if [ -n "${MUTATE:-}" ]; then
  # shellcheck source=tests/e2e/load/mutants.sh
  . "$e2e/load/mutants.sh"
fi
say "exactly_once_test: passed in $SECONDS s"
