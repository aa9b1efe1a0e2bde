#!/usr/bin/env bash
# early: 62
# An operation that the standby can never take is taken out, alone, and told; the rest goes on. What changes its row waits
# behind it, or heals it; a crash at any moment neither loses a letter nor leaves one that does not belong there.
set -euo pipefail
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
# shellcheck source=tests/e2e/bad_lib.sh
. "$e2e/bad_lib.sh"

two_servers
both "create table pairs (id int primary key, n int, note text); alter table pairs alter note set storage external" "create table notes (at int, what text); alter table notes replica identity nothing" \
  "create table fully (id int primary key, n int, what text); alter table fully replica identity full" "create table keyless (n int, what text); alter table keyless replica identity full"
standby "alter table pairs add constraint small check (n < 1000)" "alter table notes add constraint short check (length(what) < 10)"
config() { write_config 'pairs, notes, fully, keyless' 'batch_size: 50' "$@"; }
config
link_up
dead() { "$BIN/queue" dead list --json | jq -r "$1"; }
held() { "$BIN/queue" stat --json | jq .dead; }
audit() { jq -r .action "$work/spool/audit.jsonl" | sort | uniq -c | awk '{printf "%s%s %s", sep, $1, $2; sep = ", "}'; }
equal() { equal_tables; same "left in quarantine" 0 "$(held)"; }

# --- out of a transaction's middle ---
primary "insert into pairs select n, n from generate_series(1, 500) n" "begin; insert into pairs values (1001, 1); insert into pairs values (1002, 5000, 'poison'); insert into pairs values (1003, 3); commit" \
  "update pairs set n = n + 1 where id <= 500" "insert into notes values (1, 'short'), (2, 'much too long'), (3, 'short')"
pass
expect 1 "$BIN/apply" --report "$work/report"
grep -q 'error apply: backup_node: operation [0-9A-F/]*#2 on public.pairs is in quarantine: .*small' "$work/err" || fail "it is not told: $(cat "$work/err")"
grep -q 'in quarantine: 2 operations, see pgtandem queue dead list' "$work/err" || fail "the last line does not say it"
same "the rest of the transaction" "1001 1003" "$(standby "select string_agg(id::text, ' ' order by id) from pairs where id > 1000")"
same "what came after" "502|2" "$(standby "select (select count(*) from pairs), (select count(*) from notes)")"
same "the letters" "insert public.pairs 23514 poison, insert public.notes 23514 null" "$(dead '"\(.type) \(.table) \(.sqlstate) \(.change.new.note)"' | paste -sd, | sed 's/,/, /')"
id=$(dead 'select(.table == "public.pairs").operation_id')
expect 0 "$BIN/queue" dead show "$id"
grep -q '"n": 5000' "$work/out" || fail "show does not show the row: $(cat "$work/out")"
same "marked for the next full pass" "public.notes public.pairs" "$(jq -r .table "$work"/state/marks/* | sort | xargs)"
same "the report" "1 of 2" "$(jq -r 'select(.result == "quarantined") | .operation_id' "$work/report" | grep -c "$id" | sed 's/$/ of 2/')"
expect 1 "$BIN/apply"
same "letters after a pass with nothing new" 2 "$(held)"

# --- what changes the row waits behind it, and what brings all of it heals it ---
primary "update pairs set n = 6000 where id = 1002" "update pairs set n = 7 where id = 1003"
pass
expect 1 "$BIN/apply"
same "held" 3 "$(held)"
same "the other row" 7 "$(standby "select n from pairs where id = 1003")"
primary "update pairs set n = 8 where id = 1002"
pass
expect 1 "$BIN/apply"
same "only the row without a key is left" public.notes "$(dead .table)"
equal_tables pairs

# --- retry: refused again, then taken ---
expect 0 "$BIN/queue" dead retry all
expect 1 "$BIN/apply"
grep -q 'stays in quarantine' "$work/err" || fail "a retry that fails is not told"
same "held still" 1 "$(held)"
standby "alter table notes drop constraint short"
expect 0 "$BIN/queue" dead retry all
expect 0 "$BIN/apply"
equal

# --- an update that does not carry every value waits, and a delete makes an end of it ---
primary "insert into pairs values (2000, 1, repeat('x', 5000))"
pass
expect 0 "$BIN/apply"
for n in 5000 2; do
  primary "update pairs set n = $n where id = 2000"
  pass
  expect 1 "$BIN/apply"
done
same "both wait, for neither carries all" 2 "$(held)"
primary "delete from pairs where id = 2000"
pass
expect 0 "$BIN/apply"
equal

# --- a chain is tried again in its order, and no further than what is refused ---
primary "insert into pairs values (2500, 1, repeat('x', 5000))"
pass
expect 0 "$BIN/apply"
for n in 5000 3; do
  primary "update pairs set n = $n where id = 2500"
  pass
  expect 1 "$BIN/apply"
