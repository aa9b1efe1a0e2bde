# shellcheck shell=bash
# Throw-away PostgreSQL clusters for the demo, the tests and the bench; to be sourced by bash. Owns one temporary
# directory and the servers it started in it; never touches a server or a file of anybody else, and never runs a server as
# root. When the shell that sourced it ends, however it ends, servers and directory go.
#
#   cluster_create NAME [auth=scram] [CONF-LINE…]   initdb and settings; a later CONF-LINE wins over an earlier one
#   cluster_start NAME              returns when it accepts connections; on the port it had before, if it ran before
#   cluster_stop NAME [fast|immediate]   immediate: as a crash, recovery follows at the next start
#   cluster_drop NAME               stops and forgets it; the name may be created again, as another server
#   cluster_psql NAME DB [ARG…]     psql as superuser over the unix socket, stopping at the first error
#   cluster_url NAME DB [USER[:PASSWORD]]   postgresql://…@127.0.0.1:PORT/DB
#   cluster_dir NAME | cluster_port NAME | cluster_pid NAME
#   clusters_begin                  makes $CLUSTERS_DIR; by itself at the first create (call it before creating two at once)
#   clusters_at_exit 'COMMAND'      runs before the servers go; for what is connected to them. The last one first
#   clusters_keep                   leaves all of it running: clusters_drop DIR ends it from any other shell
#   clusters_drop                   what happens at the end, now
#
# Each cluster is tuned to be quick and forgetful (fsync=off): a CONF-LINE `fsync=on` makes it honest about power cuts.
# Passwords are asked for on TCP with auth=scram only; the socket in the 0700 directory trusts always.
#
# $PGTANDEM_PG_BIN       the server's programs, and psql; else the newest /usr/lib/postgresql/*/bin
# $PGTANDEM_PG_BIN_NAME  the server's programs of the cluster NAME alone, of another version
# $PGTANDEM_PG_TEMPLATES a directory made by clusters_templates: data directories are initdb'd once per NAME and copied
#                        from there. Copies share the system identifier, by which a standby tells two servers apart; so a
#                        template belongs to one NAME, and a NAME created again by the same shell is initdb'd anew.

CLUSTER_BIN=${PGTANDEM_PG_BIN:-}
if [ -z "$CLUSTER_BIN" ]; then
  CLUSTER_BIN=$(printf '%s\n' /usr/lib/postgresql/*/bin | sort -V | tail -n 1)
fi
CLUSTERS_DIR=${CLUSTERS_DIR:-}
CLUSTERS_OWNER=
CLUSTERS_AT_EXIT=()
unset PGHOST PGHOSTADDR PGPORT PGUSER PGPASSWORD PGDATABASE PGSERVICE PGOPTIONS PGSSLMODE PGTZ PGDATESTYLE PGCLIENTENCODING

cluster_fail() {
  printf 'cluster: %s\n' "$*" >&2
  return 1
}

# Runs a program as the servers' user, away from a working directory that this user may not enter, with no file of ours
# open: a server would carry a lock or a pipe on.
cluster_as_owner() (
  cd / || exit 1
  for fd in /proc/self/fd/*; do
    fd=${fd##*/}
    [ "$fd" -le 2 ] || [ "$fd" -eq 255 ] || eval "exec $fd>&-"
  done
  if [ "$(id -u)" = 0 ]; then
    exec setpriv --reuid=postgres --regid=postgres --init-groups -- env HOME=/tmp "$@"
  fi
  exec "$@"
)

# mktemp -d that the servers' user owns. Unix sockets live in it and a socket's path ends at 107 bytes, so a long or
# closed $TMPDIR is passed over.
cluster_mktemp() {
  local base=${TMPDIR:-/tmp} made
  { [ "${#base}" -le 60 ] && cluster_as_owner test -x "$base"; } || base=/tmp
  made=$(mktemp -d "$base/pgtandem.XXXXXX") || return 1
  if [ "$(id -u)" = 0 ]; then chown postgres:postgres "$made"; fi
  printf '%s\n' "$made"
}

