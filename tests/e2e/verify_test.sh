#!/usr/bin/env bash
# early: 130
# verify: what is equal is proven and what is not is named, at a cut, under load; the receipt says what was proven when; a quick
# look proves nothing; rows that apply reported are proven one by one; and whatever is not certain is never called equal.
set -euo pipefail
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
two_servers max_prepared_transactions=4
both 'create table word (id int primary key, v text, w int)' 'create table heap (v text, n int)' 'create table quiet (id bigint primary key, v text)' \
  'create table pair (a text, b int, v boolean, primary key (a, b))'
both "insert into word select n, md5(n::text), n from generate_series(1, 3000) n" "insert into heap select 'x', n % 7 from generate_series(1, 200) n" \
  "insert into quiet select n, 'q' from generate_series(1, 500) n" "insert into pair select 'k''' || n, n, n % 2 = 0 from generate_series(1, 50) n"
primary 'alter table heap replica identity full'
write_config 'word, heap, quiet, pair' 'sync_timeout: 10'
link_up
receipt() { jq -rc ".nodes.backup_node | $1" "$work/state/verify.json"; }
verdicts() { receipt '.tables | to_entries | map(.key + " " + (.value.equal | tostring)) | join(", ")'; }

# --- equal, and the receipt of it ---
expect 0 "$BIN/verify"
same "lines" 4 "$(grep -cE '^public\.[a-z]+  equal  [0-9]+ rows, digest [0-9a-f]{32}$' "$work/out")"
same "verdicts" "public.heap true, public.pair true, public.quiet true, public.word true" "$(verdicts)"
same "the run" '["equal",true,null,["public.word","public.heap","public.quiet","public.pair"]]' "$(receipt '.run | [.result, .exact, .why, .tables]')"
same "a table of it" '[3000,3000,["id","v","w"],"native-2",true]' \
  "$(receipt '.tables["public.word"] | [.primary.rows, .standby.rows, .columns, .digest, .primary.digest == .standby.digest]')"
same "systems" "$(primary 'select system_identifier from pg_control_system()') $(standby 'select system_identifier from pg_control_system()')" \
  "$(receipt '"\(.systems.primary) \(.systems.standby)"')"
receipt '.tables["public.word"].time, .run.started, .run.ended' | grep -cE '^[0-9]{4}(-[0-9]{2}){2}T[0-9:]{8}\.[0-9]{6}Z$' | grep -qx 3 || fail "times: $(receipt .)"
first_lsn=$(receipt '.tables["public.quiet"].lsn')
digest=$(receipt '.tables["public.word"].primary.digest')
same "last equal" "$first_lsn" "$(receipt '.tables["public.quiet"].last_equal.lsn')"

# --- a proof is of its moment, and not of a later one ---
for name in primary standby; do cluster_psql "$name" postgres -c "alter system set log_statement = 'all'" -c "alter system set log_timezone = 'UTC'" -c 'select pg_reload_conf()' >"$work/reloaded"; done
sleep 0.3
expect 0 "$BIN/verify"
moment=$(grep 'pg_export_snapshot' "$(cluster_dir standby)/log" | tail -n 1 | sed -E 's/^([0-9-]+) ([0-9:.]+) UTC .*/\1T\2/')
[[ "$moment" =~ ^20.{21}$ ]] || fail "no moment in the standby's log: $moment"
[[ ! "$(receipt '.tables["public.word"].time[:23]')" > "$moment" ]] || fail "a proof of $(receipt '.tables["public.word"].time'), by a snapshot of $moment"
for name in primary standby; do cluster_psql "$name" postgres -c 'alter system reset log_statement' -c 'select pg_reload_conf()' >"$work/reloaded"; done
first_lsn=$(receipt '.tables["public.quiet"].lsn')

# --- each kind of difference; what is not asked for keeps its entry ---
differs() { # SQL-ON-STANDBY TABLE COUNTS UNDO
  standby "$1"
  expect 1 "$BIN/verify" --table "$2"
  grep -q "^public.$2  different  .*: $3\$" "$work/out" || fail "after $1: $(cat "$work/out")"
  same "in the receipt, after $1" "[false,\"$3\"]" "$(receipt ".tables[\"public.$2\"] | [.equal, .why]")"
  same "the run, after $1" different "$(receipt .run.result)"
  standby "$4"
}
differs "update word set v = v || ' ' where id = 7" word '1 changed, 0 missing, 0 extra' "update word set v = rtrim(v) where id = 7"
differs "delete from word where id = 8" word '0 changed, 1 missing, 0 extra' "insert into word values (8, md5('8'), 8)"
differs "insert into word values (9000, '', 1)" word '0 changed, 0 missing, 1 extra' "delete from word where id = 9000"
differs "update word set w = null where id = 9" word '1 changed, 0 missing, 0 extra' "update word set w = 9 where id = 9"
differs "update word set w = case id when 10 then 11 else 10 end where id in (10, 11)" word '2 changed, 0 missing, 0 extra' \
  "update word set w = id where id in (10, 11)"
