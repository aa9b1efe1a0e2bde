# shellcheck shell=bash
# A stream that apply cannot fold, to be sourced after lib.sh: each piece of a batch gets a change of a key whose row has a
# column of the standby's own, which a delete and an insert would not keep, so all of it is written in the primary's order,
# operation by operation.
#
#   unfoldable_table                        the SQL that makes the standby's table with that row
#   orderly [without_source] <STREAM        the stream with those changes; run in this shell (it counts), so with no pipe before it

# shellcheck disable=SC2154 # $work is lib.sh's

UNFOLDED=0
unfoldable_table() { echo "create table unfoldable (id int primary key, own text); insert into unfoldable values (0, 'ours')"; }

orderly() {
  awk -v sent="$UNFOLDED" -v told="$work/unfolded" -v without="${1:-}" 'function put() {
      if (!announced++) print "{\"type\":\"relation\",\"table\":\"public.unfoldable\",\"columns\":[{\"name\":\"id\",\"type\":\"integer\"}],\"key\":[\"id\"],\"identity\":\"default\"}"
      printf "{\"type\":\"update\",\"table\":\"public.unfoldable\",\"key\":{\"id\":%d},\"new\":{\"id\":%d}}\n", sent, ++sent
      more++ }
    /^{"type":"begin"/ { print; more = 0; put(); next }
    /^{"type":"truncate"/ { print; put(); next }  # nothing folds over one: a batch has several pieces then
    /^{"type":"commit"/ { match($0, /"changes":[0-9]+/); print substr($0, 1, RSTART + 9) substr($0, RSTART + 10, RLENGTH - 10) + more substr($0, RSTART + RLENGTH); next }
    /^{"type":"(source|keepalive)"/ && without { next }
    { print }
    END { print sent >told }'
  UNFOLDED=$(cat "$work/unfolded")
}
