#!/usr/bin/env bash
# early: 105
# Tables whose shape changes while they are synced. By default only that table waits, in order and with the way out named,
# and goes on by itself; or the columns that both have go on; or what is added is added on the standby, too.
set -euo pipefail
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
# shellcheck source=tests/e2e/bad_lib.sh
. "$e2e/bad_lib.sh"

two_servers
both "create table shop (id int primary key, name text, big text)" "alter table shop alter big set storage external" "create table rest (id int primary key, n int)" \
  "create table whole (a int, b text)" "alter table whole replica identity full" \
  "create table top (id int primary key, n text)" "create table sub (id int primary key, top int references top)" \
  "create type mood as enum ('sad')" "create table moods (id int primary key, m mood, more mood[])"
synced='shop, rest, whole, top, sub, moods'
config() { write_config "$synced" 'batch_size: 20' "$@"; }
config
link_up

write() { # N: a transaction each over all tables, with changes of old rows
  primary "begin; insert into shop (id, name, big) values ($1, 'n$1', repeat('x', 3000)); insert into rest values ($1, $1); insert into whole (a, b) values ($1, 'w'); commit" \
    "begin; update shop set name = name || '+' where id % 3 = $1 % 3; update rest set n = n + 1; update whole set b = b || '+' where a % 2 = $1 % 2; commit" \
    "delete from shop where id = $1 - 4"
}
held_for() { jq -c .paused "$work/spool/cursors/backup_node"; } # the queue, for a table that waits
waits() { standby "select count(*) from pgtandem.tables where lsn is not null"; }
last_pass() { # CODE [PATTERN]: what waits is told, by each pass
  pass
  expect "$1" "$BIN/apply"
  [ "$1" = 0 ] || grep -qE -- "error apply: backup_node: table public\.$2.*; its changes after .* wait in the queue" "$work/err" || fail "no error says '$2': $(cat "$work/err")"
}
waiting_pass() { # TABLE: it waits still, the others went on
  pass
  expect 1 "$BIN/apply"
  grep -q "paused: public.$1" "$work/err" || fail "the last line does not tell of $1: $(cat "$work/err")"
  equal_tables rest
}
comes_back() { # TABLE SQL…: by itself, after this
  local table=$1
  shift
  standby "$@"
  expect 0 "$BIN/apply"
  same "tables that wait" 0 "$(waits)"
  equal_tables "$table" rest
}

# --- stop: a column that the standby lacks ---
for n in 1 2 3; do write $n; done
last_pass 0
equal_tables
# a type that is only spelt otherwise is no other one
primary "alter role pgtandem set quote_all_identifiers = on"
primary "update shop set name = name || '!'" 'update rest set n = n + 1'
last_pass 0
primary "alter role pgtandem reset quote_all_identifiers"
primary "alter table shop add column price numeric(8,2) not null default 1.50"
write 4
primary "update shop set price = 2 where id = 4"
last_pass 1 'shop has no column "price"; ALTER TABLE .* ADD COLUMN "price" numeric\(8,2\) NOT NULL DEFAULT'
equal_tables rest whole
differ "shop waits" "$(table_rows primary shop)" "$(table_rows standby shop)"
for n in 5 6; do write $n; done
waiting_pass shop
waiting_pass shop
mapfile -t fix < <(standby "select reason from pgtandem.tables where name = 'public.shop'" | grep -oE 'ALTER TABLE [^;]*')
comes_back shop "${fix[@]}"
equal_tables
grep -q 'table public.shop fits again and goes on' "$work/err" || fail "that it goes on is not told: $(cat "$work/err")"
same "its mark for the next full pass" 1 "$(cat "$work"/state/marks/* | grep -c '"public.shop"')"
for n in 7 8; do write $n; done
last_pass 0
equal_tables
same "the default here, too" 1.50 "$(standby "select pg_get_expr(adbin, adrelid)::text from pg_attrdef where adrelid = 'shop'::regclass")"

