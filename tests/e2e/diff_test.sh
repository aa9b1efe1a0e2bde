#!/usr/bin/env bash
# early: 110
# `diff` finds what differs and nothing else: values that are equal by their type's operator and yet not the same, shapes and
# keys of all kinds, rows that cancel out in a careless sum. Its lines are the project's own format and mend the standby.
# Roles may do no more than SELECT. What stands on the two sides, what is changed on the standby, and what is to be found are
# tables below: a line is a case.
set -euo pipefail
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

# auto_explain writes every plan into the server's log, where the last part looks.
two_servers "shared_preload_libraries = 'auto_explain'" "auto_explain.log_min_duration = -1"
both 'create extension citext' "create collation caseless (provider = icu, locale = 'und-u-ks-level2', deterministic = false)" \
  'create role reader login' "alter database crawler set enable_hashagg = off" "alter database crawler set jit = on" \
  'alter database crawler set max_parallel_workers_per_gather = 4' 'alter database crawler set parallel_setup_cost = 0' \
  'alter database crawler set min_parallel_table_scan_size = 0'
# What values look like is each server's own.
primary "alter database crawler set timezone = 'Asia/Kolkata'" "alter database crawler set datestyle = 'German'" "alter database crawler set bytea_output = escape"
standby "alter database crawler set timezone = 'America/New_York'" "alter database crawler set datestyle = 'SQL, DMY'" \
  "alter database crawler set intervalstyle = 'iso_8601'" 'alter database crawler set extra_float_digits = -10'
# Labels in another order, types made in another order: other OIDs.
primary "create type other as (x int)" "create type mood as enum ('sad', 'glad', 'ok')" "create type pair as (a int, m mood)" "create domain positive as numeric check (value > 0)"
standby "create domain positive as numeric check (value > 0)" "create type mood as enum ('ok', 'glad')" "alter type mood add value 'sad' before 'ok'" "create type pair as (a int, m mood)"
export PRIMARY_URL STANDBY_URL
PRIMARY_URL=$(cluster_url primary crawler reader)
STANDBY_URL=$(cluster_url standby crawler reader)
names=()
declare -A found=() change=()
# What is to be run on a side, all at once: a psql for each would take longer than all the rest.
later() { printf '%s;\n' "$2" >>"$work/$1.sql"; } # SERVER SQL
run_later() {
  local name
  for name in "$@"; do
    cluster_psql "$name" crawler -o /dev/null -f "$work/$name.sql"
    rm "$work/$name.sql"
  done
}

