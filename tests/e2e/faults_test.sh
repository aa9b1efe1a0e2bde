#!/usr/bin/env bash
# early: 92
# Faults made on purpose, each diagnosed by `status` alone: in words, with the right health code, and with what mends it. The
# table is what the calls of `diagnosed` say; the last lines print it.
set -euo pipefail
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

faults=0
# FAULT EXIT-CODE CODE WORDS MENDED-BY [RUNNER…]: health ends so, has the finding, its words and its way out (patterns), and the
# screen of `status` shows both.
diagnosed() {
  local fault=$1 exit=$2 finding=$3 words=$4 mended=$5 code=0 what mend
  shift 5
  "$@" "$BIN/status" health --json >"$work/health" 2>"$work/err" || code=$?
  what=$(jq -r --arg code "$finding" 'first(.findings[] | select(.code == $code)) | .what' "$work/health" || true)
  mend=$(jq -r --arg code "$finding" 'first(.findings[] | select(.code == $code)) | .mend' "$work/health" || true)
  [ -n "$what" ] || fail "$fault: not diagnosed as $finding: $(cat "$work/health" "$work/err")"
  same "$fault: exit code of health" "$exit" "$code"
  grep -qE -- "$words" <<<"$what" || fail "$fault: '$what' does not say '$words'"
  grep -qE -- "$mended" <<<"$mend" || fail "$fault: '$mend' does not say '$mended'"
  # Whoever may write there has noted it.
  [ $# -gt 0 ] || jq -e --arg code "$finding" 'first(.findings[] | select(.code == $code)) | .since | startswith("20")' "$work/health" >/dev/null ||
    fail "$fault: not a word about since when: $(cat "$work/health")"
  "$@" "$BIN/status" >"$work/out" 2>"$work/err" || fail "$fault: status itself fails: $(cat "$work/err")"
  grep -qE -- "$words" "$work/out" || fail "$fault: the screen does not say '$words': $(cat "$work/out")"
  grep -qE -- "do: .*($mended)" "$work/out" || fail "$fault: the screen does not say '$mended': $(cat "$work/out")"
  faults=$((faults + 1))
  printf '%-34s %s  %-20s %s\n' "$fault" "$exit" "$finding" "$mend" >>"$work/table"
}
good() { "$BIN/status" health >"$work/health" 2>&1; }
well() { wait_until 20 "a good health after: $1" good; }
found() { { "$BIN/status" health --json 2>/dev/null || true; } | jq -e --arg code "$1" 'any(.findings[]; .code == $code)' >/dev/null; }
gone() { ! found "$1"; }
waiting() { [ "$("$BIN/queue" stat --json | jq .operations)" = "$1" ]; }
state() { # FILE JQ-FILTER: changes a record
  jq -c "$2" "$work/state/$1" >"$work/changed" && cp "$work/changed" "$work/state/$1"
}

two_servers wal_level=logical
images_tables
configure() { write_config 'images, categories' 'full_sync_interval: 3600' 'max_queue_size: 10' 'max_retry_attempts: 0' 'sync_timeout: 3' "$@"; }
configure
diagnosed 'nothing is set up' 2 not_set_up 'nothing is set up' 'sync-full --init'
# a small disk for the spool alone, where one may be mounted
small_disk=false
mkdir "$work/disk"
if [ "$(id -u)" = 0 ] && mount -t tmpfs -o size=4m,mode=0700 tmpfs "$work/disk" 2>/dev/null; then
  small_disk=true
  clusters_at_exit "umount -l '$work/disk'"
  ln -s disk "$work/spool" # by a link, as a spool that is to be moved away later is no mount itself
fi
link_up
diagnosed 'nothing runs' 2 nothing_runs 'neither the services run' 'systemctl start|sync-incremental'
primary "insert into categories (name) select 'category ' || n from generate_series(1, 40) n"
expect 0 "$BIN/sync-full"
rm "$work/state/runs/incremental.json"
follow_capture
follow_apply
well 'the beginning'

# --- what people did ---
expect 0 "$BIN/status" disable --reason 'moving a disk'
diagnosed 'sync disabled' 1 sync_disabled 'disabled by .* since' 'pgtandem status enable'
expect 0 "$BIN/status" enable
well 'sync disabled'
# What faketime preloads stands before the address sanitizer, where that is built in.
diagnosed 'clock skew' 1 clock_skew 'clock of .* is (59|60) min behind' 'timedatectl set-ntp' \
  env ASAN_OPTIONS="${ASAN_OPTIONS:+$ASAN_OPTIONS:}verify_asan_link_order=0" NO_FAKE_STAT=1 faketime -f +3600s
for file in verify.json full-sync.backup_node.json; do
  cp "$work/state/$file" "$work/kept"
  echo '{"garbage' >"$work/state/$file"
  exit=1
  [ "$file" != verify.json ] || exit=3 # what was proven is not known
  diagnosed "garbage in $file" "$exit" state_garbage "$file is damaged" "rm .*/$file"
  cp "$work/kept" "$work/state/$file"
done
echo '{"garbage' >"$work/state/switches.json"
diagnosed 'garbage in switches.json' 1 state_garbage 'switches.json is damaged, .* whether sync is enabled; turn it again \(pgtandem status enable, or disable\)' 'mend what is named there'
rm "$work/state/switches.json"
state full-sync.backup_node.json '.last_full_sync -= 100000'
diagnosed 'full pass overdue' 1 full_pass_overdue 'last full pass .* is 27 h' 'pgtandem sync-full'
state full-sync.backup_node.json '.last_full_sync += 100000'
state full-sync.backup_node.json '.exit_code = 69 | .failed = "verify" | .message = "primary_node: cannot connect"'
diagnosed 'full pass failed' 1 full_pass_failed 'primary_node: cannot connect' 'pgtandem sync-full'
state full-sync.backup_node.json '.exit_code = 0 | .failed = null | .message = null'
well 'a full pass that failed'

# --- rows and tables ---
kill -STOP "${FOLLOW[apply]}"
primary "insert into categories (name) select 'more ' || n from generate_series(1, 20) n"
wait_until 10 "twenty in the queue" waiting 20
diagnosed 'queue congested' 1 queue_congested '20 operations wait' 'pgtandem apply --follow'
echo 'monitoring: {replication_lag_threshold: 0.5}' >>"$PGTANDEM_CONFIG"
sleep 0.6
diagnosed 'lag' 1 lag 'backup_node is .* behind, with 20 operations' "load and the locks|pgtandem apply"
sed -i '/^monitoring:/d' "$PGTANDEM_CONFIG"
kill -CONT "${FOLLOW[apply]}"
wait_applied
standby "alter table categories add constraint no_bad check (name <> 'bad')"
primary "insert into categories (name) values ('bad')"
wait_until 10 "a dead letter" found quarantine
diagnosed 'dead letters' 2 quarantine '1 operation could not be written' 'queue dead list'
standby 'alter table categories drop constraint no_bad'
expect 0 "$BIN/queue" dead retry all
wait_until 10 "an empty quarantine" gone quarantine
diagnosed 'table marked' 1 tables_marked 'categories is marked' 'pgtandem sync-full'
primary 'alter table categories add column extra int' "insert into categories (name, extra) values ('wide', 1)"
wait_until 10 "a paused table" found table_paused
diagnosed 'table paused by drift' 2 table_paused 'categories is paused .*extra' 'make the table fit'
standby 'alter table categories add column extra int'
wait_until 10 "a table that goes on" gone table_paused
standby "update categories set note = 'wrong' where name = 'wide'"
expect 1 "$BIN/verify"
diagnosed 'verify said different' 2 tables_different 'categories is not equal' 'pgtandem sync-full$'
# A pass that a disabled sync would keep from its work mends nothing: what stands there is done as it stands.
expect 0 "$BIN/status" disable
diagnosed 'different, and sync disabled' 2 tables_different 'categories is not equal' 'pgtandem sync-full --force$'
read -ra words <<<"$(jq -r '.findings[] | select(.code == "tables_different").mend' "$work/health")"
expect 0 "$BIN/${words[1]}" "${words[@]:2}"
gone tables_different || fail "'${words[*]}' has not mended it: $("$BIN/status")"
expect 0 "$BIN/status" enable
well 'all of that'

# --- what should run ---
follow_stop apply
diagnosed 'apply stopped' 2 apply_stopped 'apply does not run for backup_node' 'start pgtandem-apply'
follow_apply
well 'apply stopped'
follow_stop capture
wait_until 10 "capture's end" found capture_stopped
diagnosed 'capture stopped' 2 capture_stopped 'capture does not run' 'start pgtandem-capture'
follow_stop apply
jq -nc '{pass: "incremental", started: "2026-01-01T00:00:00.000000Z", ended: "2026-01-01T00:00:01.000000Z", until_lsn: null, exit_code: 0, failed: null,
  stopped: false} | .nodes.backup_node = .' >"$work/state/runs/incremental.json"
