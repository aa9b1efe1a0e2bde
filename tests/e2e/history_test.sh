#!/usr/bin/env bash
# early: 100
# Random histories over tables of every kind (history/tables.sql), drawn by history/generate.sql: whatever the size of its
# batches, apply makes the standby's rows the primary's, byte by byte. The same stream goes to a second standby in the primary's
# order, operation by operation: both ways come to the same, and keep the standby's own columns.
#   SEED=N          the plan (default: by the clock)
#   ROUNDS=N        rounds of capture, queue put and apply (default 10)
#   TRANSACTIONS=N  of a round (default 300)
#   KEEP=1          keep the stream and the logs of a failure
set -euo pipefail
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
# shellcheck source=tests/e2e/history/in_order.sh
. "$e2e/history/in_order.sh"
# shellcheck source=tests/e2e/history/equal.sh
. "$e2e/history/equal.sh"
SEED=${SEED:-$(date +%s)}
ROUNDS=${ROUNDS:-10}
TRANSACTIONS=${TRANSACTIONS:-300}
RANDOM=$((SEED % 32768))
say "history_test: SEED=$SEED ROUNDS=$ROUNDS TRANSACTIONS=$TRANSACTIONS"

# shellcheck disable=SC2119 # its arguments are optional
two_servers
cluster_psql standby postgres -c 'create database in_order'
cluster_psql primary crawler -v side=primary -f "$e2e/history/tables.sql"
cluster_psql primary crawler -f "$e2e/history/generate.sql"
for name in crawler in_order; do cluster_psql standby "$name" -v side=standby -f "$e2e/history/tables.sql"; done
cluster_psql standby in_order -c "$(unfoldable_table)"
in_order() { cluster_psql standby in_order -At -c "$1"; }

mapfile -t TABLES < <(primary "select format('%I.%I', nspname, relname) from pg_class c join pg_namespace n on n.oid = relnamespace
  where nspname in ('public', 'Odd Schema') and relkind in ('r', 'p') and not relispartition order by 1")
names=$(printf "'%s', " "${TABLES[@]}")
config() { write_config "${names%, }" "$@"; }

# The second standby gets all in the primary's order: each of its batches has a change that does not fold. Its stream has no source, for WAL of the server's own between two rounds would be taken for a gap.
cluster_psql standby in_order -c 'create role orderly login' \
  -c 'grant set on parameter session_replication_role to orderly' \
  -c 'grant select, insert, update, delete, truncate on all tables in schema public, "Odd Schema" to orderly' \
  -c 'grant select, update on all sequences in schema public, "Odd Schema" to orderly' -c 'grant usage on schema "Odd Schema" to orderly'
config
link_up
STANDBY_URL=$(cluster_url standby in_order orderly) config
with_rights apply init in_order

rows_plan "${TABLES[@]}"
# Adds up how the last apply wrote its operations: nothing else tells, for both ways come to the same.
declare -A WRITTEN=()
how_written() { # RUN
  local folded largest in_order
  read -r folded largest in_order < <(awk 'match($0, /[0-9]+ operations folded/) { n = substr($0, RSTART) + 0; folded += n; if (n > largest) largest = n }
      match($0, /[0-9]+ in the primary.s order$/) { in_order += substr($0, RSTART) }
    END { print folded + 0, largest + 0, in_order + 0 }' "$work/err")
  WRITTEN[$1 folded]=$((${WRITTEN[$1 folded]:-0} + folded))
  WRITTEN[$1 in order]=$((${WRITTEN[$1 in order]:-0} + in_order))
  [ "$largest" -le "${WRITTEN[$1 largest]:-0}" ] || WRITTEN[$1 largest]=$largest
}
# A row that was found otherwise than it has to be, and made right, would hide a mistake.
no_conflict() { ! grep 'conflicts:' "$work/err" || fail "round $round, SEED=$SEED: conflicts between equal tables"; }
for ((round = 1; round <= ROUNDS; round++)); do
  began=$SECONDS
  # The operations that a batch aims at: mostly small, so that the edges of batches fall everywhere, up to 5000.
  sizes=($((1 + RANDOM % 3)) $((1 + RANDOM % 20)) $((1 + RANDOM % 200)) $((1 + RANDOM % 1000)) $((1 + RANDOM % 5000)) 5000)
  size=${sizes[RANDOM % 6]}
  [ "$round" != 2 ] || size=5000 # of the rounds that can be folded one surely has large batches
  queue=$((RANDOM % 2 == 0 ? 1000000 : 1 + RANDOM % 2000))
  primary "select setseed($((SEED % 1000003 + round)) % 10007 / 10007.0)" "set client_min_messages = warning" "call history.run($TRANSACTIONS, $((round % 2)) = 1)" >"$work/generated"
  "$BIN/capture" 2>"$work/capture.log" >"$work/stream"
  "$BIN/queue" put <"$work/stream" 2>"$work/put.log"
  config "batch_size: $size" "max_queue_size: $queue"
  expect 0 "$BIN/apply" --log-level debug
  no_conflict
  how_written folding
  equal_rows "round $round, SEED=$SEED"
  orderly without_source <"$work/stream" >"$work/orderly"
  STANDBY_URL=$(cluster_url standby in_order orderly) config "batch_size: $size" "max_queue_size: $queue"
  expect 0 "$BIN/apply" --log-level debug - <"$work/orderly"
  no_conflict
  how_written orderly
  same "changes that kept the second standby to the order" "$UNFOLDED" "$(in_order 'select id from unfoldable')"
  equal_rows "round $round, SEED=$SEED, in order" in_order
  say "round $round: batch_size $size, max_queue_size $queue, $(grep -c '^{"type":"begin"' "$work/stream" || true) transactions, $(wc -l <"$work/stream") lines, $((SECONDS - began)) s"
done
say "operations folded: ${WRITTEN[folding folded]} (at most ${WRITTEN[folding largest]} at once), in order: ${WRITTEN[folding in order]}; of the second standby: ${WRITTEN[orderly in order]} in order"
same "operations folded that were to be in order" 0 "${WRITTEN[orderly folded]}"
at_least "operations of the second standby in order" "${WRITTEN[folding folded]}" "${WRITTEN[orderly in order]}"
at_least "operations folded" $((ROUNDS * TRANSACTIONS / 3)) "${WRITTEN[folding folded]}"
at_least "operations folded at once" $((TRANSACTIONS / 2)) "${WRITTEN[folding largest]}"
say "history_test: passed in $SECONDS s"