# --- renamed, retyped, dropped, a truncate and a key in between; each with its way out ---
primary "alter table shop rename column name to title"
primary "update shop set title = 't' || id" "truncate rest, shop" "insert into shop (id, title) values (1, 'one'), (2, 'two')" "insert into rest values (1, 1)" "update shop set id = id + 10"
last_pass 1 'shop has no column "title"; if it was renamed from "name": ALTER TABLE "public"."shop" RENAME COLUMN "name" TO "title"; if it is new: ALTER TABLE "public"."shop" ADD COLUMN "title" text'
equal_tables rest
comes_back shop 'alter table shop rename column name to title'
primary "alter table rest alter column n type text using 'n' || n" "insert into rest values (7, 'seven')" "insert into shop (id, title) values (3, 'three')"
pass
expect 1 "$BIN/apply"
grep -q 'rest has the column n as integer, which is text on the primary now; ALTER TABLE "public"."rest" ALTER COLUMN "n" TYPE text' "$work/err" || fail "another type: $(cat "$work/err")"
equal_tables shop
standby "alter table rest alter column n type text using 'n' || n"
expect 0 "$BIN/apply"
equal_tables
primary "alter table whole drop column b" "insert into whole values (1), (1)" "delete from whole where a = 3"
last_pass 1 'whole still has the column b, which the primary.s has no more; ALTER TABLE "public"."whole" DROP COLUMN "b"'
equal_tables shop rest
comes_back whole 'alter table whole drop column b'
kept=$(standby "select string_agg(a::text, ',') from whole")
standby 'drop table whole'
primary "insert into whole values (8)" "update rest set n = 'x'"
last_pass 1 'whole does not exist; create it as on the primary'
equal_tables rest
standby 'create table whole (a int)' "insert into whole select unnest(array[$kept])"
comes_back whole 'select 1'

# --- TRUNCATE: what the standby does not take of it stops nothing but its table ---
emptied() { primary "insert into top (id, n) values ($1, 'old')" "insert into sub (id, top) values ($1, $1)" "truncate top, sub" "insert into top (id, n) values (1$1, 'new')" "insert into sub (id, top) values (1$1, 1$1)"; }
emptied 1
last_pass 0
equal_tables
standby "create table own (id int primary key, top int references top)" "insert into own values (1, 11)"
emptied 2
last_pass 0
grep -q 'TRUNCATE of ONLY "public"."top" is refused, so its rows are deleted: .*foreign key constraint.*own' "$work/err" || fail "a foreign key of the standby's own: $(cat "$work/err")"
equal_tables
same "rows of a table that is not in the stream" 1 "$(standby 'select count(*) from own')"
standby 'drop table own'
for table in sub top; do # one waits, the other is emptied
  primary "alter table $table add column more int"
  emptied 3
  last_pass 1 "$table has no column \"more\""
  equal_tables rest "$([ $table = top ] && echo sub || echo top)"
  comes_back "$table" "alter table $table add column more int"
  equal_tables
done
standby 'alter table sub rename to elsewhere'
emptied 4
last_pass 1 'sub does not exist; create it as on the primary'
equal_tables top rest
comes_back sub 'alter table elsewhere rename to sub'
standby "create function refuse() returns trigger language plpgsql as 'begin raise exception \$m\$not here\$m\$; end'" \
  'create trigger refuse before truncate on top execute function refuse()' 'alter table top enable always trigger refuse'
emptied 5
last_pass 1 'top cannot be emptied by TRUNCATE, operation .*: not here \(P0001\); remove what refuses it'
equal_tables sub rest
waiting_pass top
comes_back top 'drop trigger refuse on top'
equal_tables

# --- a column that comes in the middle of a transaction: the table waits from before it, whole ---
middle() { # TABLE N [COLUMN]
  local c=${3:-mid}
  primary "begin; insert into $1 (id) values ($2); alter table $1 add column $c int not null default 7; insert into $1 (id, $c) values ($2 + 1, 8); update $1 set $c = $c + 1 where id >= $2; commit"
}
middle top 500
last_pass 1 'top has no column "mid"'
same "rows of half of it" 0 "$(standby 'select count(*) from top where id >= 500')"
comes_back top 'alter table top add column mid int not null default 7'
equal_tables
# --- another length or scale: a standby that would round waits, a wider one takes all ---
primary 'alter table shop alter price type numeric(10,4)' 'update shop set price = 2.1234 where id = 3'
last_pass 1 'shop has the column price as numeric\(8,2\), which is numeric\(10,4\) on the primary: not all of its values could be kept; ALTER TABLE "public"."shop" ALTER COLUMN "price" TYPE numeric\(10,4\)'
equal_tables rest
comes_back shop 'alter table shop alter price type numeric(10,4)'
primary 'alter table shop alter price type numeric(8,2)' 'update shop set price = 3.12 where id = 3'
pass
expect 0 "$BIN/apply"
same "a value that has room" 3.1200 "$(standby 'select price from shop where id = 3')"
standby 'alter table shop alter price type numeric(8,2)'

