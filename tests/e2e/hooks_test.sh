#!/usr/bin/env bash
# Hooks are told what became of each operation, and never hold up the sync: one that hangs, dies or is not there costs
# its events, which are counted, and nothing else.
set -euo pipefail
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
# shellcheck source=tests/e2e/bad_lib.sh
. "$e2e/bad_lib.sh"

two_servers
both "create table pairs (id int primary key, n int)"
standby "alter table pairs add constraint small check (n < 1000)"
config() { write_config 'pairs' "$@"; }
config
link_up
for name in complete conflict failure; do printf '#!/bin/sh\ncat >>"%s/%s.jsonl"\n' "$work" "$name" >"$work/$name"; done
printf '#!/bin/sh\nexit 3\n' >"$work/dies"
printf '#!/bin/sh\nsleep 600\n' >"$work/hangs"
chmod +x "$work/complete" "$work/conflict" "$work/failure" "$work/dies" "$work/hangs"

# --- each operation once, after it was committed ---
config 'hooks: {on_sync_complete: [./complete], on_conflict: [./conflict], on_failure: [./failure]}'
primary "truncate pairs"
pass
expect 0 "$BIN/apply"
same "a truncate's event" '["backup_node",["public.pairs"],"truncate","applied",true,null]' "$(jq -c '[.node, .tables, .type, .result, .success, .error]' "$work/complete.jsonl")"
rm "$work/complete.jsonl"
standby "insert into pairs values (7, 70)"
primary "insert into pairs select n, n from generate_series(1, 500) n" "update pairs set n = 5000 where id = 3" "delete from pairs where id = 4"
pass
expect 1 "$BIN/apply"
same "applied" 500 "$(wc -l <"$work/complete.jsonl")"
same "ids, each once" 500 "$(jq -r .operation_id "$work/complete.jsonl" | sort -u | wc -l)"
same "an event" '["backup_node","public.pairs","delete","applied",true,null]' "$(jq -c 'select(.type == "delete") | [.node, .table, .type, .result, .success, .error]' "$work/complete.jsonl")"
same "the conflict" '["insert","conflict insert_exists",true]' "$(jq -c '[.type, .result, .success]' "$work/conflict.jsonl")"
same "the failure" '["update","quarantined",false]' "$(jq -c '[.type, .result, .success]' "$work/failure.jsonl")"
jq -r .error "$work/failure.jsonl" | grep -q 'violates check constraint "small"' || fail "the failure has no reason: $(cat "$work/failure.jsonl")"

# --- what ends apply is a failure, too ---
config 'hooks: {on_failure: [./failure]}' 'conflict_resolution: stop'
standby "insert into pairs values (600, 1)"
primary "insert into pairs values (600, 2)"
pass
expect 65 "$BIN/apply"
same "the failure" '[null,false]' "$(tail -n 1 "$work/failure.jsonl" | jq -c '[.operation_id, .success]')"

# --- one that dies, one that is not there, one that hangs ---
for hook in ./dies ./absent; do
  config "hooks: {on_sync_complete: [$hook]}"
  primary "update pairs set n = n + 1 where id > 400"
  pass
  expect 1 "$BIN/apply"
  grep -q "hook on_sync_complete: .*${hook#./}.*; [0-9]* events are lost" "$work/err" || fail "nothing is said of $hook: $(cat "$work/err")"
  grep -q "events were dropped" "$work/err" || fail "what $hook did not take is not counted: $(cat "$work/err")"
done
config "hooks: {on_sync_complete: [./hangs], on_conflict: [./hangs], on_failure: [./hangs]}"
standby "insert into pairs values (700, 1)"
primary "update pairs set n = n + 1 where id > 400" "insert into pairs values (700, 2), (701, 5000)"
pass
started=$SECONDS
expect 1 "$BIN/apply"
at_most "seconds that three hooks which hang took at the end, together" 9 $((SECONDS - started))
for hook in on_sync_complete on_conflict on_failure; do
  grep -q "hook $hook: .*hangs was not done when apply ended" "$work/err" || fail "nothing is said of $hook, which hangs: $(cat "$work/err")"
done
! pgrep -f "$work/hangs" >/dev/null || fail "the program that hangs is still there"
follow_apply
primary "update pairs set n = n + 1 where id = 500"
pass
wait_until 10 "the update, beside a hook that hangs" eval '[ "$(standby "select n from pairs where id = 500")" = "$(primary "select n from pairs where id = 500")" ]'
# more than waits for it: told while apply runs, and not with each event
primary "insert into pairs select n, 1 from generate_series(10001, 80000) n"
pass
wait_until 60 "word of events that were dropped" log_has "$work/apply.log" 'warn .*hook on_sync_complete: [0-9]+ events were dropped'
wait_applied 60
at_most "lines on that" 3 "$(grep -c 'events were dropped' "$work/apply.log")"
follow_stop
log_has "$work/apply.log" 'hook on_sync_complete: [0-9]{5,} events were dropped' || fail "not all are counted: $(grep dropped "$work/apply.log")"
standby "alter table pairs drop constraint small"
config
expect 0 "$BIN/queue" dead retry all
expect 0 "$BIN/apply"
equal_tables
say "hooks_test: passed in $SECONDS s"