# Makes the directory for $PGTANDEM_PG_TEMPLATES and prints it; whoever calls removes it.
clusters_templates() { cluster_mktemp; }

clusters_begin() {
  [ -z "$CLUSTERS_DIR" ] || return 0
  [ -x "$CLUSTER_BIN/initdb" ] || cluster_fail "no PostgreSQL server programs in '$CLUSTER_BIN'; run scripts/install-deps or set PGTANDEM_PG_BIN" || return
  if [ "$(id -u)" = 0 ] && ! id postgres >/dev/null 2>&1; then
    cluster_fail "a server does not run as root and there is no user postgres; run scripts/install-deps" || return
  fi
  CLUSTERS_DIR=$(cluster_mktemp) || return
  CLUSTERS_OWNER=$BASHPID
  trap clusters_drop EXIT
  trap 'exit 130' INT
  trap 'exit 143' TERM
  trap 'exit 129' HUP
  clusters_guard
}

# A shell that is killed runs no trap: the guard notices that it is gone and does the work.
clusters_guard() {
  # shellcheck disable=SC2016 # expanded by the guard's own shell
  setsid bash -c '
    while kill -0 "$1" 2>/dev/null; do [ -d "$2" ] && ! [ -e "$2/keep" ] || exit 0; sleep 1; done
    ! [ -e "$2/keep" ] || exit 0
    . "$3" && clusters_drop "$2"' guard "$CLUSTERS_OWNER" "$CLUSTERS_DIR" "${BASH_SOURCE[0]}" </dev/null >/dev/null 2>&1 &
  disown "$!"
}