# --- a second change while the first one waits; the standby's shape is changed under a running apply ---
follow_capture
follow_apply
primary "alter table shop add column one int" "insert into shop (id, one) values (20, 1)" "alter table shop add column two text default 'zwei'" "insert into shop (id, one, two) values (21, 1, 'b')" "insert into rest values (20, 'r')"
wait_until 20 "apply tells of the first" log_has "$work/apply.log" 'no column "one"'
wait_until 20 "rest goes on" eval '(equal_tables rest) 2>/dev/null'
standby 'alter table shop add column one int'
wait_until 20 "apply tells of the second" log_has "$work/apply.log" 'no column "two"'
standby "alter table shop add column two text default 'zwei'"
wait_until 20 "all is back" eval '[ "$(waits)" = 0 ]'
wait_applied
equal_tables
standby 'alter table rest rename column n to m'
primary "insert into rest values (30, 'r')" "insert into shop (id) values (30)"
wait_until 20 "apply tells of the standby's own change" log_has "$work/apply.log" 'rest has no column "n"'
standby 'alter table rest rename column m to n'
wait_until 20 "all is back" eval '[ "$(waits)" = 0 ]'
wait_applied
follow_stop
equal_tables

# --- killed at any moment while it comes back: nothing twice, nothing lost, also where no key would tell ---
primary "alter table whole add column k int default 5"
{
  for n in {1..60}; do
    echo "begin; insert into whole select g % 50, $n from generate_series(1, 500) g; delete from whole where ctid in (select ctid from whole where a = $n % 50 limit 100); insert into rest values (1000 + $n); commit;"
  done
} | cluster_psql primary crawler -q
pass
expect 1 "$BIN/apply"
equal_tables rest
standby 'alter table whole add column k int default 5'
came() { standby "select coalesce(lsn::text, 'all') from pgtandem.tables where name = 'public.whole'"; }
began=$(came)
between=0
for delay in 0.1 0.15 0.2 0.25 0.3 0.35 0.4 0.5 0.6 0.8 1.1 1.5 2 2.7; do # the last ones are for slow machines
  { timeout -s KILL "$delay" "$BIN/apply" || true; } 2>/dev/null
  now=$(came)
  case $now in all | "$began") ;; *) between=$((between + 1)) ;; esac
  [ "$now" != all ] || break
done
say "killed $between times with a part of it applied"
at_least "kills with a part of it applied" 1 "$between"
expect 0 "$BIN/apply"
equal_tables

# --- a label that the standby's enum lacks: of that no message of the stream tells, and no row with it is lost ---
primary "alter type mood add value 'glad' before 'sad'" "insert into moods values (1, 'sad', null), (2, 'glad', null)" "insert into rest values (300, 1)"
last_pass 1 "moods cannot take the label 'glad' of operation .*, for its enum public.mood lacks it; ALTER TYPE public.mood ADD VALUE 'glad' .BEFORE or AFTER"
equal_tables rest
primary "alter type mood add value 'it''s'" "insert into moods values (3, null, array['sad', 'it''s']::mood[])" "insert into rest values (301, 1)"
waiting_pass moods
same "operations in quarantine" "" "$("$BIN/queue" dead list)"
standby "alter type mood add value 'glad' before 'sad'"
waiting_pass moods
standby "select reason from pgtandem.tables where name = 'public.moods'" >"$work/reason"
comes_back moods "$(grep -oE 'ALTER TYPE [^(]*' "$work/reason")"

# --- common_columns ---
config 'schema_drift: common_columns'
primary "alter type mood add value 'odd'" "insert into moods values (4, 'odd', null), (5, 'glad', null)"
pass
expect 1 "$BIN/apply"
told "is in quarantine: .*; ALTER TYPE public.mood ADD VALUE 'odd'"
same "the rows beside it" 5 "$(standby 'select max(id) from moods')"
standby "alter type mood add value 'odd'"
expect 0 "$BIN/queue" dead retry all
expect 0 "$BIN/apply"
equal_tables moods
primary "alter table shop add column extra text default 'e'" "insert into shop (id, title, extra) values (40, 'forty', 'x')" "update shop set title = title || '!' where id < 30" \
  "alter table whole add column c int" "insert into whole (a, c) values (4000, 1), (4000, 2)" "delete from whole where c = 2" "alter table shop drop column two" "insert into shop (id) values (41)"
