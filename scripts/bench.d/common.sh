# shellcheck shell=bash
# What the three benches share: their servers, configurations, clocks and words. Sourced by scripts/bench, which sets $top,
# $tools, $baseline and $quick; needs scripts/lib/cluster.sh.
# shellcheck disable=SC2034,SC2154

sql=$top/scripts/bench.d

die() {
  echo "scripts/bench: $*" >&2
  exit 70
}
say() { printf '%s\n' "$*"; }
# What goes on meanwhile, for whoever waits; not part of the result.
progress() { printf '%s  %s\n' "$(date +%T)" "$*" >&2; }

micros() { printf '%s' "${EPOCHREALTIME/./}"; }
seconds_since() { # MICROS
  local us=$((${EPOCHREALTIME/./} - $1))
  printf '%d.%03d' "$((us / 1000000))" "$((us / 1000 % 1000))"
}

# Settings of both servers, primary and standby: durable as PostgreSQL's defaults are; room enough that no checkpoint falls
# into a measurement; WAL segments are used again, so that not the first one alone has to make them; no autovacuum, which
# would fall on one contender and not on the other.
bench_settings=(fsync=on full_page_writes=on synchronous_commit=on max_wal_size=16GB min_wal_size=4GB checkpoint_timeout=1h
  autovacuum=off)

background=()  # process ids of tools that would go on without us

bench_servers() { # SHARED_BUFFERS [STANDBY-CONF-LINE…]
  clusters_begin
  clusters_at_exit 'stop_background'
  work=$CLUSTERS_DIR/work
  mkdir -p "$work"
  : >"$work/tools.log"
  cluster_create primary "${bench_settings[@]}" "shared_buffers=$1" wal_level=logical
  # The launcher starts a subscription's worker at most once in this time, 5 s by default; it shall not wait for that.
  cluster_create standby "${bench_settings[@]}" "shared_buffers=$1" wal_retrieve_retry_interval=100ms "${@:2}"
  cluster_start primary
  cluster_start standby
  roles_create
}

machine() {
  local name load
  load=$(cut -d ' ' -f 1 /proc/loadavg)
  name=$(sed -n 's/^model name[[:space:]]*: //p' /proc/cpuinfo | head -n 1)
  say "machine: $(nproc) cores${name:+ ($name)}, $(awk '/^MemTotal/ { printf "%.0f GiB", $2 / 1048576 }' /proc/meminfo)," \
    "Linux $(uname -r), PostgreSQL $(cluster_psql primary postgres -Atc 'SHOW server_version'), load $load"
  say "both servers: ${bench_settings[*]} shared_buffers=$(cluster_psql standby postgres -Atc 'SHOW shared_buffers'), on one disk"
  # The servers' own loading counts for up to two.
  ! awk "BEGIN { exit !($load > 3) }" || say "this machine is busy with something else: take the figures as rough"
}

# A configuration of its own for a node, with its own slot and spool; whatever is not named keeps its default.
write_config() { # NODE STANDBY-DATABASE BATCH-SIZE TABLES
  mkdir -p "$work/$1"
  cat >"$work/$1/pgtandem.yaml" <<TEXT
local_node: $1
nodes:
  primary_node: {role: primary, priority: 1, database_url: "$(cluster_url primary bench pgtandem)"}
  $1: {role: secondary, priority: 2, database_url: "$(cluster_url standby "$2" pgtandem)"}
synchronization:
  batch_size: $3
  sync_tables: [$4]
spool: {directory: spool, max_bytes: 100GiB}
state: {directory: state}
TEXT
}

# A tool with a node's configuration, in the place of the shell that calls it: `tandem … &` has the tool's own process id.
tandem() { # NODE TOOL [ARGUMENT…]
  local node=$1
  shift
  PGTANDEM_CONFIG=$work/$node/pgtandem.yaml exec "$tools/pgtandem" "$@" 2>>"$work/tools.log"
}
init_of() { # NODE: whose database on the standby has its name
  (roles_init primary bench tandem_init "$1" capture) || tools_failed "capture init"
  (roles_init standby "$1" tandem_init "$1" apply) || tools_failed "apply init"
}
tandem_init() { (tandem "$1" "$2" init); }
stop_background() {
  [ "${#background[@]}" -eq 0 ] || kill "${background[@]}" 2>/dev/null || true
  background=()
}
tools_failed() {
  tail -n 20 "$work/tools.log" >&2
  die "$1 failed; the last words of the tools are above"
}
