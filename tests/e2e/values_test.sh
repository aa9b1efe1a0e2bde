#!/usr/bin/env bash
# Values arrive as they were, byte by byte: the edges of every type that travels in binary form to the standby, of those that
# only have a text form, and both forms in one batch.
set -euo pipefail
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

two_servers
both "create type mood as enum ('sad', 'ok', 'very glad')" "create domain positive as int check (value > 0)"
# What ends the binary form (a date before Christ) stands last.
declare -A edges=(
  [boolean]="true, false, null"
  [smallint]="-32768, 0, 32767"
  [int]="-2147483648, 0, 2147483647, null"
  [bigint]="-9223372036854775808, 9223372036854775807"
  [real]="'NaN', 'Infinity', '-Infinity', '-0', '1e-45', '3.4028235e38', '0.1', null"
  ["double precision"]="'NaN', 'Infinity', '-Infinity', '-0', '5e-324', '1.7976931348623157e308', '0.1', '1e23', '123456789.123456789'"
  [numeric]="0, '0.00', '1.0', '1.00', '-0.0001', '12345678901234567890.123456789012345678901234567890', 1e100, 1e-100, 10000, 99999999, '0.00010000', 'NaN', 'Infinity', '-Infinity'"
  ["numeric(10,2)"]="0, 1, '-12345678.90', '0.10', 'NaN'"
  [text]="'', null, 'plain', E'tab\\tnew\\nline\\\\back', '\\N', '\\.', 'Überraschung 日本語 🙂', repeat('long', 1000)"
  ["varchar(20)"]="'', 'x  ', E'\\\\N'"
  ["character(5)"]="'', 'ab', 'abcde'"
  [name]="'', 'pg_class'"
  ["\"char\""]="'a', ''"
  [bytea]="'', '\\x00', '\\xdeadbeef00ff', null"
  [uuid]="'00112233-4455-6677-8899-aabbccddeeff', 'ffffffff-ffff-ffff-ffff-ffffffffffff'"
  [json]="'null', '{\"a\": 1,  \"a\": 2}', '[1.0, 1.00, \"\\u00e9\"]', '\" \"', null"
  [jsonb]="'null', '{\"b\": 1, \"a\": [1.0, 1.00]}', '\"\"', null"
  [date]="'infinity', '-infinity', '2000-01-01', '1999-12-31', '0001-01-01', '9999-12-31', '2024-02-29', '4713-01-01 BC', '0044-03-15 BC', '5874897-12-31'"
  [timestamp]="'infinity', '-infinity', '2000-01-01', '1999-12-31 23:59:59.999999', '2024-02-29 01:02:03.4', '1582-10-15 00:00:00.000001', '0044-03-15 12:00 BC', '294276-12-31 23:59:59.999999'"
  ["timestamp with time zone"]="'infinity', '-infinity', '2000-01-01 00:00+00', '1969-12-31 23:59:59.5+14', '0001-01-01 00:00+00', '1883-11-18 12:03:58-05', '0044-03-15 12:00 BC', '294276-01-01 00:00+00'"
  [time]="'00:00', '24:00', '23:59:59.999999'"
  ["time with time zone"]="'00:00+14', '23:59:59.999999-12:30'"
  [interval]="'0', '1 year -2 months 3 days -04:05:06.789', '-1 day +1 hour'"
  ["int[]"]="'{}', '{1,NULL,3}', '[2:3]={1,2}', '{{1,2},{3,4}}', null"
  ["text[]"]="'{}', '{\"\",NULL,\"NULL\",\"a,b\",\"\\\"\"}'"
  [int4range]="'empty', '[1,5)', '(,)', '[3,)'"
  [int4multirange]="'{}', '{[1,3),[5,7)}'"
  [mood]="'sad', 'very glad', null"
  [positive]="1, 2147483647, null"
  ["bit(3)"]="B'101'"
  [varbit]="B'', B'10110'"
  [inet]="'10.0.0.1', '10.0.0.0/8', '::1', 'fe80::/10'"
  [macaddr]="'08:00:2b:01:02:03'"
  [point]="'(0,-0)', '(1e-300,Infinity)'"
  [tsvector]="'', '''a'':1A ''it''''s'':2'"
  [xml]="'<a b=\"c\">&amp;</a>'"
  [oid]="0, 4294967295"
  [pg_lsn]="'0/0', 'FFFFFFFF/FFFFFFFF'"
)
tables=()
number=0
for type in "${!edges[@]}"; do
  number=$((number + 1))
  tables+=("values_$number")
  both "create table values_$number (id int primary key, value $type, spare $type)"
