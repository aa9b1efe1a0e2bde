#!/usr/bin/env bash
# The sync path between two versions of PostgreSQL, $PGTANDEM_PG_BIN_primary and $PGTANDEM_PG_BIN_standby: capture, apply,
# diff, the repair and verify, of values of many types, keys, partitions, sequences and TRUNCATE. What one of the two lacks is
# left out, and said.
set -euo pipefail
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/../lib.sh"
# shellcheck source=tests/e2e/bad_lib.sh
. "$e2e/bad_lib.sh"
# Templates are one a name, whatever the version.
unset PGTANDEM_PG_TEMPLATES

# shellcheck disable=SC2119 # its arguments are optional
two_servers
old=$(($(primary 'show server_version_num') / 10000)) new=$(($(standby 'show server_version_num') / 10000))
low=$((old < new ? old : new))
say "PostgreSQL $old to $new"
has() { # VERSION WHAT: both have it
  [ "$low" -lt "$1" ] || return 0
  say "  left out: $2, which came with PostgreSQL $1"
  return 1
}
sync() { pass && expect 0 "$BIN/apply"; }
# shellcheck disable=SC2119 # its arguments are optional
all_equal() { equal_tables; }
quiet() { ! grep -E '(warn|error) ' "$work/err" || fail "apply warns between PostgreSQL $old and $new"; }

both "create type mood as enum ('sad', 'very glad')" 'create domain few as int[] check (array_length(value, 1) < 5)' 'create type pair as (a int, "b b" text)' \
  'create table kinds (id int primary key, n numeric, f float8, r real, t text, c char(5), v varchar(9), b bytea, j json, jb jsonb, u uuid, d date, ts timestamp, tz timestamptz, i interval, ti time, a int[], ta text[], g int4range, m mood, w few, p pair, ip inet, bits varbit, vec tsvector, ok bool, big bigint, o oid)' \
  'create table parents (id serial primary key, code int unique, body text)' 'alter table parents alter body set storage external' \
  'create table children (id int generated always as identity primary key, parent int references parents on update cascade on delete cascade, twice int generated always as (parent * 2) stored)' \
  'create table whole (a int, t text)' 'alter table whole replica identity full' 'create table emptied (id bigserial primary key, n int)'
primary 'create table parted (a int, d date, t text, primary key (a, d)) partition by range (d)' \
  "create table parted_old partition of parted for values from (minvalue) to ('2000-01-01')" 'create table parted_new partition of parted default'
standby 'create table parted (a int, d date, t text, primary key (a, d)) partition by hash (a)' 'create table parted_0 partition of parted for values with (modulus 2, remainder 0)' \
  'create table parted_1 partition of parted for values with (modulus 2, remainder 1)'
synced='kinds, parents, children, whole, emptied, parted'
if has 14 'multiranges'; then
  both 'create table ranges (id int primary key, m int4multirange)'
  synced+=', ranges'
fi
if has 18 'keys WITHOUT OVERLAPS'; then
  both 'create table spans (a int4range, at int4range, v text, primary key (a, at without overlaps))'
  synced+=', spans'
fi
write_config "$synced" 'batch_size: 200'
link_up

primary "insert into kinds select i, (i / 7.0)::numeric(20, 10), (random() - 0.5) * power(10, i % 300), random(), md5(i::text) || E'\\n\\\\', 'c', '', decode(md5(i::text) || '00', 'hex'), '{\"a\": 1,  \"a\": 2}', '{\"b\": [1.0, 1.00]}', md5(i::text)::uuid,
    date '2000-01-01' - i * 700, timestamp '2000-01-01' + i * interval '1.000001 s', timestamptz '1999-12-31 00:00+00' - i * interval '1 day', i * interval '1 mon -1 day 0.5 s', '24:00', array[i, null], array['', null, 'NULL'], int4range(i, i + 5), 'very glad', array[i], row(i, 'b b')::pair, '10.0.0.0/8', b'10110', 'a fat cat', i % 2 = 0, 9007199254740993 + i, 4294967295 from generate_series(1, 400) i" \
  "insert into kinds (id, n, f, d, ts, tz, a) values (1001, 'NaN', '-0', 'infinity', '-infinity', '0044-03-15 BC', '[2:3]={1,2}'), (1002, 1.00, 'NaN', '0044-03-15 BC', 'infinity', 'infinity', '{}')" \
  "insert into parents (code, body) select i, repeat(md5(i::text), 100) from generate_series(1, 200) i" "insert into children (parent) select i from generate_series(1, 200) i" \
  "insert into whole select 1, 'twin' from generate_series(1, 4)" "insert into emptied (n) select i from generate_series(1, 50) i" "insert into parted select i, date '1999-06-01' + i, 't' from generate_series(1, 400) i"
! has 14 'infinite numerics' || primary "insert into kinds (id, n) values (1003, 'Infinity'), (1004, '-Infinity')"
! has 14 'multiranges' || primary "insert into ranges values (1, '{}'), (2, '{[1,3),[5,7)}'), (3, null)"
sync
quiet
all_equal
primary "update kinds set n = -n, t = null, m = 'sad' where id % 3 = 0" "delete from kinds where id % 7 = 0" "update kinds set id = id + 5000 where id % 11 = 0" \
  "update parents set code = null where id in (1, 2); update parents set code = 2 where id = 1; update parents set code = 1 where id = 2" "update parents set code = -code where id > 150" "update parents set id = id + 1000 where id < 20" "delete from parents where id between 30 and 40" \
  "update whole set t = 'other' where ctid = (select min(ctid) from whole)" "delete from whole where ctid = (select max(ctid) from whole)" "begin; insert into emptied (n) values (9); truncate emptied, whole restart identity; insert into emptied (n) values (1); insert into whole values (2, 'after'); commit" \
  "update parted set d = d + 400 where a < 50" "delete from parted where d < '1999-09-01'"
