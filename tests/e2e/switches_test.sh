#!/usr/bin/env bash
# The switch: services wait within a second of `status disable` and go on within a second of `enable`, connected all the
# while; it outlives them; what timers run does nothing and says so; a forced pass runs nevertheless, once, and is served.
set -euo pipefail
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
status=$BIN/status
printed() { grep -q -- "$1" "$work/out" || fail "not printed: '$1': $(cat "$work/out")"; }
field() { jq -r "$1" "$work/out"; }

# shellcheck disable=SC2119 # its arguments are optional
two_servers
images_tables
write_config "images, categories" 'full_sync_interval: 60'
link_up
count() { standby 'select count(*) from categories'; }
durable() { "$BIN/queue" stat --json | jq -r .lsn; }
backends() { # who is connected; the walsender and apply's sessions
  primary "select pid from pg_stat_replication where application_name like 'pgtandem%'"
  standby "select pid from pg_stat_activity where application_name = 'pgtandem apply' order by 1 limit 1"
}
lines() { grep -c -- "$2" "$work/$1.log" || true; } # LOG PATTERN

# --- before anybody has turned it the configuration counts ---
expect 0 "$status" is-enabled
same "in words" "sync is enabled by the configuration (auto_sync_enabled)" "$(cat "$work/out")"
expect 0 "$status" is-enabled --json
same "as JSON" '{"auto_sync_enabled":true,"by":null,"since":null,"reason":null}' "$(cat "$work/out")"

# --- disable: both services stand still a second later, while the primary is written ---
follow_capture
follow_apply
writes_begin 20 "insert into categories (name) select 'load ' || gen_random_uuid()"
wait_until 10 "rows" eval '[ "$(count)" -gt 5 ]'
expect 0 "$status" disable --reason 'moving the disk'
sleep 1
rows=$(count) mark=$(durable)
same "in words" "sync is disabled by $(id -un)@$(hostname) since $(jq -r '.auto_sync.since[:19] + "Z"' "$work/state/switches.json") (moving the disk)" "$(cat "$work/out")"
connected=$(backends)
same "sessions" 2 "$(wc -l <<<"$connected")"
before=$(primary 'select count(*) from categories')
sleep 1.5
at_least "rows of the primary meanwhile" "$((before + 2))" "$(primary 'select count(*) from categories')"
same "rows of the standby a second after disable, and later" "$rows" "$(count)"
same "the queue a second after disable, and later" "$mark" "$(durable)"
same "sessions" "$connected" "$(backends)"
same "transactions left open on the standby" 0 "$(standby "select count(*) from pg_stat_activity where application_name = 'pgtandem apply' and xact_start is not null and state <> 'active'")"
for name in capture apply; do same "lines of $name that say so" 1 "$(lines "$name" 'sync is disabled by .*(moving the disk): waiting until pgtandem status enable')"; done
expect 0 "$status" disable --reason 'another one'
printed '(moving the disk)'
told 'it was so before'
expect 0 "$status" disable --json
same "disable as JSON" "[false,\"$(id -un)@$(hostname)\",\"moving the disk\",\"string\"]" "$(jq -c '[.auto_sync_enabled, .by, .reason, (.since | type)]' "$work/out")"
expect 1 "$status" is-enabled
printed "^sync is disabled by $(id -un)@"
writes_end

# --- it outlives them: services started now wait; what timers run does nothing, says so, and ends with 0 ---
follow_stop
follow_capture
follow_apply
wait_until 10 "capture waits" eval '[ "$(lines capture "waiting until")" = 2 ] && [ "$(lines apply "waiting until")" = 2 ]'
same "rows while disabled" "$rows" "$(count)"
# A comparison needs what does not come; it does not wait for it.
expect 75 "$BIN/verify"
told 'sync is disabled by .*, and the capture that runs waits; pgtandem status enable, or status force-sync'
same "the queue beside a comparison" "$mark" "$(durable)"
follow_stop
rows=$(count) # for the comparison apply went on to the end of the queue
for pass in "$BIN/sync-incremental" "$BIN/sync-full" "$BIN/apply"; do
  expect 0 "$pass"
  told 'sync is disabled by .*(moving the disk); nothing done'
done
expect 0 "$BIN/capture"
told 'nothing done'
same "lines of capture" 0 "$(wc -l <"$work/out")"
same "rows while disabled" "$rows" "$(count)"
same "the queue while disabled" "$mark" "$(durable)"

# --- a forced pass: without services, and with services that wait; they serve it, and wait again ---
expect 0 "$status" force-sync --wait
printed ': proven at .*, 2 of 2 tables proven'
equal_tables
follow_capture
follow_apply
wait_until 10 "capture waits" eval '[ "$(lines capture "waiting until")" = 3 ] && [ "$(lines apply "waiting until")" = 3 ]'
primary "insert into categories (name) values ('while disabled')"
standby "update categories set name = 'wrong' where id = 2"
expect 0 "$status" force-sync --wait --json
same "the pass" '[false,"proven","backup_node",2,2,0]' "$(field '[.already_running, .run.state, .run.node, .run.tables_proven, .run.tables_total, .run.exit_code]' | jq -c .)"
same "who asked for it" "$(id -un)@$(hostname)" "$(field .run.by)"
same "repaired" 1 "$(field '.run.tables["public.categories"].repaired')"
equal_tables
same "lines that say for what" 1 "$(lines capture 'going on for a forced pass, and no longer')"
wait_until 20 "they wait again" eval '[ "$(lines capture "waiting until")" = 4 ] && [ "$(lines apply "waiting until")" = 4 ]'
primary "insert into categories (name) values ('after the pass')"
sleep 1
differ "rows" "$(primary 'select count(*) from categories')" "$(count)"

