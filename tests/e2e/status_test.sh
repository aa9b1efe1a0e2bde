#!/usr/bin/env bash
# status: show, monitor, health and metrics over a pair's life: not set up, set up, in step, behind; JSON fields, the plugins'
# language, promtool, alerts told once across runs, and a server that hangs, which holds nothing up.
set -euo pipefail
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

unset NO_COLOR PG_COLOR
look() { "$BIN/status" --json 2>>"$work/status.log" | jq -rc "$1"; }
code_of() { # CODE: the finding
  jq -rc --arg code "$1" '.findings[] | select(.code == $code) | .level' "$work/out"
}

two_servers
images_tables
write_config 'images, categories' 'full_sync_interval: 3600' "hooks: {on_alert: ['$work/alert']}" 'alerts: {database_down: {threshold: 2, cooldown: 0}}' 'monitoring: {health_check_interval: 3}'
cat >"$work/alert" <<'SH'
#!/bin/sh
exec cat >>"$(dirname "$0")/alerts"
SH
chmod +x "$work/alert"

# --- nothing is set up: said in words, with the command that does it ---
expect 2 "$BIN/status" health --json
same "the finding" critical "$(code_of not_set_up)"
expect 0 "$BIN/status"
grep -q 'do: pgtandem sync-full --init' "$work/out" || fail "no way out: $(cat "$work/out")"
[ -z "$(find "$work/state" -name '*.new' 2>/dev/null)" ] || fail "left something behind"

# --- in step ---
link_up
primary "insert into categories (name) select 'category ' || n from generate_series(1, 40) n"
follow_capture
follow_apply
wait_applied
expect 0 "$BIN/sync-full"
wait_until 10 "a good health" "$BIN/status" health >"$work/health"
expect 0 "$BIN/status" health
head -n 1 "$work/out" | grep -qE '^PGTANDEM OK - backup_node .* \| lag=[0-9.]+s;60;600 .*queue=0;1000 .*quarantined=0' || fail "$(cat "$work/out")"
same "lines where all is well" 1 "$(wc -l <"$work/out")"
caught_up() { [ "$(look .standbys.backup_node.caught_up)" = true ]; }
wait_until 10 "the standby where the primary is" caught_up
same "fields" '["ok",true,true,true,0,"primary_node","backup_node",true,true,true,[true,true]]' "$(look '[.status, .auto_sync_enabled, .is_monitoring,
  .by_services, .sync_queue_size, .current_primary, .local_node, .slot.exists, .slot.active, .spool.founded, [.standbys.backup_node.tables[].equal]]')"
same "nodes" '[["healthy","secondary",0],["healthy","primary",0]]' "$(look '[.nodes[] | [.health_status, .role, .failure_count]]')"
same "operations" 40 "$(look .standbys.backup_node.operations_total)"
look .time | grep -qE '^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:]{8}\.[0-9]{6}Z$' || fail "time: $(look .time)"
expect 0 "$BIN/status" show
grep -q '^pgtandem  *ok: backup_node' "$work/out" || fail "$(cat "$work/out")"
grep -q $'\033' "$work/out" && fail "colours where there is no terminal"
script -qc "TERM=xterm '$BIN/status'" /dev/null >"$work/out"
grep -q $'\033\[32m' "$work/out" || fail "no colours on a terminal"

# --- metrics, for a scrape and for the textfile collector ---
expect 0 "$BIN/status" metrics
cp "$work/out" "$work/metrics"
promtool check metrics <"$work/metrics" >"$work/out" 2>&1 || fail "promtool: $(cat "$work/out")"
[ ! -s "$work/out" ] || fail "promtool: $(cat "$work/out")"
grep -qx 'pgtandem_apply_operations_total{node="backup_node"} 40' "$work/metrics" || fail "$(grep operations_total "$work/metrics")"
grep -qx 'pgtandem_health_level 0' "$work/metrics" || fail "health level"
expect 0 "$BIN/status" metrics --textfile "$work/pgtandem.prom"
same "the file and what is left beside it" "pgtandem.prom 644" "$(cd "$work" && stat -c '%n %a' pgtandem.prom*)"
rm "$work/pgtandem.prom"
(umask 077 && "$BIN/status" health --textfile "$work/pgtandem.prom") >"$work/out" 2>"$work/err" || fail "health: $(cat "$work/out" "$work/err")"
same "what a look at the health leaves for node_exporter" "pgtandem.prom 644" "$(cd "$work" && stat -c '%n %a' pgtandem.prom*)"
grep -qx 'pgtandem_health_level 0' "$work/pgtandem.prom" || fail "its metrics: $(cat "$work/pgtandem.prom")"
expect 0 "$BIN/status" health --textfile "$work/none/pgtandem.prom"
same "what is said where there is no node_exporter" "" "$(cat "$work/err")"