sync
quiet
all_equal
same "the next value of a sequence that began again" 2 "$(standby "select nextval('emptied_id_seq')")"
at_least "the next value of one that went on" 201 "$(standby "select nextval('parents_id_seq')")"

# --- a key of ranges: other keys overlap what a change names, on the standby's own rows, too ---
if [ "$low" -ge 18 ]; then
  primary "insert into spans select int4range(i, i + 5), int4range(1, 10), 'v' || i from generate_series(1, 40) i"
  sync
  primary "delete from spans where v in ('v3', 'v20')" "update spans set v = 'new' where v = 'v7'" "update spans set at = '[5,10)' where v = 'v30'"
  sync
  quiet
  all_equal
fi

# --- a transaction whose decoding takes longer than the role's own transactions may ---
if [ "$old" -ge 17 ]; then
  primary "alter role pgtandem set transaction_timeout = '1s'" "insert into whole select i, repeat('x', 1000) from generate_series(1, 40000) i" 'truncate whole'
  { timeout 60 "$BIN/capture" 2>>"$work/capture.log" || echo "$?" >"$work/failed"; } | { sleep 2; "$BIN/queue" put; } 2>>"$work/put.log"
  [ ! -e "$work/failed" ] || fail "capture ends with $(cat "$work/failed"): $(tail -n 3 "$work/capture.log")"
  primary "alter role pgtandem reset transaction_timeout"
  expect 0 "$BIN/apply"
  all_equal
fi

# --- both sides compared, mended and proven ---
expect 0 "$BIN/diff"
standby "update kinds set t = 'spoilt' where id = 2" 'delete from parted where a = 300' "insert into emptied values (77, 7)"
expect 1 "$BIN/diff"
"$BIN/diff" 2>>"$work/diff.log" | "$BIN/apply" - 2>>"$work/apply.log" || true
all_equal
expect 0 "$BIN/verify"

# --- a first copy, after which the table's indexes and constraints are what they were ---
standby 'create unique index on kinds (u, id desc)' 'alter table kinds add unique (id, d)' 'alter table kinds owner to pgtandem' 'grant create on schema public to pgtandem'
shape() {
  standby "select indexdef from pg_indexes where tablename = 'kinds' order by 1" "select attname, attnotnull from pg_attribute where attrelid = 'kinds'::regclass order by 1" \
    "select contype, conname, pg_get_constraintdef(oid) from pg_constraint where conrelid = 'kinds'::regclass order by 2"
}
before=$(shape)
standby 'truncate kinds'
expect 0 "$BIN/apply" init --copy
told 'copied public.kinds at .*, 3 indexes made anew'
same "the shape of a table that was copied" "$before" "$(shape)"
all_equal

# --- in real time, through a crash of the standby ---
follow_capture
follow_apply
primary "do \$\$ begin for i in 1 .. 100 loop insert into emptied (n) values (i); commit; end loop; end \$\$"
cluster_stop standby immediate
cluster_start standby
primary "do \$\$ begin for i in 1 .. 100 loop update parents set body = i where id = 100 + i; commit; end loop; end \$\$"
wait_applied 60
follow_stop capture
follow_stop apply
all_equal

# --- from 18 on the server passes over what it does not publish: that the publication is another one is seen, and mended ---
if [ "$old" -ge 18 ]; then
  members=$(primary "select string_agg(format('only %I', tablename), ', ') from pg_publication_tables where pubname = 'pgtandem_backup_node'")
  primary 'drop publication pgtandem_backup_node' "insert into emptied (n) values (4711)" "create publication pgtandem_backup_node for table $members with (publish_via_partition_root)"
  sync
  same "what was committed without a publication" 0 "$(standby "select count(*) from emptied where n = 4711")"
  grep -q 'warn .*table public.emptied was taken out of the publication and put into it again' "$work/capture.log" || fail "capture does not tell of another publication: $(tail -n 5 "$work/capture.log")"
  expect 0 "$BIN/sync-full"
  all_equal
fi

# --- filters: the server does them from 15 on, and before that they are refused, with nothing changed ---
primary 'alter table kinds replica identity full'
write_config "$synced" 'filters: {kinds: {where: "ok"}, parents: {columns: [id, code]}}'
if [ "$old" -lt 15 ]; then
  refused 78 "PostgreSQL 15, this server is $old" "$BIN/capture" init
  say "  filters of tables are refused, as they came with PostgreSQL 15"
else
  with_rights capture init
  primary "insert into kinds (id, ok) values (9001, true), (9002, false)" "update kinds set ok = not ok where id in (10, 12)" "insert into parents (id, body) values (9001, 'stays away')"
  sync
  same "rows inside" "9001|0|" "$(standby "select (select string_agg(id::text, ',') from kinds where id > 9000), (select count(*) from kinds where id in (10, 12)), (select body from parents where id = 9001)")"
fi
expect 0 "$BIN/apply" drop
say "PostgreSQL $old to $new: passed in $SECONDS s"
