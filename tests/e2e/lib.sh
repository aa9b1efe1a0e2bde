# shellcheck shell=bash
# What the end-to-end tests share; to be sourced by bash right after `set -euo pipefail`. Owns $work (inside $CLUSTERS_DIR,
# so that it goes with the servers) and the programs it started. It never looks into the tools' files where a tool tells.
#
#   say TEXT… | fail TEXT…                a line; a line, the programs' last words and exit 1
#   same WHAT EXPECTED GOT | differ WHAT A B | at_most WHAT LIMIT GOT | at_least WHAT LIMIT GOT   (integers)
#   expect CODE PROGRAM [ARG…]            runs it (60 s at most, no stdin unless given), $work/out and $work/err; its exit code must be CODE
#   one_error PATTERN                     the last expect wrote one line to stderr (of level error), and it matches
#   told PATTERN                          a line of the last expect's stderr matches
#   ended_with TOOL PATTERN               of these lines one is TOOL's failure, and it matches
#   wait_until SECONDS WHAT COMMAND…      repeats COMMAND until it succeeds, or fails the test
#   two_servers [auth=scram] [CONF-LINE…] primary and standby, started, with an empty database `crawler` and a role each
#   tandem_role NAME [DATABASE…]          the role pgtandem there, as which the programs run: it owns nothing, and has REPLICATION and
#                                         SELECT on the primary, DML on any other; on what postgres makes in these from then on
#   primary SQL… | standby SQL…           runs each SQL in `crawler` as superuser, rows as a|b
#   both SQL…                             on both; DATABASE=NAME before any of the three: in that one
#   images_tables                         images and categories on both sides
#   write_config TABLES [LINE…]           $PGTANDEM_CONFIG; a LINE `key: value` goes where it belongs and wins over ours
#                                         ($PRIMARY_URL, $STANDBY_URL: other connections than the role pgtandem's)
#   with_rights TOOL COMMAND [DATABASE]   capture or apply with init or drop; must end with 0, if not at once, then again when a
#                                         superuser has run there what it printed for want of rights
#   link_up                               capture init, apply init
#   follow_capture | follow_apply         starts `capture --follow | queue put` or `apply --follow`, in the background;
#                                         process ids in ${FOLLOW[capture]} ${FOLLOW[put]} ${FOLLOW[apply]}, logs in $work/NAME.log
#   follow_stop [capture|apply]           stops them, or all; each must end with 0
#   writes_begin RATE SQL…                the primary is written in the background, RATE times a second, each SQL a transaction
#   writes_end                            and no longer
#   wait_applied [SECONDS [LSN]]          until the standby has everything up to LSN (default: what is committed now)
#   equal_tables [TABLE…]                 the same rows, byte by byte, on both sides (default: all tables of public)
#   lsn_number LSN                        as a decimal number, to compare by
#   keep_if_asked                         KEEP=1: at a failure $work and the servers' logs are copied to $KEEP_DIR (default /tmp)

e2e=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
top=$e2e/../..
BIN=${BIN:-$top/build/bin}
# shellcheck source=scripts/lib/cluster.sh
. "$top/scripts/lib/cluster.sh"
clusters_begin
work=$CLUSTERS_DIR/work
mkdir -p "$work"
export PGTANDEM_CONFIG=$work/config.yaml
declare -A FOLLOW=()
# shellcheck source=tests/e2e/session_lib.sh
. "$e2e/session_lib.sh"
clusters_at_exit sessions_end
clusters_at_exit follow_kill

say() { printf '%s\n' "$*"; }

fail() {
  local log
  printf 'FAILED: %s\n' "$*" >&2
  for log in "$work"/err "$work"/*.log; do
    [ ! -s "$log" ] || tail -n 8 "$log" | sed "s|^|  ${log##*/}: |" >&2
  done
  keep_if_asked
  exit 1
}

keep_if_asked() {
  [ -n "${KEEP:-}" ] || return 0
  local kept name
  kept=$(mktemp -d "${KEEP_DIR:-/tmp}/pgtandem-failed.XXXXXX")
  cp -a "$work" "$kept/"
  for name in primary standby; do cp -a "$CLUSTERS_DIR/$name/log" "$kept/$name.log" 2>/dev/null || true; done
  printf 'kept in %s\n' "$kept" >&2
}

same() { [ "$2" = "$3" ] || fail "$1: expected '$2', got '$3'"; }
differ() { [ "$2" != "$3" ] || fail "$1: both are '$2'"; }
at_most() { [ "$3" -le "$2" ] || fail "$1: $3, which is more than $2"; }
at_least() { [ "$3" -ge "$2" ] || fail "$1: $3, which is less than $2"; }

expect() {
  local expected=$1 code=0
  shift
  timeout "${EXPECT_SECONDS:-60}" "$@" >"$work/out" 2>"$work/err" || code=$?
  [ "$code" != 124 ] || fail "'${*##*/}' was still running after ${EXPECT_SECONDS:-60} s"
  same "exit code of '${*##*/}'" "$expected" "$code"
}

