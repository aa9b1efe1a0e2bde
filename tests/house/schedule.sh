#!/usr/bin/env bash
# schedule.sh BIN-FOLDER [TREE]: what install-schedule writes for the example configuration is what the tree ships, follows other
# settings, is taken by systemd and is a crontab; and it refuses what it cannot do.
set -euo pipefail
bin=$(cd "$1" && pwd)
tree=${2:-$(cd "$(dirname "$0")/../.." && pwd)}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
fail() {
  printf '%s\n' "$*"
  exit 1
}
run() { # CODE ARGUMENT…: output in $work/out and $work/err
  local expected=$1 code=0
  shift
  "$bin/install-schedule" "$@" >"$work/out" 2>"$work/err" || code=$?
  [ "$code" = "$expected" ] || fail "install-schedule $*: exit code $code instead of $expected: $(cat "$work/err")"
}
has() { grep -qxF -- "$2" "$1" || fail "$1 has no line '$2': $(cat "$1")"; }

run 0 --help
for arguments in '' 'systemd cron' 'cron --root' 'launchd' 'cron --user a;b'; do
  read -ra words <<<"$arguments"
  run 64 "${words[@]}"
done
run 78 cron -c "$work/none.yaml"

# --- cron: the file that the tree ships, but for where programs and configuration are ---
example=$tree/config/distributed_ha_config.yaml
root=$work/root
run 0 cron -c "$example" --root "$root" --dry-run
[ ! -e "$root" ] || fail "--dry-run wrote"
run 0 cron -c "$example" --root "$root"
grep -q 'once a minute at most' "$work/err" || fail "not a word about an interval below a minute"
sed -E "s|$bin/|/usr/bin/|g; s| -c [^ ]*||" "$root/etc/cron.d/pgtandem" | diff "$tree/config/cron.d/pgtandem" - ||
  fail "config/cron.d/pgtandem is not what install-schedule cron writes"
jobs=$(grep -cE '^(\S+ ){5}pgtandem test -x (/\S+) && \2 sync-(incremental|full) -c /\S+ --if-due --quiet$' "$root/etc/cron.d/pgtandem")
[ "$jobs" = 2 ] || fail "$jobs passes in $root/etc/cron.d/pgtandem"
grep -qE '^(\* ){5}pgtandem test -x (/\S+) && \2 status health -c /\S+ --textfile /\S+/pgtandem[.]prom >/dev/null$' "$root/etc/cron.d/pgtandem" || fail "cron looks at no health"
sed 's/incremental_sync_interval: 10 /incremental_sync_interval: 90 /; s/full_sync_interval: 300/full_sync_interval: 7200/
  /^monitoring:/,/^\$/s/health_check_interval: 5/health_check_interval: 7.5/' "$example" >"$work/slow.yaml"
run 0 cron -c "$work/slow.yaml" --root "$root" --user backup
grep -q 'full_sync_interval is 7200 s' "$root/etc/cron.d/pgtandem" || fail "the interval is not that of the configuration"
! grep -q 'let systemd do it' "$root/etc/cron.d/pgtandem" || fail "cron can do 90 s"
grep -q '^\* \* \* \* \* backup test -x /' "$root/etc/cron.d/pgtandem" || fail "--user has no effect"

# --- systemd ---
etc=$root/etc/systemd/system
textfile=$(sed -n 's/.* --textfile \(\S*\) .*/\1/p' "$root/etc/cron.d/pgtandem")
grep -qF -- " --textfile $textfile" "$tree/config/systemd/pgtandem-health.service" || fail "systemd and cron write the metrics to two places"
has "$tree/config/systemd/pgtandem-health.service" "ReadWritePaths=-${textfile%/*}"
! grep -q 'metrics go to' "$work/err" || fail "a word about metrics where nobody reads them"
mkdir -p "$root${textfile%/*}"
run 0 systemd -c "$work/slow.yaml" --root "$root"
grep -q "metrics go to $textfile, once pgtandem may" "$work/err" || fail "not a word about metrics: $(cat "$work/err")"
grep -q "cron starts passes here too; .*rm $root/etc/cron.d/pgtandem" "$work/err" || fail "no word about cron's file beside systemd: $(cat "$work/err")"
grep -q 'from one of the two to the other: first systemctl disable --now' "$work/err" || fail "no word about changing ways: $(cat "$work/err")"
has "$etc/pgtandem-incremental.timer.d/schedule.conf" OnUnitActiveSec=90s
has "$etc/pgtandem-full.timer.d/schedule.conf" OnUnitInactiveSec=7200s
has "$etc/pgtandem-health.timer.d/schedule.conf" OnUnitActiveSec=7.5s
for timer in "$tree"/config/systemd/*.timer; do
  timer=${timer##*/}
  grep -q "enable --now .*$timer" "$work/err" || fail "no word about how $timer is enabled: $(cat "$work/err")"
done
mkdir -p "$etc/pgtandem.target.wants"
run 0 cron -c "$example" --root "$root"
! grep -q 'systemd starts them' "$work/err" || fail "systemd starts nothing here: $(cat "$work/err")"
touch "$etc/pgtandem.target.wants"/pgtandem-{capture.service,full.timer}
run 0 cron -c "$example" --root "$root"
grep -q 'for cron alone: systemctl disable --now pgtandem-capture.service pgtandem-full.timer$' "$work/err" || fail "no word about systemd's units beside cron's file: $(cat "$work/err")"
rm -r "$etc/pgtandem.target.wants"
has "$etc/pgtandem-.service.d/schedule.conf" "Environment=PGTANDEM_CONFIG=$work/slow.yaml"
! grep -q ReadWritePaths "$etc/pgtandem-.service.d/schedule.conf" || fail "the usual directories need no drop-in"
printf 'spool: {directory: queue}\nstate: {directory: /srv/state}\nlogging: {file: pgtandem.log}\n' >>"$work/slow.yaml"
run 0 systemd -c "$work/slow.yaml" --root "$root" --user root
for path in "$work/queue" /srv/state "$work"; do has "$etc/pgtandem-.service.d/schedule.conf" "ReadWritePaths=-$path"; done
has "$etc/pgtandem-.service.d/schedule.conf" User=root
mkdir "$work/odd %name"
cp "$example" "$work/odd %name/a.yaml"
run 78 systemd -c "$work/odd %name/a.yaml" --root "$root"

if command -v systemd-analyze >/dev/null; then
  cp -R "$tree/config/systemd/." "$etc"
  sed -i "s|/usr/libexec/pgtandem/|$bin/|" "$etc"/*.service
  cd "$etc"
  for unit in pgtandem-*.timer; do
    said=$(systemd-analyze verify --man=no "./$unit" 2>&1 | grep -F pgtandem || true)
    [ -z "$said" ] || fail "systemd-analyze verify: $said"
  done
  cd "$work"
fi

# --- where nothing may be written ---
: >"$work/file"
run 77 cron -c "$example" --root "$work/file"
left=$(find "$root" -name '*.new')
[ -z "$left" ] || fail "left behind: $left"
