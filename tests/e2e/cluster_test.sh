#!/usr/bin/env bash
# scripts/lib/cluster.sh, on which every other test here stands: its servers are what it says, and nothing of them stays.
# long: it tests what the other tests stand on, and nothing that a user has
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
library=$here/../../scripts/lib/cluster.sh
# shellcheck source=scripts/lib/cluster.sh
. "$library"

fail() {
  echo "FAILED: $*" >&2
  exit 1
}
same() { [ "$2" = "$3" ] || fail "$1: expected '$2', got '$3'"; }
differ() { [ "$2" != "$3" ] || fail "$1: both are '$2'"; }
gone() { # DIRECTORY PID: within a few seconds, of whatever kills it
  local try
  for ((try = 0; try < 100; try++)); do
    [ -e "$1" ] || kill -0 "$2" 2>/dev/null || return 0
    sleep 0.1
  done
  fail "directory $1 or server $2 is still there"
}
system_id() { cluster_psql "$1" postgres -Atc 'select system_identifier from pg_control_system()'; }

clusters_begin
PGTANDEM_PG_TEMPLATES=$CLUSTERS_DIR/templates
export PGTANDEM_PG_TEMPLATES
cluster_as_owner mkdir "$PGTANDEM_PG_TEMPLATES"

# two at once, with settings, neither of them root's
cluster_create primary wal_level=logical work_mem=5MB &
cluster_create standby auth=scram &
wait
cluster_start primary
cluster_start standby
same "a setting" "logical 5MB" "$(cluster_psql primary postgres -At -F ' ' -c "select current_setting('wal_level'), current_setting('work_mem')")"
same "the other's" replica "$(cluster_psql standby postgres -Atc 'show wal_level')"
differ "user of the server" 0 "$(stat -c %u "/proc/$(cluster_pid primary)")"
same "encoding" "UTF8 C.UTF-8" "$(cluster_psql primary postgres -At -F ' ' -c "select pg_encoding_to_char(encoding), datcollate from pg_database where datname = 'postgres'")"
first=$(system_id primary)
differ "system identifiers" "$first" "$(system_id standby)"

# URLs, passwords
same "url" "postgresql://postgres@127.0.0.1:$(cluster_port primary)/postgres" "$(cluster_url primary postgres)"
same "a query over TCP" 1 "$("$CLUSTER_BIN/psql" -Xwd "$(cluster_url primary postgres)" -Atc 'select 1')"
! "$CLUSTER_BIN/psql" -Xwd "$(cluster_url standby postgres)" -Atc 'select 1' 2>/dev/null || fail "scram lets in without a password"
cluster_psql standby postgres -c "create role mover login password 'p4ss'"
same "with a password" mover "$("$CLUSTER_BIN/psql" -Xwd "$(cluster_url standby postgres mover:p4ss)" -Atc 'select current_user')"

# a crash keeps what was committed, and the port
port=$(cluster_port primary)
cluster_psql primary postgres -c 'create table t as select 7 as seven'
cluster_stop primary immediate
cluster_start primary
same "after a crash" 7 "$(cluster_psql primary postgres -Atc 'select seven from t')"
same "its port" "$port" "$(cluster_port primary)"
cluster_stop primary
! cluster_psql primary postgres -c 'select 1' 2>/dev/null || fail "stopped, and yet it answers"
! cluster_create standby 2>/dev/null || fail "a name was created twice"

# a port that another server took: a new server moves on, one that others know waits until it is free
cluster_create third
cluster_port standby >"$(cluster_dir third)/port"
cluster_start third
differ "the third's port" "$(cluster_port standby)" "$(cluster_port third)"

# the same name again is another server, templates or not
cluster_drop primary
cluster_create primary
cluster_start primary
differ "system identifier of a new server" "$first" "$(system_id primary)"

# nothing stays: at the end, on an error, on a signal, when killed
start_one=". '$library'; set -e; cluster_create one; cluster_start one; echo \"\$CLUSTERS_DIR \$(cluster_pid one)\""
child=
start_child() { # COMMAND: runs it after start_one in a shell of its own; sets child, directory, pid
  local line
  exec {lines}< <(exec env -u CLUSTERS_DIR bash -c "$start_one; $1" 2>/dev/null)
  child=$!
  read -r line <&"$lines"
  directory=${line% *} pid=${line#* }
  [ -d "$directory" ] || fail "no server for '$1'"
}
start_child 'exit 7'
status=0
wait "$child" || status=$?
same "exit code" 7 "$status"
gone "$directory" "$pid"
start_child 'false; echo not reached'
gone "$directory" "$pid"
for signal in INT TERM; do
  start_child 'while sleep 0.2; do :; done'
  kill "-$signal" "$child"
  gone "$directory" "$pid"
done
start_child 'while sleep 0.2; do :; done'
kill -KILL "$child"
gone "$directory" "$pid"

# but what is to be kept stays, until it is dropped from elsewhere
start_child 'clusters_keep'
wait "$child"
sleep 1.5
kill -0 "$pid" || fail "not kept"
env -u CLUSTERS_DIR bash -c ". '$library'; clusters_drop '$directory'"
gone "$directory" "$pid"
echo "cluster_test: passed"
