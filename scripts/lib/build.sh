# shellcheck shell=bash
# The build that demo, test and bench share; to be sourced by bash. Writes into its build directory only.
#
# $PGTANDEM_BUILD  another build directory than the tree's build/

top=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
# shellcheck disable=SC2034 # for whoever sources this
build=${PGTANDEM_BUILD:-$top/build}

# build_tree DIRECTORY TARGET [CMAKE-OPTION…]: configures and builds one target; cmd/all is the tools alone.
build_tree() {
  local directory=$1 target=$2 options=()
  shift 2
  # The generator can't be changed in a directory that has one already.
  [ -f "$directory/CMakeCache.txt" ] || options+=(-G Ninja)
  if command -v ccache >/dev/null; then options+=(-DCMAKE_CXX_COMPILER_LAUNCHER=ccache); fi
  cmake -S "$top" -B "$directory" "${options[@]}" "$@" && cmake --build "$directory" --parallel "$(nproc)" --target "$target"
}
