#!/usr/bin/env bash
# status serve: a monitor of old reads what it always read, force-sync starts one pass, enable and disable act at once and are
# remembered; who may not ask is refused, and so is what cannot be answered; a server that hangs makes nobody wait.
set -euo pipefail
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
# shellcheck source=tests/e2e/api_lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/api_lib.sh"

# shellcheck disable=SC2119 # its arguments are optional
two_servers
images_tables
secret=k4n4rie-s3cret
PRIMARY_URL=$(cluster_url primary crawler "pgtandem:$secret")
STANDBY_URL=$(cluster_url standby crawler "pgtandem:$secret")
export PRIMARY_URL STANDBY_URL
config() {
  write_config 'images, categories' 'full_sync_interval: 60' "$@"
  sed -i -E 's/role: (primary|secondary),/role: \1, server: {host: db-\1.example, port: 5432, api_port: 8001},/' "$PGTANDEM_CONFIG"
}
config "api: {ports: [$API0, $API1]}"
link_up
follow_capture
follow_apply
primary "insert into categories (name) values ('one')"
wait_applied
serve_up

# --- a client of old: these fields, of these types, within its 5 s, the pass on one port and the rest on the other ---
must 200 GET /api/sync-status
same "types" 'boolean boolean number number number string string boolean' "$(body '[.auto_sync_enabled, .sync_enabled, .sync_queue_size,
  .last_full_sync, .full_sync_interval, .current_primary, .local_node, .is_monitoring] | map(type) | join(" ")')"
same "values" 'true 0 0 60 primary_node backup_node true' "$(body '[.auto_sync_enabled, .sync_queue_size, .last_full_sync, .full_sync_interval,
  .current_primary, .local_node, .is_monitoring] | map(tostring) | join(" ")')"
must 200 GET /api/status
same "nodes" 'backup_node primary_node' "$(body '.nodes | keys | join(" ")')"
same "the primary" 'primary healthy db-primary.example 5432 0' "$(body '.nodes.primary_node | [.role, .health_status, .server.host, .server.port, .replication_lag] | map(tostring) | join(" ")')"
body '.nodes.backup_node.replication_lag' | grep -qE '^[0-9.]+$' || fail "replication_lag: $(body .nodes)"
must 200 GET /api/replication-lag
same "caught up" true "$(body .nodes.backup_node.caught_up)"
must 200 GET /api/health
must 200 GET /api/ready
must 200 GET /api/history
at_least "points" 1 "$(body '.points | length')"
must 200 GET /metrics
grep -q '^pgtandem_' "$work/body" || fail "no metrics: $(head -n 5 "$work/body")"
grep -qi '^content-type: text/plain; version=0.0.4' "$work/head" || fail "type of the metrics: $(cat "$work/head")"
if command -v promtool >/dev/null; then promtool check metrics <"$work/body" >"$work/out" 2>&1 || fail "promtool: $(cat "$work/out")"; fi

# --- force-sync: one pass at a time, and what became of it ---
hold() { on_server standby "begin; lock table categories in access exclusive mode; select pg_sleep($1)" >/dev/null; }
hold 2 &
holder=$!
wait_until 5 "the lock" eval '[ "$(standby "select count(*) from pg_locks where mode = '\''AccessExclusiveLock'\'' and relation = '\''categories'\''::regclass")" = 1 ]'
pass=$(curl -s -m 5 -X POST "http://localhost:$API0/api/force-sync")
same "the pass" '"success" "string" false' "$(jq -c '.status, (.message | type), .already_running' <<<"$pass" | paste -sd' ')"
run=$(jq -r .run <<<"$pass")
must 200 POST /api/force-sync -H 'Content-Type: application/json' -d '{}'
same "a second one" "success true $run" "$(body '[.status, .already_running, .run] | map(tostring) | join(" ")')"
must 200 GET "/api/runs/$run"
same "who" 'api@127.0.0.1' "$(body .by)"
wait "$holder"
run_is() { ask GET "/api/runs/$run" && [ "$(body .state)" = "$1" ]; }
wait_until 30 "the pass's end" run_is proven
fully_synced() { ask GET /api/sync-status && [ "$(body '.last_full_sync > 0')" = true ]; }
wait_until 5 "last_full_sync" fully_synced
must 404 GET /api/runs/full-20200101T000000Z-1-1
must 404 GET '/api/runs/..%2f..%2fverify'
must 404 GET /api/runs/