differs "insert into heap values ('x', 1)" heap '0 changed, 0 missing, 1 extra' "delete from heap where ctid = (select max(ctid) from heap)"
same "an entry that no run reached" "$first_lsn" "$(receipt '.tables["public.quiet"].lsn')"
same "when word last was equal" "$first_lsn" "$(receipt '.tables["public.word"].last_equal.lsn')"
expect 0 "$BIN/verify" --json
same "the answer" '["equal",4]' "$(jq -c '.nodes.backup_node | [.run.result, (.tables | length)]' "$work/out")"
same "the same rows, the same digest" "$digest" "$(receipt '.tables["public.word"].primary.digest')"
differ "positions" "$first_lsn" "$(receipt '.tables["public.quiet"].lsn')"

# --- what is not synced any more leaves the receipt; bad calls ---
write_config 'word, heap, quiet' 'sync_timeout: 10'
# capture, which a comparison asks for the last changes, refuses; that ends it at once
primary 'insert into word values (9000, null, 1)' 'delete from word where id = 9000'
expect 65 "$BIN/verify" --table quiet
ended_with verify 'does not fit sync_tables'
with_rights capture init
expect 0 "$BIN/verify" --table quiet
same "tables" '["public.heap","public.quiet","public.word"]' "$(receipt '.tables | keys')"
before=$(md5sum <"$work/state/verify.json")
for arguments in '--table other' '--table a.b.c' '--jobs 0' '--sample 0' '--sample x' 'extra' '--node nobody' '- --sample 3'; do
  # shellcheck disable=SC2086 # words
  expect 64 "$BIN/verify" $arguments
done
same "the receipt after wrong calls" "$before" "$(md5sum <"$work/state/verify.json")"
cp "$work/state/verify.json" "$work/good.json"
echo '{' >"$work/state/verify.json"
expect 65 "$BIN/verify"
ended_with verify 'verify.json is damaged; remove it'
cp "$work/good.json" "$work/state/verify.json"
write_config 'word, heap, quiet, pair' 'sync_timeout: 10'
with_rights capture init

# --- two at once; a run that dies is not equal ---
primary "insert into quiet select n, repeat(md5(n::text), 20) from generate_series(1000, 150000) n"
expect 0 "$BIN/verify"
"$BIN/verify" >"$work/first.out" 2>"$work/first.err" &
pid=$!
wait_until 10 "the run's first word" eval "[ \"\$(receipt .run.result)\" = unfinished ]"
expect 75 "$BIN/verify"
grep -q "verify.lock" "$work/err" || fail "no word of the lock: $(cat "$work/err")"
kill -KILL "$pid"
wait "$pid" 2>/dev/null || true
same "a run that was killed" '["unfinished",null]' "$(receipt '.run | [.result, .ended]')"
"$BIN/verify" >"$work/first.out" 2>"$work/err" &
pid=$!
sleep 0.6
kill -TERM "$pid" 2>/dev/null || true # it may be done already
code=0
wait "$pid" || code=$?
if [ "$code" != 0 ]; then # it may have been quick
  same "exit code of a run that was stopped" 75 "$code"
  same "a run that was stopped" failed "$(receipt .run.result)"
fi

# --- not exact: nothing is proven, whatever the rows are ---
expect 0 "$BIN/verify"
kept=$(receipt .tables)
cluster_psql primary crawler -c "begin" -c "insert into quiet values (999999, 'open')" -c "prepare transaction 'long'"
write_config 'word, heap, quiet, pair' 'sync_timeout: 2'
expect 75 "$BIN/verify"
ended_with verify 'nothing is proven, since the comparison would not be exact'
same "the run" '["unproven",false]' "$(receipt '.run | [.result, .exact]')"
same "the tables, proven before" "$kept" "$(receipt .tables)"
standby "delete from word where id = 8"
expect 75 "$BIN/verify" --table word
expect 1 "$BIN/verify" --table word --sample 6000
standby "insert into word values (8, md5('8'), 8)"
primary "rollback prepared 'long'"
write_config 'word, heap, quiet, pair' 'sync_timeout: 10'

