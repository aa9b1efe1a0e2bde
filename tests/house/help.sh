#!/usr/bin/env bash
# help.sh BIN-FOLDER [TREE]: options and commands in `NAME --help` and `NAME COMMAND --help` are those of
# man/pgtandem-NAME.1, both ways and letter by letter; every program and every script beside them has a page; every page passes
# mandoc.
set -euo pipefail
bin=$1
tree=${2:-$(cd "$(dirname "$0")/../.." && pwd)}
status=0
complain() {
  printf '%s\n' "$1"
  status=1
}

# An option as help shows it, "-c, --config FILE": two blanks in, up to two blanks or the end of the line.
options_of_help() { awk '/^[a-z ]*options:$/ { on = 1; next } /^[^ ]/ { on = 0 }
  on && /^  -/ { sub(/^  /, ""); sub(/  .*/, ""); print }'; }
commands_of_help() { awk '/^commands:$/ { on = 1; next } /^[^ ]/ { on = 0 } on && /^  [a-z]/ { print $1 }'; }
# The same of a page: `.It Fl c , Fl -config Ar FILE`, and `.It Cm NAME` under `.Ss Commands`.
options_of_page() { awk '$1 == ".It" && $2 == "Fl" && NF > 2 {
    out = ""; glue = 0
    for (i = 2; i <= NF; ++i) {
      if ($i == "Fl") word = "-" $(++i)
      else if ($i == "Ar") word = $(++i)
      else if ($i == "Ns") { glue = 1; continue }
      else word = $i
      out = out (out == "" || glue || word == "," ? "" : " ") word
      glue = 0
    }
    print out }'; }
commands_of_page() { awk '/^\.S[sh] / { on = $2 == "Commands" }
  on && $1 == ".It" && $2 == "Cm" {
    out = $3
    for (i = 4; i <= NF && $i !~ /^(Op|Ar|Fl|Oo)$/; ++i) if ($i != "Cm" && $i != "|") out = out " " $i
    print out }'; }

compare() { # PAGE KIND HELPED TOLD
  local word
  while read -r word; do [ -z "$word" ] || complain "$1 does not tell of the $2 $word, which --help has"; done < <(comm -23 <(echo "$3") <(echo "$4"))
  while read -r word; do [ -z "$word" ] || complain "$1 tells of the $2 $word, which --help does not have"; done < <(comm -13 <(echo "$3") <(echo "$4"))
}

helped_options=
helped_commands=
ask() { # PROGRAM [COMMAND...]: gathers from its help, and from that of its commands
  local help command
  help=$("$bin/$1" "${@:2}" --help) || { complain "$* --help fails"; return; }
  helped_options+=$(options_of_help <<<"$help")$'\n'
  for command in $(commands_of_help <<<"$help"); do
    helped_commands+="${*:2} $command"$'\n'
    ask "$@" "$command"
  done
}

# The programs of cmd, and the scripts that are installed beside them: in the build tree those are links.
programs=()
for file in "$tree"/cmd/*/main.cpp; do
  [ ! -f "$file" ] || programs+=("$(basename "${file%/main.cpp}")")
done
for file in "$bin"/*; do
  [ ! -L "$file" ] || programs+=("${file##*/}")
done
for program in "${programs[@]}"; do
  [ -x "$bin/$program" ] || { complain "there is no program $bin/$program; build first"; continue; }
  helped_options=
  helped_commands=
  ask "$program"
  [ -n "${helped_options//[[:space:]]/}" ] || complain "$program --help lists no option; has its layout changed?"
  page=$tree/man/pgtandem-$program.1
  [ -f "$page" ] || { complain "the program $program has no page $page"; continue; }
  sorted() { sed 's/^ *//' | sort -u | sed '/^$/d'; }
  compare "$page" option "$(sorted <<<"$helped_options")" "$(options_of_page <"$page" | sorted)"
  compare "$page" command "$(sorted <<<"$helped_commands")" "$(commands_of_page <"$page" | sorted)"
done
[ "${#programs[@]}" -ge 1 ] || complain "no programs found in $tree/cmd"
command -v mandoc >/dev/null || complain 'no mandoc here to check the pages; scripts/install-deps installs it'
for page in "$tree"/man/*.[1-9]; do
  mandoc -T lint -W warning "$page" || complain "$page does not pass mandoc"
done
exit "$status"