# --- values: a table for each, the same on both sides; then the standby's first value becomes the second one ---
values() { # TYPE VALUE VALUE [MORE]
  local type=$1 name=v${#names[@]} n=0 value sql
  shift
  sql="create table $name (id int primary key, v $type, w text default 'w');"
  for value in "$@"; do
    n=$((n + 1))
    [ "$value" = NULL ] || value="\$v\$$value\$v\$"
    sql+="insert into $name (id, v) values ($n, $value);"
  done
  later primary "$sql"
  later standby "$sql"
  names+=("$name")
  change[$name]="update $name set v = (select v from $name where id = 2) where id = 1"
  found[$name]="$# rows: 1 changed, 0 missing, 0 extra"
}
values float8 -0.0 0.0 NaN Infinity -Infinity 0.1
values float8 5e-324 1e-323 1e308
values float4 -0 0 0.1 NaN
values float4 0.1 0.10000001
values numeric 1.0 1.00 NaN -1e400
values 'numeric(10,2)' 1.01 1.02
values numeric "$(printf '7%.0s' {1..999})1" "$(printf '7%.0s' {1..999})2"
values positive 1.0 1.00
values money 1.50 1.51
values 'char(5)' a b ' a'
values 'varchar(9)' '' NULL
values text NULL ''
values text 'p|q' 'p,q' 'p\q' $'p\tq' $'p\nq' '\N'
values text $'e\u0301' $'\u00e9'
values text 'a' 'a '
values 'text collate caseless' Abc aBC
values citext A a
values timestamptz '2000-01-01 00:00:00.000001+00' '2000-01-01 01:11:34.967296+00' infinity -infinity '4713-01-02 00:00:00+00 BC'
values timestamp '2026-01-01 00:00:00.000001' '2026-01-01 00:00:00.000002'
values date infinity -infinity '0044-03-15 BC'
values time 00:00 24:00
values timetz 10:00+00 11:00+01
values interval '1 mon' '30 days' '1 day' '24:00'
values interval '1 day' '24:00'
values jsonb '{"a": 1.0}' '{"a": 1.00}'
values jsonb null NULL
values json '{"a":1}' '{"a": 1}' '{"a":1,"a":2}'
values xml '<a/>' '<a></a>'
values 'int[]' '{1,2}' '[0:1]={1,2}'
values 'int[]' '{1,2}' '{{1,2}}' '{NULL}'
values 'positive[]' '{1.0}' '{1.00}'
values mood sad glad ok
values pair '(1,sad)' '(1,ok)' '(,)'
values numrange '[1.0,2)' '[1.00,2)' empty '(,)'
values int4multirange '{[1,2)}' '{[1,3)}'
values bytea '\x00' '\x0000' '\x'
values bigint 1 4294967296 -1 9223372036854775807 -9223372036854775808
values bigint -1 -4294967298
values smallint 1 257
values boolean t f NULL
values boolean f NULL t
values uuid 7314d1e5-0000-4000-8000-000000000001 7314d1e5-0000-4000-8000-000000000002
values inet 10.0.0.1/8 10.0.0.1 ::1
values cidr 10.0.0.0/8 10.0.0.0/9
values macaddr 08:00:2b:01:02:03 08:00:2b:01:02:04
values 'bit(3)' 101 100
values varbit 0 00 1
values pg_lsn 0/1 1/0
values tsvector "a:1" "a:1A"
values point '(0,0)' '(-0,0)'
values oid 1 4294967295
values regclass pg_class pg_type
values name a b
values '"char"' a b
values xid8 1 4294967296
values tid '(0,1)' '(0,2)'

# --- shapes, keys, rows: what both sides run, what the standby runs more, what must be found then ---
shape() { # NAME BOTH STANDBY FOUND
  later primary "$2"
  later standby "$2"
  names+=("$1")
  change[$1]=$3
  found[$1]=$4
}
shape swap 'create table swap (id int primary key, a int, b text); insert into swap select n, n, n::text from generate_series(1, 1000) n' \
  'update swap set b = case id when 500 then 501 else 500 end::text where id in (500, 501)' '1000 rows: 2 changed, 0 missing, 0 extra'
shape exchanged 'create table exchanged (id int primary key, a int, b text); insert into exchanged select n, n, n::text from generate_series(1, 1000) n' \
  'update exchanged set id = -id where id in (500, 501); update exchanged set id = 1001 + id where id < 0' '1000 rows: 2 changed, 0 missing, 0 extra'
shape unique_swap 'create table unique_swap (id int primary key, u int unique); insert into unique_swap select n, n from generate_series(1, 100) n' \
  'update unique_swap set u = -1 where id = 1; update unique_swap set u = 1 where id = 2; update unique_swap set u = 2 where id = 1' '100 rows: 2 changed, 0 missing, 0 extra'
shape estimates 'create table estimates (id int primary key, v int); insert into estimates select n, n from generate_series(1, 3000) n; update pg_class set reltuples = 1 where oid = $$estimates$$::regclass' \
  'update pg_class set reltuples = 3e9 where oid = $$estimates$$::regclass; update estimates set v = 0 where id in (1, 3000)' '3000 rows: 2 changed, 0 missing, 0 extra'
shape folds 'create table folds (id int primary key, a bigint, b bigint); insert into folds values (1, 1, 1), (2, 7, 7)' \
  'update folds set a = 4294967296, b = 4294967296 where id = 1' '2 rows: 1 changed, 0 missing, 0 extra'
shape moved 'create table moved (id int primary key, a text, b text); insert into moved values (1, null, $$x$$), (2, null, null)' \
  'update moved set a = b, b = null where id = 1' '2 rows: 1 changed, 0 missing, 0 extra'
shape ends 'create table ends (id bigint primary key, v int); insert into ends values (-9223372036854775808, 1), (-1, 2), (0, 3), (9223372036854775807, 4)' \
  'delete from ends where id in (-9223372036854775808, 9223372036854775807); insert into ends values (1152921504606846976, 5)' '4 rows, 3 on the standby: 0 changed, 2 missing, 1 extra'
shape negative 'create table negative (id int primary key, v int); insert into negative select n, n from generate_series(-3000, 3000) n' \
  'update negative set v = 0 where id in (-3000, -1, 3000); insert into negative values (-3001, 0), (3001, 0)' '6001 rows, 6003 on the standby: 3 changed, 0 missing, 2 extra'
shape pairs 'create table pairs (a int, b int, c text, d text, primary key (b, a, d, c)); insert into pairs values (1, 11, $$a$$, $$bc$$), (3, 4, $$$$, $$x$$)' \
  'update pairs set a = 11, b = 1; update pairs set c = $$ab$$, d = $$c$$ where c = $$a$$' '2 rows: 0 changed, 2 missing, 2 extra'
shape texts 'create table texts (k text primary key, v int); insert into texts select k, 1 from unnest(array[$$_$$, $$A$$, $$a$$, $$Ä$$, $$01$$, $$1$$, $$a$$ || chr(10) || $$b$$, $$"$$, $$''$$, chr(9), $$\N$$, $$\$$, repeat($$k$$, 2600)]) k' \
  'update texts set v = 2 where k in ($$\N$$, $$a$$ || chr(10) || $$b$$, repeat($$k$$, 2600)); delete from texts where k = $$01$$' '13 rows, 12 on the standby: 3 changed, 1 missing, 0 extra'
shape uuids 'create table uuids (id uuid primary key, v int); insert into uuids select md5(n::text)::uuid, n from generate_series(1, 30000) n' \
  'update uuids set v = 0 where v % 1000 = 7; delete from uuids where v = 12345; insert into uuids values (md5($$x$$)::uuid, 1)' '30000 rows: 30 changed, 1 missing, 1 extra'
shape all_differ 'create table all_differ (id int primary key, v int); insert into all_differ select n, n from generate_series(1, 45000) n' \
  'update all_differ set v = -v' '45000 rows: 45000 changed, 0 missing, 0 extra'
shape copies 'create table copies (a int, b text); insert into copies select 1, $$x$$ from generate_series(1, 5); insert into copies select n, null from generate_series(1, 3000) n' \
  'delete from copies where ctid in (select ctid from copies where b = $$x$$ limit 4); insert into copies values (7, null), (7, null)' '3005 rows, 3003 on the standby: 0 changed, 4 missing, 2 extra'
shape alike 'create table alike (a int); insert into alike select 1 from generate_series(1, 300)' \
  'delete from alike where ctid in (select ctid from alike limit 2)' '300 rows, 298 on the standby: 0 changed, 2 missing, 0 extra'
shape one_row 'create table one_row (id int primary key); insert into one_row values (5)' 'delete from one_row' '1 rows, 0 on the standby: 0 changed, 1 missing, 0 extra'
shape nearly_empty 'create table nearly_empty (id int primary key, v text); insert into nearly_empty values (1, null), (2, $$$$)' \
  'update nearly_empty set v = $$$$ where id = 1; delete from nearly_empty where id = 2; insert into nearly_empty values (2147483647, $$x$$)' '2 rows: 1 changed, 1 missing, 1 extra'
shape one_extra 'create table one_extra (a text, b int)' 'insert into one_extra values (null, null)' '0 rows, 1 on the standby: 0 changed, 0 missing, 1 extra'
shape only_extra 'create table only_extra (id int primary key)' 'insert into only_extra values (1), (2)' '0 rows, 2 on the standby: 0 changed, 0 missing, 2 extra'
shape empty 'create table empty (id int primary key)' '' '0 rows'
shape no_columns 'create table no_columns (); insert into no_columns select from generate_series(1, 3)' '' '3 rows'
shape fewer_bare 'create table fewer_bare (); insert into fewer_bare select from generate_series(1, 3)' \
  'delete from fewer_bare where ctid = (select min(ctid) from fewer_bare)' '3 rows, 2 on the standby: 0 changed, 1 missing, 0 extra'
shape more_bare 'create table more_bare (); insert into more_bare select from generate_series(1, 3)' \
  'insert into more_bare select from generate_series(1, 2)' '3 rows, 5 on the standby: 0 changed, 0 missing, 2 extra'
shape last_bare 'create table last_bare (); insert into last_bare select from generate_series(1, 1)' 'delete from last_bare' '1 rows, 0 on the standby: 0 changed, 1 missing, 0 extra'
shape wide "do 'begin execute (select format(\$\$ create table wide (id int primary key, %s) \$\$, string_agg(format(\$\$ c%s smallint default 1 \$\$, n), \$\$, \$\$)) from generate_series(1, 1599) n); end'; insert into wide (id) values (1), (2)" \
  'update wide set c1599 = 2 where id = 2' '2 rows: 1 changed, 0 missing, 0 extra'
shape generated 'create table generated (id int generated always as identity primary key, a int, b int generated always as (a * 2) stored); insert into generated (a) select n from generate_series(1, 9) n' \
  'update generated set a = 0 where id = 3; delete from generated where id = 4' '9 rows, 8 on the standby: 1 changed, 1 missing, 0 extra'
shape children 'create table children (id int primary key, v int); create table child () inherits (children); insert into children values (1, 1); insert into child values (2, 2)' \
  'delete from child; update children set v = 2 where id = 1' '1 rows: 1 changed, 0 missing, 0 extra'
shape '"Odd "".Name"' 'create table "Odd "".Name" ("Ke""y" int primary key, "v, w" text); insert into "Odd "".Name" values (1, $$a$$)' \
  'update "Odd "".Name" set "v, w" = $$b$$' '1 rows: 1 changed, 0 missing, 0 extra'
shape deferred 'create table deferred (id int primary key deferrable, v int); insert into deferred values (1, 1), (2, 2)' \
  'update deferred set v = 3 where id = 2' '2 rows: 0 changed, 1 missing, 1 extra'
shape maybe_null 'create table maybe_null (k int unique, v int); insert into maybe_null values (null, 1), (null, 1), (1, 1)' \
  'delete from maybe_null where ctid = (select min(ctid) from maybe_null)' '3 rows, 2 on the standby: 0 changed, 1 missing, 0 extra'
shape toast 'create table toast (id int primary key, v text, w bytea); insert into toast select n, string_agg(md5(n::text || m), $$$$), null from generate_series(1, 3) n, generate_series(1, 20000) m group by n' \
  'alter table toast alter v set storage external; update toast set v = v || $$$$ where id = 1; update toast set v = v || $$ $$ where id = 2' '3 rows: 1 changed, 0 missing, 0 extra'
shape packed 'create table packed (id int primary key, v text); alter table packed alter v set compression pglz; insert into packed select n, repeat(md5(n::text), 500) from generate_series(1, 4) n' \
  'alter table packed alter v set compression lz4; update packed set v = v || $$$$ where id < 3; update packed set v = v || $$.$$ where id = 3' '4 rows: 1 changed, 0 missing, 0 extra'
shape bag_of_toast 'create table bag_of_toast (v text); insert into bag_of_toast select repeat(md5((n % 3)::text), 4000) from generate_series(1, 9) n' \
  'delete from bag_of_toast where ctid = (select max(ctid) from bag_of_toast); update bag_of_toast set v = v || $$.$$ where ctid = (select min(ctid) from bag_of_toast)' '9 rows, 8 on the standby: 0 changed, 2 missing, 1 extra'
shape one_null 'create table one_null (k int unique nulls not distinct, v int); insert into one_null values (null, 1), (1, 1)' \
  'update one_null set v = 2 where k is null' '2 rows: 0 changed, 1 missing, 1 extra'
shape never_analysed 'create table never_analysed (id int primary key, v int); insert into never_analysed select n, n from generate_series(1, 20000) n; delete from never_analysed where id < 19990' \
  'update never_analysed set v = 0 where id = 20000' '11 rows: 1 changed, 0 missing, 0 extra'

# names that our own queries might have for something else
for name in u d k r t i; do
  shape $name "create table $name (id int primary key, p tid, t oid, n int, lo int, hi int); insert into $name select n, null, n, n, n, n from generate_series(1, 2000) n" \
    "update $name set lo = 0 where id = 1; delete from $name where id = 2000" '2000 rows, 1999 on the standby: 1 changed, 1 missing, 0 extra'
done

# --- the two sides are made differently, and that is no difference ---
unlike() { # NAME PRIMARY STANDBY CHANGE FOUND
  later primary "$2"
  later standby "$3"
  names+=("$1")
  change[$1]=$4
  found[$1]=$5
}
unlike declared 'create table declared (id int primary key, a int, b smallint, c varchar(10), d numeric(10,1), e char(5), f char(5), g real, h mood, i int); insert into declared values (1, 1, 2, $$c$$, 1.5, $$e$$, $$f$$, 0.1, $$sad$$, 7), (2, null, -2, $$$$, 2.0, null, $$$$, 0, null, null)' \
  'create table declared (i numeric, h text, g double precision, f text, e char(8), d numeric(10,3), c text, b int, a bigint, id bigint primary key); insert into declared (id, a, b, c, d, e, f, g, h, i) values (1, 1, 2, $$c$$, 1.5, $$e$$, $$f$$, 0.1, $$sad$$, 7), (2, null, -2, $$$$, 2.0, null, $$$$, 0, null, null)' \
  'update declared set d = 1.6 where id = 1' '2 rows: 1 changed, 0 missing, 0 extra'
# numeric's own hash knows neither sign nor scale, and joined by XOR it takes (1, 10000) for (10000, 1); a key of another
# scale is the same key
unlike scales 'create table scales (k numeric(10,1) primary key, a numeric(10,1), b numeric(10,1)); insert into scales select n + 0.5, 5, 10000 from generate_series(1, 50) n; update scales set a = 1 where k = 2.5' \
  'create table scales (k numeric(10,3) primary key, a numeric(10,3), b numeric(10,3)); insert into scales select n + 0.5, 5, 10000 from generate_series(1, 50) n; update scales set a = 1 where k = 2.5' \
  'update scales set a = -5 where k = 1.5; update scales set a = b, b = a where k = 2.5' '50 rows: 2 changed, 0 missing, 0 extra'
unlike order_of_columns 'create table order_of_columns (gone int, id int primary key, a text, b text default $$b$$); alter table order_of_columns drop gone; insert into order_of_columns select n, n::text from generate_series(1, 500) n; alter table order_of_columns add c int default 5' \
  'create table order_of_columns (b text, own int default 7, a text, c int, id int); create unique index on order_of_columns (id); alter table order_of_columns alter id set not null; insert into order_of_columns (id, a, b, c) select n, n::text, $$b$$, 5 from generate_series(1, 500) n order by 1 desc' \
  'update order_of_columns set a = b, b = a where id = 3' '500 rows: 1 changed, 0 missing, 0 extra'
unlike parts 'create table parts (id int, r text, v int, primary key (id, r)) partition by list (r); create table parts_a partition of parts for values in ($$a$$); create table parts_b partition of parts default; insert into parts select n, chr(97 + n % 3), n from generate_series(1, 6000) n' \
  'create table parts (v int, r text, id int, primary key (r, id)); insert into parts (id, r, v) select n, chr(97 + n % 3), n from generate_series(1, 6000) n' \
  'update parts set v = 0 where id in (1, 2, 3); delete from parts where id = 6000' '6000 rows, 5999 on the standby: 3 changed, 1 missing, 0 extra'
unlike whole 'create table whole (id int primary key, v int); insert into whole select n, n from generate_series(1, 6000) n' \
  'create table whole (v int, id int, primary key (id)) partition by range (id); create table whole_1 partition of whole for values from (0) to (100); create table whole_2 partition of whole default; insert into whole (id, v) select n, n from generate_series(1, 6000) n' \
  'update whole set v = 0 where id in (1, 6000); insert into whole (id, v) values (6001, 1)' '6000 rows, 6001 on the standby: 2 changed, 0 missing, 1 extra'
unlike unlogged 'create table unlogged (id int primary key, v int); insert into unlogged select n, n from generate_series(1, 50) n' \
  'create unlogged table unlogged (id int primary key, v int); insert into unlogged select n, n from generate_series(1, 50) n' \
  'update unlogged set v = 0 where id = 50' '50 rows: 1 changed, 0 missing, 0 extra'
run_later primary standby
both 'grant select on all tables in schema public to reader'

quoted() { # the names as YAML strings
  local name
  for name in "${names[@]}"; do printf "'%s', " "$name"; done | sed 's/, $//'
}
write_config "$(quoted)"
expect 0 "$BIN/diff" --summary --log-level error
same "tables found equal" "${#names[@]}" "$(grep -c '  equal  ' "$work/out")"
expect 0 "$BIN/diff" --log-level error
same "lines where nothing differs" "" "$(cat "$work/out")"
expect 0 "$BIN/diff" --summary
for column in a b c d e f g h i; do
  same "warnings on declared.$column" 1 "$(grep -c "public.declared: column \"$column\" is " "$work/err")"
