#!/usr/bin/env bash
# The C++ sources are as clang-format leaves them. Skipped (77) only where there is no clang-format.
set -euo pipefail
cd "$(dirname "$0")/../.."
format=$(command -v clang-format-14 || command -v clang-format) || {
  echo 'SKIPPED: no clang-format here; scripts/install-deps installs it'
  exit 77
}
find libcore cmd tests \( -name '*.cpp' -o -name '*.hpp' \) -print0 | xargs -0 "$format" --dry-run -Werror || {
  echo "run: $format -i on the files above"
  exit 1
}
