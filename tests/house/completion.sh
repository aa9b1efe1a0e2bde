#!/usr/bin/env bash
# completion.sh BIN-FOLDER COMPLETION-FOLDER: bash and zsh offer what --help of each program and command has, no more and no less,
# and the values of an option that has a list of them.
set -euo pipefail
bin=$(cd "$1" && pwd)
folder=$(cd "$2" && pwd)
status=0
complain() {
  printf '%s\n' "$1"
  status=1
}
# shellcheck disable=SC1091 # made by the build
. "$folder/pgtandem"
offered() { # WORD…: what bash offers behind them
  COMP_WORDS=(pgtandem "$@" '')
  COMP_CWORD=$(($# + 1))
  _pgtandem
  printf '%s\n' "${COMPREPLY[@]}" | sed '/^$/d' | sort -u
}

# An independent look at help: words at the start of a line, two blanks in, below a heading.
helped() {
  local help
  if [ $# = 0 ]; then help=$("$bin/pgtandem" --help); else help=$("$bin/$1" "${@:2}" --help); fi
  awk '/^[a-z ]*(options|commands|tools):$/ { on = 1; next } /^[^ ]/ { on = 0 } on && /^  [^ ]/' <<<"$help" |
    sed -E 's/^  //; s/  .*//; s/, /\n/g' | sed -E 's/ .*//' | sort -u
}

declare -A offers=() # what bash offers, by context
look() {
  local word help offer
  help=$(helped "$@")
  offer=$(offered "$@")
  offers[$*.]=$offer # a key must not be empty
  [ "$help" = "$offer" ] || complain "pgtandem $*: help and completion differ: $(diff <(echo "$help") <(echo "$offer"))"
  while read -r word; do
    case $word in -*) ;; *) look "$@" "$word" ;; esac
  done <<<"$help"
}
look
[ "${#offers[@]}" -ge 20 ] || complain "only ${#offers[@]} tools and commands found"
[ "$(offered capture --log-level | xargs)" = 'debug error info warn' ] || complain "values of --log-level: $(offered capture --log-level | xargs)"
[ "$(offered queue --config x dead list | grep -c '^--json$')" = 1 ] || complain "a value of an option is taken for a command"
cd "$bin/.." # a folder to be offered
offered capture --config | grep -qx "${bin##*/}" || complain "no files are offered for --config"

if command -v zsh >/dev/null; then
  zsh -n "$folder/_pgtandem" || complain "zsh does not take $folder/_pgtandem"
  # Its own words are noted instead of shown.
  zsh_offered() {
    zsh -fc '
      _describe() { local one; for one in "${(@P)argv[-1]}"; do print -r -- "${one%%:*}"; done }
      compadd() { shift; print -l -- "$@" }
      _files() { print files }
      words=(pgtandem "${@[2,-1]}" ""); CURRENT=$#words
      source "$1"' zsh "$folder/_pgtandem" "$@" | sort -u
  }
  for context in "${!offers[@]}"; do
    read -ra words <<<"${context%.}"
    offer=$(zsh_offered "${words[@]}")
    [ "$offer" = "${offers[$context]}" ] ||
      complain "pgtandem ${context%.}: bash and zsh differ: $(diff <(echo "${offers[$context]}") <(echo "$offer"))"
  done
  [ "$(zsh_offered capture --log-level | xargs)" = 'debug error info warn' ] || complain "zsh, values of --log-level: $(zsh_offered capture --log-level)"
  [ "$(zsh_offered capture --config)" = files ] || complain "zsh offers no files for --config"
else
  echo 'no zsh here; scripts/install-deps installs it'
fi
exit "$status"
