#!/usr/bin/env bash
# Tables of every kind, one by one: what of them is synced, what stays the standby's own, and what is refused, with the
# command that mends it.
set -euo pipefail
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
# shellcheck source=tests/e2e/bad_lib.sh
. "$e2e/bad_lib.sh"
# shellcheck source=tests/e2e/history/in_order.sh
. "$e2e/history/in_order.sh"

# shellcheck disable=SC2119 # its arguments are optional
two_servers max_prepared_transactions=4
standby "$(unfoldable_table)"
sync() { pass && expect 0 "$BIN/apply"; }
in_order() { # the same, operation by operation
  "$BIN/capture" 2>"$work/capture.log" >"$work/stream"
  # shellcheck disable=SC2119 # its argument is optional
  orderly <"$work/stream" >"$work/orderly"
  "$BIN/queue" put <"$work/orderly" 2>"$work/put.log"
  expect 0 "$BIN/apply"
}
rows() { # SERVER FROM [COLUMNS]
  "$1" "select coalesce(string_agg(t::text, ' ' order by t::text), '') from (select ${3:-*} from $2) t"
}
says() { grep -q -- "$1" "$work/err" || fail "apply does not say '$1': $(cat "$work/err")"; }
both 'create table plain (id int primary key, v text)'
write_config plain
link_up
synced=plain
# Adds tables to what is synced, and to the publication: rows that come after this are in the stream.
join() { # TABLES
  synced+=", $1"
  write_config "$synced"
  with_rights capture init
}

# --- what cannot be synced is refused before anything is made ---
primary 'create unlogged table unlogged (id int primary key)' 'create view seen as select 1 as id' 'create table nameless (a int)' \
  'create table postponed (id int primary key deferrable)' 'create table lost (a int not null)' 'create unique index lost_key on lost (a)' \
  'alter table lost replica identity using index lost_key' 'drop index lost_key' 'create materialized view stored as select 1 as id' 'create sequence counted' \
  'create table generated (a int, id int generated always as (a + 1) stored primary key, v text)' \
  'create table partly (a int, b int generated always as (a + 1) stored, primary key (a, b))'
while IFS=' ' read -r table code says; do
  write_config "plain, $table"
  refused "$code" "$says" "$BIN/capture" init
done <<'TABLES'
unlogged 65 ALTER TABLE "public"."unlogged" SET LOGGED
seen 65 public.seen is not a table
stored 65 public.stored is not a table
counted 65 public.counted is not a table
nameless 65 public.nameless has no primary key .*REPLICA IDENTITY
postponed 65 public.postponed .*deferrable
lost 65 public.lost has no .*REPLICA IDENTITY
generated 65 public.generated .*generated
partly 65 public.partly .*generated
nowhere 78 public.nowhere .*does not exist
TABLES
write_config "$synced"
same "what is published" plain "$(primary 'select string_agg(tablename, $$ $$) from pg_publication_tables')"
# and nothing of it keeps the primary from writing
primary 'insert into postponed values (1)' 'update postponed set id = 2' 'insert into lost values (1)' 'delete from lost'

# --- tables that inherit: each one by its own name, its rows apart from its children's ---
both 'create table base (id int primary key, v text)' 'create table derived (w text, primary key (id)) inherits (base)' 'create table left_out (primary key (id)) inherits (base)'
join base
same "published of the family" "base plain" "$(primary 'select string_agg(tablename, $$ $$ order by tablename) from pg_publication_tables')"
join derived
standby "insert into left_out values (1, 'ours'), (2, 'ours')"
primary "insert into base values (1, 'b'), (2, 'b'), (3, 'b')" "insert into derived values (1, 'd', 'w'), (2, 'd', 'w')" "insert into left_out values (1, 'l')"
sync
equal_tables 'only base' derived
for way in sync in_order; do
  primary "update only base set v = 'B' || v where id = 1" "delete from only base where id = 2" "update derived set v = 'D' || v" "insert into base values (2, 'again')" "update base set id = id + 10 where id = 1"
  "$way"
  equal_tables 'only base' derived
  primary "update base set id = id - 10 where id = 11"
  "$way"
  equal_tables 'only base' derived