# Errors are one line that says what, where and what to do; lines of lower levels may stand beside it.
one_error() {
  local lines
  lines=$(grep -ci 'error' "$work/err" || true)
  [ "$lines" = 1 ] || fail "$lines error lines where there should be one with '$1': $(cat "$work/err")"
  grep -i 'error' "$work/err" | grep -q -- "$1" || fail "the error does not say '$1': $(cat "$work/err")"
}

told() { grep -q -- "$1" "$work/err" || fail "'$1' is not told: $(cat "$work/err")"; }

ended_with() {
  same "lines of $1's failure" 1 "$(grep -c "^$1: " "$work/err" || true)"
  told "^$1: .*$2"
}

# Most conditions are a process or two: asked all the time they would take a good part of a core from what is waited for.
wait_until() {
  local end what=$2 pause=0.05
  end=$((SECONDS + $1))
  shift 2
  until "$@"; do
    [ "$SECONDS" -lt "$end" ] || fail "waited in vain for: $what"
    sleep "$pause"
    pause=0.1
  done
}

two_servers() {
  local name auth=()
  if [ "${1:-}" = auth=scram ]; then auth=("$1") && shift; fi
  cluster_create primary "${auth[@]}" wal_level=logical max_wal_senders=10 max_replication_slots=10 "$@" &
  local first=$!
  cluster_create standby "${auth[@]}" "$@"
  wait "$first"
  for name in primary standby; do
    cluster_start "$name"
    cluster_psql "$name" postgres -c 'create database crawler'
    tandem_role "$name" crawler
    session_begin "$name"
  done
}

tandem_role() {
  local name=$1 database
  shift
  if [ "$name" = primary ]; then
    cluster_psql "$name" postgres -c 'create role pgtandem login replication'
  else
    cluster_psql "$name" postgres -c 'create role pgtandem login' \
      -c "do 'begin if current_setting(''server_version_num'')::int >= 150000 then execute ''grant set on parameter session_replication_role to pgtandem''; end if; end'"
  fi
  for database in "$@"; do default_rights "$name" "$database"; done
}

default_rights() { # NAME DATABASE
  local may='select, insert, update, delete, truncate'
  [ "$1" != primary ] || may=select
  cluster_psql "$1" "$2" -c 'alter default privileges grant usage on schemas to pgtandem' \
    -c "alter default privileges grant $may on tables to pgtandem"
  [ "$1" = primary ] || cluster_psql "$1" "$2" -c 'alter default privileges grant select, update on sequences to pgtandem'
}

on_server() { # NAME SQL…
  local name=$1 sql code=75 arguments=()
  if [ -z "${DATABASE:-}" ]; then
    code=0
    session_run "$@" || code=$?
  fi
  [ "$code" = 75 ] || return "$code"
  shift
  for sql in "$@"; do arguments+=(-c "$sql"); done
  cluster_psql "$name" "${DATABASE:-crawler}" -At "${arguments[@]}"
}
primary() { on_server primary "$@"; }
standby() { on_server standby "$@"; }
both() {
  on_server primary "$@"
  on_server standby "$@"
}

images_tables() {
  local name
  for name in primary standby; do cluster_psql "$name" crawler -f "$e2e/load/images.sql"; done
}

write_config() {
  local tables=$1 line key
  shift
  declare -A sync=([auto_sync_enabled]=true [batch_size]=100 [sync_interval]=1 [max_retry_attempts]=3 [retry_delay]=0.2)
  declare -A other=([spool]='{directory: spool}' [state]='{directory: state}')
  for line in "$@"; do
    key=${line%%:*}
    case $key in
    spool | state | full_sync | api | filters | hooks | alerts | monitoring | schema_drift | logging) other[$key]=${line#*:} ;;
    *) sync[$key]=${line#*:} ;;
    esac
  done
  {
    echo "local_node: backup_node"
    echo "nodes:"
    echo "  primary_node: {role: primary, priority: 1, database_url: '${PRIMARY_URL:-$(cluster_url primary crawler pgtandem)}'}"
    echo "  backup_node: {role: secondary, priority: 2, database_url: '${STANDBY_URL:-$(cluster_url standby crawler pgtandem)}'}"
    echo "synchronization:"
    for key in "${!sync[@]}"; do echo "  $key: ${sync[$key]}"; done
    echo "  sync_tables: [$tables]"
    for key in "${!other[@]}"; do echo "$key: ${other[$key]}"; done
  } >"$PGTANDEM_CONFIG"
}

with_rights() {
  local name=standby code=0
  [ "$1" != capture ] || name=primary
  timeout 60 "$BIN/$1" "$2" >"$work/out" 2>"$work/err" || code=$?
  if [ "$code" = 77 ] && [ -s "$work/out" ]; then
    cluster_psql "$name" "${3:-crawler}" -f "$work/out"
    mv "$work/err" "$work/lacking"
    code=0
    timeout 60 "$BIN/$1" "$2" >"$work/out" 2>"$work/err" || code=$?
    cat "$work/err" >>"$work/lacking"
    mv "$work/lacking" "$work/err"
  fi
  same "exit code of '$1 $2'" 0 "$code"
}