# --- disable and enable: seen at once, acted on within a second, remembered, with who and when ---
must 200 POST /api/sync/disable
same "disable" success "$(body .status)"
must 200 GET /api/sync-status
same "disabled" 'false false api@127.0.0.1' "$(body '[.auto_sync_enabled, .sync_enabled, .switched_by] | map(tostring) | join(" ")')"
sleep 1
primary "insert into categories (name) values ('waits')"
serve_stop
serve_up
must 200 GET /api/sync-status
same "still disabled" false "$(body .auto_sync_enabled)"
same "rows" 0 "$(standby "select count(*) from categories where name = 'waits'")"
must 200 POST /api/sync/disable
body .message | grep -q '^nothing to change' || fail "message: $(body .message)"
must 200 POST /api/sync/enable
must 200 GET /api/sync-status
same "enabled" true "$(body .auto_sync_enabled)"
wait_applied 10
equal_tables

# --- a configuration that is edited under what runs: told by whoever looks, until each was begun again ---
outdated() { # WHAT: the finding, by the server; nothing where there is none
  ask GET /api/health && body '.findings[] | select(.code == "config_changed").what' | grep -qE -- "$1"
}
up_to_date() { ! outdated .; }
echo '# a comment' >>"$PGTANDEM_CONFIG"
must 200 POST /api/sync/enable # it looks again before it answers
up_to_date || fail "a comment is told: $(body .)"
cp "$PGTANDEM_CONFIG" "$work/before.yaml"
sed -i 's/batch_size: 100/batch_size: 101/' "$PGTANDEM_CONFIG"
wait_until 10 "the edit in the server's findings" outdated "^$PGTANDEM_CONFIG was edited at 20.* goes by what stood there before: apply, capture, status serve\$"
same "the level" warning "$(body .status)"
must 200 GET /api/ready
expect 1 "$BIN/status" health
grep -q '^warning: .*config.yaml was edited .*; systemctl restart pgtandem-apply pgtandem-capture pgtandem-status, or' "$work/out" || fail "$(cat "$work/out")"
echo 'nodes: [' >>"$PGTANDEM_CONFIG"
wait_until 10 "that nothing could begin with it" outdated 'before: apply, capture, status serve; nothing could begin with it as it is now: .*config.yaml:[0-9]+:'
mv "$work/before.yaml" "$PGTANDEM_CONFIG"
wait_until 10 "that it is as it was" up_to_date
sed -i 's/batch_size: 100/batch_size: 102/' "$PGTANDEM_CONFIG"
serve_stop
serve_up
follow_stop apply
follow_apply
wait_until 10 "the one that was not begun again" outdated 'stood there before: capture$'
expect 1 "$BIN/status" health
follow_stop capture
expect 75 "$BIN/status" serve # one that is refused leaves the other's note
follow_capture
wait_until 10 "that all was begun again" up_to_date

# --- reading changes nothing; what is no path, no method, too long, or another's is refused, and the server goes on ---
runs=$(find "$work/state/runs" -name '*.json' | wc -l)
for path in / /metrics /api/health /api/snapshot; do must 200 HEAD "$path"; done
same "HEAD's body" 0 "$(curl -s -m 5 -I "http://localhost:$API1/" | sed '1,/^\r$/d' | wc -c)"
for path in /api/force-sync /api/sync/enable /api/sync/disable; do
  for method in GET HEAD PUT DELETE; do must 405 "$method" "$path"; done
  grep -qi '^allow: POST' "$work/head" || fail "no Allow: $(cat "$work/head")"