middle shop 42
pass
expect 0 "$BIN/apply"
grep -q 'warn  *apply: backup_node: table public.shop has no column "extra".*until then it is left out' "$work/err" || fail "that a column is left out is not told: $(cat "$work/err")"
same "what both have" "$(primary "select string_agg(id || title, ',' order by id) from shop")" "$(standby "select string_agg(id || title, ',' order by id) from shop")"
same "of the table without a key" "$(primary "select string_agg(a::text, ',' order by a) from whole")" "$(standby "select string_agg(a::text, ',' order by a) from whole")"
follow_capture
follow_apply
primary "insert into shop (id, extra) values (50, 'y')"
wait_applied
# a scale that is mended on the standby counts at once
standby 'alter table rest add column share numeric(8,2)'
primary 'alter table rest add column share numeric(8,4)' 'update rest set share = 1.2345 where id = 1'
wait_applied
standby 'alter table rest alter share type numeric(8,4)'
primary 'update rest set share = 3.4567 where id = 1'
wait_applied
same "a number of a scale that was mended" 3.4567 "$(standby 'select share from rest where id = 1')"
standby "alter table shop add column extra text default 'e'"
wait_until 20 "apply sees it" log_has "$work/apply.log" 'shop has extra now'
primary "insert into shop (id, extra) values (51, 'z')"
wait_applied
same "taken in again" z "$(standby 'select extra from shop where id = 51')"
follow_stop
standby 'alter table shop drop column two' 'alter table shop add column mid int not null default 7' 'update shop set mid = case id when 42 then 8 else 9 end where id in (42, 43)' "update shop set extra = 'x' where id = 40" "update shop set extra = 'y' where id = 50" 'alter table whole add column c int' 'update whole set c = 1 where a = 4000'
equal_tables

# --- follow: what is added, at its place; what is not added waits ---
config 'schema_drift: follow'
primary 'alter table rest add column mine int default 3' "insert into rest values (90, 'r')"
last_pass 1 'rest has no column "mine".*tried, and refused: must be owner of table rest'
comes_back rest 'alter table rest owner to pgtandem'
same "with the rows that were there" "$(primary 'select sum(mine) from rest')" "$(standby 'select sum(mine) from rest')"
standby 'alter table shop owner to pgtandem'
follow_capture
follow_apply
primary "insert into shop (id) values (60)" "alter table shop add column seen timestamptz not null default now(), add column tag varchar(20) collate \"C\" default '' , add column free int" \
  "insert into shop (id, tag) values (61, 't')" "alter table shop alter free set default 9" "update shop set tag = 'u' where id = 60"
wait_applied
equal_tables
follow_stop
same "their definitions" "$(primary "select string_agg(attname || format_type(atttypid, atttypmod) || attnotnull || coalesce(pg_get_expr(adbin, adrelid), ''), ',' order by attname) from pg_attribute a left join pg_attrdef d on adrelid = attrelid and adnum = attnum where attrelid = 'shop'::regclass and attname in ('seen', 'tag', 'free')")" \
  "$(standby "select string_agg(attname || format_type(atttypid, atttypmod) || attnotnull || coalesce(pg_get_expr(adbin, adrelid), ''), ',' order by attname) from pg_attribute a left join pg_attrdef d on adrelid = attrelid and adnum = attnum where attrelid = 'shop'::regclass and attname in ('seen', 'tag', 'free')")"
primary "alter table shop drop column tag" "insert into shop (id) values (70)"
last_pass 1 'shop still has the column tag'
comes_back shop 'alter table shop drop column tag'
# in the middle of a transaction, and once more while the table waits for something else
middle shop 500 amid
last_pass 0
equal_tables shop
primary "alter table shop drop column amid"
middle shop 600 bmid
last_pass 1 'shop still has the column amid'
comes_back shop 'alter table shop drop column amid'