link_up() {
  with_rights capture init
  with_rights apply init
}

# Logs are appended to: a program that was started again must not hide what the one before it said. The pipe's ends are opened
# here, for an end that is killed while it opens a fifo would leave the other one waiting.
follow_capture() {
  local pipe=$work/pipe both in out
  [ -p "$pipe" ] || mkfifo "$pipe"
  exec {both}<>"$pipe" {in}<"$pipe" {out}>"$pipe" {both}>&-
  "$BIN/queue" put <&"$in" >>"$work/put.log" 2>&1 {in}<&- {out}>&- &
  FOLLOW[put]=$!
  "$BIN/capture" --follow >&"$out" 2>>"$work/capture.log" {in}<&- {out}>&- &
  FOLLOW[capture]=$!
  exec {in}<&- {out}>&-
}

follow_apply() {
  "$BIN/apply" --follow >>"$work/apply.log" 2>&1 &
  FOLLOW[apply]=$!
}

# capture is told to stop, queue put then ends by itself at the end of its input.
follow_stop() {
  local name code
  for name in capture put apply; do
    [ -n "${FOLLOW[$name]:-}" ] || continue
    case ${1:-}/$name in capture/apply | apply/capture | apply/put) continue ;; esac
    [ "$name" = put ] || kill -TERM "${FOLLOW[$name]}" 2>/dev/null || fail "$name had ended by itself"
    code=0
    wait "${FOLLOW[$name]}" || code=$?
    unset "FOLLOW[$name]"
    same "exit code of $name, stopped" 0 "$code"
  done
}

# pgbench: a shell's loop would take most of a core for its processes, and what is tested beside it none.
writes_begin() {
  local rate=$1
  shift
  printf '%s;\n' "$@" >"$work/writes.sql"
  "$CLUSTER_BIN/pgbench" -h "$CLUSTERS_DIR/primary" -p "$(cluster_port primary)" -U postgres -n -c 1 -T 3600 -R "$rate" \
    -f "$work/writes.sql" crawler >"$work/writes.out" 2>&1 &
  FOLLOW[writes]=$!
}
writes_end() {
  kill "${FOLLOW[writes]}" 2>/dev/null || fail "the writer had ended by itself: $(tail -n 3 "$work/writes.out")"
  wait "${FOLLOW[writes]}" 2>/dev/null || true
  unset "FOLLOW[writes]"
}

follow_kill() {
  kill_children "${FOLLOW[@]}"
  FOLLOW=()
}

# Waited for: one that is still in the middle of a write would make a file in the directory that is being removed.
kill_children() { # PID…
  local pid
  for pid in "$@"; do kill -KILL "$pid" 2>/dev/null || true; done
  for pid in "$@"; do wait "$pid" 2>/dev/null || true; done
}

lsn_number() { local high=${1%/*} low=${1#*/} && echo $(((16#$high << 32) | 16#$low)); }

applied_to() { # LSN: is it in the queue, and does nothing wait there for the standby?
  local durable waiting
  read -r durable waiting < <("$BIN/queue" stat --json 2>/dev/null | jq -r '"\(.lsn) \(.nodes.backup_node.operations // "unknown")"') || return 1
  [ "$waiting" = 0 ] && [ "$(lsn_number "$durable")" -ge "$(lsn_number "$1")" ]
}

wait_applied() {
  local seconds=${1:-30} lsn=${2:-}
  [ -n "$lsn" ] || lsn=$(primary 'select pg_current_wal_insert_lsn()')
  wait_until "$seconds" "the standby at $lsn" applied_to "$lsn"
}

# Each with its table's name before it, in the order of their bytes; one psql, whatever the number of tables.
table_rows() { # NAME TABLE…
  local name=$1 table copies=()
  shift
  for table in "$@"; do copies+=("copy (select '${table//\'/\'\'}', * from $table) to stdout"); done
  on_server "$name" "${copies[@]}" | LC_ALL=C sort
}

equal_tables() {
  local difference tables=("$@")
  [ "${#tables[@]}" -gt 0 ] || mapfile -t tables < <(primary "select format('%I', relname) from pg_class
    where relnamespace = 'public'::regnamespace and relkind in ('r', 'p') and not relispartition order by 1")
  table_rows primary "${tables[@]}" >"$work/rows.primary"
  table_rows standby "${tables[@]}" >"$work/rows.standby"
  ! cmp -s "$work/rows.primary" "$work/rows.standby" || return 0
  difference=$(diff "$work/rows.primary" "$work/rows.standby" | grep '^[<>]' | cut -c 1-160 | head -n 6 || true)
  fail "not the same on both sides (< primary, > standby; table and row):"$'\n'"$difference"
}
