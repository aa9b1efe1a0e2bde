#!/usr/bin/env bash
# A standby whose role may not set session_replication_role: foreign keys are checked and act, triggers that are ALWAYS fire,
# and the rows are the primary's all the same, folded and in its order. Triggers and rules that would do the primary's work
# again are refused until the right is granted or they sleep.
set -euo pipefail
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
# shellcheck source=tests/e2e/bad_lib.sh
. "$e2e/bad_lib.sh"
# shellcheck source=tests/e2e/history/in_order.sh
. "$e2e/history/in_order.sh"

# shellcheck disable=SC2119 # its arguments are optional
two_servers
both 'create table makers (id int primary key, name text unique)' \
  'create table models (maker int references makers on delete cascade on update cascade, n int, v text, primary key (maker, n))' \
  'create table parts (id serial primary key, maker int default 1 references makers on delete set null on update cascade, also int references parts on delete set default deferrable, v text)' \
  'create table logged (id serial primary key, what text)'
standby 'revoke set on parameter session_replication_role from pgtandem' "$(unfoldable_table)"
write_config 'makers, models, parts, logged'
link_up
grep -q 'warn .*; GRANT SET ON PARAMETER session_replication_role TO "pgtandem"$' "$work/err" || fail "init does not warn: $(cat "$work/err")"
sync() { pass && expect 0 "$BIN/apply"; }
in_order() { # the same, operation by operation
  "$BIN/capture" 2>"$work/capture.log" >"$work/stream"
  # shellcheck disable=SC2119 # its argument is optional
  orderly <"$work/stream" >"$work/orderly"
  "$BIN/queue" put <"$work/orderly" 2>"$work/put.log"
  expect 0 "$BIN/apply"
}
all_equal() { equal_tables makers models parts logged; }

# --- foreign keys that act on the standby as they did on the primary; parents and children in one batch and in one transaction ---
for way in sync in_order; do
  primary 'truncate makers, models, parts, logged restart identity' "insert into makers select i, 'm' || i from generate_series(1, 30) i" \
    "insert into models select i, n, 'v' from generate_series(1, 30) i, generate_series(1, 3) n" \
    "insert into parts (maker, v) select i, 'p' from generate_series(1, 30) i" "update parts set also = id - 1 where id > 1"
  "$way"
  all_equal
  primary 'delete from makers where id in (2, 3)' 'update makers set id = 104 where id = 4' "update makers set id = id + 200, name = 'x' || name where id in (5, 6)" \
    "begin; insert into makers values (40, 'new'); insert into models values (40, 1, 'a'); update models set maker = 40, n = 10 where maker = 7 and n = 1; delete from makers where id = 7; commit" \
    "begin; update parts set maker = 9 where maker = 8; delete from makers where id = 8; insert into makers values (8, 'again'); commit" \
    "begin; set constraints all deferred; delete from parts where id = 12; insert into parts (id, maker, v) values (12, 9, 'back'); commit" \
    "begin; update makers set name = 'other' where id = 11; update makers set name = 'm11' where id = 10; commit" 'delete from parts where id in (20, 21, 22)'
  "$way"
  all_equal
  # a sequence that the role does not own is put back, too, and goes on after what comes with the rows
  primary 'truncate parts restart identity' "insert into parts (v) values ('one'), ('two')"
  "$way"
  same "next of parts" 3 "$(standby "select nextval('parts_id_seq')")"
  primary 'truncate parts restart identity'
  "$way"
  same "next of parts, emptied" 1 "$(standby "select nextval('parts_id_seq')")"
done
same "owner of the sequence" postgres "$(standby "select rolname from pg_class c join pg_roles r on r.oid = relowner where relname = 'parts_id_seq'")"

# --- triggers: one that logs into a synced table did so on the primary, and its row comes with the stream ---
both "create function log() returns trigger language plpgsql as \$\$ begin insert into logged (what) values (tg_name || ' ' || new.id); return new; end \$\$" \
  'create trigger logs after insert on makers for each row execute function log()'
primary "insert into makers values (300, 'logged')"
pass
before=$(progress)
grant='GRANT SET ON PARAMETER session_replication_role TO "pgtandem"'
refused 77 "public.makers has triggers or rules .*; $grant, or ALTER TABLE public.makers DISABLE TRIGGER logs$" "$BIN/apply"
same "progress" "$before" "$(progress)"
expect 77 "$BIN/apply" init
same "what apply init prints" "$grant;" "$(cat "$work/out")"
standby "$(sed -n 's/^apply: .*, or \(ALTER TABLE .*\)/\1/p' <("$BIN/apply" 2>&1 || true))"
expect 0 "$BIN/apply" init
expect 0 "$BIN/apply"
all_equal
same "what was logged" 1 "$(standby "select count(*) from logged where what = 'logs 300'")"
standby 'alter table makers enable replica trigger logs'
expect 77 "$BIN/apply" init
standby 'alter table makers enable trigger logs' "$(cat "$work/out")"
expect 0 "$BIN/apply" init
primary "insert into makers values (301, 'logged too')"
sync
all_equal

# --- one that is ENABLE ALWAYS is meant to fire, with and without the right; rules and partitions are looked at, too ---
standby 'revoke set on parameter session_replication_role from pgtandem' 'alter table makers disable trigger logs' 'create table fired (id int)' \
  'create function fire() returns trigger language plpgsql as $$ begin insert into public.fired values (new.id); return new; end $$' \
  'create trigger always after insert on makers for each row execute function fire()' 'alter table makers enable always trigger always'
primary "insert into makers values (302, 'always')"
sync
all_equal
same "what fired" 302 "$(standby 'select * from fired')"
standby 'create rule twice as on update to makers do also insert into public.fired values (new.id)'
primary "update makers set name = 'ruled' where id = 302"
pass
refused 77 "$grant, or ALTER TABLE public.makers DISABLE RULE twice$" "$BIN/apply"
standby 'drop rule twice on makers'
expect 0 "$BIN/apply"
all_equal
both 'create table parted (id int primary key) partition by hash (id)' 'create table parted_0 partition of parted for values with (modulus 1, remainder 0)'
standby 'create trigger below before insert on parted_0 for each row execute function fire()'
write_config 'makers, models, parts, logged, parted'
with_rights capture init
expect 77 "$BIN/apply" init
same "what apply init prints" "$grant;" "$(cat "$work/out")"
primary 'insert into parted values (1)'
pass
refused 77 'ALTER TABLE public.parted_0 DISABLE TRIGGER below$' "$BIN/apply"
standby "$grant"
expect 0 "$BIN/apply"
equal_tables parted
same "what fired in the end" 302 "$(standby 'select * from fired')"
say "awake_test: passed in $SECONDS s"
