#!/usr/bin/env bash
# What the standby refuses only at the commit, by a constraint that is deferred until then, is found in its transaction and
# taken out alone; what the primary made right before its own commit is applied.
set -euo pipefail
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
# shellcheck source=tests/e2e/bad_lib.sh
. "$e2e/bad_lib.sh"

# shellcheck disable=SC2119 # its arguments are optional
two_servers
both 'create table makers (id int primary key)' \
  'create table parts (id int primary key, maker int, also int, v text)' 'alter table parts alter v set storage external' 'create table sums (id int primary key, n int)'
for name in primary standby; do
  "$name" 'alter table parts add foreign key (maker) references makers deferrable initially deferred' \
    'alter table parts add foreign key (also) references parts deferrable initially immediate'
done
write_config 'makers, parts, sums' 'batch_size: 50' 'logging: {level: debug}'
link_up
dead() { "$BIN/queue" dead list --json | jq -r "$1"; }
held() { "$BIN/queue" stat --json | jq .dead; }
ids() { "$1" "select string_agg(id::text, ' ' order by id) from $2"; }

# --- a trigger that fires at the commit, and for replicas too ---
standby "create function too_much() returns trigger language plpgsql as \$\$ begin
    if (select sum(n) from public.sums where id / 1000 = new.id / 1000) > 1000 then raise exception 'more than 1000 in all' using errcode = '23514'; end if; return null; end \$\$" \
  'create constraint trigger too_much after insert or update on sums deferrable initially deferred for each row execute function too_much()' \
  'alter table sums enable always trigger too_much'
# Row 2 is too much only while row 3 has not given some back; row 5 is too much for good, and takes its update along.
primary "insert into sums values (1, 100), (3, 500)" "insert into makers select generate_series(1, 5)" \
  "begin; insert into sums values (2, 700); update sums set n = 50 where id = 3; insert into sums values (4, 10), (5, 5000), (6, 20); update sums set n = n - 1 where id = 5; insert into parts values (1, 1); commit" \
  "insert into sums values (7, 30)"
pass
expect 1 "$BIN/apply"
same "the rest of the transaction, and what came after" "1 2 3 4 6 7|1" "$(ids standby sums)|$(ids standby parts)"
same "what is held" "insert 23514 5 more than 1000 in all, update  5 waits" "$(dead '"\(.type) \(.sqlstate) \(.change.new.id) \(.message)"' | sed 's/waits.*/waits/' | paste -sd, | sed 's/,/, /')"
same "marked for the next full pass" public.sums "$(jq -r .table "$work"/state/marks/*)"
same "the trigger's row is not told of as the standby's" "" "$(dead '.present // empty')"
expect 0 "$BIN/queue" dead retry all
expect 1 "$BIN/apply"
grep -q 'stays in quarantine: .*more than 1000 in all' "$work/err" || fail "a retry that is refused at its commit is not told: $(cat "$work/err")"
same "held still" 2 "$(held)"
standby 'drop trigger too_much on sums'
expect 0 "$BIN/queue" dead retry all
expect 0 "$BIN/apply"
equal_tables makers parts sums

# --- foreign keys, by a role that may not switch them off: deferred ones, and those that the primary deferred ---
standby 'revoke set on parameter session_replication_role from pgtandem' 'delete from parts' 'delete from makers where id = 3'
primary 'delete from parts'
pass
expect 0 "$BIN/apply"
primary "begin; insert into parts values (20, 9), (21, 3), (22, 1); insert into makers values (9); commit" \
  "begin; set constraints all deferred; insert into parts values (30, 1, 31), (31, 2, null), (32, 3, 31), (33, 1, 32); insert into makers values (10); commit" \
  "insert into parts values (40, 1)"
pass
expect 1 "$BIN/apply"
same "parts whose maker is there, or came later in the transaction" "20 22 30 31 40|1 2 4 5 9 10" "$(ids standby parts)|$(ids standby makers)"
same "what is held" "21 23503, 32 23503, 33 23503" "$(dead '"\(.change.new.id) \(.sqlstate)"' | paste -sd, | sed 's/,/, /g')"
standby 'insert into makers values (3)'
expect 0 "$BIN/queue" dead retry all
expect 0 "$BIN/apply"
same "left in quarantine" 0 "$(held)"
equal_tables makers parts sums

# --- many of one transaction, some of them right ---
standby 'delete from makers where id = 4'
primary "begin; insert into parts select 1000 + i, case when i % 50 = 7 then 4 when i > 300 then 11 else 1 end, null, 'v' from generate_series(1, 400) i; insert into makers values (11); commit"
pass
before=$SECONDS
expect 1 "$BIN/apply"
at_most "seconds to find 8 of 400" 40 $((SECONDS - before))
same "held, and the rest" "8 392" "$(held) $(standby 'select count(*) from parts where id > 1000')"

# --- by stdin nothing is held: one line, and nothing of the transaction ---
standby 'delete from parts where id > 1000' 'delete from makers where id = 11'
expect 0 "$BIN/queue" dead drop all
"$BIN/queue" get | jq -c 'select(.type != "source")' >"$work/all"
{ grep '"relation"' "$work/all" | sort -u; tac "$work/all" | sed '/^{"type":"begin"/q' | tac; } >"$work/stream"
INPUT=$work/stream refused 65 'cannot run COMMIT.*violates foreign key constraint' "$BIN/apply" -
same "rows of it" 0 "$(standby 'select count(*) from parts where id > 1000')"

# --- a table that was paused takes its changes from the queue, and there, too ---
primary 'delete from parts where id > 1000' 'alter table parts add column w int'
standby 'delete from parts'
primary "insert into parts values (50, 1, null, null, 5)"
pass
expect 1 "$BIN/apply"
primary "begin; insert into parts values (51, 12), (52, 4), (53, 2); insert into makers values (12); commit"
pass
expect 1 "$BIN/apply"
standby 'insert into makers values (12) on conflict do nothing' 'alter table parts add column w int'
expect 1 "$BIN/apply"
same "the table that waited" "50 51 53" "$(ids standby 'parts where id >= 50')"
same "what is held" "52 23503" "$(dead '"\(.change.new.id) \(.sqlstate)"')"
say "at_commit_test: passed in $SECONDS s"
