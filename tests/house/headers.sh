#!/usr/bin/env bash
# Every header of ours compiles alone, since it includes what it uses: headers.sh [TREE].
set -euo pipefail
cd "${1:-$(dirname "$0")/../..}"
find libcore -name '*.hpp' -print0 | xargs -0 -P "$(nproc)" -I{} sh -c '
  "${CXX:-c++}" -std=c++20 -fsyntax-only -Ilibcore -include "$1" -x c++ /dev/null && exit
  echo "$1 does not compile alone; include what it uses"
  exit 1' _ {}
