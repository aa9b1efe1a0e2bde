#!/usr/bin/env bash
# fetch.sh DIRECTORY: playwright-core into DIRECTORY, from npm, for page_test; where it is there already, it asks no network. The
# one thing that a test needs and Debian does not have, so it comes before the tests: none of them asks the network.
#   fetch.sh --have DIRECTORY   only says, with one line, what is missing
set -euo pipefail
version=1.56.1
fetch=true
if [ "$1" = --have ]; then
  fetch=false
  shift
fi
directory=$1
lacks() {
  echo "page_test: $*" >&2
  exit 69
}
for program in node npm chromium; do command -v "$program" >/dev/null || lacks "there is no $program; run scripts/install-deps"; done
major=$(node -p 'process.versions.node.split(".")[0]' 2>/dev/null) || major=0
[ "$major" -ge 18 ] || lacks "$(command -v node) is version $(node --version 2>&1 | head -n 1), and playwright-core needs 18 or later; Debian's package nodejs has it"
have() { [ "$(jq -r .version "$directory/node_modules/playwright-core/package.json" 2>/dev/null)" = "$version" ]; }
if have; then exit 0; fi
"$fetch" || lacks "no playwright-core $version in $directory; run ${BASH_SOURCE[0]} $directory, which asks npm for it (scripts/test does)"
mkdir -p "$directory"
log=$(cd "$directory" && npm install --no-audit --no-fund --no-save --ignore-scripts "playwright-core@$version" 2>&1) && have ||
  lacks "npm could not install playwright-core@$version: $(grep -m 1 -iE 'error|err!' <<<"$log" || tail -n 1 <<<"$log")"
