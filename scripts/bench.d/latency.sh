# shellcheck shell=bash
# scripts/bench latency: from commit on the primary to visible on the standby.
#
# Four clients of pgbench insert images on the primary, 200 transactions a second in all, each row stamped with the clock
# just before its commit; a session on the standby looks for new rows about every millisecond and notes the clock. Both
# servers are on this machine, so it's the same clock. What is printed thus includes the primary's own commit and the looking, and so
# errs upwards. First PostgreSQL's own subscription, for comparison, then `capture --follow | queue put` and `apply --follow`.
# shellcheck disable=SC2034,SC2154 # scripts/bench and common.sh set what is used here

bench_latency() {
  local median='' rate=0
  seconds=${seconds:-$("$quick" && echo 5 || echo 20)}
  bench_servers 256MB
  cluster_psql primary postgres -c 'CREATE DATABASE bench'
  cluster_psql standby postgres -c 'CREATE DATABASE subscription'
  cluster_psql primary bench -f "$sql/images.sql" -v rows=10000 -f "$sql/load.sql" -f "$sql/latency.sql"
  cluster_psql standby subscription -f "$sql/images.sql" -v rows=10000 -f "$sql/load.sql" -f "$sql/await.sql" -f "$sql/latency.sql"
  cluster_psql standby postgres -c 'CREATE DATABASE tandem TEMPLATE subscription STRATEGY file_copy'
  if ! "$baseline"; then
    write_config tandem tandem 100 "images, categories"
    init_of tandem
  fi
  echo 'CALL write_image();' >"$work/write.sql"
  machine
  printf '%-14s %9s %9s %9s %9s %9s %9s %12s\n' "milliseconds" median p95 p99 max rows "per second" commit

  progress "subscription"
  cluster_psql primary bench -c 'CREATE PUBLICATION bench FOR TABLE images, categories'
  cluster_psql standby subscription -c 'SET client_min_messages = warning' -c "CREATE SUBSCRIPTION bench
    CONNECTION '$(cluster_url primary bench)' PUBLICATION bench WITH (copy_data = false)"
  measure subscription
  cluster_psql standby subscription -c 'SET client_min_messages = warning' -c 'DROP SUBSCRIPTION bench'
  ! "$baseline" || return 0

  progress "pgtandem"
  follow
  measure tandem
  stop_following
  say
  # A slow machine writes less, and less is easier.
  if [ "$rate" -lt 190 ]; then
    echo "scripts/bench: only $rate of 200 transactions a second were written; try again when this machine is less busy" >&2
    return 75
  fi
  if awk "BEGIN { exit !($median < 50) }"; then
    say "PASS  median of pgtandem $median ms   required: under 50"
  else
    say "FAIL  median of pgtandem $median ms   required: under 50"
    return 1
  fi
}

measure() { # DATABASE
  local watcher p95 p99 most count unseen
  mark "$1 follows"
  cluster_psql standby "$1" -c "SET statement_timeout = '1min'" -c "CALL await_mark('$1 follows')" ||
    tools_failed "waiting for the first transaction"
  cluster_psql standby "$1" -c "SET statement_timeout = '$((seconds + 60))s'" -c "CALL watch_images('$1 done')" &
  watcher=$!
  sleep 0.5
  "$CLUSTER_BIN/pgbench" -h "$(cluster_dir primary)" -p "$(cluster_port primary)" -U postgres -n -c 4 -R 200 -T "$((seconds + 1))" \
    -f "$work/write.sql" bench >"$work/pgbench.log" 2>&1 || die "pgbench failed: $(grep -m 3 error "$work/pgbench.log")"
  mark "$1 done"
  wait "$watcher" || tools_failed "waiting for the last transaction"
  read -r median p95 p99 most count unseen rate < <(cluster_psql standby "$1" -At -F ' ' -c 'SELECT * FROM latency_summary')
  [ "${unseen:-1}" = 0 ] || die "$unseen rows of $count were not noticed when they came"
  printf '%-14s %9s %9s %9s %9s %9s %9s %12s\n' "$1" "$median" "$p95" "$p99" "$most" "$count" "$rate" "$(commit_ms)"
}
mark() { cluster_psql primary bench -c "INSERT INTO categories (name) VALUES ('$1')"; }
# pgbench counts its wait for the next turn as latency, and tells how much of it that was.
commit_ms() {
  awk '/^latency average/ { all = $4 } /^rate limit schedule lag: avg/ { lag = $6 } END { printf "%.1f", all - lag }' "$work/pgbench.log"
}

follow() {
  rm -f "$work/pipe"
  mkfifo "$work/pipe"
  (tandem tandem capture --follow >"$work/pipe") &
  background=("$!")
  (tandem tandem queue put <"$work/pipe") &
  background+=("$!")
  (tandem tandem apply --follow) &
  background+=("$!")
}
stop_following() {
  local pid pids=("${background[@]}")
  kill "${pids[0]}" "${pids[2]}"
  for pid in "${pids[@]}"; do wait "$pid" || tools_failed "a tool that should have stopped when asked"; done
  background=()
}