# --- twice: the second names the one that is at work; it outlives who asked ---
cluster_psql primary crawler -c 'begin' -c 'lock table images' -c 'select pg_sleep(60)' >/dev/null 2>&1 &
locker=$!
wait_until 10 "the lock" eval '[ "$(primary "select count(*) from pg_locks where mode = '"'AccessExclusiveLock'"' and relation = '"'images'::regclass"'")" = 1 ]'
expect 0 "$status" force-sync
printed '^full pass full-.*: \(starting\|running\) since'
run=$(sed 's/full pass \([^:]*\):.*/\1/' "$work/out")
expect 0 "$status" force-sync --json
same "a second one" "true $run" "$(field '"\(.already_running) \(.run.run)"')"
told 'a full pass is at work already'
expect 75 "$BIN/sync-full" --force
kill "$locker"
wait "$locker" 2>/dev/null || true
primary "select pg_terminate_backend(pid) from pg_stat_activity where query like '%pg_sleep(60)%' and pid <> pg_backend_pid()" >/dev/null
wait_until 30 "the end of the pass" eval 'jq -e .ended "$work/state/runs/$run.json" >/dev/null'
same "its record" '[0,"'"$run"'"]' "$(jq -c '[.exit_code, .run]' "$work/state/full-sync.backup_node.json")"

# --- one that cannot begin says why, with its own code ---
mv "$work/state/full.lock" "$work/lock" && mkdir "$work/state/full.lock"
expect 77 "$status" force-sync
ended_with status 'the full pass did not begin: .*full.lock'
rmdir "$work/state/full.lock" && mv "$work/lock" "$work/state/full.lock"
expect 64 "$status" force-sync --node nowhere

wait_until 20 "they wait once more" eval '[ "$(lines capture "waiting until")" = 5 ] && [ "$(lines apply "waiting until")" = 5 ]'

# --- garbage: those that run wait on, those that start say which file, and turning the switch mends it ---
echo '{"version":1,"auto' >"$work/state/switches.json"
for command in "status is-enabled" "sync-incremental" "sync-full" "capture" "apply"; do
  # shellcheck disable=SC2086 # a command and its argument
  expect 65 "$BIN/"$command
  told "$work/state/switches.json is damaged.*turn it again (pgtandem status enable, or disable)"
done
wait_until 20 "a warning" eval '[ "$(lines capture "is damaged.*waiting on")" = 1 ]'

# --- enable: they go on within a second ---
primary "insert into categories (name) values ('on')"
expect 0 "$status" enable
sleep 1
applied_to "$(primary "select pg_current_wal_insert_lsn()")" || wait_until 1 "the standby" eval '[ "$(primary "select count(*) from categories")" = "$(count)" ]'
equal_tables
for name in capture apply; do same "lines of $name" 1 "$(lines "$name" "sync is enabled by $(id -un)@.*: going on")"; done
expect 0 "$status" enable --json
same "enable as JSON" "[true,\"$(id -un)@$(hostname)\",null]" "$(jq -c '[.auto_sync_enabled, .by, .reason]' "$work/out")"
expect 0 "$status" is-enabled
# The configuration counts no more. Beside services the pass would find the slot in use.
follow_stop
write_config "images, categories" auto_sync_enabled:false
expect 0 "$BIN/sync-incremental"
! grep -q 'nothing done' "$work/err" || fail "the configuration went before the switch"

# --- what root looked at and turned before the services' user did is that user's all the same ---
if [ "$(id -u)" = 0 ]; then
  owned=$CLUSTERS_DIR/owned
  cluster_as_owner mkdir -m 700 "$owned"
  with_rights capture drop
  write_config "images, categories" 'state: {directory: ../owned/state}' 'spool: {directory: ../owned/spool}' "alerts: {queue: {threshold: 5}}" "hooks: {on_alert: ['true']}"
  chmod o+rx "$work"
  chmod o+r "$PGTANDEM_CONFIG"
  expect 2 "$status" health
  expect 0 "$status" disable
  expect 0 "$status" enable
  with_rights capture init
  primary "insert into categories (name) values ('for the spool')"
  "$BIN/capture" | "$BIN/queue" put
  same "what is root's in a directory of another" "" "$(find "$owned" -user root)"
  for path in state/switches.lock state/nodes.lock state/alerts.lock spool/segments; do [ -e "$owned/$path" ] || fail "no $path"; done
  owner=(setpriv --reuid=postgres --regid=postgres --init-groups --)
  expect 2 "${owner[@]}" "$status" health
  ! grep -rqi 'permission denied' "$work/out" "$work/err" || fail "the other user may not: $(cat "$work/out" "$work/err")"
  expect 0 "${owner[@]}" "$status" disable --reason 'by the other'
  same "the switch" false "$(jq .auto_sync.auto_sync_enabled "$owned/state/switches.json")"
  expect 0 "${owner[@]}" "$status" enable
fi
say "services wait and go on by the switch, timers do nothing, and a forced pass is served, once"
