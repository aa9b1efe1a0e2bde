# shellcheck shell=bash
# scripts/bench tuning: what the settings of `synchronization:` move, one at a time, all else at its default.
#
# One primary, one standby, images of 150,000 rows (30 columns, five indexes). For each value the same work is made anew on the
# primary, 50,000 updates, a transaction each, and consumed alone on the machine: `capture | queue put`, then `apply`; for
# verify_sync by scripts/sync-incremental, which is both and the proof. Then the latency of `--follow` with a long
# sync_interval (scripts/bench latency tells how it is measured), and how soon a server that does not answer, or a lock that is not given
# up, is told.
# shellcheck disable=SC2034,SC2154 # scripts/bench and common.sh set what is used here

# shellcheck source=scripts/bench.d/latency.sh
. "$sql/latency.sh" # for follow, measure

bench_tuning() {
  local value operations=50000
  ! "$quick" || operations=10000
  seconds=5
  rows=150000
  bench_servers 1GB
  cluster_psql primary postgres -c 'CREATE DATABASE bench'
  cluster_psql standby postgres -c 'CREATE DATABASE tandem'
  cluster_psql primary bench -f "$sql/images.sql" -v rows="$rows" -f "$sql/load.sql" -f "$sql/latency.sql" -f "$sql/work.sql"
  cluster_psql standby tandem -f "$sql/images.sql" -v rows="$rows" -f "$sql/load.sql" -f "$sql/await.sql" -f "$sql/latency.sql"
  tuned
  init_of tandem
  echo 'CALL write_image();' >"$work/write.sql"
  machine
  say "images with $rows rows; $operations updates, a transaction each"
  say
  # Above this queue apply takes larger batches by itself, which is measured below.
  for value in 10 100 1000 5000; do
    tuned "batch_size: $value" "max_queue_size: 1000000"
    work_and_queue
    timed "batch_size: $value, apply" tandem tandem apply
  done
  for value in 1000000 1000; do
    tuned "max_queue_size: $value"
    work_and_queue
    timed "max_queue_size: $value, apply" tandem tandem apply
  done
  for value in false true; do
    tuned "enable_compression: $value"
    (tandem tandem queue prune) >"$work/pruned" || tools_failed "queue prune"
    work_and_queue "enable_compression: $value, capture and queue put"
    say "$(du -sm "$work/tandem/spool" | awk -v v="$value" '{ printf "%-58s %8d MB", "enable_compression: " v ", the spool", $1 }')"
    timed "enable_compression: $value, apply" tandem tandem apply
  done
  for value in false true; do
    tuned "verify_sync: $value"
    make_work
    timed "verify_sync: $value, an incremental pass" env PGTANDEM_CONFIG="$work/tandem/pgtandem.yaml" "$tools/sync-incremental"
  done
  say
  printf '%-14s %9s %9s %9s %9s %9s %9s %12s\n' "milliseconds" median p95 p99 max rows "per second" commit
  tuned "sync_interval: 10"
  say "sync_interval: 10, where the file system tells of changes"
  follow
  measure tandem
  stop_following
  say
  for value in 2 8; do
    tuned "sync_timeout: $value" "max_retry_attempts: 1" "retry_delay: 0.1"
    make_work
    cluster_psql standby tandem -c 'BEGIN' -c 'LOCK TABLE images' -c 'SELECT pg_sleep(60)' -o /dev/null 2>/dev/null &
    sleep 1
    gives_up "sync_timeout: $value, with one more try, a table is locked" env PGTANDEM_CONFIG="$work/tandem/pgtandem.yaml" "$tools/sync-incremental"
    cluster_psql standby tandem -o /dev/null -c "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query ~ 'pg_sleep' AND pid <> pg_backend_pid()"
    wait
  done
  for value in 2 8; do
    connection_timeout=$value tuned "max_retry_attempts: 1" "retry_delay: 0.1"
    kill -STOP "$(cluster_pid standby)"
    gives_up "connection_timeout: $value, with one more try, no answer" tandem tandem apply
    kill -CONT "$(cluster_pid standby)"
  done
}

tuned() { # KEY: VALUE…, of synchronization
  write_config tandem tandem 100 "images, categories"
  local key line
  for line in "$@"; do
    key=${line%%:*}
    sed -i "/^  $key:/d; s/^synchronization:/&\n  $line/" "$work/tandem/pgtandem.yaml"
  done
  sed -i "s/^\(  .*role: .*\)}$/\1, connection_timeout: ${connection_timeout:-30}}/" "$work/tandem/pgtandem.yaml"
}

turn=0
make_work() {
  turn=$((turn % 9 + 1))
  cluster_psql primary bench -o /dev/null -c 'SET synchronous_commit = off' -c "SELECT setseed(0.$turn)" \
    -c "CALL update_images($operations, $rows, $rows)" -c CHECKPOINT
  cluster_psql standby tandem -f "$sql/warm.sql"
}
work_and_queue() { # [WHAT TO CALL IT]
  local began
  make_work
  began=$(micros)
  (tandem tandem capture) | (tandem tandem queue put) || tools_failed "capture | queue put"
  [ $# -eq 0 ] || told "$1" "$(seconds_since "$began")"
  cluster_psql primary bench -c CHECKPOINT
}
told() { printf '%-58s %8.2f s\n' "$1" "$2"; } # WHAT SECONDS
timed() { # WHAT COMMAND…
  local began
  began=$(micros)
  ("${@:2}") 2>>"$work/tools.log" || tools_failed "$1"
  told "$1" "$(seconds_since "$began")"
}
gives_up() { # WHAT COMMAND…
  local began
  began=$(micros)
  ! ("${@:2}") 2>>"$work/tools.log" || die "$1: it did not fail"
  told "$1" "$(seconds_since "$began")"
}
