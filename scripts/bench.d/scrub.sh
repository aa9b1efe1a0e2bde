# shellcheck shell=bash
# scripts/bench scrub: what a full pass costs on a large table of which little changes, and what reading back costs.
#
# images with 1.5 million rows on both sides (with --quick 150,000), equal, linked and followed by nobody. In each round, one
# after the other:
#   full        `verify`: all rows of both sides
#   quiet       `verify --scrub` when nothing changed since: the share of full_sync.scrub, 5 %, by default
#   changed     `verify --scrub` after 1,000 scattered rows changed and are on the standby: these and the share
#   applied     `sync-incremental` after 20,000 scattered rows changed, with verify_sync: false
#   read-back   the same with verify_sync: true
# Rows read are those of the primary, by its own statistics of the table.
# shellcheck disable=SC2034,SC2154 # scripts/bench and common.sh set what is used here

bench_scrub() {
  local round name contenders=(full quiet changed applied read-back) status=0
  "$baseline" && die "scrub has no --baseline"
  rows=1500000
  ! "$quick" || rows=150000
  rounds=${rounds:-$("$quick" && echo 1 || echo 3)}
  bench_servers "$("$quick" && echo 512MB || echo 2GB)"
  results=$work/results
  : >"$results"
  progress "loading $rows rows on both servers"
  prepare_scrub
  machine
  say "images: $rows rows of 30 columns, 5 indexes, $(cluster_psql primary bench -Atc "SELECT pg_size_pretty(pg_relation_size('images'))")"
  for ((round = 1; round <= rounds; round++)); do
    for name in "${contenders[@]}"; do
      progress "round $round of $rounds: $name"
      "scrub_${name//-/_}" "$name"
    done
  done
  say
  awk -f "$sql/scrub.awk" "$results" || status=$?
  return "$status"
}

prepare_scrub() {
  local pid made=(-f "$sql/images.sql" -v "rows=$rows" -f "$sql/load.sql" -c 'ANALYZE images' -o /dev/null)
  cluster_psql primary postgres -c 'CREATE DATABASE bench'
  cluster_psql standby postgres -c 'CREATE DATABASE copy'
  cluster_psql primary bench "${made[@]}" &
  pid=$!
  cluster_psql standby copy "${made[@]}"
  wait "$pid" || die "the rows could not be loaded; see above"
  write_config copy copy 5000 images
  init_of copy
  prove --scrub # all of it, the first time
}

prove() { (tandem copy verify "$@" >"$work/proof") || tools_failed "verify $*"; }
rows_read() { cluster_psql primary bench -Atc "SELECT seq_tup_read + coalesce(idx_tup_fetch, 0) FROM pg_stat_user_tables WHERE relname = 'images'"; }
change() { # ROWS: other ones each time
  cluster_psql primary bench -c "UPDATE images SET views = views + 1 WHERE id IN (SELECT 1 + (n * ($rows / $1) + $RANDOM) % $rows FROM generate_series(1, $1) AS n)"
}
pass() { (tandem copy sync-incremental) || tools_failed sync-incremental; }
verify_sync() { # true OR false
  sed -i "/verify_sync/d; s/^synchronization:/&\\n  verify_sync: $1/" "$work/copy/pgtandem.yaml"
}
timed() { # NAME COMMAND…
  local began before
  before=$(rows_read)
  began=$(micros)
  "${@:2}"
  printf '%s\t%s\t%s\n' "$1" "$(seconds_since "$began")" "$(($(rows_read) - before))" >>"$results"
}

scrub_full() { timed "$1" prove; }
scrub_quiet() { timed "$1" prove --scrub; }
scrub_changed() {
  change 1000
  verify_sync false
  pass
  timed "$1" prove --scrub
  grep -q ' 1000 rows that changed' "$work/proof" || die "the scrub looked at other rows: $(cat "$work/proof")"
}
scrub_applied() {
  verify_sync false
  change 20000
  timed "$1" pass
}
scrub_read_back() {
  verify_sync true
  change 20000
  timed "$1" pass
  [ "$(jq '.read_back.equal' "$work/copy/state/runs/incremental.json")" = 20000 ] || die "the pass read back other rows than 20,000"
}
