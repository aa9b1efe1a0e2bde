# shellcheck shell=bash
# scripts/bench memory: the most memory that each tool ever held (VmHWM, as the kernel counts it) while one transaction of
# --rows rows of 600 bytes goes from the primary to the standby: first `capture | queue put`, then `apply`. VmHWM is read
# every 20 ms until the tool has ended, so only what it took in its last moment could be missed.
# shellcheck disable=SC2034,SC2154 # scripts/bench and common.sh set what is used here

bench_memory() {
  local table="CREATE TABLE wide_rows (id bigint PRIMARY KEY, name text NOT NULL, filler text NOT NULL, added timestamptz NOT NULL)"
  local target began capture queue apply missed=0 tool peak
  "$baseline" && die "memory has no --baseline"
  rows=${rows:-$("$quick" && echo 100000 || echo 1000000)}
  bench_servers 1GB
  cluster_psql primary postgres -c 'CREATE DATABASE bench'
  cluster_psql standby postgres -c 'CREATE DATABASE memory'
  cluster_psql primary bench -c "$table"
  cluster_psql standby memory -c "$table"
  write_config memory memory 5000 wide_rows
  init_of memory
  machine

  progress "one transaction of $rows rows"
  cluster_psql primary bench -c "INSERT INTO wide_rows SELECT n, 'row ' || n, rpad('', 540, md5(n::text)), clock_timestamp()
    FROM generate_series(1, $rows) AS n"
  target=$(cluster_psql primary bench -Atc 'SELECT pg_current_wal_flush_lsn()')
  say "one transaction of $rows rows, $(cluster_psql primary bench -Atc \
    'SELECT round(avg(pg_column_size(t.*))) FROM (SELECT * FROM wide_rows LIMIT 1000) AS t') bytes each"

  progress "capture | queue put"
  mkfifo "$work/pipe"
  began=$(micros)
  (tandem memory capture --until-lsn "$target" >"$work/pipe") &
  capture=$!
  (tandem memory queue put <"$work/pipe") &
  queue=$!
  background=("$capture" "$queue")
  watch_peak "$capture" "$work/peak.capture" &
  watch_peak "$queue" "$work/peak.queue" &
  wait "$capture" || tools_failed "capture"
  wait "$queue" || tools_failed "queue put"
  background=()
  say "capture | queue put took $(seconds_since "$began") s"

  progress "apply"
  began=$(micros)
  (tandem memory apply) &
  apply=$!
  background=("$apply")
  watch_peak "$apply" "$work/peak.apply" &
  wait "$apply" || tools_failed "apply"
  background=()
  say "apply took $(seconds_since "$began") s"
  wait

  progress "comparing"
  [ "$(digest_of primary bench)" = "$(digest_of standby memory)" ] || die "the standby is not equal to the primary"
  say
  for tool in capture queue apply; do
    peak=$(<"$work/peak.$tool")
    if [ "$peak" -lt $((100 * 1024)) ]; then tool="PASS  $tool"; else tool="FAIL  $tool" && missed=1; fi
    printf '%-14s %8.1f MiB at most   required: under 100\n' "$tool" "$(awk "BEGIN { print $peak / 1024 }")"
  done
  return "$missed"
}

# Follows a child until it has ended; a zombie has no memory any more. exec begins a new count, so the last one is the tool's.
# Waits without `sleep`: fifty processes a second would take a good part of a core from what is measured.
watch_peak() { # PID FILE
  local key value peak=0 alive=true nothing
  exec {nothing}<> <(:)
  while "$alive"; do
    alive=false
    while read -r key value _; do
      if [ "$key" = VmHWM: ]; then peak=$value alive=true; fi
    done 2>/dev/null <"/proc/$1/status" || break
    read -r -t 0.05 -u "$nothing" || true
  done
  echo "$peak" >"$2"
}

digest_of() { cluster_psql "$1" "$2" -Atc 'SELECT count(*), sum(hashtextextended(t::text, 0)) FROM wide_rows AS t'; }
