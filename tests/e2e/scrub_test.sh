#!/usr/bin/env bash
# early: 105
# verify --scrub: of a table that was proven before it reads what changed since and a part of the rest, and yet every row in
# max_age; whatever it cannot know makes it read all; under load it finds nothing that is not there.
set -euo pipefail
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
two_servers
sessions_end # what a session has read is counted at its end, or some time later
both 'create table big (id int primary key, v text)' 'create table pair (a text, b int, v text, primary key (a, b))' 'create table heap (v text, n int)' \
  'create table small (id bigint primary key, v text)'
both "insert into big select n, md5(n::text) from generate_series(1, 40000) n" "insert into pair select 'k''' || n, n, 'v' from generate_series(1, 3000) n" \
  "insert into heap select 'x' || n, n from generate_series(1, 3000) n" "insert into small select n, 's' from generate_series(1, 300) n"
# the application's own, which is nobody's business here
both "create function own() returns trigger language plpgsql as 'begin return new; end'" 'create trigger own before update on big for each row execute function own()'
both 'analyze'
primary 'alter table heap replica identity full'
SYNCED='big, pair, heap, small'
settings() { write_config "$SYNCED" "full_sync: {scrub: $1, max_age: $2}" "${@:3}"; } # BUDGET MAX-AGE [LINE…]
settings 5% 86400
link_up
scrubbed() { jq -rc ".nodes.backup_node.tables[\"public.$1\"].scrub | $2" "$work/state/verify.json"; }
all_equal() { expect 0 "$BIN/verify" --scrub "$@"; }
finds() { # TABLE COUNTS [OPTION…]
  expect 1 "$BIN/verify" --scrub "${@:3}"
  grep -q "^public.$1  different  .*: $2\$" "$work/out" || fail "not found: $(cat "$work/out")"
}
brought() { # SQL… on the primary, and on to the standby
  primary "$@"
  "$BIN/capture" | "$BIN/queue" put
  "$BIN/apply"
}
read_on() { on_server "$1" "select seq_tup_read + idx_tup_fetch from pg_stat_user_tables where relname = 'big'"; }
read_as_whole() { same "rows of $1 read, $2" "$(primary "select count(*) from $1")" "$(scrubbed "$1" .read)"; }

# --- the first time all is read; then what the budget allows, on both sides, the oldest first ---
all_equal
for table in big pair heap small; do read_as_whole "$table" "the first time"; done
same "pieces" '[40,1,1,1]' "[$(scrubbed big '.pieces | length'),$(scrubbed pair '.pieces | length'),$(scrubbed heap '.pieces | length'),$(scrubbed small '.pieces | length')]"
same "the rows of the pieces" 40000 "$(scrubbed big '.pieces | map(.rows) | add')"
first=$(scrubbed big .proven_since.time)
before=$(read_on primary) before_there=$(read_on standby)
all_equal
# The pieces are as even as the server's statistics are true.
grep -q "^public.big  equal  0 rows that changed, [12][0-9]\{3\} others of about [34][0-9]\{4\}; every row since $first\$" "$work/out" ||
  fail "the line: $(cat "$work/out")"
same "read of pair, heap, small" '0 0 300' "$(scrubbed pair .read) $(scrubbed heap .read) $(scrubbed small .read)"
at_least "read of big" 1500 "$(scrubbed big .read)"
at_most "rows that the primary read" 2500 $(($(read_on primary) - before))
at_most "rows that the standby read" 2500 $(($(read_on standby) - before_there))
all_equal
same "when the pieces were proven" '[true,true,true]' "$(scrubbed big '[.pieces[].time] | group_by(.) | map(length) | [.[0] >= 34, .[1] == 2, .[2] >= 2]')"
same "the oldest" "$first" "$(scrubbed big .proven_since.time)"
differ "what is touched" "$first" "$(scrubbed big .touched_until.time)"

# --- a row that changed is looked at each time, wherever it is and whatever its key ---
brought "update big set v = 'new' where id in (30000, 31000)" 'delete from big where id = 32000' 'update big set id = 50001 where id = 33000' \
  "update pair set v = 'new' where b = 7" "delete from pair where b = 8"