done
same "rows of a child that is not synced" "(1,ours) (2,ours)" "$(rows standby left_out)"
primary "insert into derived values (31, 'child', 'w')" "insert into base values (31, 'parent')" "update only base set v = 'its own' where id = 31" "delete from only base where id = 31" "truncate only base" "insert into base values (7, 'after')"
pass
expect 0 "$BIN/apply" --dry-run
same "statements for a parent's own rows" 'DELETE FROM ONLY "public"."base", TRUNCATE ONLY "public"."base";, UPDATE ONLY "public"."base"' "$(grep -E '^(UPDATE|DELETE|TRUNCATE)' "$work/out" | sed 's/ \(SET\|WHERE\) .*//' | sort | paste -sd, | sed 's/,/, /g')"
expect 0 "$BIN/apply"
equal_tables 'only base' derived
same "the child's rows after its parent was emptied alone" "(11,DDd,w) (2,DDd,w) (31,child,w)" "$(rows standby derived | sed 's/(1,/(11,/')"
primary "truncate base" "insert into derived values (8, 'after', null)"
sync
equal_tables 'only base' derived
same "rows of a child that is not synced" "(1,ours) (2,ours)" "$(rows standby left_out)"

# --- columns: the standby's own keep their values, in both ways; generated ones are made on each side ---
primary 'create table own (id int primary key, b int, twice int generated always as (b * 2) stored, body text)' 'alter table own alter body set storage external'
standby "create table own (note text not null default 'none', body text, b int, id int primary key, thrice int generated always as (b * 3) stored)"
join own
primary "insert into own (id, b, body) select i, i, repeat('x', 3000) from generate_series(1, 6) i"
sync
standby "update own set note = 'kept ' || id"
primary "update own set id = 101, b = 5, body = 'new' where id = 1" "update own set b = null, body = 'new' where id = 3"
sync
primary "update own set id = 102 where id = 2"
sync
primary "update own set id = 104, body = 'new' where id = 4" "update own set id = 105 where id = 5" "update own set b = null, body = 'new' where id = 6"
in_order
same "rows with the standby's own columns" "(101,5,15,\"kept 1\") (102,2,6,\"kept 2\") (104,4,12,\"kept 4\") (105,5,15,\"kept 5\") (3,,,\"kept 3\") (6,,,\"kept 6\")" "$(rows standby own 'id, b, thrice, note')"
same "what was sent" "$(rows primary own 'id, b, body')" "$(rows standby own 'id, b, body')"
primary 'create table made (id int primary key, n int)'
standby 'create table made (id int primary key, n int generated always as (id + 1) stored)'
join made
primary 'insert into made values (1, 1)'
pass
expect 1 "$BIN/apply"
says 'public.made generates the column n, which the primary stores; make it an ordinary one'
standby 'alter table made alter n drop expression'
expect 0 "$BIN/apply"
equal_tables made

# --- an identity by an index that tells more keys apart than the column's own collation does: one row is meant, in both ways ---
both "create collation caseless (provider = icu, locale = 'und-u-ks-level2', deterministic = false)" \
  'create table cased (k text collate caseless not null, v int)' 'create unique index cased_k on cased (k collate "C")'
primary 'alter table cased replica identity using index cased_k'
join cased
primary "insert into cased values ('a', 1), ('A', 2), ('b', 3), ('B', 4), ('c', 5), ('C', 6), ('d', 7), ('D', 8)"
sync
primary "delete from cased where v = 2" "update cased set v = 30 where v = 3"
sync
equal_tables cased
primary "delete from cased where v = 6" "update cased set v = 70 where v = 7"
in_order
equal_tables cased

# --- a key that is TOASTed itself, and TOAST beside an identity by an index: what was not sent stays, in both ways ---
both 'create table long_keys (id int primary key, k text not null, body text, n int)' 'create unique index long_keys_k on long_keys (k)' \
  'alter table long_keys alter k set storage external, alter body set storage external'
