#!/usr/bin/env bash
# Two roles that begin with LOGIN and nothing else: each right that one of them lacks is printed by init as a statement, the
# superuser runs exactly that, and then init passes and rows flow. What lacks a right while it runs ends with 77 and says what
# to run; nothing is lost by it. Without SET on session_replication_role rows are right, too, or are refused.
set -euo pipefail
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
# shellcheck source=tests/e2e/bad_lib.sh
. "$e2e/bad_lib.sh"

# shellcheck disable=SC2119 # its arguments are optional
two_servers
both 'create role "Bare" login' 'revoke all on database crawler from public' 'revoke all on schema public from public' \
  'create schema "Odd Kinds"' "create type \"Odd Kinds\".mood as enum ('sad', 'glad')" 'create schema shop' \
  'create table shop.images (id serial primary key, v text, mood "Odd Kinds".mood)' \
  'create table shop.parts (id int generated always as identity primary key, v text) partition by hash (id)' \
  'create table shop.parts_0 partition of shop.parts for values with (modulus 1, remainder 0)'
PRIMARY_URL=$(cluster_url primary crawler Bare)
STANDBY_URL=$(cluster_url standby crawler Bare)
export PRIMARY_URL STANDBY_URL
synced='shop.images, shop.parts'
config() { write_config "$synced" "$@"; }
config

# init ends with 77 and one line, prints exactly these statements, and makes nothing; the superuser runs what it printed.
lacks() { # TOOL STATEMENT…
  local tool=$1 name=standby
  [ "$tool" != capture ] || name=primary
  shift
  expect 77 "$BIN/$tool" init
  last_word "$tool" 'the role "Bare" lacks rights in database "crawler".*'"$tool init"
  same "what $tool init prints" "$(printf '%s\n' "$@")" "$(cat "$work/out")"
  cluster_psql "$name" crawler -f "$work/out"
}
linked() { # TOOL: nothing is missing now
  expect 0 "$BIN/$1" init
  same "what $1 init prints" "" "$(cat "$work/out")"
}
# The statement at the end of the last error, where nothing could be asked because there was no session.
asked_for() { sed -n 's/^\(capture\|apply\): .*; \(GRANT\|ALTER ROLE\) /\2 /p' "$work/err"; }
counter=0
flows() { # rows of every kind go over
  counter=$((counter + 1))
  primary "insert into shop.images (v, mood) values ('$counter', 'glad'), ('go', 'sad')" "insert into shop.parts (v) values ('$counter'), ('go')" \
    "update shop.images set v = v || '!' where v = '$counter'" "update shop.parts set v = 'changed' where v = '$counter'" \
    "delete from shop.images where v = 'go'" "delete from shop.parts where v = 'go'"
  pass
  expect 0 "$BIN/apply"
  equal_rows_of_both
}
equal_rows_of_both() { equal_tables shop.images shop.parts; }
slots() { primary 'select count(*) from pg_replication_slots'; }

# --- the primary: everything is missing ---
refused 77 'primary_node: .*permission denied for database.*GRANT CONNECT ON DATABASE "crawler" TO "Bare"' "$BIN/capture" init
primary "$(asked_for)"
publication='CREATE PUBLICATION "pgtandem_backup_node" FOR TABLE ONLY "shop"."images", ONLY "shop"."parts" WITH (publish = '"'insert, update, delete, truncate'"', publish_via_partition_root = true);'
usage='GRANT USAGE ON SCHEMA "shop" TO "Bare";'
lacks capture 'ALTER ROLE "Bare" REPLICATION;' "$usage" 'GRANT SELECT ON TABLE "shop"."images" TO "Bare";' 'GRANT SELECT ON TABLE "shop"."parts" TO "Bare";' "$publication"
same "slots" 0 "$(slots)"
linked capture
same "slots" 1 "$(slots)"

# --- the standby: everything is missing ---
refused 77 'backup_node: .*GRANT CONNECT ON DATABASE "crawler" TO "Bare"' "$BIN/apply" init
standby "$(asked_for)"
dml='GRANT SELECT, INSERT, UPDATE, DELETE, TRUNCATE ON TABLE'
lacks apply 'CREATE SCHEMA pgtandem AUTHORIZATION "Bare";' 'GRANT TEMPORARY ON DATABASE "crawler" TO "Bare";' "$usage" "$dml \"shop\".\"images\" TO \"Bare\";" \
  'GRANT USAGE ON SCHEMA "Odd Kinds" TO "Bare";' 'GRANT SELECT, UPDATE ON SEQUENCE "shop"."images_id_seq" TO "Bare";' \
  "$dml \"shop\".\"parts\" TO \"Bare\";" 'GRANT SELECT, UPDATE ON SEQUENCE "shop"."parts_id_seq" TO "Bare";'
