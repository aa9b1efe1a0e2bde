#!/usr/bin/env bash
# timeout: 900
# long: a gigabyte of text is written and hashed several times
# Values as large as PostgreSQL has them: two of more than 512 MB in one row, and one of nearly 1 GB. They are compared, and
# where they differ that is said in one line with what to do, for no line holds them. One of 100 MB is a line.
set -euo pipefail
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
two_servers
both 'create table halves (id int primary key, a text, b text)' 'create table whole (id int primary key, v text)'
for name in primary standby; do
  # one after the other: no statement may make a row of more than 1 GB
  on_server "$name" "insert into halves select 1, repeat('0123456789abcdef', 34000000), ''" "update halves set b = repeat('fedcba9876543210', 34000000)" \
    "insert into whole select 1, repeat('0123456789', 107000000)"
done
export EXPECT_SECONDS=300
write_config 'halves, whole' 'sync_timeout: 120'
expect 0 "$BIN/diff" --summary
same "tables found equal" 2 "$(grep -c '  equal  1 rows' "$work/out")"
standby "update halves set b = b || 'x'" "update whole set v = v || 'x'"
write_config halves 'sync_timeout: 120'
expect 65 "$BIN/diff"
ended_with diff 'public.halves: the row at ctid (0,2): .*Cannot enlarge string buffer'
write_config whole 'sync_timeout: 120'
expect 65 "$BIN/diff"
ended_with diff 'public.whole: a row that differs takes a line of 10[0-9][0-9] MiB, more than a line may have (128 MiB)'
! grep -q '"commit"' "$work/out" || fail "a part of the changes is a whole transaction"
expect 1 "$BIN/diff" --summary

both 'create table line (id int primary key, v text)'
for name in primary standby; do on_server "$name" "insert into line values (1, repeat('0123456789', 10000000))"; done
write_config line 'sync_timeout: 120'
expect 0 "$BIN/diff"
standby "update line set v = v || '.'"
expect 1 "$BIN/diff"
same "a row of 100 MB" 100000000 "$(jq -r 'select(.type == "update") | .new.v' "$work/out" | tr -d '\n' | wc -c)"
say "large_values_test: passed"
