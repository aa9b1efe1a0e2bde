#!/usr/bin/env bash
# serial: what runs beside it is in the latency
# Real time: at 200 transactions a second, from the commit on the primary to visible on the standby, the median is below 50 ms.
# Both clocks are this machine's; a look every 2 ms says when a row became visible, so what is measured is a little too long.
set -euo pipefail
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
LIMIT=${LIMIT:-50}   # ms
RATE=${RATE:-200}    # transactions a second
LENGTH=${LENGTH:-5}  # s

two_servers fsync=on track_commit_timestamp=on
for name in primary standby; do
  cluster_psql "$name" crawler -c 'create table pings (id bigserial primary key, client int, payload text)'
done
cluster_psql standby crawler -f "$e2e/load/watch_latency.sql"
write_config pings
link_up
follow_capture
follow_apply
primary "insert into pings (client) values (-1)"
wait_applied

standby "call latency.watch($((LENGTH + 2)))" &
watcher=$!
# shellcheck disable=SC2016 # pgbench's variable
echo 'INSERT INTO pings (client, payload) VALUES (:client_id, repeat(md5(:client_id::text), 8));' >"$work/ping.sql"
"$CLUSTER_BIN/pgbench" -h "$CLUSTERS_DIR/primary" -p "$(cluster_port primary)" -U postgres -n -c 4 -T "$LENGTH" -R "$RATE" \
  -f "$work/ping.sql" crawler >"$work/load.out" 2>"$work/load.log"
wait_applied
wait "$watcher"

# In milliseconds, from the primary's own commit time.
primary "copy (select id, pg_xact_commit_timestamp(xmin) from pings where client >= 0) to stdout" |
  standby "copy latency.committed from stdin"
standby "select round(percentile_cont(0.5) within group (order by ms)), round(percentile_cont(0.99) within group (order by ms)), round(max(ms)), count(*)
  from (select extract(epoch from seen.at - committed.at) * 1000 as ms from latency.seen join latency.committed using (id)) as each" >"$work/result"
IFS='|' read -r median p99 worst count <"$work/result"
say "commit to visible at $RATE/s: median $median ms, 99th percentile $p99 ms, worst $worst ms, $count transactions"
at_least "transactions seen" $((RATE * LENGTH * 8 / 10)) "$count"
at_most "median, ms" "$LIMIT" "$median"
follow_stop
equal_tables pings
say "follow_latency_test: passed"