done
first=$(dead .operation_id | head -n 1)
expect 0 "$BIN/queue" dead retry "$(dead .operation_id | tail -n 1)"
same "one takes the other along" "$(printf '2')" "$(wc -l <"$work/out")"
expect 1 "$BIN/apply"
same "nothing passed the first" "2 1" "$(held) $(standby "select n from pairs where id = 2500")"
same "why the second waits" "waits for operation $first on the same row" "$(dead .message | tail -n 1)"
# letters of two tables in one go
primary "insert into notes values (8, 'much too long')"
standby "alter table notes add constraint short check (length(what) < 10) not valid"
pass
expect 1 "$BIN/apply"
standby "alter table notes drop constraint short" "alter table pairs drop constraint small"
expect 0 "$BIN/queue" dead retry all
expect 0 "$BIN/apply"
equal
standby "alter table pairs add constraint small check (n < 1000) not valid"

# --- a key that the standby's type cannot take ---
standby "alter table pairs alter id type smallint"
primary "insert into pairs values (70000, 1)" "insert into pairs values (2600, 1)"
pass
expect 1 "$BIN/apply"
same "held, and the one after it is there" "22003 1" "$(dead .sqlstate) $(standby "select count(*) from pairs where id = 2600")"
standby "alter table pairs alter id type int"
expect 0 "$BIN/queue" dead retry all
expect 0 "$BIN/apply"
equal

# --- nothing may pass it by stdin ---
primary "insert into pairs values (2700, 5000)"
pass
expect 1 "$BIN/apply"
"$BIN/queue" get >"$work/stream"
INPUT=$work/stream refused 65 'operations are in quarantine, which stdin must not pass' "$BIN/apply" -
primary "delete from pairs where id = 2700"
pass
expect 0 "$BIN/apply"
equal

# --- so does TRUNCATE ---
primary "insert into pairs values (3000, 5000)"
pass
expect 1 "$BIN/apply"
primary "truncate pairs" "insert into pairs values (3000, 1), (3001, 5)"
pass
expect 0 "$BIN/apply"
equal

# --- REPLICA IDENTITY FULL: a row is known by the standby's primary key, and so is a later change of it ---
standby "alter table fully add constraint small check (n < 1000)"
primary "insert into fully values (1, 5000, 'a')" "insert into fully values (2, 1, 'b')" "update fully set what = 'c' where id = 1"
pass
expect 1 "$BIN/apply"
same "held: the row, and what changed it" 2 "$(held)"
primary "update fully set n = 5 where id = 1" "update fully set n = 6000 where id = 2" "update fully set id = 3 where id = 2"
pass
expect 1 "$BIN/apply"
same "healed by a change that brings all of it; the one that moved waits" "update update" "$(dead .type | xargs)"
primary "delete from fully where id = 3"
pass
expect 1 "$BIN/apply"
standby "alter table fully drop constraint small"
expect 0 "$BIN/queue" dead retry all
expect 0 "$BIN/apply"
equal

# --- mended by a full pass: whatever tells the rows apart, and nothing comes twice ---
standby "alter table fully add constraint small check (n < 1000) not valid" "alter table notes add constraint small check (at < 1000)" "alter table keyless add constraint small check (n < 1000)"
primary "insert into fully values (10, 5000, 'x')" "update fully set what = 'y' where id = 10" "insert into notes values (5000, 'x'), (5000, 'x')" \
  "insert into keyless values (1, 'x'), (1, 'x'), (5000, 'x'), (5000, 'x')" "update keyless set n = 6000 where ctid = (select min(ctid) from keyless where n = 1)" "insert into pairs values (2800, 5000)"
pass
expect 1 "$BIN/apply"
same "held" 8 "$(held)"
for table in fully notes keyless; do standby "alter table $table drop constraint small"; done
standby "alter table pairs drop constraint small"
{ "$BIN/diff" 2>"$work/diff.log" || true; } | expect 0 "$BIN/apply" -
equal
expect 0 "$BIN/apply"
equal
standby "alter table pairs add constraint small check (n < 1000) not valid"
primary "delete from pairs where id = 2800" "delete from fully" "delete from keyless"
pass
expect 0 "$BIN/apply"

# --- refused by what a trigger raises, whatever that is, and by what a function of the table does not find ---
standby "create function refuse() returns trigger language plpgsql as 'begin if new.n = 41 then raise exception ''not 41'' using errcode = ''45000''; elsif new.n = 42 then perform from limits; elsif new.n = 43 then perform limit_of(1); end if; return new; end'" \
  "create trigger refuse before insert or update on pairs for each row execute function refuse()" "alter table pairs enable always trigger refuse"
primary "begin; insert into pairs values (2900, 1); insert into pairs select 2900 + n, 40 + n from generate_series(1, 3) n; insert into pairs values (2910, 2); insert into notes values (9, 'n'); commit" \
  "insert into pairs values (2911, 3)"
pass
expect 1 "$BIN/apply"
same "held" "45000 42P01 42883" "$(dead .sqlstate | xargs)"
dead .message | grep -q 'relation "limits" does not exist, named by a function that runs there; let it name schemas' || fail "where the name is from is not told: $(dead .message)"
same "the rest" 3 "$(standby "select count(*) from pairs where id in (2900, 2910, 2911)")"
standby "drop trigger refuse on pairs"
expect 0 "$BIN/queue" dead retry all
expect 0 "$BIN/apply"
equal