done
# No COPY of this one can be binary, and in one statement both forms meet.
both "create table mixed (id int primary key, day date, at timestamptz, amount numeric)"
write_config "$(IFS=, && echo "${tables[*]}"), mixed" 'logging: {level: DEBUG}'
link_up

number=0
for type in "${!edges[@]}"; do
  number=$((number + 1))
  list="insert into values_$number select ordinality, v, null from unnest(array[${edges[$type]}]::${type}[]) with ordinality u (v)"
  case $type in
    *"[]") list="insert into values_$number select ordinality, v::$type, null from unnest(array[${edges[$type]}]::text[]) with ordinality u (v)" ;;
  esac
  primary "$list"
done
primary "insert into mixed select n, date '2024-01-01' + n, timestamptz '2024-01-01 00:00+00' + n * interval '1.000001 s', n / 100.0
           from generate_series(1, 1000) n" \
  "insert into mixed values (1001, 'infinity', '-infinity', 1)" \
  "update mixed set day = '0044-03-15 BC', at = 'infinity', amount = 'NaN' where id in (500, 501)"
"$BIN/capture" 2>>"$work/capture.log" | "$BIN/queue" put 2>>"$work/put.log"
expect 0 "$BIN/apply"
cp "$work/err" "$work/first"
equal_tables
at_least "values that are there" 140 "$(standby "$(for table in "${tables[@]}"; do echo "select count(*) from $table union all"; done | sed '$s/union all//' | awk 'BEGIN {print "select sum(count) from ("} {print} END {print ") x"}')")"

# The same by updates, which go another way, of a batch that has rows of both kinds of text in it.
for table in "${tables[@]}"; do primary "update $table set spare = value" "update $table set value = null"; done
primary "update mixed set amount = amount + 1, day = day + 1 where id < 900" "delete from mixed where id % 7 = 0"
"$BIN/capture" 2>>"$work/capture.log" | "$BIN/queue" put 2>>"$work/put.log"
expect 0 "$BIN/apply"
equal_tables
! grep -E "trying these changes|[1-9][0-9]* in the primary's order" "$work/first" "$work/err" || fail "a batch had to go in order: its COPY was refused"

# The standby's column becomes another type of the same width while apply runs: the form that fitted before would be taken
# for another number.
both 'create table visits (id int primary key, amount bigint)'
write_config visits
primary 'alter publication pgtandem_backup_node set table visits'
follow_capture
follow_apply
primary 'insert into visits values (1, 1000)'
wait_applied
standby 'alter table visits alter column amount type double precision'
primary 'insert into visits values (2, 2000)'
wait_applied
primary 'update visits set amount = amount + 1'
wait_applied
same "amounts on the standby" '1|1001,2|2001' "$(standby "select string_agg(id || '|' || amount, ',' order by id) from visits")"
follow_stop

# A primary of another encoding: what its server writes for us is UTF-8 all the same.
expect 0 "$BIN/apply" drop
with_rights capture drop
rm -rf "$work/spool"
cluster_psql primary postgres -c "create database latin encoding 'LATIN1' template template0 lc_collate 'C' lc_ctype 'C'"
default_rights primary latin
latin() { PGCLIENTENCODING=UTF8 cluster_psql primary latin -At -c "$1"; }
latin 'create table words (id int primary key, word text)'
standby 'create table words (id int primary key, word text)'
PRIMARY_URL=$(cluster_url primary latin pgtandem) write_config words
with_rights capture init latin
with_rights apply init
latin "insert into words values (1, 'größe'), (2, 'naïve £'), (3, repeat('é', 9000))"
latin "update words set word = word || 'ß' where id < 3"
"$BIN/capture" 2>>"$work/capture.log" | "$BIN/queue" put 2>>"$work/put.log"
expect 0 "$BIN/apply"
same "words of LATIN1" "$(latin 'select id, left(word, 20), length(word) from words order by id')" "$(standby 'select id, left(word, 20), length(word) from words order by id')"
expect 0 "$BIN/verify"
say "values_test: passed, $number types"
