#!/usr/bin/env bash
# scripts/capture-to-queue: capture and queue put live and end together, whoever is killed, stopped or refused; first with
# programs that end as they are told, then on two real servers.
set -euo pipefail
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

# --- the script alone ---
mkdir -p "$work/fake"
running=
clusters_at_exit '[ -z "$running" ] || kill -TERM "$running" 2>/dev/null || true; pkill -KILL -f "$work/fake/" || true'
ln -s "$top/scripts/capture-to-queue" "$work/fake/capture-to-queue"
for program in capture queue; do printf '#!/bin/bash\necho "%s $*" >>"%s"\n' "$program" "$work/calls" >"$work/fake/$program"; done
# shellcheck disable=SC2016 # the programs' own variables
echo 'eval "${CAPTURE:-echo lines}"' >>"$work/fake/capture"
# shellcheck disable=SC2016
echo 'eval "${PUT:-cat >/dev/null}"' >>"$work/fake/queue"
chmod +x "$work/fake/"*
script=$work/fake/capture-to-queue
endless='trap "exit 0" TERM; while :; do sleep 0.1; done'

expect 0 "$script" --help
for arguments in --unknown -c extra; do expect 64 "$script" $arguments; done
: >"$work/calls"
expect 0 "$script" --config "$work/some file.yaml"
same "calls" "capture -c $work/some file.yaml --follow
queue -c $work/some file.yaml put" "$(sort "$work/calls")"

expect 69 env CAPTURE='exit 69' "$script"
told 'capture failed with exit code 69'
# put gives up while capture is idle, and while it writes
expect 73 env PUT='sleep 0.2; exit 73' CAPTURE="$endless" "$script"
told 'queue put failed with exit code 73'
expect 65 env PUT='exit 65' CAPTURE='while echo lines; do :; done 2>/dev/null; exit 74' "$script"
expect 70 env CAPTURE='kill -SEGV $$' "$script"
told 'capture died of signal 11'
expect 70 env PUT='kill -SEGV $$' CAPTURE="$endless" "$script"
told 'queue put died of signal 11'

# asked to stop, alone and with its whole group: capture first, put reads what is left
for whom in '' -; do
  : >"$work/got"
  rm -f "$work/ready" "$work/put-ready"
  setsid env CAPTURE="trap 'trap : TERM; echo last; exit 0' TERM; : >'$work/ready'; while :; do sleep 0.1; done" PUT="trap '' TERM; : >'$work/put-ready'; cat >'$work/got'" \
    "$script" 2>"$work/err" &
  running=$!
  wait_until 10 "both programs" test -e "$work/ready" -a -e "$work/put-ready"
  kill -TERM -- "$whom$running"
  code=0
  wait "$running" || code=$?
  same "exit code when asked to stop" 0 "$code"
  same "what put has read" last "$(cat "$work/got")"
done

# --- two servers ---
two_servers
images_tables
write_config 'images, categories' max_retry_attempts:1
link_up
script=$BIN/capture-to-queue
start() {
  # in a session of its own: what is left of it is then known from what other tests run
  setsid "$script" >>"$work/service.log" 2>&1 &
  running=$!
  wait_until 10 "both programs" eval 'pgrep -P "$running" -f "$BIN/capture" >/dev/null && pgrep -s "$running" -f "^$BIN/queue" >/dev/null'
}
ended() { # CODE WHAT
  local code=0
  wait "$running" || code=$?
  same "exit code, $2" "$1" "$code"
  same "left running, $2" "" "$(pgrep -s "$running" -a || true)"
}
start
primary "insert into categories (name) select 'category ' || i from generate_series(1, 1000) i"
wait_until 20 "the queue" eval '[ "$("$BIN/queue" stat --json | jq .nodes.backup_node.operations)" = 1000 ]'
kill -TERM "$running"
ended 0 "stopped"

for who in capture queue; do
  start
  if [ "$who" = capture ]; then child=$(pgrep -P "$running" -f "$BIN/capture"); else child=$(pgrep -s "$running" -f "^$BIN/queue"); fi
  kill -KILL "$child"
  ended 70 "its $who killed"
done

start
expect 75 "$script"
primary 'delete from categories where id % 2 = 0'
wait_until 20 "the queue" eval '[ "$("$BIN/queue" stat --json | jq .nodes.backup_node.operations)" = 1500 ]'
cluster_stop primary immediate
kill -TERM "$running"
ended 0 "stopped while the primary is away"
expect 78 "$script" -c "$work/no-such-file.yaml"
cluster_start primary
expect 0 "$BIN/apply"
equal_tables
say "capture and queue put live and end together"