done
for method in POST PUT DELETE OPTIONS BREW; do must 405 "$method" /api/status; done
grep -qi '^allow: GET, HEAD' "$work/head" || fail "no Allow: $(cat "$work/head")"
! grep -qi '^access-control' "$work/head" || fail "CORS: $(cat "$work/head")"
for path in /nowhere /api /api/ /api/status/ /api/status%00 //api/status /api/../etc/passwd '/%3Cscript%3E'; do must 404 GET "$path" --path-as-is; done
must 200 GET '/api/status?pretty=1'
head -c 5000 /dev/zero | tr '\0' x >"$work/long"
must 413 POST /api/force-sync --data-binary "@$work/long"
must 413 POST /api/sync/enable --data-binary "@"<(head -c 4097 "$work/long")
must 200 POST /api/sync/enable --data-binary "@"<(head -c 4096 "$work/long")
must 413 POST /api/force-sync --data-binary "@$work/long" -H 'Transfer-Encoding: chunked'
head -c 5000000 /dev/zero >"$work/longer"
must 413 POST /api/sync/disable --data-binary "@$work/longer"
must 431 GET /api/status -H "X-Long: $(head -c 9000 "$work/longer" | tr '\0' x)"
must 200 GET /api/status -H "X-Long: $(head -c 7900 "$work/longer" | tr '\0' x)" # with the rest a little below 8 KiB
ask GET /api/status -H "X-Long: $(head -c 90000 "$work/longer" | tr '\0' x)"
same "a head of 90 kB" 431 "$code"
must 403 GET /api/status -H 'Host: evil.example'
must 403 POST /api/sync/disable -H 'Host: evil.example:8001'
must 200 GET /api/status -H 'Host: db-secondary.example:8001' # server.host of the local node
must 403 GET /api/status -H 'Host: db-primary.example:8001'
must 400 GET /api/status -H 'Host:'
must 400 POST /api/sync/disable -H 'Host:'
must 400 GET /api/status -H 'Host;' # an empty one
must 403 POST /api/sync/disable -H 'Origin: https://evil.example'
must 403 POST /api/sync/disable -H 'Origin: null'
must 403 POST /api/sync/disable -H 'Sec-Fetch-Site: cross-site'
must 200 GET /api/status -H "Origin: http://localhost:$API1"
for raw in 'GARBAGE\r\n\r\n' '\x16\x03\x01\x02\x00\x01\x00' 'GET / HTTP/9.9\r\nHost: localhost\r\n\r\n' 'GET /api/status HTTP/1.1\r\nHost: localhost\r\nContent-Length: -5\r\n\r\n'; do
  exec {raw_fd}<>"/dev/tcp/127.0.0.1/$API1"
  # shellcheck disable=SC2059 # what is sent is the format
  (printf "$raw" >&"$raw_fd") 2>/dev/null || true # it may have hung up by then
  first=$(timeout 7 head -n 1 <&"$raw_fd" | tr -d '\0') || true
  case $first in '' | 'HTTP/1.'?' 4'* | 'HTTP/1.'?' 5'*) ;; *) fail "to '$raw' it said '$first'" ;; esac
  exec {raw_fd}>&-
done
must 200 GET /
for field in "content-security-policy: default-src 'none'" 'x-content-type-options: nosniff' 'cache-control: no-store' 'x-frame-options: DENY'; do
  grep -qi "^$field" "$work/head" || fail "no $field: $(cat "$work/head")"
done
must 200 GET /api/sync-status
same "still enabled" true "$(body .auto_sync_enabled)"
same "passes" "$runs" "$(find "$work/state/runs" -name '*.json' | wc -l)"