done

for name in "${names[@]}"; do later standby "${change[$name]}"; done
run_later standby
check_found() {
  local name line
  for name in "${names[@]}"; do
    line=$(grep -F "public.$name  " "$work/out" || true)
    case ${found[$name]} in
    *changed*) same "$name" "public.$name  different  ${found[$name]}" "$line" ;;
    *) same "$name" "public.$name  equal  ${found[$name]}" "$line" ;;
    esac
  done
}
expect 1 "$BIN/diff" --summary --log-level error
check_found
expect 1 "$BIN/diff" --summary --log-level error --jobs 3
check_found

# --- the lines: as capture would print them, deletes before updates before inserts, read by our own reader, and they mend ---
expect 1 "$BIN/diff" --log-level error
cp "$work/out" "$work/lines"
same "order within tables" "" "$(jq -r 'select(.new or .key) | select(.type != "relation") | .table + " " + {delete: "1", update: "2", insert: "3"}[.type]' "$work/lines" | uniq | awk '$1 == last && $2 < rank { print } { last = $1; rank = $2 }')"
same "transactions" "begin 1, commit 1, source 1" "$(jq -r 'select(.type | IN("begin", "commit", "source")) | .type' "$work/lines" | sort | uniq -c | awk '{ printf "%s%s %s", sep, $2, $1; sep = ", " }')"
same "changes counted" "$(jq -r 'select(.new or .key) | select(.type != "relation") | .type' "$work/lines" | wc -l)" "$(jq -r 'select(.type == "commit") | .changes' "$work/lines")"
same "generated columns in lines" 0 "$(jq -c 'select(.table == "public.generated" and .new and (.new | has("b")))' "$work/lines" | wc -l)"
same "a swapped pair" '{"id":500,"a":500,"b":"500"} {"id":501,"a":501,"b":"501"}' \
  "$(jq -c 'select(.table == "public.swap" and .new) | .new' "$work/lines" | sort | paste -sd' ')"
