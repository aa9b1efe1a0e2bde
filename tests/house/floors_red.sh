#!/usr/bin/env bash
# Proves that floors.sh and headers.sh can fail: plants each kind of breach in a throw-away house and wants it named.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
copy=$(mktemp -d)
trap 'rm -rf "$copy"' EXIT
kinds=0
fresh() {
  rm -rf "${copy:?}"/*
  cp -r "$here/../../libcore" "$here/../../cmd" "$copy/"
}
red() { # WHAT WORDS
  local out
  kinds=$((kinds + 1))
  if out=$("$here/floors.sh" "$copy"); then
    echo "floors.sh lets pass: $1"
    exit 1
  fi
  grep -qF "$2" <<<"$out" || {
    printf 'floors.sh does not name: %s\n%s\n' "$1" "$out"
    exit 1
  }
  fresh
}
fresh
"$here/floors.sh" "$copy" >/dev/null || { echo 'the house itself has a breach; see the test house_floors'; exit 1; }

echo '#include "apply/run.hpp"' >>"$copy/libcore/base/clock.cpp"
red 'a floor that includes a higher one' 'floor base includes from apply, which is not below it'
echo '  #  include  "apply/run.hpp"  // why' >>"$copy/libcore/capture/stream.cpp"
red 'a floor that includes one beside it' 'floor capture includes from apply'
echo '#include "clock.hpp"' >>"$copy/libcore/base/clock.cpp"
red 'a path that does not start at libcore' 'paths of ours start at libcore'
sed -i 's/^pgtandem_floor(base /&USES change /' "$copy/libcore/CMakeLists.txt"
red 'a floor that links a higher one' 'floor base uses change, which is no floor before it'
echo '#include <libpq-fe.h>' >>"$copy/libcore/apply/run.cpp"
red 'libpq outside pg' 'only libcore/pg may'
echo '#include <libpq-fe.h>' >>"$copy/libcore/pg/session.hpp"
red 'libpq in a header of pg' 'a header of ours includes libpq-fe'
echo '#include <CLI/CLI.hpp>' >>"$copy/cmd/apply/main.cpp"
red 'CLI11 in a program' 'only libcore/cli may'
echo '#include <nlohmann/json.hpp>' >>"$copy/libcore/config/settings.hpp"
red 'a heavy header in a header' 'a header of ours includes nlohmann'
printf '// long\n%.0s' {1..61} >>"$copy/cmd/apply/main.cpp"
red 'a long main' 'main() parses'
mkdir "$copy/libcore/attic"
red 'a folder that is no library' 'libcore/attic: no floor'
echo 'void f() { std::cout << 1; }' >>"$copy/libcore/apply/run.cpp"
red 'a library that prints' 'a library prints or exits'
sed -i 's/^pgtandem_floor(/floor(/' "$copy/libcore/CMakeLists.txt"
red 'floors that it can not read' 'no floors found'

rm -rf "${copy:?}"/*
mkdir -p "$copy/libcore/base"
echo 'inline std::string f() { return {}; }' >"$copy/libcore/base/text.hpp"
if out=$("$here/headers.sh" "$copy" 2>&1); then
  echo 'headers.sh lets pass: a header that leans on what others include'
  exit 1
fi
grep -q 'text.hpp does not compile alone' <<<"$out" || { printf '%s\n' "$out"; exit 1; }
echo "floors.sh sees all $kinds kinds of breach, headers.sh a header that can't stand alone"
