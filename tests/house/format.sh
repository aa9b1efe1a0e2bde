#!/usr/bin/env bash
# The sources are as clang-format leaves them, and every shell script can be parsed.
set -euo pipefail
cd "$(dirname "$0")/../.."
status=0
find libcore cmd tests -name '*.cpp' -o -name '*.hpp' | xargs clang-format --dry-run -Werror || {
  echo "run: clang-format -i on the files above"
  status=1
}
for script in scripts/* scripts/lib/* scripts/bench.d/*.sh tests/e2e/*.sh tests/house/*.sh .ci/run; do
  if [ ! -f "$script" ] || ! { [[ $script == *.sh ]] || head -n 1 "$script" | grep -q '^#!.*sh'; }; then continue; fi
  bash -n "$script" || status=1
done
exit "$status"