# --- monitor: lines, or in place on a terminal, until it is stopped ---
"$BIN/status" monitor --interval 1 >"$work/lines" 2>"$work/err" &
monitor=$!
counted() { [ "$(grep -cE -- "$1" "$2")" -ge 2 ]; }
wait_until 15 "two lines of monitor" counted '^[0-9-]{10} [0-9:]{8} UTC ok queue 0 lag ' "$work/lines"
kill -TERM "$monitor"
wait "$monitor" || fail "monitor ended with $?"
"$BIN/status" monitor --json --interval 1 >"$work/lines" 2>"$work/err" &
monitor=$!
wait_until 15 "two JSON lines of monitor" counted '^[{].*[}]$' "$work/lines"
kill -TERM "$monitor"
wait "$monitor" || fail "monitor --json ended with $?"
while read -r line; do
  same "a JSON line of monitor" '["object","ok","number"]' "$(jq -c '[type, .status, (.sync_queue_size | type)]' <<<"$line")"
done <"$work/lines"
redrawn() { [ "$(grep -o $'\033\\[H' "$work/screen" | wc -l)" -ge 2 ]; }
TERM=xterm script -qec "'$BIN/status' monitor --interval 1" /dev/null >"$work/screen" 2>&1 &
monitor=$!
wait_until 15 "a screen that is drawn again in its place" redrawn
kill -TERM "$monitor"
wait "$monitor" || true
TERM=xterm script -qec "stty rows 6 cols 70 && '$BIN/status' monitor --interval 1" /dev/null >"$work/screen" 2>&1 &
monitor=$!
wait_until 15 "a low screen that is drawn again" redrawn
kill -TERM "$monitor"
wait "$monitor" || true
low=$(tr -d '\r' <"$work/screen" | awk 'BEGIN { RS = "\033\\[H" } NR == 2')
same "rows of a screen of six" 6 "$(wc -l <<<"$low")"
head -n 1 <<<"$low" | grep -q '^pgtandem .*ok.*backup_node' || fail "the verdict is not on a low screen: $low"

# --- a server that hangs: said within the deadline; an alert that is raised once, across runs, and cleared once ---
server=$(cluster_pid standby)
kill -STOP "$server"
clusters_at_exit "kill -CONT $server 2>/dev/null || true"
for n in 1 2 3; do
  began=$(date +%s%N)
  expect 2 "$BIN/status" health --json
  at_most "ms that a server which hangs takes, look $n" 5000 $((($(date +%s%N) - began) / 1000000))
  same "the finding" critical "$(code_of standby_hangs)"
done
same "offline after three looks" '["offline",4]' "$(look '.nodes.backup_node | [.health_status, .failure_count]')"
same "raised" '[["raised","database_down","backup_node",2]]' "$(jq -sc 'map([.event, .alert, .node, .value])' "$work/alerts")"
# What cron and systemd make of it: no mail each minute, no unit that failed.
job=$("$BIN/install-schedule" cron --dry-run --user "$(id -un)" 2>/dev/null | sed -n 's/^\(\* \)\{5\}[^ ]* \(.* status health .*\)/\2/p')
code=0
sh -c "$job" >"$work/mail" 2>&1 || code=$?
same "how cron's look ends" 2 "$code"
same "its mail" "" "$(cat "$work/mail")"
grep -qE "^SuccessExitStatus=(.* )?$code( |\$)" "$top/config/systemd/pgtandem-health.service" || fail "a look that finds $code is a unit that failed"
kill -CONT "$server"
answers() { [ "$(look .nodes.backup_node.failure_count)" = 0 ]; }
wait_until 10 "an answer" answers
"$BIN/status" health >"$work/out" || true
"$BIN/status" health >"$work/out" || true
same "cleared" '["raised","cleared"]' "$(jq -sc 'map(.event)' "$work/alerts")"

follow_stop
say "status tells how the backup is, to people, programs, Prometheus and alerts"
