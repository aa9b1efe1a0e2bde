#!/usr/bin/env bash
# alerts.sh [TREE]: promtool takes the alerts and their tests; every alert has a test that it comes and one that it does not; and
# what alerts and dashboard ask for is a metric that the report has, under that name, with the labels that they print.
set -euo pipefail
tree=${1:-$(cd "$(dirname "$0")/../.." && pwd)}
if ! { command -v promtool && command -v jq; } >/dev/null; then
  echo 'no promtool or no jq here; scripts/install-deps installs them'
  exit 77
fi
rules=$tree/config/prometheus/rules.yml
board=$tree/config/grafana/pgtandem.json
status=0
complain() {
  printf '%s\n' "$1"
  status=1
}
promtool check rules "$rules" >/dev/null || complain "promtool does not take $rules"
(cd "${rules%/*}" && promtool test rules rules_test.yml) || complain "the alerts are not what rules_test.yml says"
while read -r alert; do
  cases=$(grep -cE "alertname: $alert(,|\$)" "${rules%/*}/rules_test.yml" || true)
  [ "$cases" -ge 2 ] || complain "rules_test.yml has $cases cases of $alert, not one that comes and one that does not"
done < <(sed -n 's/.*- alert: //p' "$rules")

jq -e '.panels | length >= 8' "$board" >/dev/null || complain "$board is no dashboard"
told=$(grep -oE '"pgtandem_[a-z_]+"' "$tree/libcore/report/metrics.cpp" | tr -d '"' | sort -u)
[ "$(wc -l <<<"$told")" -ge 20 ] || complain "only '$told' found in libcore/report/metrics.cpp; has its form changed?"
asked=$({ cat "$rules" && jq -r '.. | .expr? // empty, .definition? // empty' "$board"; } | grep -oE 'pgtandem_[a-z_]+' | sort -u)
while read -r metric; do complain "there is no metric $metric, which an alert or the dashboard asks for"; done < <(comm -13 <(echo "$told") <(echo "$asked"))
exit "$status"
