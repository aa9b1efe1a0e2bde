#!/usr/bin/env bash
# alerts.sh [TREE]: promtool takes the alerts and their tests; every alert has a case in which it comes and one in which it does
# not; what alerts and dashboard ask for is a metric that the report has, under that name; and each label that they print is one
# that the report gives to a metric, or Prometheus to all.
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
  grep -qE "alertname: $alert, exp_alerts: \[\]" "${rules%/*}/rules_test.yml" || complain "rules_test.yml has no case in which $alert does not come"
  grep -A 1 -E "alertname: $alert\$" "${rules%/*}/rules_test.yml" | grep -qE 'exp_alerts:$' || complain "rules_test.yml has no case in which $alert comes"
done < <(sed -n 's/.*- alert: //p' "$rules")

jq -e '.panels | length >= 8' "$board" >/dev/null || complain "$board is no dashboard"
told=$(grep -oE '"pgtandem_[a-z_]+"' "$tree/libcore/report/metrics.cpp" | tr -d '"' | sort -u)
[ "$(wc -l <<<"$told")" -ge 20 ] || complain "only '$told' found in libcore/report/metrics.cpp; has its form changed?"
asked=$({ cat "$rules" && jq -r '.. | .expr? // empty, .definition? // empty' "$board"; } | grep -oE 'pgtandem_[a-z_]+' | sort -u)
while read -r metric; do complain "there is no metric $metric, which an alert or the dashboard asks for"; done < <(comm -13 <(echo "$told") <(echo "$asked"))
given=$({ printf '%s\n' instance job && grep -oE '\{"[a-z]+", ' "$tree/libcore/report/metrics.cpp" | grep -oE '[a-z]+'; } | sort -u)
printed=$({ grep -oE '[$]labels[.][a-z_]+' "$rules" | sed 's/.*[.]//' && jq -r '.. | .legendFormat? // empty' "$board" | grep -oE '\{\{ *[a-z_]+' | grep -oE '[a-z_]+'; } | sort -u)
while read -r label; do complain "no metric has the label $label, which an alert or the dashboard prints"; done < <(comm -13 <(echo "$given") <(echo "$printed"))
exit "$status"
