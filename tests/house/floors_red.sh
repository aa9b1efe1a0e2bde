#!/usr/bin/env bash
# Proves that floors.sh can fail: plants each kind of breach in a throw-away copy and wants it named.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
copy=$(mktemp -d)
trap 'rm -rf "$copy"' EXIT
fresh() {
  rm -rf "${copy:?}"/*
  cp -r "$here/../../libcore" "$here/../../cmd" "$copy/"
}
red() { # WHAT PATTERN
  local out
  if out=$("$here/floors.sh" "$copy"); then echo "floors.sh let pass: $1"; exit 1; fi
  grep -q "$2" <<<"$out" || { echo "floors.sh does not name: $1"; printf '%s\n' "$out"; exit 1; }
}
fresh
"$here/floors.sh" "$copy" >/dev/null
echo '#include "apply/run.hpp"' >>"$copy/libcore/base/clock.cpp"
red 'a floor that includes a higher one' 'floor base includes from apply'
fresh
echo '#include <libpq-fe.h>' >>"$copy/libcore/apply/run.cpp"
red 'libpq outside pg' 'only libcore/pg may'
fresh
echo '#include <nlohmann/json.hpp>' >>"$copy/libcore/config/settings.hpp"
red 'a heavy header in a header' 'settings.hpp: includes nlohmann'
fresh
printf '// long\n%.0s' {1..61} >>"$copy/cmd/apply/main.cpp"
red 'a long main' 'main() parses'
fresh
mkdir "$copy/libcore/attic"
red 'a folder that is no library' 'libcore/attic: no floor'
fresh
echo 'void f() { std::cout << 1; }' >>"$copy/libcore/apply/run.cpp"
red 'a library that prints' 'prints or exits'
echo "floors.sh sees all six kinds of breach"
