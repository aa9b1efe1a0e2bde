#!/usr/bin/env bash
# Every shell script can be parsed by the shell that its first line names, and shellcheck has no warning.
set -euo pipefail
cd "$(dirname "$0")/../.."
status=0
count=0
scripts=()
while IFS= read -r -d '' file; do
  first=$(head -n 1 "$file" | tr -d '\0')
  case $first in
    '#!'*bash*) shell='bash' ;;
    '#!'*sh) shell='sh' ;;
    *) case $file in *.sh) shell='bash' ;; *) continue ;; esac ;;
  esac
  count=$((count + 1))
  scripts+=("$file")
  "$shell" -n "$file" || {
    echo "$file: $shell cannot parse it"
    status=1
  }
done < <(find scripts cmd config tests .ci -type f \( -name '*.sh' -o -name '*.in' -o ! -name '*.*' \) -print0)
[ "$count" -ge 10 ] || { echo "only $count scripts found; this check looks in the wrong place"; exit 1; }
if command -v shellcheck >/dev/null; then
  # SC2154: what a sourced library sets is unknown to it.
  printf "%s\0" "${scripts[@]}" | xargs -0 -n 8 -P "$(nproc)" shellcheck -S warning -e SC2154 || status=1
else
  echo 'no shellcheck here; scripts/install-deps installs it'
fi
exit "$status"
