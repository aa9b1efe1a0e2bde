#!/usr/bin/env bash
# early: 95
# Two standbys and one configuration, whose local node is neither: both follow; one that is away keeps the other from nothing,
# and its changes stay in the spool; passes and force-sync serve and prove both, each with a record of its own; what differs on
# one is found and mended there alone; status tells each by itself.
# timeout: 600
set -euo pipefail
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
# shellcheck source=tests/e2e/api_lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/api_lib.sh"

full() { jq -rc "$2" "$work/state/full-sync.$1.json"; } # NODE FILTER
incremental() { jq -rc "$1" "$work/state/runs/incremental.json"; }
waits() { "$BIN/queue" stat --json | jq -r --arg node "$1" '.nodes[$node].operations'; }
has_all() { [ "$(waits "$1")" = 0 ]; }
finding() { # CODE: the nodes that it is about
  { "$BIN/status" health --json || true; } 2>/dev/null | jq -rc --arg code "$1" '[.findings[] | select(.code == $code) | .node]'
}
found() { [ "$(finding "$1")" = "[\"$2\"]" ]; }
equal_everywhere() {
  equal_tables categories images
  same "categories of far_node" "$(table_rows primary categories | sha256sum)" "$(table_rows far categories | sha256sum)"
}
stop_far() {
  kill -TERM "${FOLLOW[far]}"
  wait "${FOLLOW[far]}" || fail "apply for far_node ended with $?"
  unset "FOLLOW[far]"
}
follow_far() {
  "$BIN/apply" --follow --node far_node >>"$work/far.log" 2>&1 &
  FOLLOW[far]=$!
}

cluster_create far &
far=$!
# shellcheck disable=SC2119 # its arguments are optional
two_servers
wait "$far"
cluster_start far
cluster_psql far postgres -c 'create database crawler'
tandem_role far crawler
for name in primary standby far; do cluster_psql "$name" crawler -f "$e2e/load/images.sql"; done
write_config 'images, categories' 'full_sync_interval: 3600' 'max_retry_attempts: 1' 'incremental_sync_interval: 60' "api: {ports: [$API0, $API1]}"
sed -i -e 's/^local_node: .*/local_node: primary_node/' \
  -e "/backup_node: {/a\\  far_node: {role: secondary, priority: 3, database_url: '$(cluster_url far crawler pgtandem)'}" "$PGTANDEM_CONFIG"
primary "insert into categories (name) select 'category ' || n from generate_series(1, 40) n"

# --- the first copy of both; what a role lacks is printed for one server at a time ---
with_rights capture init
expect 77 "$BIN/sync-full" --init
told 'apply: backup_node: the role .* lacks rights'
same "what far_node lacks, and records that could not be written" 0 "$(grep -cE 'far_node|cannot write' "$work/err" || true)"
same "the run's record" '[77,["backup_node"]]' "$(jq -sc 'last | [.exit_code, (.nodes | keys)]' "$work"/state/runs/full-*.json)"
for name in standby far; do cluster_psql "$name" crawler -f "$work/out"; done
expect 0 "$BIN/sync-full" --init
told '2 of 2 standbys are proven equal'
for node in backup_node far_node; do
  same "the record of $node" "[\"$node\",0,true,40]" "$(full "$node" '[.node, .exit_code, .tables["public.categories"].proven, .tables["public.categories"].copied]')"
done
same "one run" 1 "$(cat "$work"/state/full-sync.*.json | jq -r .run | sort -u | wc -l)"
expect 0 "$BIN/sync-full" --if-due
told 'not due for'

# --- both follow ---
follow_capture
"$BIN/apply" --follow --node backup_node >>"$work/apply.log" 2>&1 &
FOLLOW[apply]=$!
follow_far
primary "insert into categories (name) select 'more ' || n from generate_series(1, 20) n"
wait_applied 30
wait_until 10 "far_node" has_all far_node
equal_everywhere
wait_until 10 "a good health" "$BIN/status" health >"$work/health"
for node in backup_node far_node; do grep -q "^PGTANDEM OK.*$node .*lag_$node=" "$work/health" || fail "health of $node: $(cat "$work/health")"; done
"$BIN/status" metrics >"$work/metrics"
for node in backup_node far_node; do
  for metric in 'pgtandem_apply_running{node="NODE"} 1' 'pgtandem_standby_queue_operations{node="NODE"} 0' 'pgtandem_full_sync_exit_code{node="NODE"} 0' \
    'pgtandem_tables_proven{node="NODE"} 2'; do
    grep -qx "${metric/NODE/$node}" "$work/metrics" || fail "no ${metric/NODE/$node}: $(cat "$work/metrics")"
  done