# --- a quick look ---
before=$(md5sum <"$work/state/verify.json")
expect 0 "$BIN/verify" --sample 40
same "lines" 4 "$(grep -c '^public\.[a-z]*  equal  [0-9]* rows$' "$work/out")"
at_most "rows looked at" 40 "$(sed -n 's/^public.word  equal  \([0-9]*\) rows$/\1/p' "$work/out")"
at_least "rows looked at" 20 "$(sed -n 's/^public.word  equal  \([0-9]*\) rows$/\1/p' "$work/out")"
grep -q 'proves nothing of the others' "$work/err" || fail "a sample does not say that it is none"
standby "insert into pair values ('extra', 1, null)" "delete from pair where b = 5"
expect 1 "$BIN/verify" --sample 1000 --table pair --json
same "differences" '["different",2]' "$(jq -c '[.result, .tables["public.pair"].different]' "$work/out")"
same "the receipt after quick looks" "$before" "$(md5sum <"$work/state/verify.json")"
standby "delete from pair where a = 'extra'" "insert into pair values ('k''5', 5, false)"

# --- the rows that apply reports, and those of change lines, while both sides are written ---
follow_capture
from=$(primary 'select pg_current_wal_insert_lsn()')
primary "update word set v = 'new' where id <= 40" "update word set id = id + 10000 where id in (50, 51)" "delete from word where id = 60" \
  "insert into word values (20000, 'é \"\\', null)" "insert into heap values ('y', null)" "delete from heap where ctid = (select min(ctid) from heap where n = 3)" \
  "update pair set v = null where b = 7" "delete from pair where b = 8"
wait_until 20 "the queue" eval "[ \"\$(\"\$BIN/queue\" get | grep -c '\"delete\",\"table\":\"public.pair\"')\" -ge 1 ]"
"$BIN/queue" get --from "$from" >"$work/lines" # before the applied ones are pruned
expect 0 "$BIN/apply" --report "$work/report"
same "keys in the report" '{"id":50} {"id":10050}' "$(jq -rc 'select(.new_key) | "\(.key) \(.new_key)"' "$work/report" | sort | head -n 1)"
writes_begin 20 "update quiet set v = v || '.' where id % 50 = 3" "update word set w = w + 1 where id between 30 and 35"
follow_apply
expect 0 "$BIN/verify" - <"$work/report"
grep -q '^public.word  equal  46 rows$' "$work/out" || fail "rows of the report: $(cat "$work/out")"
grep -q '^public.pair  equal  2 rows$' "$work/out" || fail "rows of the report: $(cat "$work/out")"
expect 0 "$BIN/verify" - <"$work/lines"
expect 0 "$BIN/verify"
writes_end
wait_applied
standby "update word set v = 'old' where id = 40" "insert into word values (60, 'back', 1)" "update pair set v = true where b = 7"
expect 1 "$BIN/verify" - <"$work/report"
grep -q '^public.word  different  46 rows: 2 differ, as {"id":40} {"id":60}$' "$work/out" || fail "what differs: $(cat "$work/out")"
grep -q '^public.pair  different  2 rows: 1 differ, as {"a":"k'"'"'7","b":7}$' "$work/out" || fail "what differs: $(cat "$work/out")"
expect 1 "$BIN/verify" - <"$work/lines"
expect 0 "$BIN/verify" - --table heap <"$work/report"
expect 0 "$BIN/verify" - </dev/null
for line in '{"operation_id":"0/1#1","table":"public.word","type":"insert","result":"applied"}' '{"operation_id":' 'no JSON' \
  '{"operation_id":"0/1#1","table":"public.word","key":{"nome":1},"type":"insert","result":"applied"}'; do
  expect 65 "$BIN/verify" - <<<"$line"
  ended_with verify 'stdin:1'
done
printf '%s' '{"operation_id":"0/1#1"' >"$work/torn"
expect 65 "$BIN/verify" - <"$work/torn"
ended_with verify 'stdin:1: the last line has no end'

# One that differs hides none of those that are asked about together with it.
primary "select format('{\"operation_id\":\"0/1#%s\",\"table\":\"public.word\",\"key\":{\"id\":%s},\"type\":\"update\",\"result\":\"applied\"}', id, id)
  from word order by id" >"$work/all"
