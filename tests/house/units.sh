#!/usr/bin/env bash
# units.sh BIN-FOLDER [TREE]: systemd takes the units of config/systemd without a word, each is sandboxed to 2.0 at most, what
# they start is there and knows the options that it is given, and the pages that they name exist.
set -euo pipefail
bin=$(cd "$1" && pwd)
tree=${2:-$(cd "$(dirname "$0")/../.." && pwd)}
if ! command -v systemd-analyze >/dev/null; then
  echo 'no systemd-analyze here; scripts/install-deps installs it'
  exit 77
fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
status=0
complain() {
  printf '%s\n' "$1"
  status=1
}

# A copy whose programs are those of the build.
mkdir "$work/units"
cp -R "$tree/config/systemd/." "$work/units"
sed -i "s|/usr/libexec/pgtandem/|$bin/|" "$work"/units/*.service
cd "$work/units"
units=(*.service *.timer *.target)
[ "${#units[@]}" -ge 3 ] || complain "only ${units[*]} found in $tree/config/systemd"

# Unit by unit: of all at once it would tell of the first that it does not like only.
for unit in "${units[@]}"; do
  said=$(systemd-analyze verify --man=no "./$unit" 2>&1) || complain "systemd-analyze verify $unit fails"
  # Units of the machine are not ours to judge.
  said=$(grep -F pgtandem <<<"$said" || true)
  [ -z "$said" ] || complain "systemd-analyze verify: $said"
done

for unit in *.service; do
  name=${unit%.service}
  exposure=$(systemd-analyze security --offline=true --no-pager "./$unit" 2>/dev/null |
    sed -n 's/.*exposure level for .*: \([0-9.]*\) .*/\1/p')
  awk -v level="${exposure:-10}" 'BEGIN { exit !(level <= 2.0) }' || complain "$unit is exposed to ${exposure:-an unknown level}, above 2.0"
  read -r program arguments < <(sed -n 's/^ExecStart=//p' "$unit")
  [ -x "$program" ] || continue # verify has said so
  help=$("$program" --help 2>&1) || complain "$name: $program --help fails"
  case $arguments in [a-z]*) help+=$'\n'$("$program" "${arguments%% *}" --help 2>&1) ;; esac # a command's own options
  for argument in $arguments; do
    case $argument in /*) continue ;; esac # a file is no word of the help
    grep -qE -- "(^|[ ,])$argument( |\$|,)" <<<"$help" || complain "$unit gives ${program##*/} $argument, which its --help does not have"
  done
done

while read -r page section; do
  [ -f "$tree/man/$page.$section" ] || complain "a unit names man:$page($section), and there is no $tree/man/$page.$section"
done < <(sed -n 's/^Documentation=//p' ./*.service ./*.timer ./*.target | tr ' ' '\n' | sed -n 's/^man:\(.*\)(\(.*\))$/\1 \2/p' | sort -u)
exit "$status"
