#!/usr/bin/env bash
# told.sh [TREE]: what the report tells is written down. Every metric is in pgtandem-api(7) and every metric there is one; every
# finding's word is in pgtandem-status(1), and in both of the page's Chinese tables, and none there is made up; every field of the
# JSON is in one of the two manuals; and every manual has examples.
set -euo pipefail
tree=${1:-$(cd "$(dirname "$0")/../.." && pwd)}
api=$tree/man/pgtandem-api.7
manual=$tree/man/pgtandem-status.1
page=$tree/libcore/http/page/page.html
status=0
complain() {
  printf '%s\n' "$1"
  status=1
}
compare() { # WHAT THERE HERE: lines that one has and the other has not
  while read -r word; do complain "$1 $word is told and not in $2"; done < <(comm -23 <(echo "$3") <(echo "$4"))
  while read -r word; do complain "$1 $word is in $2 and nobody tells it"; done < <(comm -13 <(echo "$3") <(echo "$4"))
}
enough() { # WHAT LINES: or the form of the source has changed
  [ "$(wc -l <<<"$2")" -ge 40 ] || complain "only these $1 found in $tree: $2"
}

metrics=$(grep -oE '"pgtandem_[a-z_]+"' "$tree/libcore/report/metrics.cpp" | tr -d '"' | sort -u)
enough metrics "$metrics"
compare metric "$api" "$metrics" "$(grep -oE 'pgtandem_[a-z_]+' "$api" | sort -u)"

judges=("$tree"/libcore/report/judge_*.cpp "$tree/libcore/http/board.cpp")
codes=$({
  grep -ohE '"[a-z]+(_[a-z]+)+"' "${judges[@]}"
  for side in primary standby; do grep -ohE '"_[a-z]+"' "${judges[@]}" | sed "s/\"_/\"${side}_/"; done
  cat "${judges[@]}" | tr '\n' ' ' | grep -oE '(Level::[a-z]+|\}), *"[a-z]+"' | grep -oE '"[a-z]+"'
} | tr -d '"' | sort -u)
enough codes "$codes"
compare finding "$manual" "$codes" "$(sed -n '/^\.Ss Findings/,/^\.Ss Lag/s/^\.It //p' "$manual" | tr -d ' ' | tr , '\n' | sort -u)"
for table in CODES_ZH SAYS_ZH; do
  compare finding "$table of $page" "$codes" "$(sed -n "/^const $table = /,/^};/p" "$page" | grep -oE "(^ |,) *[a-z_]+: ('|\()|^  [a-z_]+: f " | grep -oE '[a-z_]+:' | tr -d : | sort -u)"
done

fields=$(grep -ohE '\{"[a-z_]+", ?|\["[a-z_]+"\]' "$tree/libcore/report/api_json.cpp" | grep -oE '[a-z_]+' | sort -u)
enough fields "$fields"
while read -r field; do
  grep -qE "^\.(Cm|Pq|Pf|Pq Cm|Pf \( Cm) .*\b$field\b|\b$field\b ," "$api" "$manual" || complain "the field $field is in neither $api nor $manual"
done <<<"$fields"

for manual in "$tree"/man/*; do grep -q '^\.Sh EXAMPLES' "$manual" || complain "$manual has no EXAMPLES"; done
exit "$status"
