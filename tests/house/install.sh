#!/usr/bin/env bash
# install.sh BUILD-FOLDER [TREE]: `cmake --install` elsewhere than below /usr, with DESTDIR and without, and under a umask that
# lets nobody read: what names programs by their paths, units, pages, cron's example and the schedules, names those that were
# installed; each file can be read by the services' user; and the list of what was installed is whole.
set -euo pipefail
build=$(cd "$1" && pwd)
tree=${2:-$(cd "$(dirname "$0")/../.." && pwd)}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
fail() {
  printf 'FAILED: %s\n' "$*"
  exit 1
}
same() { [ "$2" = "$3" ] || fail "$1: expected '$2', got '$3'"; }
umask 077

# ROOT PREFIX: all of an installation, which lies at ROOT and will be at /
look_at() {
  local root=$1 prefix=$2 at=$1$2 file name started=0
  same "programs of elsewhere" "" "$(grep -rnE '/usr/(bin/pgtandem|libexec/)' "$at/lib" "$at/share" || true)"
  for file in "$at"/lib/systemd/system/pgtandem-*.service; do
    name=$(sed -n 's/^ExecStart=\([^ ]*\).*/\1/p' "$file")
    case $name in "$prefix"/libexec/pgtandem/*) ;; *) fail "${file##*/} starts $name" ;; esac
    [ -x "$root$name" ] || fail "${file##*/} starts $name, which is not there"
    started=$((started + 1))
  done
  [ "$started" -ge 5 ] || fail "only $started services in $at/lib/systemd/system"
  same "units" "$(cd "$tree/config/systemd" && find . -type f | sort)" "$(cd "$at/lib/systemd/system" && find . -type f | sort)"
  same "pages" "$(cd "$tree/man" && printf '%s\n' *.[157] | sort)" "$(cd "$at/share/man" && find . -type f | sed 's|.*/||' | sort)"
  for file in lib/sysusers.d/pgtandem.conf lib/tmpfiles.d/pgtandem.conf share/doc/pgtandem/examples/{pgtandem.yaml,pgtandem.cron} \
    share/bash-completion/completions/pgtandem share/zsh/site-functions/_pgtandem; do
    [ -s "$at/$file" ] || fail "no $at/$file"
  done
  same "jobs of the example for cron" 3 "$(grep -cE "^(\* ){5}pgtandem test -x $prefix/bin/pgtandem && $prefix/bin/pgtandem " "$at/share/doc/pgtandem/examples/pgtandem.cron")"
  same "what others may not read" "" "$(find "$root" -type f ! -perm -o=r)"
  same "what others may write" "" "$(find "$root" -mindepth 1 -perm /022 ! -type l)"
  for file in "$at"/libexec/pgtandem/*; do
    [ -f "$file" ] || continue
    name=${file##*/}
    "$at/bin/pgtandem" "$name" --help >"$work/out" 2>&1 || fail "pgtandem $name --help: $(cat "$work/out")"
  done
  same "what the list of the installed lacks" "" "$(comm -23 <(cd "$root" && find . -type f | sed 's|^\.||' | sort) <(sort "$build/install_manifest.txt"))"
}

DESTDIR=$work/root cmake --install "$build" --prefix /usr/local >"$work/log" 2>&1 || fail "cmake --install: $(tail -n 5 "$work/log")"
look_at "$work/root" /usr/local
same "what the installation leaves in the build" "" "$(find "$build/config" -maxdepth 1 -name 'placed*')"

# Where it lies and will be are one place: what it makes of that, and what systemd thinks of the units.
opt=$work/opt
(cd "$work" && cmake --install "$build" --prefix opt >"$work/log" 2>&1) || fail "cmake --install: $(tail -n 5 "$work/log")"
same "what a second installation changes" "" "$(diff <(cd "$work/root/usr/local" && find . | sort) <(cd "$opt" && find . | sort))"
mkdir "$work/bin"
ln -s "$opt/bin/pgtandem" "$work/bin/pgtandem"
PATH=$work/bin:$PATH pgtandem install-schedule cron -c "$opt/share/doc/pgtandem/examples/pgtandem.yaml" --root "$work/etc" 2>"$work/log" || fail "$(cat "$work/log")"
same "jobs" 3 "$(grep -cE "^(\* ){5}pgtandem test -x $opt/bin/pgtandem && $opt/bin/pgtandem " "$work/etc/etc/cron.d/pgtandem")"
if command -v systemd-analyze >/dev/null; then
  cd "$opt/lib/systemd/system"
  said=$(systemd-analyze verify --man=no ./*.service ./*.timer ./*.target 2>&1 | grep -F pgtandem || true)
  [ -z "$said" ] || fail "systemd-analyze verify: $said"
fi
echo "installed elsewhere, everything names what is there"