expect 0 "$BIN/status" disable
expect 0 "$BIN/status" enable
gone pass_overdue || fail "a pass is overdue that was disabled a moment ago"
rm "$work/state/switches.json"
diagnosed 'timer does not run' 2 pass_overdue 'no incremental pass has ended since 2026-01-01' 'timer'
configure 'spool: {directory: spool, max_bytes: 20KiB}'
follow_capture
primary "insert into categories (name) select 'fill ' || n || repeat('x', 200) from generate_series(1, 300) n"
for n in {1..20}; do primary "insert into categories (name) select 'fill ' || n || '.$n' || repeat('x', 200) from generate_series(1, 20) n"; done
wait_until 20 "a full spool" found spool_full
diagnosed 'spool full' 2 spool_full 'the spool is full .*KiB' 'apply --follow|spool.max_bytes'
configure
follow_apply
wait_applied 120 # transaction by transaction, for none has room beside another
warned() { local code=0 && { good || code=$?; } && [ "$code" = 1 ]; }
wait_until 20 "nothing but a warning after a full spool" warned
diagnosed 'configuration edited' 1 config_changed 'config.yaml was edited at .* before: capture' 'systemctl restart pgtandem-capture, or'
follow_stop capture
follow_capture
well 'a full spool'

if "$small_disk"; then
  head -c 8M /dev/zero >"$work/spool/filler" 2>/dev/null || true
  primary "insert into categories (name) select 'no room ' || n || repeat('x', 200) from generate_series(1, 300) n"
  diagnosed 'disk full' 2 disk_full 'disk of the spool is full' 'make room'
  rm "$work/spool/filler"
  wait_applied
  well 'a full disk'