done

# --- one is away: the other goes on, the spool keeps what it lacks, and it is named ---
cluster_stop far immediate
primary "insert into categories (name) select 'away ' || n from generate_series(1, 30) n"
wait_applied 30
"$BIN/queue" prune >/dev/null
same "waiting" '0 30' "$(waits backup_node) $(waits far_node)"
equal_tables categories
wait_until 10 "far_node down" found standby_down far_node
expect 2 "$BIN/status" health
head -n 1 "$work/out" | grep -q 'CRITICAL - .*far_node' || fail "health: $(cat "$work/out")"
same "nodes" '["healthy",true]' "$("$BIN/status" --json | jq -c '[.nodes.backup_node.health_status, (.nodes.far_node.health_status | . == "critical" or . == "offline")]')"
same "the worst is what old clients read" 30 "$("$BIN/status" --json | jq .sync_queue_size)"
serve_up
must 200 POST /api/force-sync
run=$(body .run)
ended() { ask GET "/api/runs/$run" && [ "$(body .ended)" != null ]; }
wait_until 40 "the pass's end" ended
same "the run" '["failed",69,null,"proven","failed",2,4]' "$(body '[.state, .exit_code, .node, .nodes.backup_node.state, .nodes.far_node.state, .tables_proven, .tables_total]' | jq -c .)"
body .message | grep -q 'backup_node: all 2 tables are proven equal.*far_node: .*69' || fail "message: $(body .message)"
same "whose pass failed" '["far_node"]' "$(finding full_pass_failed)"
{ "$BIN/status" || true; } | grep -q 'do: pgtandem sync-full --node far_node' || fail "the mend does not name the node"
cluster_start far
stop_far # it would wait out its pause between two tries
follow_far
wait_until 20 "far_node" has_all far_node
equal_everywhere

# --- what differs on one is found and mended there alone ---
on_server far "delete from categories where name = 'more 7'" "update categories set name = 'wrong' where name = 'more 8'"
expect 0 "$BIN/status" force-sync --wait --json
same "the run" '["proven",0,2]' "$(jq -c '[.run.state, .run.exit_code, .run.nodes.far_node.tables["public.categories"].repaired]' "$work/out")"
same "mended" '0 2' "$(full backup_node '[.tables[].repaired] | add') $(full far_node '[.tables[].repaired] | add')"
same "last_full_sync of all" true "$(jq '.run | .last_full_sync == ([.nodes[].last_full_sync] | min)' "$work/out")"
equal_everywhere
wait_until 10 "a good health" "$BIN/status" health >/dev/null
same "no passes overdue" '[]' "$(finding full_pass_failed)"
serve_stop
stop_far
wait_until 5 "far_node's apply" found apply_stopped far_node
follow_stop capture
follow_stop apply

# --- by passes: the same, and what became of each is kept apart ---
primary "insert into categories (name) values ('by a pass')"
expect 0 "$BIN/sync-incremental"
equal_everywhere
same "the record" '[0,[0,0],[1,1]]' "$(incremental '[.exit_code, [.nodes[].exit_code], [.nodes[].read_back.equal]]')"
cluster_stop far immediate
primary "insert into categories (name) values ('by another')"
expect 69 "$BIN/sync-incremental"
told 'apply failed on far_node with exit code 69'
equal_tables categories
same "the record" '[69,"apply",0,69]' "$(incremental '[.exit_code, .failed, .nodes.backup_node.exit_code, .nodes.far_node.exit_code]')"
for node in nobody primary_node; do
  for pass in sync-incremental sync-full; do
    expect 64 "$BIN/$pass" --node "$node"
    ended_with "$pass" "no standby \"$node\"; name one of: backup_node, far_node"
  done
done
same "reports of standbys that there are not" "" "$(find "$work/state" -name 'full-sync.nobody.*' -o -name 'full-sync.primary_node.*')"
expect 0 "$BIN/sync-incremental" --node backup_node
same "whose pass failed" '["far_node"]' "$(finding pass_failed)"
cluster_start far
expect 0 "$BIN/sync-incremental" --if-due
equal_everywhere
expect 0 "$BIN/sync-incremental" --if-due
told 'not due for'
same "nothing left" '[]' "$(finding pass_failed)"
say "two standbys are served, proven and told of, each whatever becomes of the other"