rows=$(wc -l <"$work/all")
at_least "rows" 2100 "$rows"
expect 1 "$BIN/verify" - --json <"$work/all"
same "of many rows" "[$((rows - 1)),1,0,[{\"id\":40}]]" "$(jq -c '.tables["public.word"] | [.equal, .different, .unsettled, .examples]' "$work/out")"

standby "update word set v = 'new' where id = 40" "delete from word where id = 60" "update pair set v = null where b = 7"

# --- a table that is paused is not equal, by name, and the others are judged; its mark goes with its proof, and not before ---
primary 'alter table pair add column extra int' "insert into pair values ('paused', 1, true, 3)"
wait_until 20 "the pause" eval "[ \"\$(standby \"select count(*) from pgtandem.tables where waiting_shape is not null\")\" = 1 ]"
expect 1 "$BIN/verify"
grep -q '^public.pair  paused  at .*' "$work/out" || fail "not said: $(cat "$work/out")"
same "verdicts" "public.heap true, public.pair false, public.quiet true, public.word true" "$(verdicts)"
expect 1 "$BIN/verify" --table pair
# nor are rows of it different, be they named or chosen
for arguments in - '--sample 10'; do
  # shellcheck disable=SC2086 # words
  expect 1 "$BIN/verify" $arguments <"$work/lines"
  same "what verify $arguments says of it" 'public.pair  paused  at' "$(grep '^public.pair' "$work/out" | cut -d' ' -f 1-5)"
  ! grep -q different "$work/out" || fail "there is a difference: $(cat "$work/out")"
  grep -q '^public.word  equal  ' "$work/out" || fail "the others are not looked at: $(cat "$work/out")"
done
expect 0 "$BIN/verify" marked
grep -q '^20.*Z  public.pair  ' "$work/out" || fail "not marked: $(cat "$work/out")"
standby 'alter table pair add column extra int'
wait_until 30 "the pause's end" eval "[ \"\$(standby \"select count(*) from pgtandem.tables where waiting_shape is not null\")\" = 0 ]"
wait_applied
same "what is still marked" public.pair "$("$BIN/verify" marked --json | jq -r .table)"
expect 0 "$BIN/verify"
same "what is still marked" "" "$("$BIN/verify" marked)"

# --- an applier that hangs: nothing is proven, and nothing waits for it for ever ---
write_config 'word, heap, quiet, pair' 'sync_timeout: 1' 'max_retry_attempts: 1'
standby "update word set v = 'spoilt' where id = 41"
kill -STOP "${FOLLOW[apply]}"
hangs="backup_node: apply cannot be held: pid ${FOLLOW[apply]} did not answer in time; .*restart it"
for arguments in diff verify 'verify --scrub' 'verify --sample 10000'; do
  # shellcheck disable=SC2086 # words
  expect 75 "$BIN/"$arguments
  ended_with "${arguments%% *}" "$hangs"
done
same "lines of a comparison" "" "$(expect 75 "$BIN/diff" && cat "$work/out")"
kill -CONT "${FOLLOW[apply]}"
write_config 'word, heap, quiet, pair' 'sync_timeout: 10'
standby "update word set v = md5('41') where id = 41"
expect 0 "$BIN/diff"
follow_stop

# --- lines of a shape that a table had once: what came since counts, too ---
both 'alter table word add column later int'
expect 0 "$BIN/verify" - --table word <"$work/lines"
standby 'update word set later = 7 where id = 40'
expect 1 "$BIN/verify" - --table word <"$work/lines"
grep -q '^public.word  different  46 rows: 1 differ, as {"id":40}$' "$work/out" || fail "what differs: $(cat "$work/out")"
standby 'update word set later = null where id = 40'
primary 'alter table heap add column later int'
standby 'alter table heap add column later int'
expect 0 "$BIN/verify" - --table heap <"$work/lines"
told '[0-9] rows are named by columns that their tables had once, and are not judged; prove'
both 'alter table heap drop column later' 'alter table word drop column later'
expect 0 "$BIN/verify"

# --- a server that is not there ---
cluster_stop standby immediate
write_config 'word, heap, quiet, pair' 'max_retry_attempts: 1'
expect 69 "$BIN/verify"
ended_with verify backup_node
same "the run" failed "$(receipt .run.result)"
same "verdicts, proven before" "public.heap true, public.pair true, public.quiet true, public.word true" "$(verdicts)"
say "what is equal is proven, what is not is named, and nothing else is called equal"
