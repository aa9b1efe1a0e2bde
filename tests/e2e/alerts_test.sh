#!/usr/bin/env bash
# Alerts across runs of status health: told once within their cooldown, by however many at once; a program that fails or hangs loses none
# and holds no check up; a memory that is garbage is said, and begun anew. No server runs: that is what is told.
set -euo pipefail
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

PRIMARY_URL=postgresql://nobody@127.0.0.1:1/crawler
# shellcheck disable=SC2034 # for lib.sh
STANDBY_URL=$PRIMARY_URL
for name in takes fails hangs; do printf '#!/bin/sh\ncat >>"%s/%s.jsonl"\n' "$work" "$name" >"$work/$name"; done
echo 'exit 1' >>"$work/fails"
echo 'exec sleep 600' >>"$work/hangs"
chmod +x "$work/takes" "$work/fails" "$work/hangs"
hook() { write_config 'images' "hooks: {on_alert: [./$1]}" 'alerts: {database_down: {threshold: 1, cooldown: 3600}}'; }
down='[["raised","backup_node"],["raised","primary_node"]]'
events() { jq -sc 'map([.event, .node]) | sort' "$work/$1.jsonl"; }
health() { expect 2 "$BIN/status" health; }

# --- once, though several look at the same time, and after one another ---
hook takes
for n in 1 2 3 4; do
  "$BIN/status" health >"$work/out.$n" 2>&1 &
  FOLLOW[health$n]=$!
done
for n in 1 2 3 4; do
  code=0
  wait "${FOLLOW[health$n]}" || code=$?
  unset "FOLLOW[health$n]"
  same "exit code of one of four" 2 "$code"
done
health
health
same "told by six looks" "$down" "$(events takes)"
! grep -q 'on_alert\|alerts' "$work/err" || fail "where all went well it said: $(cat "$work/err")"

# --- its memory is garbage: said, raised again, and then as before ---
for garbage in '' '[{"alert":' '[7]' '{"alert":"database_down"}'; do
  printf '%s' "$garbage" >"$work/state/alerts.json"
  rm "$work/takes.jsonl"
  health
  told 'alerts.json is damaged and begun anew; alerts that stand are raised again'
  health
  same "told after '$garbage'" "$down" "$(events takes)"
  ! grep -q 'damaged' "$work/err" || fail "it was not replaced: $(cat "$work/err")"
done

# --- a program that fails, or is not there: said, and the same is told again until one takes it ---
rm "$work/state/alerts.json"
hook fails
for n in 1 2; do
  health
  told 'hook on_alert: .*/fails ended with 1; it is told the same again the next time'
done
same "told to the one that fails" "$(jq -c '. + . | sort' <<<"$down")" "$(events fails)"
hook absent
health
told 'hook on_alert: .*/absent cannot be run: .*; it is told the same again the next time'

# --- one that hangs: the answer comes in less than the 10 s that a monitoring check is given, and nothing of it is left ---
hook hangs
began=$(date +%s%N)
health
at_most "ms for a health beside a program that hangs" 9500 $((($(date +%s%N) - began) / 1000000))
told 'hook on_alert: .*/hangs hangs; it is told the same again the next time'
head -n 1 "$work/out" | grep -q '^PGTANDEM CRITICAL - ' || fail "the answer: $(cat "$work/out")"
same "told to the one that hangs" "$down" "$(events hangs)"
! pgrep -f "$work/hangs" >/dev/null || fail "the program that hangs is still there"

# --- none of it was lost ---
rm "$work/takes.jsonl"
hook takes
health
health
same "told at last" "$down" "$(events takes)"
say "alerts_test: passed in $SECONDS s"
