#!/usr/bin/env bash
# package.sh BUILD-FOLDER [TREE]: the Debian package is made, lintian has no error in it, and dpkg installs it into a root of its
# own, where programs, pages, completions and units are where they belong, user and directories are made, nothing is enabled, an
# edited configuration stays, and removing and purging leave what they should, also of what was enabled. In that root no init runs and no server: that
# units start is units.sh's and a real machine's to show. Dependencies count against the packages of this machine.
set -euo pipefail
build=$(cd "$1" && pwd)
tree=${2:-$(cd "$(dirname "$0")/../.." && pwd)}
for program in dpkg-shlibdeps dpkg-deb systemd-sysusers systemd-tmpfiles systemctl; do
  command -v "$program" >/dev/null || { echo "no $program here; scripts/install-deps installs it"; exit 77; }
done
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
chmod 755 "$work"
fail() {
  printf 'FAILED: %s\n' "$*"
  exit 1
}
same() { [ "$2" = "$3" ] || fail "$1: expected '$2', got '$3'"; }

# --- made ---
(cd "$work" && cpack --config "$build/CPackConfig.cmake" -G DEB -B "$work/cpack" >"$work/log" 2>&1) || fail "cpack: $(tail -n 20 "$work/log")"
deb=$(find "$work" -name 'pgtandem_*.deb' -not -path '*/_CPack_Packages/*')
[ -f "$deb" ] || fail "no package in $work: $(cat "$work/log")"
depends=$(dpkg-deb -f "$deb" Depends)
for package in libpq5 libyaml-cpp libzstd1 libmicrohttpd jq systemd; do
  grep -q "$package" <<<"$depends" || fail "Depends lacks $package: $depends"
done
if command -v lintian >/dev/null; then
  found=$(lintian --fail-on none --allow-root "$deb" 2>&1 | grep '^E:' || true)
  [ -z "$found" ] || fail "lintian: $found"
else
  echo 'no lintian here; scripts/install-deps installs it'
fi

if [ "$(id -u)" != 0 ]; then
  echo "not root: the package was made and looked at, and NOT installed, upgraded, removed and purged; run as root: $0 $build"
  exit 77
fi

# --- a user that comes from elsewhere, and no group of that name in the files: it is configured all the same ---
elsewhere=$work/elsewhere
mkdir -p "$elsewhere/etc/pgtandem" "$work/stubs"
touch "$elsewhere/etc/group" "$elsewhere/etc/pgtandem/pgtandem.yaml"
for stub in systemd-sysusers systemd-tmpfiles; do printf '#!/bin/sh\n' >"$work/stubs/$stub"; done
chmod 755 "$work/stubs"/*
DPKG_ROOT=$elsewhere PATH=$work/stubs:$PATH sh "$tree/config/debian/postinst" configure '' 2>"$work/log" || fail "postinst without a group: $(cat "$work/log")"
same "the mode of its configuration" 640 "$(stat -c %a "$elsewhere/etc/pgtandem/pgtandem.yaml")"
grep -q 'no group pgtandem' "$work/log" || fail "not a word about the group: $(cat "$work/log")"

# --- installed ---
root=$work/root
mkdir -p "$root"/{etc,usr/bin,usr/sbin,usr/lib,var/lib/dpkg/info,var/lib/dpkg/updates}
for folder in bin sbin lib; do ln -s "usr/$folder" "$root/$folder"; done
cp /var/lib/dpkg/status "$root/var/lib/dpkg/status"
# Another pgtandem on this machine is not in that root.
mkdir "$root/run"
dpkg_in_root() { dpkg --root="$root" --force-script-chrootless --log=/dev/null "$@" >"$work/log" 2>&1; }
state() { dpkg-query --admindir="$root/var/lib/dpkg" -W -f '${db:Status-Status}' pgtandem 2>/dev/null || echo gone; }
dpkg_in_root -i "$deb" || fail "dpkg -i: $(cat "$work/log")"
same "state" installed "$(state)"
grep -q '^pgtandem:.*:/var/lib/pgtandem:/usr/sbin/nologin$' "$root/etc/passwd" || fail "no user pgtandem: $(cat "$root/etc/passwd")"
user=$(sed -n 's/^pgtandem:[^:]*:\([0-9]*\):\([0-9]*\):.*/\1:\2/p' "$root/etc/passwd")
for folder in var/lib/pgtandem var/spool/pgtandem; do same "$folder" "$user 750" "$(stat -c '%u:%g %a' "$root/$folder")"; done
same "the configuration" "0:${user#*:} 640" "$(stat -c '%u:%g %a' "$root/etc/pgtandem/pgtandem.yaml")"
same "what is enabled" "" "$(find "$root/etc/systemd" -name 'pgtandem*' 2>/dev/null || true)"