# --- a table that is taken out of sync_tables: it waits no longer, the queue is not kept for it, and nobody writes it ---
config
primary 'alter table rest add column away int' "insert into rest (id, n, away) values (95, 'r', 1)" 'insert into shop (id) values (80)'
last_pass 1 'rest has no column "away"'
differ "what the queue is kept for" null "$(held_for)"
synced='shop, whole'
config
with_rights capture init
primary 'insert into shop (id) values (81)'
pass
expect 0 "$BIN/apply"
told 'table public.rest is none of sync_tables any more: it waits no longer'
same "tables that wait" 0 "$(waits)"
same "what the queue is kept for" null "$(held_for)"
same "what came of it" 0 "$(standby 'select count(*) from rest where id = 95')"
same "marks of it" "" "$(grep -l public.rest "$work"/state/marks/* || true)"
equal_tables shop
expect 0 "$BIN/apply"
# blue and green: for a moment the table has another name, which the standby happens to have, too
standby 'create table shop_old (like shop including all)'
primary 'alter table shop rename to shop_old' 'insert into shop_old (id) values (82)' 'alter table shop_old rename to shop'
"$BIN/apply" --dry-run >"$work/sql" 2>/dev/null
pass
expect 0 "$BIN/apply"
told 'changes of public.shop_old, which is none of sync_tables'
same "a table that nobody chose" 0 "$(standby 'select count(*) from shop_old')"
primary 'delete from shop where id = 82'
pass && expect 0 "$BIN/apply"
# a single partition is a table like any other
primary 'create table years (id int primary key) partition by range (id)' 'create table years_1 partition of years for values from (0) to (10)' \
  'create table years_2 partition of years default'
standby 'create table years_1 (id int primary key)'
synced='shop, whole, years_1'
config
with_rights capture init
primary 'insert into years values (1), (11)' 'update years set id = 2 where id = 1'
pass
expect 0 "$BIN/apply"
same "rows of the partition" 2 "$(standby 'select id from years_1')"
synced='shop, whole'
config
with_rights capture init

# --- dropped and made again on the primary, and the publication dropped: no message tells, and it is seen all the same ---
config
follow_capture
follow_apply
primary 'drop table whole' 'create table whole (a int)' 'alter table whole replica identity full' 'insert into whole values (99)'
wait_until 30 "capture ends" is_gone "${FOLLOW[capture]}"
log_has "$work/capture.log" 'lacks public.whole \(was that dropped and made again, or is it.*capture init' || fail "what it says: $(tail -n 3 "$work/capture.log")"
wait "${FOLLOW[capture]}" || true
wait "${FOLLOW[put]}" || true
unset 'FOLLOW[capture]' 'FOLLOW[put]'
follow_stop
with_rights capture init
grep -q 'whole joins the publication' "$work/err" || fail "init does not say what is not in the stream: $(cat "$work/err")"
pass
expect 0 "$BIN/apply"
# and between two looks, with the new one in the publication before the next
rm -f "$work"/state/marks/*
primary 'drop table whole' 'create table whole (a int)' 'alter table whole replica identity full' 'insert into whole values (7)' \
  'alter publication pgtandem_backup_node add table whole'
pass
log_has "$work/capture.log" 'warn .*table public.whole was dropped and made again.*the next full pass mends it' || fail "capture does not say it: $(tail -n 3 "$work/capture.log")"
same "its mark" "public.whole" "$(jq -r .table "$work"/state/marks/*)"
rm -f "$work"/state/marks/*
pass
same "marks of a table that is the same one" 0 "$(find "$work/state/marks" -type f | wc -l)"
# the same of its place in the publication, and of the publication: from PostgreSQL 18 on the server says nothing
for what in 'alter publication pgtandem_backup_node drop table whole' 'drop publication pgtandem_backup_node'; do
  rm -f "$work"/state/marks/*
  primary "$what"
  if [[ $what == drop* ]]; then
    primary "create publication pgtandem_backup_node for table only shop, only whole with (publish_via_partition_root)"
  else
    primary 'alter publication pgtandem_backup_node add table only whole'
  fi
  pass
  log_has "$work/capture.log" 'warn .*table public.whole was taken out of the publication and put into it again.*the next full pass' || fail "$what: $(tail -n 3 "$work/capture.log")"
  same "marked after '$what'" "$([[ $what == drop* ]] && echo 'public.shop public.whole' || echo public.whole)" \
    "$(cat "$work"/state/marks/* | jq -r .table | sort | tr '\n' ' ' | sed 's/ $//')"
done

say "only the table that does not fit waits, in order; it comes back by itself"