same "copies of a row" 4 "$(jq -c 'select(.table == "public.copies" and .type == "insert" and .new == {a: 1, b: "x"})' "$work/lines" | wc -l)"

PRIMARY_URL='' STANDBY_URL='' write_config "$(quoted)"
grep -v '"type":"source"' "$work/lines" >"$work/mend"
expect 0 "$BIN/apply" - --log-level error <"$work/mend"
expect 0 "$BIN/diff" --summary --log-level error
same "tables equal again" "${#names[@]}" "$(grep -c '  equal  ' "$work/out")"

# --- an empty table: one line for the copy, or its rows ---
both 'create table big (id int primary key, v text)' 'grant select on big to reader'
primary 'insert into big select n, n::text from generate_series(1, 6000) n'
write_config 'big'
expect 1 "$BIN/diff" --log-level error
same "copy" '{"type":"copy","tables":["public.big"]}' "$(sed -n 3p "$work/out")"
expect 1 "$BIN/diff" --rows --log-level error
same "inserts" 6000 "$(grep -c '"type":"insert"' "$work/out")"

# --- tables that reference others lose their rows before those, and get theirs after ---
both 'create table parent (id int primary key)' 'create table kin (id int primary key, p int references parent)' 'grant select on parent, kin to reader'
primary 'insert into parent values (1), (2)' 'insert into kin values (1, 1), (2, 2), (3, 2)'
standby 'insert into parent values (1), (9)' 'insert into kin values (1, 9), (8, 9)'
write_config 'parent, kin'
expect 1 "$BIN/diff" --log-level error
same "parents and children" 'delete kin, delete parent, insert parent, update kin, insert kin, insert kin' \
  "$(jq -r 'select(.key and .type != "relation") | .type + " " + .table[7:]' "$work/out" | paste -sd, | sed 's/,/, /g')"