for program in "$tree"/cmd/*/main.cpp; do
  program=$(basename "$(dirname "$program")")
  same "$program --version" "$program (pgtandem) $(dpkg-deb -f "$deb" Version | sed 's/-.*//')" "$("$root/usr/bin/pgtandem" "$program" --version)"
done
"$root/usr/bin/pgtandem" config -c "$root/etc/pgtandem/pgtandem.yaml" 2>/dev/null | jq -e '.local_node == "backup_node"' >/dev/null ||
  fail "the installed configuration does not parse"
for script in sync-incremental sync-full capture-to-queue install-schedule; do "$root/usr/bin/pgtandem" "$script" --help >/dev/null || fail "$script --help"; done
for page in "$tree"/man/*.[1-9]; do
  section=${page##*.}
  zcat "$root/usr/share/man/man$section/${page##*/}.gz" | cmp - "$page" || fail "no page ${page##*/}"
done
for file in usr/share/bash-completion/completions/pgtandem usr/share/zsh/vendor-completions/_pgtandem usr/share/pgtandem/prometheus/rules.yml \
  usr/share/pgtandem/grafana/pgtandem.json usr/share/doc/pgtandem/{README.md,copyright,changelog.gz} \
  usr/lib/systemd/system/pgtandem-.service.d/sandbox.conf; do
  [ -s "$root/$file" ] || fail "no $file"
done
while read -r program; do [ -x "$root$program" ] || fail "a unit starts $program, and it is not there"; done \
  < <(sed -n 's/^ExecStart=\([^ ]*\).*/\1/p' "$root"/usr/lib/systemd/system/pgtandem-*.service)
"$root/usr/bin/pgtandem" install-schedule cron -c "$root/etc/pgtandem/pgtandem.yaml" --root "$root" 2>/dev/null
"$root/usr/bin/pgtandem" install-schedule systemd -c "$root/etc/pgtandem/pgtandem.yaml" --root "$root" 2>/dev/null
mapfile -t units < <(cd "$tree/config/systemd" && grep -l '^\[Install\]' ./*.service ./*.timer ./*.target | sed 's|^\./||')
[ "${#units[@]}" -ge 7 ] || fail "only ${units[*]} can be enabled"
systemctl --root="$root" enable "${units[@]}" >"$work/log" 2>&1 || fail "systemctl enable: $(cat "$work/log")"
for unit in "${units[@]}"; do
  [ -n "$(find "$root/etc/systemd/system" -path "*.wants/$unit" -type l)" ] || fail "$unit is not enabled: $(cat "$work/log")"
done
mkdir "$root/etc/systemd/system/pgtandem-apply.service.d"
touch "$root/etc/systemd/system/pgtandem-apply.service.d/override.conf"

# --- once more, as an upgrade: what was edited stays ---
echo '# edited' >>"$root/etc/pgtandem/pgtandem.yaml"
chmod 600 "$root/etc/pgtandem/pgtandem.yaml"
touch "$root/var/spool/pgtandem/waits"
dpkg_in_root -i "$deb" || fail "dpkg -i once more: $(cat "$work/log")"
same "the edited configuration" "# edited 600" "$(tail -n 1 "$root/etc/pgtandem/pgtandem.yaml") $(stat -c %a "$root/etc/pgtandem/pgtandem.yaml")"
same "users" 1 "$(grep -c '^pgtandem:' "$root/etc/passwd")"

# --- removed: programs go, data, configuration and schedule stay; purged: all goes but the user ---
dpkg_in_root -r pgtandem || fail "dpkg -r: $(cat "$work/log")"
same "state" config-files "$(state)"
for file in etc/pgtandem/pgtandem.yaml var/spool/pgtandem/waits etc/cron.d/pgtandem; do [ -e "$root/$file" ] || fail "remove took $file"; done
same "what remove leaves in usr" "" "$(find "$root/usr" -name '*pgtandem*')"
dpkg_in_root -P pgtandem || fail "dpkg -P: $(cat "$work/log")"
same "state" gone "$(state | sed 's/not-installed/gone/')"
override=$root/etc/systemd/system/pgtandem-apply.service.d
[ -e "$override/override.conf" ] || fail "purge took an administrator's own drop-in"
rm -r "$override"
same "what purge leaves" "" "$(find "$root" -path "$root/var/lib/dpkg" -prune -o -name '*pgtandem*' -print)"
echo "the package is made, installed, upgraded, removed and purged"