# --- drop: given up, and the audit record keeps it ---
primary "insert into pairs values (4000, 5000, 'dropped')"
pass
expect 1 "$BIN/apply"
expect 0 "$BIN/queue" dead drop "$(dead .operation_id)"
same "held" 0 "$(held)"
jq -e 'select(.action == "dropped" and .change.new.note == "dropped")' "$work/spool/audit.jsonl" >/dev/null || fail "the audit record does not keep it"
expect 0 "$BIN/apply"
primary "delete from pairs where id = 4000"
refused 64 'no operation 0/1#1 is in quarantine' "$BIN/queue" dead retry '0/1#1'
refused 64 'name an operation_id, or all' "$BIN/queue" dead show

# --- killed when the letter is written and its batch is not committed: the batch comes again, and now it fits ---
primary "insert into pairs values (5000, 5000)"
pass
background locker cluster_psql standby crawler -c "begin; lock table pgtandem.progress in share mode; select pg_sleep(3); commit"
background killed "$BIN/apply"
wait_until 10 "the letter" eval '[ "$(held)" = 1 ]'
same "the progress is not there yet" 0 "$(standby "select count(*) from pairs where id = 5000")"
killed killed
standby "alter table pairs drop constraint small"
ended locker 0
expect 0 "$BIN/apply"
equal
standby "alter table pairs add constraint small check (n < 1000) not valid"

# --- stopped inside a transaction that goes piece by piece: nothing of it stays, though a letter is tried again at the end ---
primary "insert into pairs values (6000, 5000)"
pass
expect 1 "$BIN/apply"
standby "alter table pairs drop constraint small"
expect 0 "$BIN/queue" dead retry all
primary "insert into pairs select 700000 + n, 1, repeat('x', 600) from generate_series(1, 100000) n"
pass
background locker cluster_psql standby crawler -c "begin; lock table pairs in share mode; select pg_sleep(3); commit"
wait_until 5 "the lock" eval '[ "$(standby "select count(*) from pg_locks where mode = \$\$ShareLock\$\$ and relation = \$\$pairs\$\$::regclass")" = 1 ]'
background halfway "$BIN/apply"
sleep 1
stopped halfway
ended locker 0
same "rows of half a transaction, and the letter's" "0 1" "$(standby "select count(*) filter (where id > 700000) || ' ' || count(*) filter (where id = 6000) from pairs")"
expect 0 "$BIN/apply"
equal
primary "delete from pairs where id > 700000 or id = 6000"
pass
expect 0 "$BIN/apply"
standby "alter table pairs add constraint small check (n < 1000) not valid"

# --- killed, and the standby crashed, around the commits ---
config 'batch_size: 20' 'max_retry_attempts: 50' 'retry_delay: 0.05'
primary "do \$\$ begin for i in 1 .. 400 loop
  insert into pairs values (10000 + i, case when i % 20 = 0 then 5000 else i end);
  if i % 40 = 0 then update pairs set n = 1 where id = 10000 + i; end if;
  commit; end loop; end \$\$"
pass
for _ in 1 2 3 4 5 6; do
  background killed "$BIN/apply"
  sleep "0.0$((RANDOM % 9))"
  kill -KILL "${STARTED[killed]}" 2>/dev/null || true
  wait "${STARTED[killed]}" 2>/dev/null || true
  unset 'STARTED[killed]'
done
background crashed "$BIN/apply"
sleep 0.05
cluster_stop standby immediate
cluster_start standby
wait "${STARTED[crashed]}" || true
unset 'STARTED[crashed]'
expect 1 "$BIN/apply"
same "held: every twentieth, less every fortieth, which was mended" 10 "$(held)"
same "rows" 390 "$(standby "select count(*) from pairs where id > 10000")"
standby "alter table pairs drop constraint small"
follow_apply
expect 0 "$BIN/queue" dead retry all
primary "insert into pairs values (9999, 1)"
pass
wait_until 20 "the letters to be taken" eval '[ "$(held)" = 0 ]'
follow_stop
equal

# --- more than spool.max_dead stops it ---
standby "alter table pairs add constraint small check (n < 1000) not valid"
config 'spool: {directory: spool, max_dead: 3}'
primary "insert into pairs select 20000 + n, 5000 from generate_series(1, 5) n"
pass
refused 65 'spool.max_dead allows no more' "$BIN/apply"
config
expect 1 "$BIN/apply"
same "held" 5 "$(held)"
# a letter has the row as it was on the standby
standby "alter table pairs drop constraint small"
expect 0 "$BIN/queue" dead retry all
expect 0 "$BIN/apply"
standby "alter table pairs add constraint small check (n < 7000)"
primary "update pairs set n = 9000 where id = 20001"
pass
expect 1 "$BIN/apply"
same "the change, and the row that it was for" "9000 5000" "$(dead '"\(.change.new.n) \(.present | fromjson | .n)"')"
same "what the audit record tells of" "applied dropped not_committed quarantined retry superseded" "$(jq -r .action "$work/spool/audit.jsonl" | sort -u | xargs)"
say "quarantine_test: passed in $SECONDS s"
