#!/usr/bin/env bash
# Clients that send a byte every 2 s, of a request or of what belongs to a POST, and clients that read nothing of what they are answered
# take all places of the server, and nobody notices: another one's request is answered within 100 ms at the 99th percentile; and a request
# has 5 s in all, however its bytes drip, and its answer too.
# serial: what runs beside it makes its milliseconds longer
set -euo pipefail
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
# shellcheck source=tests/e2e/api_lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/api_lib.sh"
clients=$e2e/slow/clients.pl

# shellcheck disable=SC2119 # its arguments are optional
two_servers
images_tables
write_config 'images, categories' "api: {ports: [$API0, $API1]}"
link_up
serve_up

for kind in head body deaf; do
  perl "$clients" "$API1" 1 0 "$kind" >"$work/cut.$kind" &
  FOLLOW[$kind]=$!
done
for kind in head body deaf; do
  wait "${FOLLOW[$kind]}"
  unset "FOLLOW[$kind]"
  cut=$(cat "$work/cut.$kind")
  case $cut in 'cut after 5.'* | 'cut after 4.9') ;; *) fail "$kind, a byte every quarter of a second: $cut s, not after 5 s" ;; esac
done
same "what a POST that never came to its end did" true "$("$BIN/status" is-enabled --json | jq .auto_sync_enabled)"

quiet=$(perl "$clients" "$API1" 0 100)
say "alone (ms): $quiet"
# Of 200 most are turned out at once, 64 being the places, and come again: that costs the server more than the promise is about.
for many in 64 200; do
  figures=$(perl "$clients" "$API1" "$many" 400)
  say "beside $many slow clients (ms): $figures"
  same "requests that failed beside $many slow clients" 0 "${figures##* }"
  p99=${figures#*p99 }
  limit=100
  [ "$many" = 64 ] || limit=250
  at_most "ms at the 99th percentile beside $many slow clients" "$limit" "${p99%%.*}"
done
same "the other port" 200 "$(curl -s -m 5 -o /dev/null -w '%{http_code}' "http://localhost:$API0/api/health")"
serve_stop
say "slow_clients_test: passed"
