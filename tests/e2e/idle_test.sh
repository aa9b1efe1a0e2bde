#!/usr/bin/env bash
# serial: what runs beside it makes its seconds longer
# Nothing to do costs nothing, and takes no time: `queue put` once woke for ever by the note of its last sync, and took a processor. Nor does a
# server that ends idle sessions.
set -euo pipefail
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

two_servers
images_tables
both "alter role pgtandem set idle_session_timeout = '1s'" # a common setting, which is not meant for a quiet pair
write_config "images, categories"
link_up
follow_capture
follow_apply
primary "insert into categories (name) values ('the last for a while')"
wait_applied

# User and system time of all its threads, in hundredths of a second.
ticks() { sed 's/.*) //' "/proc/$1/stat" | awk '{ print $12 + $13 }'; }
sleep 1.5 # what a keepalive moved is made durable a second later
declare -A before=()
for name in capture put apply; do before[$name]=$(ticks "${FOLLOW[$name]}"); done
sleep 4
for name in capture put apply; do
  at_most "hundredths of a second of processor that $name took in 4 idle seconds" 8 "$(($(ticks "${FOLLOW[$name]}") - before[$name]))"
done

primary "insert into categories (name) values ('and on')"
wait_applied
equal_tables
! grep -H 'idle-session timeout' "$work"/*.log || fail "the server ended a session that had nothing to do"
follow_stop

# --- nor does a pass with nothing new wait: the server tells where it is only to who says that he is not there yet, and then
# not before wal_sender_timeout has half passed (30 s) ---
for _ in 1 2 3 4 5 6; do
  began=$SECONDS
  "$BIN/capture" 2>>"$work/capture.log" | "$BIN/queue" put 2>>"$work/put.log"
  at_most "seconds of a pass with nothing new" 8 $((SECONDS - began))
done
say "idle_test: passed"