primary 'alter table long_keys replica identity using index long_keys_k'
join long_keys
primary "insert into long_keys select i, repeat(i::text || '-', 1250), repeat(md5(i::text), 200), i from generate_series(1, 9) i"
sync
primary "update long_keys set n = n + 100 where id in (1, 2, 3)" "update long_keys set id = id + 10 where id = 3" "update long_keys set body = 'new' where id = 4" \
  "update long_keys set k = repeat('moved', 500) where id = 5" "update long_keys set k = 'short', body = null where id = 6" "delete from long_keys where id = 7"
sync
equal_tables long_keys
primary "update long_keys set n = n + 1" "update long_keys set k = repeat('again', 500), n = 0 where id = 8"
in_order
equal_tables long_keys

# --- a domain that takes no NULL: what is not known of a row when it is looked up is no reason to go one by one ---
both 'create domain named as text check (value <> $$$$) not null' 'create table labels (id int primary key, label named, n int)'
join labels
primary "insert into labels select i, 'label ' || i, i from generate_series(1, 6) i"
sync
primary "update labels set n = 0, label = 'new' where id < 3" "delete from labels where id = 4" "insert into labels values (7, 'seven')"
pass
expect 0 "$BIN/apply" --log-level debug
says '4 operations folded to 4 rows, 0 in the primary'
equal_tables labels

# --- the replica identity changes while the stream runs, in and between transactions ---
both 'create table turned (id int primary key, code text not null, v text)' 'create unique index turned_code on turned (code)'
join turned
follow_capture
follow_apply
primary "insert into turned select i, 'c' || i, 'v' from generate_series(1, 14) i"
n=0
for identity in full 'using index turned_code' default; do
  primary "alter table turned replica identity $identity" "update turned set v = '$identity' where id = $n + 1" "update turned set id = $n + 100, code = 'moved $n' where id = $n + 2" "delete from turned where id = $n + 3"
  n=$((n + 4))
done
primary "begin; update turned set v = 'a', id = 200 where id = 13; alter table turned replica identity full; update turned set v = 'b', id = 201 where id = 200; delete from turned where id = 14; alter table turned replica identity using index turned_code; update turned set code = 'z' where id = 201; commit"
wait_applied
follow_stop
equal_tables turned
same "none was a conflict" 0 "$(cat "$work"/state/conflicts.*.jsonl 2>/dev/null | grep -c turned || true)"

# --- a prepared transaction comes when it is committed, at that place, and not at all where it is not ---
primary "begin; insert into turned values (300, 'p', 'prepared'); delete from turned where id = 4; prepare transaction 'one'" "begin; insert into turned values (301, 'q', 'never'); prepare transaction 'two'" "insert into turned values (302, 'r', 'before')"
sync
same "rows before the commit" "4 302" "$(standby "select string_agg(id::text, ' ' order by id) from turned where id in (4, 300, 301, 302)")"
primary "update turned set v = 'still before' where id = 302" "commit prepared 'one'" "rollback prepared 'two'" "update turned set v = 'after' where id = 300"
sync
equal_tables turned

# --- an identity ALWAYS that changes: no UPDATE may set it ---
both 'create table numbered (k text primary key, n int generated always as identity, v text, body text)' 'alter table numbered alter body set storage external' \
  'create table numbers (id int generated always as identity primary key, body text)' 'alter table numbers alter body set storage external' \
  'create table numbered_full (n int generated always as identity, v text)' 'alter table numbered_full replica identity full'
join 'numbered, numbers, numbered_full'
primary "insert into numbered (k, v, body) select 'k' || i, 'v', repeat('b', 3000) from generate_series(1, 9) i" "insert into numbers (body) select repeat('c', 3000) from generate_series(1, 9)" \
  "insert into numbered_full (v) values ('a'), ('a'), ('b')"
