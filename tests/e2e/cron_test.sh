#!/usr/bin/env bash
# What cron runs, as cron runs it: the lines that install-schedule writes, all at once and again before they have ended, in an
# environment that has next to nothing. On a pair that is well none of them says a word, or somebody would get a mail; on one that
# is not, each alert is one mail, and the look at the health never is.
set -euo pipefail
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

two_servers
images_tables
write_config 'images, categories' 'full_sync_interval: 2' 'incremental_sync_interval: 1' 'max_retry_attempts: 0' 'alerts: {database_down: {threshold: 1}}'
link_up
primary "insert into categories (name) select 'category ' || n from generate_series(1, 40) n"
expect 0 "$BIN/sync-full"

"$BIN/install-schedule" cron --dry-run --user "$(id -un)" >"$work/crontab" 2>/dev/null
path=$(sed -n 's/^PATH=//p' "$work/crontab")
mapfile -t jobs < <(sed -n 's/^\(\* \)\{5\}[^ ]* //p' "$work/crontab")
same "jobs" 3 "${#jobs[@]}"
as_cron() { # JOB NAME: what it says is its mail
  env -i HOME="$work" LOGNAME="$(id -un)" SHELL=/bin/sh PATH="$path" sh -c "$1" >"$work/mail.$2" 2>&1
}

# --- a pair that is well, and written on meanwhile ---
started=()
for round in 1 2 3 4; do
  primary "insert into categories (name) select 'round $round, ' || n from generate_series(1, 200) n" "update categories set note = 'round $round' where id % 5 = 0"
  for n in 0 1 2; do
    as_cron "${jobs[n]}" "$round.$n" &
    started+=($!)
  done
  sleep 1.5
done
for i in "${!started[@]}"; do
  code=0
  wait "${started[i]}" || code=$?
  case $((i % 3)) in
    2) at_most "exit code of a look" 2 "$code" ;; # at what a pass just did
    *) same "exit code of a pass" 0 "$code" ;;
  esac
done
same "mails while all is well" "" "$(cat "$work"/mail.*)"
expect 0 "$BIN/sync-incremental"
equal_tables
[ "$(jq .last_full_sync "$work/state/full-sync.backup_node.json")" -gt $(($(date +%s) - 60)) ] || fail "no full pass ran"

# --- one that is not ---
cluster_stop standby
for n in 1 2 3; do as_cron "${jobs[2]}" "down.$n" || same "exit code of the look" 2 "$?"; done
same "the alert" 1 "$(grep -c 'alert database_down raised' "$work/mail.down.1")"
same "lines of its mail" 1 "$(wc -l <"$work/mail.down.1")"
same "mails after it" "" "$(cat "$work/mail.down.2" "$work/mail.down.3")"
cluster_start standby
as_cron "${jobs[2]}" up || true
same "that it is over" 1 "$(grep -c 'alert database_down cleared' "$work/mail.up")"
# --- and one whose state directory is on a full disk: each alert is one mail all the same, also what is to be counted first ---
mkdir "$work/disk"
if [ "$(id -u)" = 0 ] && mount -t tmpfs -o size=1m,mode=0700 tmpfs "$work/disk" 2>/dev/null; then
  clusters_at_exit "umount -l '$work/disk'"
  mv "$work/state" "$work/disk/state"
  ln -s disk/state "$work/state"
  write_config 'images, categories' 'max_retry_attempts: 0' 'alerts: {database_down: {threshold: 3, cooldown: 0}, disk_space: {}}' 'monitoring: {health_check_interval: 0.2}'
  as_cron "${jobs[2]}" room || true
  head -c 2M /dev/zero >"$work/disk/filler" 2>/dev/null || true
  cluster_stop standby
  for n in 1 2 3 4 5 6; do
    as_cron "${jobs[2]}" "full.$n" || true
    sleep 0.3
  done
  same "mails of a full disk" '1 1' "$(cat "$work"/mail.full.* | grep -c 'alert disk_space raised') $(cat "$work"/mail.full.* | grep -c 'alert database_down raised')"
  same "lines of them" 2 "$(cat "$work"/mail.full.* | wc -l)"
  rm "$work/disk/filler"
  cluster_start standby
  as_cron "${jobs[2]}" over || true
  same "that both are over" 2 "$(grep -c ' cleared' "$work/mail.over")"
else
  say "no tmpfs may be mounted here: a full disk is not tried"
fi
say "cron's jobs say what is wrong, once, and nothing else"
