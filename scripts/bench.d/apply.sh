# shellcheck shell=bash
# scripts/bench apply: PostgreSQL's own logical replication and pgtandem, on the same transactions.
#
# One primary, one standby server, and on it a database for each contender: same settings, same disk, and bit-equal at the
# start, because all are copies of one. In each round a case's work is done once on the primary, while nobody consumes; it
# ends with a transaction that adds a category. Then each contender in turn gets its own slot's copy of it, alone on the
# machine, after its tables were read into shared buffers and both servers were checkpointed. Who begins changes each time.
#   subscription  from ALTER SUBSCRIPTION … ENABLE until that last category is visible; its worker commits asynchronously
#                 and need not have flushed, as PostgreSQL's defaults are
#   apply         (a) from start to exit of `apply` on a filled spool; all is durable then
#   capture       what filled it: `capture | queue put`, to exit
#   pipeline      (b) `capture | queue put` and `apply` at once, until all have ended
#   default       the same with batch_size 100
#   recvlogical   pg_recvlogical reads the same from a slot of its own, into /dev/null
#   copy          psql's \copy of the rows of bulk-200k into one more copy of the database; in the role of a replica, as
#                 the others are: foreign keys are not checked again
# After each case all databases are vacuumed, and after each round all of them must be equal to the primary.
# shellcheck disable=SC2034,SC2154 # scripts/bench and common.sh set what is used here, contenders.sh uses what is set

# shellcheck source=scripts/bench.d/contenders.sh
. "$sql/contenders.sh"

bench_apply() {
  local round=0 status=0 name
  rows=1500000
  ! "$quick" || rows=150000
  rounds=${rounds:-$("$quick" && echo 1 || echo 3)}
  contenders=(subscription recvlogical)
  databases=(subscription)
  if ! "$baseline"; then
    contenders+=(apply pipeline default)
    databases+=(apply pipeline default)
  fi
  # Room for one contender's table and indexes as they grow over the rounds, many times over.
  bench_servers "$("$quick" && echo 1GB || echo 3GB)"
  results=$work/results
  : >"$results"
  progress "loading $rows rows on both servers"
  prepare
  machine
  say "tables: images with $rows rows of 30 columns, 5 indexes, fillfactor $fillfactor, $(cluster_psql standby subscription -Atc \
    "SELECT pg_size_pretty(pg_total_relation_size('images'))"); categories. VACUUM between cases instead of autovacuum"
  while [ "$round" -lt "$rounds" ]; do
    round=$((round + 1))
    say
    say "round $round of $rounds"
    awk -v title=1 -f "$sql/report.awk" "$results"
    for name in "${cases[@]}"; do
      run_case "$round" "$name"
      awk -v round="$round" -v name="$name" -f "$sql/report.awk" "$results"
    done
    check_equal
    say "all databases are equal to the primary"
  done
  say
  say "medians of $rounds"
  awk -f "$sql/report.awk" "$results" || status=$?
  return "$status"
}

prepare() {
  local pid database
  cluster_psql primary postgres -c 'CREATE DATABASE bench'
  cluster_psql standby postgres -c 'CREATE DATABASE subscription'
  local room="ALTER TABLE images SET (fillfactor = $fillfactor)"
  cluster_psql primary bench -f "$sql/images.sql" -c "$room" -v rows="$rows" -f "$sql/load.sql" &
  pid=$!
  cluster_psql standby subscription -f "$sql/images.sql" -c "$room" -v rows="$rows" -f "$sql/load.sql" -f "$sql/await.sql"
  wait "$pid" || die "the rows could not be loaded; see above"
  cluster_psql primary bench -f "$sql/work.sql"
  for database in "${databases[@]}"; do [ "$database" = subscription ] || clone_database "$database"; done

  cluster_psql primary bench -c 'CREATE PUBLICATION bench FOR TABLE images, categories' -o /dev/null \
    -c "SELECT pg_create_logical_replication_slot('bench_' || name, 'pgoutput') FROM unnest('{subscription,recvlogical}'::text[]) AS name"
  cluster_psql standby subscription -c "CREATE SUBSCRIPTION bench CONNECTION '$(cluster_url primary bench)' PUBLICATION bench
    WITH (enabled = false, copy_data = false, create_slot = false, slot_name = 'bench_subscription')"
  for database in "${databases[@]}"; do
    case $database in
      subscription) continue ;;
      default) write_config "$database" "$database" 100 "images, categories" ;;
      *) write_config "$database" "$database" 5000 "images, categories" ;;
    esac
    init_of "$database"
  done
}

# A file copy: equal to the bit, and nothing of it in the WAL.
clone_database() { cluster_psql standby postgres -c "CREATE DATABASE \"$1\" TEMPLATE subscription STRATEGY file_copy"; }

run_case() { # ROUND NAME
  local i turn what before mark="round $1 of $2"
  progress "round $1, $2: the work"
  before=$(cluster_psql primary bench -Atc 'SELECT max(id) FROM images')
  work_of "$2" "$1"
  cluster_psql primary bench -c "INSERT INTO categories (name) VALUES ('$mark')"
  target=$(cluster_psql primary bench -Atc 'SELECT pg_current_wal_flush_lsn()')
  if [ "$2" = bulk-200k ]; then
    cluster_psql primary bench -c "COPY (SELECT * FROM images WHERE id > $before ORDER BY id) TO STDOUT" >"$work/rows"
    clone_database copy
    contenders+=(copy)
  fi
  turn=$((turn_of_all++))
  for ((i = 0; i < ${#contenders[@]}; i++)); do
    what=${contenders[(i + turn) % ${#contenders[@]}]}
    progress "round $1, $2: $what"
    "contend_$what" "$1" "$2" "$mark"
  done
  if [ "$2" = bulk-200k ]; then
    cluster_psql standby postgres -c 'DROP DATABASE copy'
    unset 'contenders[-1]'
    rm "$work/rows"
  fi
  cluster_psql primary bench -c 'VACUUM images'
  for what in "${databases[@]}"; do cluster_psql standby "$what" -c 'VACUUM images'; done
}
turn_of_all=0

work_of() { # CASE SEED
  local call
  case $1 in
    insert-100k) call="insert_images(100000)" ;;
    update-100k) call="update_images(100000, $rows, $rows)" ;;
    hot-100k) call="update_images(100000, 1000, $rows)" ;;
    bulk-200k) call="bulk_images(200000)" ;;
  esac
  cluster_psql primary bench -o /dev/null -c 'SET synchronous_commit = off' -c "SELECT setseed(0.$2)" -c "CALL $call"
}

check_equal() {
  local database ours theirs
  progress "comparing"
  ours=$(cluster_psql primary bench -At -f "$sql/digest.sql")
  for database in "${databases[@]}"; do
    theirs=$(cluster_psql standby "$database" -At -f "$sql/digest.sql")
    [ "$ours" = "$theirs" ] || die "database $database is not equal to the primary:
$theirs
instead of
$ours"
  done
}