all_equal
same "touched" '5 2' "$(scrubbed big .touched) $(scrubbed pair .touched)"
same "pair read" 2 "$(scrubbed pair .read)"
same "touched again" 0 "$(all_equal && scrubbed big .touched)"
spoiled() { # CHANGE TABLE SPOIL COUNTS MEND
  brought "$1"
  standby "$3"
  finds "$2" "$4"
  same "a proof of $2, after $3" null "$(scrubbed "$2" .)"
  standby "$5"
  all_equal
  read_as_whole "$2" "after $3"
}
spoiled "update big set v = 'again' where id = 30000" big "update big set v = 'bad' where id = 30000" '1 changed, 0 missing, 0 extra' \
  "update big set v = 'again' where id = 30000"
spoiled 'delete from big where id = 30001' big "insert into big values (30001, 'back')" '0 changed, 0 missing, 1 extra' 'delete from big where id = 30001'
spoiled 'update big set id = 50002 where id = 30002' big 'delete from big where id = 50002' '0 changed, 1 missing, 0 extra' \
  "insert into big values (50002, md5('30002'))"
spoiled "insert into pair values ('ü', 1, null)" pair "update pair set v = '' where a = 'ü'" '1 changed, 0 missing, 0 extra' "update pair set v = null where a = 'ü'"
# without a key all is read where something changed
spoiled "insert into heap values ('more', null)" heap "delete from heap where n = 17" '0 changed, 1 missing, 0 extra' "insert into heap values ('x17', 17)"

# --- a row that nothing touched is found when its turn comes: by the budget, or because max_age demands it ---
standby "update big set v = 'bad' where id = 39000"
all_equal
settings 30% 86400
passes=0
until ! "$BIN/verify" --scrub >"$work/out" 2>&1; do passes=$((passes + 1)) && at_most "passes" 3 "$passes"; done
grep -q '^public.big  different  .*: 1 changed' "$work/out" || fail "not found: $(cat "$work/out")"
standby "update big set v = md5('39000') where id = 39000" "update pair set v = 'bad' where b = 100"
all_equal
settings 0.1 1
finds pair '1 changed, 0 missing, 0 extra'
standby "update pair set v = 'v' where b = 100"
all_equal
settings 5% 86400

# --- whatever it cannot know makes it read all ---
all_equal
brought 'truncate small' "insert into small select n, 's' from generate_series(1, 900) n"
all_equal
read_as_whole small "after a truncate"
brought "update big set v = v || '.' where id % 3 = 0"
all_equal
read_as_whole big "after a third of it changed"
all_equal
at_most "big read" 3500 "$(scrubbed big .read)"
settings 5% 86400 'filters: {heap: {where: v is not null}}'
with_rights capture init
all_equal --table heap
read_as_whole heap "with another filter"
settings 5% 86400
with_rights capture init
all_equal
standby 'create table other (like pair including all)' 'insert into other select * from pair' 'drop table pair' 'alter table other rename to pair'
all_equal
read_as_whole pair "when it was made anew"

# a clock that was wrong: what it dated ahead would not be read for as long
jq -c '.nodes.backup_node.tables["public.pair"].scrub.pieces[0].time = "2100-01-01T00:00:00.000000Z"' "$work/state/verify.json" >"$work/ahead" && cp "$work/ahead" "$work/state/verify.json"
all_equal
read_as_whole pair "when a proof lay ahead"
all_equal
same "pair read" 0 "$(scrubbed pair .read)"

# --- filters.program: what it keeps away costs no more than what is read anyway, and what it would let through is found ---
sifted() { settings "$1" 86400 "filters: {program: [jq, -c, 'select(.new.v != \"apart\")']}"; }
left_out() { jq -r '.nodes.backup_node.tables["public.big"].left_out' "$work/state/verify.json"; }
all_equal
whole=$(scrubbed big .whole.time)
sifted 30%
brought "update big set v = 'apart' where id in (100, 20000)"
for _ in 1 2 3 4 5; do all_equal; done
same "what the program keeps away" 2 "$(left_out)"
grep -q '^public.big  equal  0 rows that changed, .*; 2 left out by filters.program$' "$work/out" || fail "the line: $(cat "$work/out")"
sifted 5%
brought "update big set v = 'seen' where id = 101"
brought "update big set v = 'apart' where id = 101" "update pair set v = 'seen' where b = 9"
brought "update pair set v = 'apart' where b = 9"
all_equal
same "touched" '1 1' "$(scrubbed big .touched) $(scrubbed pair .touched)"
same "when big was last read as a whole" "$whole" "$(scrubbed big .whole.time)"
brought "update big set v = 'seen' where id = 102"
standby "update big set v = 'bad' where id = 102"
finds big '1 changed, 0 missing, 0 extra, 3 left out by filters.program'
standby "update big set v = 'seen' where id = 102"
all_equal
settings 5% 86400
brought "update big set v = 'the same' where v = 'apart'" "update pair set v = 'the same' where v = 'apart'"
all_equal