# --- filters: rows and columns that are not captured are not missed; what the standby has beside them is ---
both 'create table partly (id int primary key, ok boolean, v text, secret text); grant select on partly to reader'
primary "insert into partly select n, n % 2 = 0, n::text, 'secret' from generate_series(1, 100) n"
standby "insert into partly (id, ok, v) select n, true, n::text from generate_series(2, 100, 2) n"
write_config partly 'filters: {partly: {where: "ok -- a comment", columns: [id, v, ok]}}'
expect 0 "$BIN/diff" --log-level error
standby "insert into partly values (3, false, '3'); update partly set ok = false where id = 2"
expect 1 "$BIN/diff" --log-level error
same "through a filter" 'delete {"id":3} null, update {"id":2} {"id":2,"ok":true,"v":"2"}' \
  "$(jq -r 'select(.key and .type != "relation") | "\(.type) \(.key) \(.new)"' "$work/out" | paste -sd, | sed 's/,\([du]\)/, \1/g')"

# --- a column that is NOT NULL, and has a NULL: 18 has constraints that are NOT VALID. Before it, the catalog as 18 has it ---
both 'create table loose (id int primary key, v text, w text); grant select on loose to reader' "insert into loose values (1, 'a', 'w'), (2, null, 'w'), (3, null, 'w')"
standby "update loose set w = 'W' where id = 2"
for name in primary standby; do
  if [ "$(on_server "$name" 'show server_version_num')" -ge 180000 ]; then
    on_server "$name" 'alter table loose add constraint given not null v not valid'
  else
    cluster_psql "$name" crawler -c 'set allow_system_table_mods = on' -c "update pg_attribute set attnotnull = true where attrelid = 'loose'::regclass and attname = 'v'" \
      -c "insert into pg_constraint select (jsonb_populate_record(c, '{\"oid\": 99999, \"conname\": \"given\", \"contype\": \"n\", \"convalidated\": false, \"conkey\": [2], \"conindid\": 0}')).*
        from pg_constraint c where conrelid = 'loose'::regclass"
  fi