linked apply
grep -q 'warn .*session_replication_role.*; GRANT SET ON PARAMETER session_replication_role TO "Bare"$' "$work/err" || fail "no word of what is only slower: $(cat "$work/err")"
standby "$(sed -n 's/.*; \(GRANT SET .*\)/\1/p' "$work/err")"
linked apply
same "warnings" 0 "$(grep -c ' warn ' "$work/err" || true)"
flows

# --- the primary: one right after the other is taken away ---
primary 'alter role "Bare" noreplication'
refused 77 'primary_node: .*ALTER ROLE "Bare" REPLICATION' "$BIN/capture"
lacks capture 'ALTER ROLE "Bare" REPLICATION;'
flows
primary 'revoke usage on schema shop from "Bare"'
lacks capture "$usage"
primary 'revoke select on shop.images from "Bare"'
lacks capture 'GRANT SELECT ON TABLE "shop"."images" TO "Bare";'
primary 'alter table shop.parts enable row level security'
refused 77 'primary_node: .*shop.parts has row-level security.*; ALTER ROLE "Bare" BYPASSRLS' "$BIN/capture"
lacks capture 'ALTER ROLE "Bare" BYPASSRLS;'
linked capture
flows
primary 'alter table shop.parts disable row level security' 'alter role "Bare" nobypassrls'
# where a managed server has a role instead of the attribute; here it opens nothing, which is told, too
primary 'create role rds_replication' 'alter role "Bare" noreplication'
lacks capture 'GRANT rds_replication TO "Bare";'
refused 77 'primary_node: .*ALTER ROLE "Bare" REPLICATION' "$BIN/capture" init
primary 'alter role "Bare" replication' 'drop role rds_replication'
linked capture

# --- a publication that others have to change; what would keep the primary's users from their work is told before ---
both 'create table shop.late (id int primary key, v text, secret text)'
primary 'grant select on shop.late to "Bare"'
standby 'grant select, insert, update, delete, truncate on shop.late to "Bare"'
synced+=', shop.late'
config
alter='ALTER PUBLICATION "pgtandem_backup_node" SET'
lacks capture "$alter TABLE ONLY \"shop\".\"images\", ONLY \"shop\".\"parts\", ONLY \"shop\".\"late\";"
grep -q 'warn .*shop.late joins the publication' "$work/err" || fail "no word of the rows that it had: $(cat "$work/err")"
linked capture
config "filters: {shop.late: {where: \"v <> 'it''s secret'\", columns: [id, v]}}"
lacks capture 'GRANT TEMPORARY ON DATABASE "crawler" TO "Bare";' # by it a condition is tried
refused 65 'where uses "v".*ALTER TABLE "shop"."late" REPLICA IDENTITY FULL' "$BIN/capture" init
config "filters: {shop.late: {where: \"nope > 1\"}}"
refused 78 'PostgreSQL refuses it: .*nope' "$BIN/capture" init
primary 'alter table shop.late replica identity full'
config "filters: {shop.late: {where: \"v <> 'it''s secret'\"}}"
expect 77 "$BIN/capture" init
same "lines of a condition's statements" 5 "$(grep -c ';$' "$work/out")"
same "lines in all" 5 "$(wc -l <"$work/out")"
config "filters: {shop.late: {where: \"v <> 'it''s secret' -- why\"}}"
expect 77 "$BIN/capture" init
same "statements of a condition" "BEGIN; SET LOCAL search_path = '';" "$(sed -n '1,2p' "$work/out" | paste -sd' ')"
cluster_psql primary crawler -o /dev/null -f "$work/out"
linked capture
expect 0 "$BIN/capture"
primary 'alter publication pgtandem_backup_node set table shop.images, shop.parts, only shop.late where (true)'
expect 65 "$BIN/capture"
expect 77 "$BIN/capture" init
cluster_psql primary crawler -o /dev/null -f "$work/out"
primary "insert into shop.late values (1, 'open'), (2, 'it''s secret')"
flows
same "rows that the condition lets through" 1 "$(standby 'select id from shop.late')"
# of the columns in a list the right to those is enough
primary 'revoke select on shop.late from "Bare"' 'grant select (id, v) on shop.late to "Bare"' 'alter table shop.late replica identity default'
config "filters: {shop.late: {columns: [id, v]}}"
lacks capture "$alter TABLE ONLY \"shop\".\"images\", ONLY \"shop\".\"parts\", ONLY \"shop\".\"late\" (\"id\", \"v\");"
linked capture

