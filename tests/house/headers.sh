#!/usr/bin/env bash
# Every header of ours compiles alone, since it includes what it uses: headers.sh [TREE]. Where the .cpp of its name
# includes it before all else, the build has shown that already; the others are compiled here.
set -euo pipefail
cd "${1:-$(dirname "$0")/../..}"
find libcore -name '*.hpp' -print0 | xargs -0 -P "$(nproc)" -I{} sh -c '
  first=$(grep -m 1 "^#include" "${1%.hpp}.cpp" 2>/dev/null) || true
  [ "$first" != "#include \"${1#libcore/}\"" ] || exit 0
  "${CXX:-c++}" -std=c++20 -fsyntax-only -Ilibcore -include "$1" -x c++ /dev/null && exit
  echo "$1 does not compile alone; include what it uses"
  exit 1' _ {}