done
write_config loose
expect 1 "$BIN/diff" --log-level error
same "a row that has NULL where there should be none" '{"type":"update","table":"public.loose","key":{"id":2},"new":{"id":2,"v":null,"w":"w"}}' "$(grep '"update"' "$work/out")"

# --- an index that lacks a row, and a key that is none as it is compared: nothing is said of the table, least of all that it is equal ---
both 'create table broken (id int primary key, v int); grant select on broken to reader' 'insert into broken select n, n from generate_series(1, 2000) n'
primary 'create table blanks (k char(5) primary key, v int); grant select on blanks to reader' "insert into blanks values ('a', 1), ('b', 2)"
standby 'create table blanks (k varchar(9) primary key, v int); grant select on blanks to reader' "insert into blanks values ('a', 1), ('b', 2)"
write_config 'broken, blanks, loose'
expect 1 "$BIN/diff" --log-level error
cluster_psql standby crawler -c 'set allow_system_table_mods = on' -c "update pg_index set indisready = false where indexrelid = 'broken_pkey'::regclass" \
  -c 'insert into broken values (1000, 1000)' -c "update pg_index set indisready = true where indexrelid = 'broken_pkey'::regclass"
standby "insert into blanks values ('a ', 1)"
expect 65 "$BIN/diff" --summary
told 'public.broken: backup_node: [0-9]* rows are in the table where the key.s index has [0-9]*; REINDEX TABLE'
told 'public.blanks: backup_node: several rows have the key (a) as it is compared; leave one of them'
same "the others" 'public.loose  different  3 rows: 1 changed, 0 missing, 0 extra' "$(cat "$work/out")"
standby "delete from blanks where k = 'a '" "update broken set v = 0 where id = 1000"
expect 65 "$BIN/diff" --log-level error
same "lines of it" '' "$(grep 'broken' "$work/out" || true)"

