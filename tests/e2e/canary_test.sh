#!/usr/bin/env bash
# What must not be seen: a value that only rows hold, also the row that a standby refuses, and the passwords of the connections
# are in no answer of the API, no metrics, no output of status, no mark, no line of a log. And a server that is stopped while a
# POST waits answers it.
# timeout: 300
set -euo pipefail
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
# shellcheck source=tests/e2e/api_lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/api_lib.sh"

row=canary-in-a-row-8d1f
refused=canary-in-a-refused-row-27ce
primary_password=canary-of-the-primary-b0a4
standby_password=canary-of-the-standby-93e7
silent() { # WHAT FILE…
  local what=$1 secret
  shift
  for secret in "$row" "$refused" "$primary_password" "$standby_password"; do
    ! grep -aqF "$secret" "$@" || fail "$what has '$secret': $(grep -aF "$secret" "$@" | head -n 2 | cut -c 1-300)"
  done
}

two_servers auth=scram
images_tables
cluster_psql primary postgres -c "alter role pgtandem password '$primary_password'"
cluster_psql standby postgres -c "alter role pgtandem password '$standby_password'"
PRIMARY_URL=$(cluster_url primary crawler "pgtandem:$primary_password")
STANDBY_URL=$(cluster_url standby crawler "pgtandem:$standby_password")
export PRIMARY_URL STANDBY_URL
write_config 'images, categories' 'full_sync_interval: 3600' 'max_retry_attempts: 1' "api: {ports: [$API0, $API1]}" "hooks: {on_alert: ['$work/alert']}" \
  'alerts: {verify: {cooldown: 0}, database_down: {threshold: 1, cooldown: 0}}'
printf '#!/bin/sh\nexec cat >>"%s"\n' "$work/alerts" >"$work/alert"
chmod +x "$work/alert"
link_up
follow_capture
follow_apply
serve_up

# --- rows that are written, refused, different, in the way of a copy, and servers that refuse ---
primary "insert into categories (name, note) values ('well', '$row')"
wait_applied 30
standby "alter table categories add constraint no_canary check (note not like '%refused%')"
primary "insert into categories (name, note) values ('$refused', '$refused')" "update categories set note = '$row.' where name = 'well'"
dead() { [ "$("$BIN/queue" stat --json | jq .dead)" -ge 1 ]; }
wait_until 15 "a dead letter" dead
standby "update categories set note = 'wrong $row' where name = 'well'"
"$BIN/verify" >"$work/verify.out" 2>"$work/verify.log" || true
"$BIN/sync-full" >"$work/full.out" 2>"$work/full.log" || true
cluster_psql standby postgres -c "alter role pgtandem password 'another'"
cluster_psql standby postgres -Atc "select count(pg_terminate_backend(pid)) from pg_stat_activity where usename = 'pgtandem'" >/dev/null
refuses() { { "$BIN/status" health --json 2>>"$work/health.log" || true; } | jq -e 'any(.findings[]; .code == "login_refused")' >/dev/null; }
wait_until 15 "a login that is refused" refuses
"$BIN/sync-full" >>"$work/full.out" 2>>"$work/full.log" || true
seen=0
for path in / /metrics /api/status /api/sync-status /api/replication-lag /api/health /api/ready /api/snapshot /api/history \
  "/api/runs/$(jq -r .run "$work/state/full-sync.backup_node.json")"; do
  ask GET "$path"
  case $code in 200 | 503) ;; *) fail "$path: $code" ;; esac
  silent "GET $path" "$work/body" "$work/head"
  seen=$((seen + $(wc -c <"$work/body")))
done
at_least "bytes of answers" 20000 "$seen"
must 200 POST /api/force-sync
silent "POST /api/force-sync" "$work/body"
run=$(body .run)
ended() { ask GET "/api/runs/$run" && [ "$(body .ended)" != null ]; }
wait_until 30 "the pass's end" ended
same "the pass" failed "$(body .state)"
silent "GET /api/runs/ID" "$work/body"
for words in show 'show --json' health 'health --json' metrics check 'check --json' 'force-sync --json' 'is-enabled --json'; do
  # shellcheck disable=SC2086 # several words
  "$BIN/status" $words >"$work/out" 2>"$work/err" || true
  [ -s "$work/out" ] || [ -s "$work/err" ] || fail "status $words says nothing"
  silent "status $words" "$work/out" "$work/err"
done
"$BIN/verify" marked --json >"$work/out" 2>/dev/null || true
[ -s "$work/out" ] || fail "nothing is marked"
silent "the marks" "$work/out"
silent "a log" "$work"/*.log
silent "what alerts tell" "$work/alerts"
# what the test would see, were it there
grep -rqF "$refused" "$work/spool/dead" || fail "the refused row is not where it belongs"

# --- a stop while a POST waits: it is answered, and the server ends with 0 ---
cluster_psql standby postgres -c "alter role pgtandem password '$standby_password'"
exec {held}>>"$work/state/switches.lock"
flock "$held"
curl -s -m 8 -o "$work/late" -w '%{http_code}' -X POST "http://localhost:$API0/api/sync/disable" >"$work/late.code" {held}>&- &
late=$!
sleep 0.7
kill -TERM "$SERVE"
sleep 0.5
exec {held}>&-
wait "$late" || fail "the POST got no answer: curl ended with $?"
grep -qx '200\|503' "$work/late.code" || fail "the POST got $(cat "$work/late.code"): $(cat "$work/late")"
ended=0
wait "$SERVE" || ended=$?
SERVE=
same "exit code of status serve, stopped" 0 "$ended"
say "rows and passwords stay where they belong, and a stop leaves nobody without an answer"