# --- what the stream never tells: a partition that is truncated by itself, or hangs elsewhere, a column made anew ---
both 'create table parts (id int, w int, v text, primary key (id, w)) partition by range (id)' 'create table low partition of parts for values from (0) to (2000)' \
  'create table high partition of parts for values from (2000) to (4000)'
both "insert into parts select n, 1, 'v' from generate_series(1, 3999) n" 'analyze parts'
SYNCED+=', parts'
settings 5% 86400
with_rights capture init
all_equal
all_equal
same "parts read" 0 "$(scrubbed parts .read)"
standby 'truncate low'
finds parts '0 changed, 1999 missing, 0 extra'
standby "insert into parts select n, 1, 'v' from generate_series(1, 1999) n"
all_equal
primary 'truncate high'
finds parts '0 changed, 0 missing, 2000 extra'
standby 'truncate high'
brought "insert into parts select n, 1, 'v' from generate_series(2000, 3999) n"
all_equal
all_equal
same "parts read" 0 "$(scrubbed parts .read)"
standby 'alter table parts detach partition low' "update low set v = 'meanwhile' where id = 5" 'alter table parts attach partition low for values from (0) to (2000)'
finds parts '1 changed, 0 missing, 0 extra'
standby "update parts set v = 'v' where id = 5"
all_equal
all_equal
same "parts read" 0 "$(scrubbed parts .read)"
standby 'alter table parts drop v' 'alter table parts add v text'
finds parts '3999 changed, 0 missing, 0 extra'
standby "update parts set v = 'v'"
all_equal

# --- the queue keeps what the next pass reads, but not for long ---
settings 5% 86400 'spool: {directory: spool, max_bytes: 4MiB}'
segments() { find "$work/spool/segments" -name '*.jsonl' | wc -l; }
all_equal
wanted=$(cat "$work/spool/proofs/backup_node")
brought "update big set v = repeat(md5(v), 8) where id between 10000 and 12000"
same "segments" 2 "$(segments)"
expect 0 "$BIN/queue" prune
same "segments, pruned" 2 "$(segments)"
all_equal
same "touched" 2001 "$(scrubbed big .touched)"
differ "the position" "$wanted" "$(cat "$work/spool/proofs/backup_node")"
for _ in 1 2 3; do brought "update big set v = v || '.' where id between 10000 and 12000"; done
expect 0 "$BIN/queue" prune
same "segments, more than a tenth of the spool" 1 "$(segments)"
[ ! -e "$work/spool/proofs/backup_node" ] || fail "what is gone is still wanted"
standby "update big set v = 'bad' where id = 11000"
finds big '1 changed, 0 missing, 0 extra'
both "update big set v = 'the same' where id = 11000"
all_equal
read_as_whole big "without what it wanted to read"

# --- under load, with the applier running, nothing is found that is not there; what is there, is ---
follow_capture
follow_apply
wait_applied
writes_begin 20 "update big set v = v || '.' where id in (select (random() * 40000)::int from generate_series(1, 20))" \
  "insert into pair select 'n' || random(), random() * 1000000, 'v'" "delete from pair where b > 500000" "insert into heap values ('y', 1)"
for _ in 1 2 3 4 5 6 7 8; do all_equal; done
at_least "rows touched" 1 "$(scrubbed big .touched)"
writes_end
follow_stop
for arguments in '--scrub --sample 3' '--scrub -'; do
  # shellcheck disable=SC2086 # words
  expect 64 "$BIN/verify" $arguments
done
say "a scrub reads what changed and a part of the rest, and misses nothing"