# --- no Sort under an aggregate, one pass over the pages, the key's index for what differs ---
both 'create table seen (id int primary key, v text); grant select on seen to reader'
for name in primary standby; do on_server "$name" 'insert into seen select n, n::text from generate_series(1, 60000) n'; done
standby "update seen set v = '' where id in (7, 59999)"
write_config seen
for name in primary standby; do wc -c <"$(cluster_dir "$name")/log" >"$work/$name.at"; done
both 'alter system set auto_explain.log_min_duration = 0' 'select pg_reload_conf()' >"$work/reloaded"
sleep 0.3
expect 1 "$BIN/diff" --log-level error
same "two changed rows" 2 "$(grep -c '"type":"update"' "$work/out")"
for name in primary standby; do
  tail -c "+$(cat "$work/$name.at")" "$(cluster_dir "$name")/log" >"$work/plans"
  grep -q 'HashAggregate' "$work/plans" || fail "$name: no HashAggregate in the plans: $(cat "$work/plans")"
  ! grep -A 30 'sum(hashint8extended' "$work/plans" | grep -qE '^\s+(->  )?(Sort|GroupAggregate)' || fail "$name: a Sort: $(cat "$work/plans")"
  grep -q 'Seq Scan on seen' "$work/plans" || fail "$name: no sequential scan"
  ! grep -q 'Tid Range Scan on seen' "$work/plans" || fail "$name: one session read a small table in ranges"
  grep -qE 'Index Scan (using|on) seen_pkey' "$work/plans" || fail "$name: what differs was not read by the index"
  grep -q 'Tid Scan on seen' "$work/plans" || fail "$name: rows were not read by their places"
