#!/usr/bin/env bash
# help.sh BIN-FOLDER: options and commands in `NAME --help` are those of man/pgtandem-NAME.1, both ways; every program has
# a page, and every page passes mandoc.
set -euo pipefail
bin=$1
man=$(cd "$(dirname "$0")/../../man" && pwd)
status=0
complain() {
  printf '%s\n' "$1"
  status=1
}
words_of_help() { grep -oE -- '--[a-z][a-z-]+' | sort -u; }
words_of_page() { mandoc -T ascii "$1" | sed 's/.\x08//g' | grep -oE -- '--[a-z][a-z-]+' | sort -u; }
for program in config capture queue apply; do
  page=$man/pgtandem-$program.1
  [ -f "$page" ] || { complain "$program has no page $page"; continue; }
  commands=$("$bin/$program" --help | awk '/^commands:/ {on = 1; next} /^[a-z]/ {on = 0} on && /^  [a-z]/ {print $1}')
  helped=$({ "$bin/$program" --help; for command in $commands; do "$bin/$program" "$command" --help; done; } | words_of_help)
  told=$(words_of_page "$page")
  missing=$(comm -23 <(echo "$helped") <(echo "$told") | tr '\n' ' ')
  [ -z "$missing" ] || complain "$page does not tell of: $missing"
  invented=$(comm -13 <(echo "$helped") <(echo "$told") | tr '\n' ' ')
  # Options of other programs in examples are no options of this one.
  for word in $invented; do
    grep -qE "^\.It Fl ?-?.*Fl ?-${word#--}|^\.It Fl -${word#--}" "$page" && complain "$page tells of $word, which --help does not"
  done
  text=$(mandoc -T ascii "$page" | sed 's/.\x08//g')
  for command in $commands; do
    grep -qw -- "$command" <<<"$text" || complain "$page does not tell of the command $command"
  done
done
for page in "$man"/*.[15]; do
  mandoc -T lint -W warning "$page" || complain "$page does not pass mandoc"
done
exit "$status"
