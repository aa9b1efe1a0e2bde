# shellcheck shell=bash
# scripts/bench diff: what a comparison of two servers costs, against the least that such a thing could cost and against
# pg_comparator (Debian package postgresql-comparator, installed here where it is missing).
#
# The primary has images with 1.5 million rows; the standby has it in two databases: `equal` is a copy, and in `different`
# 900 scattered rows are changed, 50 missing and 50 extra (with --quick a tenth of all). In each round, one after the
# other, who begins changes each time; shared_buffers is PostgreSQL's default, the tables are in the system's cache:
#   yardstick   both servers at once: SELECT sum(hash_record_extended(t, 0)) FROM images AS t. No digest to use (it misses
#               swapped values and sees only half of a bigint), but all columns of all rows are hashed once
#   equal       `diff` on the equal tables
#   different   `diff` on the others, with the lines that mend them; all 1,000 must be there, and nothing else
#   comparator  pg_comparator on the equal tables; comparator-1000: on the others, where it prints keys only
# One process a server each: the yardstick without parallel workers, diff with one session a side. exif_data is text here,
# for the yardstick's function has no hash for json.
# shellcheck disable=SC2034,SC2154 # scripts/bench and common.sh set what is used here

# shellcheck source=scripts/bench.d/memory.sh
. "$sql/memory.sh" # for watch_peak

bench_diff() {
  local round i turn=0 status=0 contender contenders=(yardstick equal different comparator comparator-1000)
  ! "$baseline" || contenders=(yardstick comparator comparator-1000)
  rows=1500000
  ! "$quick" || rows=150000
  rounds=${rounds:-$("$quick" && echo 1 || echo 3)}
  install_comparator
  bench_settings+=(max_parallel_workers_per_gather=0)
  bench_servers 128MB
  results=$work/results
  : >"$results"
  progress "loading $rows rows on both servers"
  prepare_diff
  machine
  say "table: images with $rows rows of 30 columns, $(cluster_psql primary bench -Atc "SELECT pg_size_pretty(pg_relation_size('images'))")"
  say
  printf '%-8s' round
  printf '%17s' "${contenders[@]}"
  say
  for ((round = 1; round <= rounds; round++, turn++)); do
    for ((i = 0; i < ${#contenders[@]}; i++)); do
      contender=${contenders[(i + turn) % ${#contenders[@]}]}
      progress "round $round: $contender"
      "compare_${contender%-*}" "$round" "$contender"
    done
    printf '%-8s' "$round"
    for contender in "${contenders[@]}"; do
      printf '%17s' "$(awk -v r="$round" -v c="$contender" '$1 == r && $2 == c { print $3 }' "$results")"
    done
    say
  done
  say
  awk -f "$sql/diff.awk" "$results" || status=$?
  return "$status"
}

install_comparator() {
  ! command -v pg_comparator >/dev/null || return 0
  local as_root=()
  [ "$(id -u)" = 0 ] || as_root=(sudo)
  progress "installing postgresql-comparator"
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -q -y -o DPkg::Lock::Timeout=300 install --no-install-recommends \
    postgresql-comparator >&2 || die "postgresql-comparator cannot be installed; its lines above say why"
}

prepare_diff() {
  local name database pid made=(-f "$sql/images.sql" -c 'ALTER TABLE images ALTER exif_data TYPE text' -v "rows=$rows" -f "$sql/load.sql"
    -c 'GRANT SELECT ON images TO pgtandem' -c 'CREATE EXTENSION pg_prewarm' -c 'SET client_min_messages = error' -c 'CREATE EXTENSION pgcmp')
  cluster_psql primary postgres -c 'CREATE DATABASE bench'
  cluster_psql standby postgres -c 'CREATE DATABASE equal'
  cluster_psql primary bench "${made[@]}" &
  pid=$!
  cluster_psql standby equal "${made[@]}"
  wait "$pid" || die "the rows could not be loaded; see above"
  cluster_psql standby postgres -c 'CREATE DATABASE different TEMPLATE equal STRATEGY file_copy'
  cluster_psql standby different -v rows="$rows" -f "$sql/differ.sql"
  for database in equal different; do write_config "$database" "$database" 100 images; done
}

warm() { # DATABASE OF THE STANDBY
  cluster_psql primary bench -f "$sql/warm.sql"
  cluster_psql standby "$1" -f "$sql/warm.sql"
}
note() { printf '%s\t%s\t%s\t%s\t%s\n' "$@" >>"$results"; } # ROUND CONTENDER SECONDS PEAK-KB MB

compare_yardstick() {
  local began pid
  warm equal
  began=$(micros)
  cluster_psql primary bench -o /dev/null -c 'SELECT sum(hash_record_extended(t, 0)) FROM images AS t' &
  pid=$!
  cluster_psql standby equal -o /dev/null -c 'SELECT sum(hash_record_extended(t, 0)) FROM images AS t'
  wait "$pid" || die "the yardstick failed; see above"
  note "$1" "$2" "$(seconds_since "$began")" 0 0
}

run_diff() { # ROUND CONTENDER EXIT-CODE
  local began pid code=0 took
  warm "$2"
  began=$(micros)
  (tandem "$2" diff >"$work/lines") &
  pid=$!
  background=("$pid")
  watch_peak "$pid" "$work/peak.diff" &
  wait "$pid" || code=$?
  took=$(seconds_since "$began")
  background=()
  wait
  [ "$code" = "$3" ] || tools_failed "diff on the database $2, which ended with $code,"
  note "$1" "$2" "$took" "$(<"$work/peak.diff")" "$(sed -n 's/.* \([0-9.]*\) MB received$/\1/p' "$work/tools.log" | tail -n 1)"
}
compare_equal() {
  run_diff "$1" "$2" 0
  [ ! -s "$work/lines" ] || die "diff prints something for equal tables: $(head -c 300 "$work/lines")"
}
compare_different() {
  run_diff "$1" "$2" 1
  local found
  found=$(sed -n 's/^{"type":"\(insert\|update\|delete\)".*/\1/p' "$work/lines" | sort | uniq -c | awk '{ printf "%s %s, ", $1, $2 }')
  [ "$found" = "$((rows / 30000)) delete, $((rows / 30000)) insert, $((rows / 30000 * 18)) update, " ] || die "diff found $found instead of what there is"
}

compare_comparator() {
  local began database=equal
  [ "$2" = comparator ] || database=different
  warm "$database"
  began=$(micros)
  pg_comparator --max-ratio 1 "$(comparator_url primary bench)" "$(comparator_url standby "$database")" >"$work/lines" 2>>"$work/tools.log" ||
    tools_failed "pg_comparator"
  note "$1" "$2" "$(seconds_since "$began")" 0 0
}
comparator_url() { printf 'pgsql://postgres@127.0.0.1:%s/%s/public.images\n' "$(cluster_port "$1")" "$2"; }