else
  say "no tmpfs may be mounted here: a full disk is not tried"
fi

# --- who looks, and what cannot be looked at ---
if [ "$(id -u)" = 0 ]; then
  chmod 700 "$work/state"
  diagnosed 'state not readable' 3 state_unreadable 'ermission denied' 'as the user of the services .sudo -u root pgtandem status' cluster_as_owner
  mode=$(stat -c %a "$PGTANDEM_CONFIG")
  chmod 600 "$PGTANDEM_CONFIG"
  code=0
  cluster_as_owner "$BIN/status" health >"$work/out" 2>"$work/err" || code=$?
  same "health without a right to the configuration" 3 "$code"
  grep -q "^PGTANDEM UNKNOWN - cannot open $PGTANDEM_CONFIG: permission denied; run this as the user of the services" "$work/out" || fail "a configuration that may not be read: $(cat "$work/out")"
  chmod "$mode" "$PGTANDEM_CONFIG"
else
  say "not root: a state directory that may not be read is not tried"
fi
cp "$PGTANDEM_CONFIG" "$work/kept"
echo 'nodes: [' >"$PGTANDEM_CONFIG"
expect 3 "$BIN/status" health
same "lines" '1 0' "$(wc -l <"$work/out") $(wc -l <"$work/err")"
grep -q "^PGTANDEM UNKNOWN - $PGTANDEM_CONFIG:[0-9]" "$work/out" || fail "a configuration that does not parse: $(cat "$work/out")"
expect 3 "$BIN/status" health --json
same "as JSON" '["unknown",3]' "$(jq -c '[.status, .exit_code]' "$work/out")"
expect 78 "$BIN/status"
ended_with status "$PGTANDEM_CONFIG:[0-9]"
cp "$work/kept" "$PGTANDEM_CONFIG"