# --- a file that is garbage is said, and not obeyed ---
echo '{garbage' >"$work/state/full-sync.backup_node.json"
echo 'garbage' >"$work/state/nodes.json"
warned() { ask GET /api/sync-status && [ "$(body .level)" = warning ]; }
wait_until 10 "a warning of the garbage" warned
must 200 GET /api/health
must 200 GET /api/sync-status
same "level" warning "$(body .level)"
rm "$work/state/full-sync.backup_node.json"
echo '{garbage' >"$work/state/runs/full-damaged.json"
must 500 GET /api/runs/full-damaged
body .message | grep -q 'runs/full-damaged.json is damaged; remove it' || fail "a damaged record: $(body .message)"
rm "$work/state/runs/full-damaged.json"

# --- nothing secret in any answer, nor in the log ---
for path in / /metrics /api/status /api/sync-status /api/replication-lag /api/health /api/ready /api/snapshot /api/history "/api/runs/$run"; do
  must 200 GET "$path"
  ! grep -qF "$secret" "$work/body" "$work/head" || fail "the password is in $path"
done
! grep -qF "$secret" "$work/serve.log" || fail "the password is in the log"

# --- a standby that hangs makes nobody wait, and is seen; one that is away makes it not ready ---
postmaster=$(cluster_pid standby)
clusters_at_exit "kill -CONT $postmaster 2>/dev/null || true"
kill -STOP "$postmaster"
for _ in 1 2 3 4 5 6 7 8; do
  must 200 GET /api/sync-status
  at_most "ms for an answer while the standby hangs" 500 "$(curl -s -o /dev/null -m 5 -w '%{time_total}' "http://localhost:$API1/api/status" | awk '{ printf "%d", $1 * 1000 }')"
  sleep 0.3
done
not_ready() { ask GET /api/ready && [ "$code" = 503 ]; }
wait_until 10 "not ready" not_ready
must 200 GET /api/health
same "health" critical "$(body .status)"
kill -CONT "$postmaster"
ready() { ask GET /api/ready && [ "$code" = 200 ]; }
wait_until 15 "ready" ready

# --- it begins only where it can serve ---
expect 75 "$BIN/status" serve
ended_with status 'status serve'
config "api: {ports: [$API1]}" 'state: {directory: other}'
expect 73 "$BIN/status" serve
ended_with status "cannot listen on 127.0.0.1:$API1: another program has the port"
serve_stop
config "api: {listen: 0.0.0.0, ports: [$API0, $API1]}"
expect 78 "$BIN/status" serve
ended_with status 'give api.token_file'
config "api: {listen: 0.0.0.0, ports: [$API0, $API1], token_file: token}"
expect 78 "$BIN/status" serve
ended_with status 'does not exist'
(umask 022 && bash -c "$(sed -n 's/.* make it: //p' "$work/err")") || fail "what makes a token fails: $(cat "$work/err")"
same "whose it is, and whose to read" "$(id -un) 600 65" "$(stat -c '%U %a %s' "$work/token")"
token=$(cat "$work/token")
chmod 640 "$work/token"
expect 77 "$BIN/status" serve
ended_with status 'chmod 600'
chmod 600 "$work/token"
serve_up
must 200 GET /api/status
must 401 POST /api/sync/disable
grep -qi '^www-authenticate: Bearer' "$work/head" || fail "no WWW-Authenticate: $(cat "$work/head")"
must 401 POST /api/sync/disable -H "Authorization: Bearer ${token%?}"
must 401 POST /api/sync/disable -H "Authorization: Bearer ${token}0"
must 200 POST /api/sync/disable -H "Authorization: Bearer $token"
must 200 POST /api/sync/enable -H "Authorization: Bearer $token"
must 200 GET /api/snapshot
! grep -qF "$token" "$work/serve.log" "$work/body" || fail "the token is in the log, or in an answer"
serve_stop
config "api: {listen: 192.0.2.7, ports: [$API0], token_file: token}"
expect 78 "$BIN/status" serve
ended_with status "none of this machine's"
echo 'nodes: [' >"$PGTANDEM_CONFIG"
expect 78 "$BIN/status" serve
config
follow_stop
say "serve_test: passed"