cluster_bin() { # NAME
  local own=PGTANDEM_PG_BIN_${1//[^A-Za-z0-9]/_}
  printf '%s\n' "${!own:-$CLUSTER_BIN}"
}

clusters_at_exit() { CLUSTERS_AT_EXIT+=("$1"); }

clusters_keep() {
  touch "$CLUSTERS_DIR/keep"
  trap - EXIT INT TERM HUP
}

clusters_drop() {
  local status=$? dir=${1:-} name i
  if [ -z "$dir" ]; then
    [ -n "$CLUSTERS_DIR" ] && [ "$CLUSTERS_OWNER" = "$BASHPID" ] || return 0
    dir=$CLUSTERS_DIR
    for ((i = ${#CLUSTERS_AT_EXIT[@]} - 1; i >= 0; i--)); do eval "${CLUSTERS_AT_EXIT[i]}" || true; done
    CLUSTERS_AT_EXIT=()
    CLUSTERS_DIR=
  fi
  for name in "$dir"/*/data/postmaster.pid; do
    [ -f "$name" ] || continue
    cluster_as_owner "$CLUSTER_BIN/pg_ctl" stop -D "${name%/postmaster.pid}" -m immediate -s -w -t 20 >/dev/null 2>&1 || true
  done
  rm -rf "$dir"
  return "$status"
}

cluster_dir() { printf '%s\n' "$CLUSTERS_DIR/$1"; }
cluster_port() { cat "$CLUSTERS_DIR/$1/port"; }
cluster_pid() { head -n 1 "$CLUSTERS_DIR/$1/data/postmaster.pid"; }
cluster_url() { printf 'postgresql://%s@127.0.0.1:%s/%s\n' "${3:-postgres}" "$(cluster_port "$1")" "$2"; }

cluster_psql() {
  local name=$1 db=$2 port
  shift 2
  read -r port <"$CLUSTERS_DIR/$name/port" # not cluster_port, which is two processes more
  "$CLUSTER_BIN/psql" -X -q -v ON_ERROR_STOP=1 -h "$CLUSTERS_DIR/$name" -p "$port" -U postgres -d "$db" "$@"
}

# A port of loopback that nobody listens on at this moment, below the range from which the kernel takes outgoing ones.
cluster_free_port() {
  perl -MSocket -e '
    for (1 .. 200) {
      my $port = 20000 + int rand 10000;
      socket(my $s, PF_INET, SOCK_STREAM, 0) or die;
      setsockopt($s, SOL_SOCKET, SO_REUSEADDR, 1);
      bind($s, sockaddr_in($port, INADDR_LOOPBACK)) and print("$port\n"), exit 0;
    }
    exit 1' || cluster_fail "no free port on 127.0.0.1 between 20000 and 29999"
}

cluster_initdb() { # NAME DIRECTORY
  local output
  output=$(cluster_as_owner "$(cluster_bin "$1")/initdb" --no-sync -U postgres -A trust --locale=C.UTF-8 -E UTF8 -D "$2" 2>&1) ||
    cluster_fail "initdb in $2 failed: $output"
}

# Fills a data directory, from the name's template if there may be one.
cluster_fill() {
  local name=$1 data=$2 templates=${PGTANDEM_PG_TEMPLATES:-}
  if [ ! -d "$templates" ] || [ -e "$CLUSTERS_DIR/.made-$name" ]; then
    cluster_initdb "$name" "$data"
    return
  fi
  (
    flock 9
    [ -d "$templates/$name" ] || { cluster_initdb "$name" "$templates/$name.new" && mv "$templates/$name.new" "$templates/$name"; }
  ) 9>>"$templates/$name.lock" && cp -a "$templates/$name" "$data"
}

cluster_create() {
  local name=$1 dir auth=trust line
  shift
  clusters_begin || return
  dir=$CLUSTERS_DIR/$name
  [ ! -e "$dir" ] || cluster_fail "$name exists already" || return
  cluster_as_owner mkdir -m 700 "$dir" || return
  cluster_fill "$name" "$dir/data" || return
  touch "$CLUSTERS_DIR/.made-$name"
  cluster_free_port >"$dir/port" || return
  if [ "${1:-}" = auth=scram ]; then
    auth=scram-sha-256
    shift
  fi
  printf '%s\n' "local all all trust" "local replication all trust" \
    "host all all 127.0.0.1/32 $auth" "host replication all 127.0.0.1/32 $auth" >"$dir/data/pg_hba.conf"
  {
    printf '%s\n' "listen_addresses = '127.0.0.1'" "unix_socket_directories = '$dir'" "unix_socket_permissions = 0700" \
      "fsync = off" "full_page_writes = off" "shared_buffers = 64MB" "max_connections = 60" "jit = off" \
      "log_line_prefix = '%m [%p] %a '" "password_encryption = scram-sha-256"
    for line in "$@"; do printf '%s\n' "$line"; done
  } >>"$dir/data/postgresql.conf"
}

cluster_start() {
  local name=$1 dir=$CLUSTERS_DIR/$1 try tries=20 before output
  for ((try = 1; try <= tries; try++)); do
    before=$({ wc -c <"$dir/log"; } 2>/dev/null || echo 0)
    if output=$(cluster_as_owner "$(cluster_bin "$name")/pg_ctl" start -D "$dir/data" -l "$dir/log" -s -w -t 60 \
      -o "-p $(cluster_port "$name")" 2>&1); then
      touch "$dir/.ran"
      return 0
    fi
    tail -c "+$((before + 1))" "$dir/log" 2>/dev/null | grep -q 'Address already in use' || break
    # Somebody was quicker. A server that has run keeps its port, because others know it, and waits.
    if [ -e "$dir/.ran" ]; then sleep 0.5; else cluster_free_port >"$dir/port" || return; fi
  done
  cluster_fail "$name does not start: $output"
  tail -n 20 "$dir/log" >&2
  return 1
}

cluster_stop() {
  cluster_as_owner "$CLUSTER_BIN/pg_ctl" stop -D "$CLUSTERS_DIR/$1/data" -m "${2:-fast}" -s -w -t 60
}

cluster_drop() {
  [ ! -e "$CLUSTERS_DIR/$1/data/postmaster.pid" ] || cluster_stop "$1" immediate || return
  rm -rf "${CLUSTERS_DIR:?}/$1"
}