# --- the servers ---
cluster_psql standby postgres -c "create role locked login password 'right'"
hba=$CLUSTERS_DIR/standby/data/pg_hba.conf
{ echo 'host all locked 127.0.0.1/32 scram-sha-256' && cat "$hba"; } >"$work/hba" && cat "$work/hba" >"$hba"
cluster_psql standby postgres -Atc 'select pg_reload_conf()' >/dev/null
STANDBY_URL=$(cluster_url standby crawler locked:wrong) configure
wait_until 5 "the reload" found login_refused
diagnosed 'wrong password' 2 login_refused 'password authentication failed' 'pgpass'
! grep -q 'wrong' "$work/health" || fail "a password in what status says"
# None at all, as for whoever runs it as another user than the services': what the message says to add is enough.
STANDBY_URL=$(cluster_url standby crawler locked) configure
export PGPASSFILE=$work/pgpass
diagnosed 'no password' 2 login_refused "wants a password for locked, and there is none: .* there is no $work/pgpass; add " 'pgpass'
[ "$(id -u)" != 0 ] ||
  diagnosed 'another user, without a password' 2 login_refused 'wants a password for locked' 'sudo -u root pgtandem status.: ~/.pgpass is each user' cluster_as_owner
line=$(jq -r '.findings[] | select(.code == "login_refused").what' "$work/health" | sed -n 's/.*; add \(.*:\)PASSWORD to that file.*/\1/p')
(umask 022 && echo "${line}right" >"$PGPASSFILE")
diagnosed 'a password file for all to read' 2 login_refused "$work/pgpass is not looked at, for others may open it; chmod 600 $work/pgpass" 'pgpass'
chmod 600 "$PGPASSFILE"
gone login_refused || fail "'$line' is not enough: $("$BIN/status")"
unset PGPASSFILE
STANDBY_URL="$(cluster_url standby crawler pgtandem)?sslmode=require" configure
diagnosed 'no encryption' 2 encryption_failed 'backup_node is there, but no encryption comes about: .*does not support SSL' 'sslmode and sslrootcert'
configure
cluster_psql standby postgres -c 'alter role pgtandem connection limit 0'
diagnosed 'no connection left' 2 standby_full 'all its connections are in use.*53300' 'pg_stat_activity'
cluster_psql standby postgres -c 'alter role pgtandem connection limit -1'
cluster_psql standby postgres -c 'revoke connect on database crawler from public'
diagnosed 'missing right' 2 right_missing 'GRANT CONNECT ON DATABASE "?crawler' 'apply init'
cluster_psql standby postgres -c 'grant connect on database crawler to public'
standby "select pg_create_logical_replication_slot('pgtandem_backup_node', 'pgoutput')" >/dev/null
diagnosed 'old primary come back' 2 old_primary_back 'backup_node was the primary and has come back' 'pg_drop_replication_slot'
standby "select pg_drop_replication_slot('pgtandem_backup_node')" >/dev/null
PRIMARY_URL=$(cluster_url standby crawler pgtandem) STANDBY_URL=$(cluster_url primary crawler pgtandem) configure
diagnosed 'roles swapped' 2 roles_swapped 'the roles are swapped' 'database_url'
configure
well 'swapped roles'
server=$(cluster_pid primary)
kill -STOP "$server"
clusters_at_exit "kill -CONT $server 2>/dev/null || true"
diagnosed 'primary hangs' 2 primary_hangs 'primary_node gives no answer' 'journalctl'
kill -CONT "$server"
follow_stop
cluster_psql standby postgres -Atc 'select pg_sleep(30)' >/dev/null 2>&1 &
sleeps() { [ "$(cluster_psql standby postgres -Atc "select count(*) from pg_stat_activity where query like '%pg_sleep(30)%' and pid <> pg_backend_pid()")" = 1 ]; }
wait_until 5 "a session that keeps it from stopping" sleeps
kill -TERM "$(cluster_pid standby)"
stopping() { found standby_starting; }
wait_until 5 "the server to stop taking sessions" stopping
diagnosed 'standby stops' 2 standby_starting 'it starts, stops or recovers.*57P03' 'wait: '
cluster_stop standby
diagnosed 'standby stopped' 2 standby_down 'secondary backup_node does not answer' 'systemctl start postgresql'
cluster_start standby
cluster_stop primary
diagnosed 'primary stopped' 2 primary_down 'primary primary_node does not answer' 'systemctl start postgresql'
cluster_start primary