sync
for way in sync in_order; do
  primary "update numbered set n = default, body = 'whole', k = 'K2' || n where k like 'k2%'" "update numbered set n = default, body = 'whole' where k = 'k9'" "update numbers set id = default, body = 'short' where id % 3 = 0" "update numbered_full set n = default where v = 'b'"
  "$way"
  cp "$work/err" "$work/first"
  primary "update numbered set v = v || '.', body = body where k > 'k4'" "update numbers set body = body where id % 3 = 1"
  "$way"
  # what does not fold: a changed key or identity beside a value that is not sent
  primary "update numbered set n = default where k = 'k1'" "update numbered set n = default, k = k || '!' where k like 'k3%'" "update numbers set id = default where id % 3 = 1" "update numbered_full set n = default where v = 'a'"
  "$way"
  equal_tables numbered numbers numbered_full
  ! grep 'conflicts:' "$work/err" "$work/first" || fail "a changed identity is told as a conflict"
done

# --- a table of nothing but its key, and one of no column ---
both 'create table bare (a int, b int, primary key (a, b))' 'create table empty ()' 'alter table empty replica identity full'
join 'bare, empty'
for way in sync in_order; do
  primary "insert into bare values (1, 1), (2, 2) on conflict do nothing" "update bare set a = a" "update bare set b = b + 1 where a = 1" 'insert into empty default values'
  primary 'insert into empty select from generate_series(1, 3)' 'delete from empty where ctid = (select min(ctid) from empty)'
  "$way"
  equal_tables bare
  same "rows of no column" "$(primary 'select count(*) from empty')" "$(standby 'select count(*) from empty')"
done

# --- as wide as a table can be: the staging table has one column more ---
columns=$(seq -s , -f 'c%g int' 1 1599)
both "create table widest (id int primary key, $columns)" "create table heavy (id bigint primary key, $(seq -s , -f 'c%g bigint' 1 1016))"
join 'widest, heavy'
primary "insert into widest (id, c1, c1599) values (1, 1, 1), (2, 2, 2)" "insert into heavy values (1, $(seq -s , 1 1016))"
sync
primary "update widest set c1599 = 7 where id = 1" "delete from widest where id = 2" "update heavy set c5 = 0"
sync
equal_tables widest heavy

# --- triggers: the standby's ordinary ones stay silent, ALWAYS and REPLICA fire ---
both 'create table watched (id int primary key, v text)'
standby 'create table fired (what text, id int)' \
  "create function fire() returns trigger language plpgsql as 'begin insert into public.fired values (tg_name || '' '' || tg_op, coalesce(new.id, old.id)); return null; end'"
for name in ordinary always replica off; do standby "create trigger $name after insert or update or delete on watched for each row execute function fire()"; done
standby 'alter table watched enable always trigger always' 'alter table watched enable replica trigger replica' 'alter table watched disable trigger off'
join watched
for way in sync in_order; do
  standby 'truncate fired'
  primary "insert into watched values (1, 'a'), (2, 'b')"
  "$way"
  primary "update watched set v = 'c' where id = 1" "delete from watched where id = 2"
  "$way"
  same "what fired" "(\"always DELETE\",2) (\"always INSERT\",1) (\"always INSERT\",2) (\"always UPDATE\",1) (\"replica DELETE\",2) (\"replica INSERT\",1) (\"replica INSERT\",2) (\"replica UPDATE\",1)" "$(rows standby fired)"
  equal_tables watched
  primary 'delete from watched'
  "$way"
done

# --- a trigger that keeps a row out: said, and left to the next full pass ---
standby "create function keep_out() returns trigger language plpgsql as 'begin return null; end'" \
  'create trigger keeps before insert on watched for each row when (new.id = 7) execute function keep_out()' 'alter table watched enable always trigger keeps'
