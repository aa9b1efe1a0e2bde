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

# The floors from the ground up, and what each may include: itself and what it USES, which stands above it in that file.
declare -A uses=()
while read -r floor lower; do
  uses[$floor]=" $floor $lower "
  for other in $lower; do
    [ -n "${uses[$other]:-}" ] ||
      breach "libcore/CMakeLists.txt: floor $floor uses $other, which is no floor before it; the order of that file is the house's order"
  done
done < <(sed -n 's/^pgtandem_floor(\([a-z_]*\)\(.*\))$/\1\2/p' libcore/CMakeLists.txt | sed 's/ PACKAGES.*//; s/ USES//')
[ "${#uses[@]}" -ge 2 ] || breach "libcore/CMakeLists.txt: no floors found; this check reads its pgtandem_floor() lines"

for folder in libcore/*/; do
  floor=$(basename "$folder")
  [ -n "${uses[$floor]:-}" ] || breach "libcore/$floor: no floor of this name in libcore/CMakeLists.txt; every folder is a library"
done

includes() { # PATTERN; prints file:line:the include
  grep -rnE "^[[:space:]]*#[[:space:]]*include[[:space:]]*$1" libcore cmd --include='*.cpp' --include='*.hpp' || true
}

while IFS=: read -r file line include; do
  other=${include#*\"}
  other=${other%%\"*}
  if [[ $other != */* ]]; then
    breach "$file:$line: includes \"$other\"; paths of ours start at libcore, as in \"base/error.hpp\""
    continue
  fi
  [[ $file == libcore/* ]] || continue # a program may use every floor
  floor=${file#libcore/}
  floor=${floor%%/*}
  case "${uses[$floor]:-}" in
    *" ${other%%/*} "*) ;;
    *) breach "$file:$line: floor $floor includes from ${other%%/*}, which is not below it (USES in libcore/CMakeLists.txt); move what it needs down" ;;
  esac
done < <(includes '"')

# Heavy headers stay inside the one floor that wraps them; in our own headers they would slow every file down.
heavy() { # PATTERN FLOOR-OR-- WHY
  local file line
  while IFS=: read -r file line _; do
    case $file in
      *.hpp) breach "$file:$line: a header of ours includes $1; $3" ;;
      libcore/"$2"/*) ;;
      *) [ "$2" = - ] || breach "$file:$line: includes $1, which only libcore/$2 may; $3" ;;
    esac
  done < <(includes "[<\"]$1")
}
heavy 'libpq-fe' pg 'one floor speaks to servers'
heavy 'yaml-cpp' config 'one floor reads YAML'
heavy 'CLI/' cli 'one floor parses options'
heavy 'spdlog' cli 'one floor writes logs'
heavy 'nlohmann' - 'it costs every file that includes it seconds to compile'
heavy 'simdjson' - 'it costs every file that includes it seconds to compile'

for main in cmd/*/main.cpp; do
  lines=$(wc -l <"$main")
  [ "$lines" -le 60 ] || breach "$main: $lines lines; main() parses, calls and maps, 60 lines at most: the rest belongs to libcore"
done

while IFS=: read -r file line code; do
  breach "$file:$line: a library prints or exits: ${code#"${code%%[![:space:]]*}"}; it returns values and throws, the command decides"
done < <(grep -rnE '\b(std::(cout|cerr|clog)|f?printf\(|f?puts\(|std::exit\(|abort\(\))' libcore --include='*.cpp' --include='*.hpp' |
  sed 's,//.*,,' | grep -E '\b(std::(cout|cerr|clog)|f?printf\(|f?puts\(|std::exit\(|abort\(\))' || true)

[ "$breaches" = 0 ] || { printf '%s breaches\n' "$breaches"; exit 1; }
echo "floors: ${#uses[@]} libraries, no breach"