# --- the way between them; from here on nothing is mended ---
primary 'drop publication pgtandem_backup_node'
diagnosed 'publication dropped' 2 publication_missing 'publication pgtandem_backup_node is gone' 'pgtandem capture drop; .*sync-full --init$'
cluster_psql primary postgres -c "alter system set max_slot_wal_keep_size = '1MB'" -Atc 'select pg_reload_conf()' >/dev/null
for _ in 1 2 3; do
  primary "insert into categories (name) values ('wal ' || random())" 'select pg_switch_wal()' >/dev/null
done
cluster_psql primary postgres -c checkpoint
diagnosed 'slot lost' 2 slot_lost 'is lost: primary_node has removed WAL' 'capture drop'
primary "select pg_drop_replication_slot('pgtandem_backup_node')" >/dev/null
diagnosed 'slot dropped' 2 slot_missing 'slot pgtandem_backup_node is gone' 'capture drop'
# What stands there is done, step by step, with the rights that it asks for on the way.
cluster_psql primary postgres -c 'alter system reset max_slot_wal_keep_size' -Atc 'select pg_reload_conf()' >/dev/null
IFS=';' read -ra steps <<<"$(jq -r 'first(.findings[] | select(.code == "slot_missing")) | .mend' "$work/health")"
same "steps of the way out" 4 "${#steps[@]}"
for step in "${steps[@]}"; do
  read -ra words <<<"$step"
  if [ "${words[0]}" = move ]; then
    mv "$work/spool" "$work/spool.away"
    continue
  fi
  for _ in 1 2 3; do
    code=0
    timeout 60 "$BIN/${words[1]}" "${words[@]:2}" >"$work/sql" 2>"$work/err" || code=$?
    [ "$code" = 77 ] || break
    if grep -q '^capture: ' "$work/err"; then cluster_psql primary crawler -f "$work/sql"; else cluster_psql standby crawler -f "$work/sql"; fi
  done
  same "exit code of '$step'" 0 "$code"
done
equal_tables
cluster_stop primary
cluster_as_owner touch "$CLUSTERS_DIR/primary/data/standby.signal"
cluster_start primary
diagnosed 'primary became a standby' 2 primary_in_recovery 'is in recovery' 'database_url'
cluster_psql primary postgres -Atc 'select pg_promote()' >/dev/null
diagnosed 'another timeline' 2 primary_promoted 'on timeline 2, the spool on 1' 'capture drop; .*move the spool directory away'
dd if=/dev/zero of="$work/spool/mark" bs=1024 count=1 conv=notrunc 2>/dev/null
diagnosed 'spool damaged' 2 spool_damaged 'mark is damaged' 'queue check'

at_least "faults" 20 "$faults"
cat "$work/table"
