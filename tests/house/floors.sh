#!/usr/bin/env bash
# The walls of the house: floors.sh [TREE]. Prints each breach with the reason and exits 1 when there is one. Who may use
# whom stands once, in libcore/CMakeLists.txt (USES); this reads it there.
set -euo pipefail
tree=${1:-$(cd "$(dirname "$0")/../.." && pwd)}
cd "$tree"
breaches=0
breach() {
  printf '%s\n' "$1"
  breaches=$((breaches + 1))
}

declare -A uses=()
while read -r floor lower; do uses[$floor]=" $floor $lower "; done < <(
  sed -n 's/^pgtandem_floor(\([a-z_]*\)\(.*\))$/\1\2/p' libcore/CMakeLists.txt | sed 's/ PACKAGES.*//; s/ USES//'
)
[ "${#uses[@]}" -ge 2 ] || breach "libcore/CMakeLists.txt: no floors found; this check reads its pgtandem_floor() lines"

for folder in libcore/*/; do
  floor=$(basename "$folder")
  [ -n "${uses[$floor]:-}" ] || breach "libcore/$floor: no floor of this name in libcore/CMakeLists.txt; every folder is a library"
done

while IFS=: read -r file line include; do
  floor=$(cut -d / -f 2 <<<"$file")
  other=$(sed 's/.*"\([a-z_]*\)\/.*/\1/' <<<"$include")
  case "${uses[$floor]:-}" in
    *" $other "*) ;;
    *) breach "$file:$line: floor $floor includes from $other, which is not below it (USES in libcore/CMakeLists.txt); move what it needs down" ;;
  esac
done < <(grep -rnE '^#include "[a-z_]+/' libcore --include='*.cpp' --include='*.hpp')

# Heavy headers stay inside the one floor that wraps them; in our own headers they would slow every file down.
heavy() { # PATTERN FLOOR-OR-- WHY
  local file
  while read -r file; do
    [ -n "$file" ] || continue
    case $file in
      *.hpp) breach "$file: includes $1; $3" ;;
      libcore/$2/*) ;;
      *) [ "$2" = - ] || breach "$file: includes $1, which only libcore/$2 may; $3" ;;
    esac
  done < <(grep -rlE "^#include <$1" libcore cmd --include='*.cpp' --include='*.hpp' || true)
}
heavy 'libpq-fe' pg 'one floor speaks to servers'
heavy 'yaml-cpp' config 'one floor reads YAML'
heavy 'CLI/' cli 'one floor parses options'
heavy 'spdlog' cli 'one floor writes logs'
heavy 'nlohmann' - 'it costs every file that includes it seconds to compile'

for main in cmd/*/main.cpp; do
  lines=$(wc -l <"$main")
  [ "$lines" -le 60 ] || breach "$main: $lines lines; main() parses, calls and maps, 60 lines at most: the rest belongs to libcore"
done

if grep -rnE '\b(std::cout|std::cerr|printf\(|std::exit|abort\(\))' libcore --include='*.cpp' --include='*.hpp' |
  grep -vE 'snprintf|libcore/cli/|//.*(cout|cerr|printf|exit)'; then
  breach "libcore prints or exits (above); a library returns values and throws, the command decides"
fi
[ "$breaches" = 0 ] || { printf '%s breaches\n' "$breaches"; exit 1; }
echo "floors: ${#uses[@]} libraries, no breach"
