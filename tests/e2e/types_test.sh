#!/usr/bin/env bash
# Every type of pg_type that can be a column's, contrib's and those that users make among them: random values of it arrive byte
# by byte, as values, as primary keys where they can be one, and under REPLICA IDENTITY FULL, where all that tells a row from
# another is its text. Types that cannot be a column's, or of which no value can be written, are listed.
#   SEED=N   the values (default: by the clock)
#   ROWS=N   of each table (default 10)
set -euo pipefail
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
# shellcheck source=tests/e2e/history/equal.sh
. "$e2e/history/equal.sh"
SEED=${SEED:-$(date +%s)}
say "types_test: SEED=$SEED"

# shellcheck disable=SC2119 # its arguments are optional
two_servers
for name in primary standby; do cluster_psql "$name" crawler -f "$e2e/types/types.sql"; done
cluster_psql primary crawler -f "$e2e/types/generate.sql"
primary 'set client_min_messages = warning' "select setseed($((SEED % 10007)) / 10007.0)" 'call types.plan()' >"$work/planned"
primary 'select types.tables()' >"$work/tables.sql"
for name in primary standby; do cluster_psql "$name" crawler -1 -f "$work/tables.sql"; done
mapfile -t TABLES < <(primary "select relname from pg_class where relname ~ '^(of|full|key)_[0-9]+$' and relkind = 'r'")
write_config "$(IFS=, && echo "${TABLES[*]}")" 'batch_size: 300'
# What a role has set for itself must not show in any value, nor end anything.
for setting in "bytea_output = 'escape'" "datestyle = 'German'" "intervalstyle = 'sql_standard'" "timezone = 'Asia/Kolkata'" \
  'extra_float_digits = -5' "client_encoding = 'LATIN1'" "search_path = 'types', 'public'" "default_transaction_read_only = on" \
  'array_nulls = off' 'xmloption = document' "statement_timeout = '1ms'" "lock_timeout = '1ms'" "idle_in_transaction_session_timeout = '1ms'"; do
  for name in primary standby; do cluster_psql "$name" crawler -c "alter role pgtandem set $setting"; done
done
link_up

rows_plan "${TABLES[@]}"
sync() {
  "$BIN/capture" 2>>"$work/capture.log" | "$BIN/queue" put 2>>"$work/put.log"
  expect 0 "$BIN/apply"
}
primary 'set client_min_messages = warning' "select setseed($((SEED % 10007)) / 10007.0)" "call types.insert(${ROWS:-10})" >"$work/inserted"
sync
equal_rows "SEED=$SEED, what was inserted"
primary 'set client_min_messages = warning' "select setseed($((SEED % 10009)) / 10009.0)" 'call types.change()' >"$work/changed"
sync
equal_rows "SEED=$SEED, what was changed"

say "no columns: $(primary "select string_agg(type::text, ', ' order by n) from types.all_of_them where why_not is not null")"
primary "select n, type from types.all_of_them where why_not is null" >"$work/types"
empty=$(primary "select string_agg(type::text, ', ' order by n) from types.all_of_them where why_not is null and (xpath('/row/c/text()', query_to_xml(format('select count(v) as c from of_%s', n), false, true, '')))[1]::text = '0'")
say "no value of: $empty"
at_least "types" 200 "$(wc -l <"$work/types")"
at_most "types of which no value was written" 25 "$(tr ',' '\n' <<<"$empty" | wc -l)"
say "types_test: passed, $(wc -l <"$work/types") types, $(grep -c . "$work/rows.standby") rows and names, in $SECONDS s"