done
for name in primary standby; do wc -c <"$(cluster_dir "$name")/log" >"$work/$name.at"; done
expect 1 "$BIN/diff" --jobs 2 --log-level error
same "two changed rows, found by two sessions" 2 "$(grep -c '"type":"update"' "$work/out")"
for name in primary standby; do
  tail -c "+$(cat "$work/$name.at")" "$(cluster_dir "$name")/log" >"$work/plans"
  grep -q 'Tid Range Scan on seen' "$work/plans" || fail "$name: two sessions did not share the pages"
done
both 'alter system reset auto_explain.log_min_duration' 'select pg_reload_conf()' >"$work/reloaded"

# --- another encoding hashes texts differently: the portable digest finds the same ---
standby 'create database latin encoding latin1 template template0 locale "C"'
cluster_psql standby latin -c "create table seen (id int primary key, v text)" -c "insert into seen select n, n::text from generate_series(1, 60000) n" \
  -c "update seen set v = '' where id in (7, 59999)" -c 'create table texts (k text primary key, v int)' -c "insert into texts values ('é', 1), ('b', 2)"
primary "truncate texts" "insert into texts values ('é', 1), ('b', 1)"
cp "$work/out" "$work/native"
STANDBY_URL=$(cluster_url standby latin) write_config 'seen, texts'
expect 1 "$BIN/diff"
grep -q 'hash values differently' "$work/err" || fail "the digests agree: $(cat "$work/err")"
same "found by the portable digest" "$(grep '"update"' "$work/native")"$'\n''{"type":"update","table":"public.texts","key":{"k":"b"},"new":{"k":"b","v":1}}' "$(grep '"update"' "$work/out")"

# --- a server of another byte order hashes otherwise: one whose hash gives something else for one value of the self-test ---
cluster_psql standby crawler -c 'set allow_system_table_mods = on' -c 'alter function pg_catalog.hashint8extended(bigint, bigint) rename to hash_as_it_was' \
  -c "create function pg_catalog.hashint8extended(bigint, bigint) returns bigint language sql immutable strict parallel safe
    as 'select case when \$1 = 4294967296 then 1 else pg_catalog.hash_as_it_was(\$1, \$2) end'"
write_config seen
expect 1 "$BIN/diff"
told 'hash values differently'
same "found by the portable digest, for a hash" "$(grep '"update"' "$work/native")" "$(grep '"update"' "$work/out")"
cluster_psql standby crawler -c 'set allow_system_table_mods = on' -c 'drop function pg_catalog.hashint8extended(bigint, bigint)' \
  -c 'alter function pg_catalog.hash_as_it_was(bigint, bigint) rename to hashint8extended'

# --- SQL_ASCII: bytes that are no text are compared as bytes ---
for name in primary standby; do
  cluster_psql "$name" postgres -c "create database bytes encoding sql_ascii template template0 locale 'C'"
  cluster_psql "$name" bytes -c "create table words (id int primary key, v text)" \
    -c "insert into words select n, convert_from('\\xff'::bytea || n::text::bytea, 'SQL_ASCII') from generate_series(1, 3000) n"
done
PRIMARY_URL=$(cluster_url primary bytes) STANDBY_URL=$(cluster_url standby bytes) write_config words
expect 0 "$BIN/diff" --log-level error
cluster_psql standby bytes -c "update words set v = convert_from('\\xfe'::bytea || id::text::bytea, 'SQL_ASCII') where id = 7"
expect 65 "$BIN/diff" --log-level error
ended_with diff 'public.words: the row at ctid (0,7): .*0xff.*UPDATE that text, or move it'

say "diff finds what differs in ${#names[@]} tables, and nothing else"
