# shellcheck shell=bash
# scripts/bench copy: the first copy of a table by pgtandem and by others, from one primary to one standby server.
#
# Each contender gets an empty database of its own on the standby, and ends with the same: all rows, the primary key and the
# five indexes of images. Both servers were checkpointed and the primary's table read into shared buffers before; who begins
# changes each round.
#   pgtandem      `apply -` with a line that asks for the table, which is there, empty, with its key and indexes, and belongs
#                 to the role, which may create in its schema, as `apply init --create-tables` makes it: from start to exit; the
#                 cut, the rows, the indexes made after them, the commit. Its slot and queue exist already
#   psql          psql COPY … TO STDOUT (FORMAT binary) | psql COPY … FROM STDIN (FORMAT binary), into the same kind of table
#   subscription  CREATE SUBSCRIPTION until its table is ready, into the same kind of table
#   pgcopydb      pgcopydb clone of the primary's database into one without tables: rows first, then key and indexes, with
#                 as many jobs as the machine has cores
# After each the rows are compared.
# shellcheck disable=SC2034,SC2154 # scripts/bench and common.sh set what is used here

bench_copy() {
  local round=0 name i
  rows=1500000
  ! "$quick" || rows=150000
  rounds=${rounds:-$("$quick" && echo 1 || echo 3)}
  "$baseline" && die "copy has no --baseline"
  need_pgcopydb
  bench_servers "$("$quick" && echo 512MB || echo 2GB)"
  results=$work/results
  : >"$results"
  progress "loading $rows rows on the primary"
  cluster_psql primary postgres -c 'CREATE DATABASE bench'
  cluster_psql primary bench -f "$sql/images.sql" -v rows="$rows" -f "$sql/load.sql" -c 'DROP FUNCTION image_row' \
    -c 'DROP TABLE categories CASCADE' -c 'ALTER TABLE images DROP CONSTRAINT images_duplicate_of_fkey' -o /dev/null 2>/dev/null
  cluster_psql primary bench -c 'CREATE PUBLICATION copied FOR TABLE images'
  machine
  say "images: $rows rows of 30 columns, 5 indexes, $(cluster_psql primary bench -Atc "SELECT pg_size_pretty(pg_total_relation_size('images'))")"
  expected=$(digest_of primary bench)
  contenders=(pgtandem psql subscription pgcopydb)
  while [ "$round" -lt "$rounds" ]; do
    round=$((round + 1))
    for ((i = 0; i < ${#contenders[@]}; i++)); do
      name=${contenders[(i + round) % ${#contenders[@]}]}
      progress "round $round of $rounds: $name"
      fresh_database "$name"
      "copy_by_$name"
      [ "$(digest_of standby "$name")" = "$expected" ] || die "the rows that $name copied are not the primary's"
      [ "$(cluster_psql standby "$name" -Atc "SELECT count(*) FROM pg_index WHERE indrelid = 'images'::regclass AND indisvalid")" = \
        "$(cluster_psql primary bench -Atc "SELECT count(*) FROM pg_index WHERE indrelid = 'images'::regclass")" ] || die "$name left an index out"
      cluster_psql standby postgres -c "DROP DATABASE \"$name\""
    done
  done
  report_copies
}

need_pgcopydb() {
  command -v pgcopydb >/dev/null && return
  local as_root=()
  [ "$(id -u)" = 0 ] || as_root=(sudo)
  progress "installing pgcopydb"
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -q -y -o DPkg::Lock::Timeout=300 install --no-install-recommends pgcopydb \
    >&2 || die "cannot install pgcopydb; see above"
}

digest_of() { cluster_psql "$1" "$2" -Atc 'SELECT count(*), sum(hashtextextended(t::text, 0)) FROM images AS t'; }

fresh_database() { # NAME
  cluster_psql standby postgres -c "CREATE DATABASE \"$1\""
  if [ "$1" != pgcopydb ]; then
    "$CLUSTER_BIN/pg_dump" -s --no-publications -t images -d "$(cluster_url primary bench)" | sed '/^\\/d' | cluster_psql standby "$1" -o /dev/null
  fi
  cluster_psql primary bench -c CHECKPOINT -c 'SELECT count(*) FROM images' -o /dev/null
  cluster_psql standby postgres -c CHECKPOINT
}

recorded() { printf '%s\t%s\n' "$1" "$(seconds_since "$2")" >>"$results"; } # NAME MICROS

copy_by_pgtandem() {
  local began source lsn
  rm -rf "$work/pgtandem"
  write_config pgtandem pgtandem 5000 images
  cluster_psql standby pgtandem -c 'ALTER TABLE images OWNER TO pgtandem' -c 'GRANT CREATE ON SCHEMA public TO pgtandem'
  init_of pgtandem
  lsn=$(cluster_psql primary bench -Atc 'SELECT pg_current_wal_insert_lsn()')
  source=$( (tandem pgtandem queue get) | head -n 1)
  {
    echo "${source%\}},\"cut\":\"$lsn\"}"
    echo "{\"type\":\"begin\",\"lsn\":\"$lsn\"}"
    echo '{"type":"copy","tables":["public.images"]}'
    echo "{\"type\":\"commit\",\"lsn\":\"$lsn\",\"end_lsn\":\"FFFFFFFF/0\"}"
  } >"$work/diff"
  began=$(micros)
  (tandem pgtandem apply - <"$work/diff") || tools_failed "apply -"
  recorded pgtandem "$began"
  (roles_init primary bench tandem pgtandem capture drop) || tools_failed "capture drop"
}

copy_by_psql() {
  local began
  began=$(micros)
  "$CLUSTER_BIN/psql" -Xq -d "$(cluster_url primary bench)" -c 'COPY images TO STDOUT (FORMAT binary)' |
    "$CLUSTER_BIN/psql" -Xq -v ON_ERROR_STOP=1 -d "$(cluster_url standby psql)" -c 'COPY images FROM STDIN (FORMAT binary)'
  recorded psql "$began"
}

copy_by_subscription() {
  local began
  began=$(micros)
  cluster_psql standby subscription -c "CREATE SUBSCRIPTION copied CONNECTION '$(cluster_url primary bench)' PUBLICATION copied" 2>/dev/null
  until [ "$(cluster_psql standby subscription -Atc "SELECT string_agg(srsubstate::text, '') FROM pg_subscription_rel")" = r ]; do sleep 0.05; done
  recorded subscription "$began"
  cluster_psql standby subscription -c 'DROP SUBSCRIPTION copied' 2>/dev/null
}

copy_by_pgcopydb() {
  local began
  rm -rf "$work/pgcopydb"
  mkdir "$work/pgcopydb"
  began=$(micros)
  PATH=$CLUSTER_BIN:$PATH pgcopydb clone --source "$(cluster_url primary bench)" --target "$(cluster_url standby pgcopydb)" \
    --dir "$work/pgcopydb/work" --table-jobs "$(nproc)" --index-jobs "$(nproc)" --no-owner --skip-large-objects \
    >"$work/pgcopydb/log" 2>&1 || { tail -n 20 "$work/pgcopydb/log" >&2 && die "pgcopydb failed; its last words are above"; }
  recorded pgcopydb "$began"
}

# Medians, and whether ours is within a tenth of the fastest other one.
report_copies() {
  say
  say "medians of $rounds, seconds"
  sort -k 1,1 -k 2,2n "$results" | awk -F '\t' '
    { values[$1] = values[$1] " " $2; count[$1]++ }
    END {
      for (name in values) {
        n = split(substr(values[name], 2), each, " ")
        median[name] = n % 2 ? each[(n + 1) / 2] : (each[n / 2] + each[n / 2 + 1]) / 2
        if (name != "pgtandem" && (best == "" || median[name] < median[best])) best = name
      }
      for (name in median) printf "  %-14s %8.3f   of%s\n", name, median[name], values[name]
      good = median["pgtandem"] <= 1.1 * median[best]
      printf "%s  pgtandem takes %.2f times as long as %s, the fastest of the others; required: at most 1.1\n", good ? "PASS" : "FAIL", median["pgtandem"] / median[best], best
      exit !good
    }'
}