# --- a role that may: member of the owner, with CREATE. One that lacks either is told the publication ---
synced='shop.images, shop.parts'
config
expect 77 "$BIN/capture" drop
last_word capture "publication pgtandem_backup_node stays"
same "what capture drop prints" 'DROP PUBLICATION "pgtandem_backup_node";' "$(cat "$work/out")"
same "slots" 0 "$(slots)"
cluster_psql primary crawler -f "$work/out"
expect 0 "$BIN/capture" drop
expect 0 "$BIN/apply" drop
same "schemas left" 0 "$(standby "select count(*) from pg_namespace where nspname = 'pgtandem'")"
rm -r "$work/spool"
primary 'create role keeper' 'alter table shop.images owner to keeper' 'alter table shop.parts owner to keeper' 'grant keeper to "Bare"'
expect 77 "$BIN/capture" init
same "what capture init prints" "$publication" "$(cat "$work/out")"
primary 'grant create on database crawler to "Bare"' 'revoke keeper from "Bare"' 'grant select on all tables in schema shop to "Bare"'
expect 77 "$BIN/capture" init
same "what capture init prints" "$publication" "$(cat "$work/out")"
primary 'grant keeper to "Bare"'
linked capture
same "owner of the publication" Bare "$(primary "select rolname from pg_publication join pg_roles r on r.oid = pubowner")"

# --- the standby: one right after the other is taken away, first from the tool that runs ---
lacks apply 'CREATE SCHEMA pgtandem AUTHORIZATION "Bare";'
linked apply
flows
n=0
taken() { # REVOKE GRANT CHANGE: apply meets the change without the right, and with it
  local before
  n=$((n + 1))
  standby "$1"
  primary "${3//NN/$n}"
  pass
  before=$(progress)
  refused 77 'backup_node: .*(permission denied|must be).*run `apply init`' "$BIN/apply"
  same "progress" "$before" "$(progress)"
  lacks apply "$2"
  linked apply
  expect 0 "$BIN/apply"
  equal_rows_of_both
}
insert="insert into shop.images (v) values ('NN')" update="update shop.images set v = 'NN' || id"
for right in SELECT UPDATE; do taken "revoke $right on shop.images from \"Bare\"" "GRANT $right ON TABLE \"shop\".\"images\" TO \"Bare\";" "$update"; done
taken 'revoke insert on shop.images from "Bare"' 'GRANT INSERT ON TABLE "shop"."images" TO "Bare";' "$insert"
taken 'revoke delete on shop.parts from "Bare"' 'GRANT DELETE ON TABLE "shop"."parts" TO "Bare";' 'delete from shop.parts where id = (select min(id) from shop.parts)'
taken 'revoke truncate on shop.images from "Bare"' 'GRANT TRUNCATE ON TABLE "shop"."images" TO "Bare";' 'truncate shop.images'
taken 'revoke usage on schema shop from "Bare"' "$usage" "$insert"
standby 'revoke usage on schema "Odd Kinds" from "Bare"' # only rare statements name a type
lacks apply 'GRANT USAGE ON SCHEMA "Odd Kinds" TO "Bare";'
taken 'revoke usage on type "Odd Kinds".mood from public' 'GRANT USAGE ON TYPE "Odd Kinds"."mood" TO "Bare";' "$update"
for right in select update; do taken "revoke $right on sequence shop.images_id_seq from \"Bare\"" 'GRANT SELECT, UPDATE ON SEQUENCE "shop"."images_id_seq" TO "Bare";' "$insert"; done
taken 'revoke temporary on database crawler from "Bare"' 'GRANT TEMPORARY ON DATABASE "crawler" TO "Bare";' "$update"
standby 'alter table shop.images enable row level security'
lacks apply 'ALTER ROLE "Bare" BYPASSRLS;'
linked apply
flows
standby 'alter table shop.images disable row level security' 'alter role "Bare" nobypassrls'

# --- pgtandem's own tables, made by another role ---
own='GRANT SELECT, INSERT, UPDATE, DELETE ON TABLE pgtandem'
standby 'alter table pgtandem.progress owner to postgres' 'alter table pgtandem.retried owner to postgres' 'alter schema pgtandem owner to postgres'
expect 77 "$BIN/apply"
last_word apply 'run `apply init`'
refused 77 'run `apply init`' "$BIN/apply" --dry-run
lacks apply 'GRANT USAGE ON SCHEMA pgtandem TO "Bare";' "$own.progress TO \"Bare\";" "$own.retried TO \"Bare\";"
linked apply
flows
standby 'drop table pgtandem.retried'
lacks apply 'GRANT CREATE ON SCHEMA pgtandem TO "Bare";'
linked apply
same "owner of the table that was not there" Bare "$(standby "select tableowner from pg_tables where tablename = 'retried'")"
flows
expect 0 "$BIN/apply" drop
same "what is left of another's" progress "$(standby "select string_agg(tablename, ' ') from pg_tables where schemaname = 'pgtandem' and tableowner = 'postgres'")"
linked apply
say "rights_test: passed in $SECONDS s"