for way in sync in_order; do
  rm -f "$work"/state/marks/*
  primary "insert into watched values (7, 'a'), (8, 'b')"
  "$way"
  same "what is not kept out" "(8,b)" "$(rows standby watched)"
  same "the mark" "public.watched a trigger or a rule of the standby kept a row out" "$(jq -r '"\(.table) \(.reason)"' "$work"/state/marks/*)"
  primary 'delete from watched'
  "$way"
done
standby 'drop trigger keeps on watched'

# --- row-level security: a role that is subject to it on either side is refused, and told the command ---
both 'create table secret (id int primary key, v text)' 'alter table secret enable row level security, force row level security' "create policy hides on secret using (v <> 'hidden')"
primary 'create role streamer login replication' 'grant select on all tables in schema public to streamer'
join secret
with_rights apply init
PRIMARY_URL=$(cluster_url primary crawler streamer) write_config "$synced"
primary "insert into secret values (1, 'hidden'), (2, 'seen')" "update secret set v = 'hidden' where id = 2"
refused 77 'secret.*ALTER ROLE "streamer" BYPASSRLS' "$BIN/capture"
primary 'alter role streamer bypassrls'
sync
same "rows that a policy hides" "(1,hidden) (2,hidden)" "$(rows standby secret)"
standby 'create role writer login' 'grant usage on schema public, pgtandem to writer' 'grant set on parameter session_replication_role to writer' \
  'grant select, insert, update, delete, truncate on all tables in schema public, pgtandem to writer'
STANDBY_URL=$(cluster_url standby crawler writer) write_config "$synced"
for change in "update secret set v = 'new' where id = 1" "insert into secret values (3, 'hidden')" "delete from secret where id = 2"; do
  primary "$change"
  pass
  before=$(progress)
  refused 77 'secret.*ALTER ROLE "?writer"? BYPASSRLS' "$BIN/apply"
  same "progress" "$before" "$(progress)"
done
standby 'alter role writer bypassrls'
expect 0 "$BIN/apply"
equal_tables secret
write_config "$synced"

# --- partitioned: rows that the standby has otherwise are counted, in both ways ---
primary 'create table parted (a int, t text, primary key (a, t)) partition by list (t)' "create table parted_a partition of parted for values in ('a')" 'create table parted_rest partition of parted default' 'alter table parted add v int'
standby 'create table parted (v int, t text, a int, primary key (a, t)) partition by hash (a, t)' 'create table parted_0 partition of parted for values with (modulus 2, remainder 0)' 'create table parted_1 partition of parted for values with (modulus 2, remainder 1)'
join parted
for way in sync in_order; do
  primary "truncate parted" "insert into parted select i, 'a', i from generate_series(1, 6) i"
  "$way"
  standby "insert into parted values (0, 'b', 7), (0, 'b', 8)" "delete from parted where a in (1, 2, 3)"
  primary "insert into parted values (7, 'b', 1), (8, 'b', 1), (9, 'b', 1)" "update parted set v = 0 where a < 3" "delete from parted where a = 3" "update parted set t = 'z' where a = 4"
  "$way"
  same "rows of the partitions" "$(rows primary parted 'a, t, v')" "$(rows standby parted 'a, t, v')"
  says 'conflicts: 2 insert_exists, 2 update_missing, 1 delete_missing'
done
# What PostgreSQL says nothing of through the root: TRUNCATE of one partition, and rows that come or go with one. The full pass mends it.
primary "insert into parted select i, 'a', i from generate_series(21, 24) i" 'create table parted_x (a int, t text, v int, primary key (a, t))' "insert into parted_x values (1, 'x', 1)"
sync
was=$(rows standby parted 'a, t, v')
primary 'truncate parted_a' "alter table parted attach partition parted_x for values in ('x')"
sync
same "rows of a partition that was emptied, and one that was attached" "$was" "$(rows standby parted 'a, t, v')"
expect 1 "$BIN/diff" --table parted
cp "$work/out" "$work/diff"
expect 0 "$BIN/apply" - <"$work/diff"
same "rows of the partitions, after the full pass" "$(rows primary parted 'a, t, v')" "$(rows standby parted 'a, t, v')"
say "tables_test: passed in $SECONDS s"
