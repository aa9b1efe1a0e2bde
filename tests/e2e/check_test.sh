#!/usr/bin/env bash
# status check on real servers: each fault is made on purpose, found with its place, and where its mending is SQL that SQL is
# run there, and then the finding is gone. A server that is away or hangs is a finding, and never hangs it.
set -euo pipefail
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

check() { # EXIT-CODE [ARG…]
  local code=$1
  shift
  expect "$code" "$BIN/status" check --json "$@"
}
# The findings that fit, as JSON lines; a pattern is a regular expression.
fitting() { # SEVERITY AREA PLACE WHAT
  jq -c --arg s "$1" --arg a "$2" --arg p "$3" --arg w "$4" \
    '.findings[] | select(.severity == $s and .area == $a and ((.place // "") | test($p)) and (.what | test($w)))' "$work/out"
}
found() { # SEVERITY AREA PLACE WHAT [MEND]
  local lines
  lines=$(fitting "$@")
  [ "$(grep -c . <<<"$lines")" = 1 ] || fail "not one finding '$*': $(jq . "$work/out")"
  [ -z "${5:-}" ] || jq -e --arg m "$5" '(.mend // "") | test($m)' <<<"$lines" >/dev/null || fail "mend: $lines"
}
gone() { # SEVERITY AREA PLACE WHAT
  [ -z "$(fitting "$@")" ] || fail "still there: $(fitting "$@")"
}
# Runs at its server what mends it, as far as it is SQL: up to the last semicolon.
mend() { # SEVERITY AREA PLACE WHAT
  local line server=standby sql
  line=$(fitting "$@")
  [ "$(jq -r '.place | split(" ")[0]' <<<"$line")" != primary_node ] || server=primary
  sql=$(jq -r '.mend' <<<"$line")
  on_server "$server" "${sql%;*};" >/dev/null
}
sound() { [ "$(jq -r '"\(.errors) \(.warnings)"' "$work/out")" = "0 0" ] || fail "not sound: $(jq -c '.findings[]' "$work/out")"; }
restart() { cluster_stop "$1" && cluster_start "$1"; }

# --- before there is a link ---
two_servers
images_tables
write_config "images, categories" 'max_retry_attempts: 1'
primary 'alter system set wal_level = replica'
restart primary
check 1
found error link primary_node '^wal_level is replica' 'ALTER SYSTEM SET wal_level = logical'
found error link primary_node '^the two sides are not linked' '^pgtandem sync-full --init$'
found error rights primary_node 'CREATE PUBLICATION'
primary 'alter system reset wal_level'
restart primary
link_up
check 0
sound
expect 0 "$BIN/status" check
grep -q '^nothing to mend; ' "$work/out" || fail "in words: $(cat "$work/out")"

# --- tables: on the primary, on the standby, and beside each other ---
primary 'create table keyless (v int)' 'create unlogged table fleeting (id int primary key)' \
  'create table hidden (id int primary key)' 'alter table hidden enable row level security' \
  'create table narrow (id int primary key, v text, w int)' 'create table sorted (id int primary key, v text collate "C")' \
  'create table late (id int primary key, n int unique)' 'create table counted (id int primary key, v text)' \
  'create table frozen (id int primary key)' 'alter table frozen replica identity nothing'
standby 'create table keyless (v int)' 'create table fleeting (id int primary key)' 'create table hidden (id int primary key)' \
  'create table narrow (id int primary key, v text)' 'create table sorted (id int primary key, v text collate "POSIX")' \
  'create unlogged table late (id int primary key, n int unique deferrable initially deferred)' \
  'create table frozen (id int primary key)' 'create sequence other' "create table counted (id int primary key default nextval('other'), v text)" \
  'insert into counted values (70)' "insert into categories (id, name) values (5000, 'by hand')"
cp "$PGTANDEM_CONFIG" "$work/good.yaml"
write_config "images, categories, keyless, fleeting, hidden, narrow, sorted, late, counted, frozen, nowhere" 'max_retry_attempts: 1' 'hooks:{on_alert: [no-such-program]}'
sed -i 's/^  batch_size/  batch_sise/' "$PGTANDEM_CONFIG"
check 1
found warning config '' 'batch_sise'
found error config hooks.on_alert 'no program no-such-program'
found error table 'primary_node public.keyless' 'PostgreSQL refuses updates and deletes' 'ALTER TABLE "public"."keyless" REPLICA IDENTITY FULL'
found error table 'primary_node public.fleeting' 'is unlogged' 'SET LOGGED'
found error table 'primary_node public.nowhere' 'does not exist'
found note table 'primary_node public.frozen' 'identity is NOTHING.*refuses updates and deletes' 'ALTER TABLE "public"."frozen" REPLICA IDENTITY DEFAULT'
found error rights primary_node 'ALTER ROLE "pgtandem" BYPASSRLS'
found error schema 'backup_node public.narrow' 'has no column "w"' 'ADD COLUMN "w" integer'
found note schema 'backup_node public.sorted' 'collation'
found warning table 'backup_node public.late' 'unlogged here'
found note table 'backup_node public.late' 'deferrable'
found warning sequence 'backup_node public.categories' 'categories_id_seq.*is behind its values'
found warning sequence 'backup_node public.counted' 'other.*is behind its values \(never used, the farthest is 70\)' 'OWNED BY "public"."counted"."id"'
for fault in 'rights primary_node BYPASSRLS' 'schema narrow "w"' 'table late unlogged' 'table late deferrable' 'sequence categories behind' 'sequence counted behind'; do
  read -r area place what <<<"$fault"
  severity=warning
  case "$area $what" in rights* | schema*) severity=error ;; *deferrable) severity=note ;; esac
  mend "$severity" "$area" "$place" "$what"
done
primary 'alter table keyless replica identity full' 'alter table fleeting set logged'
check 1
for fault in 'rights primary_node BYPASSRLS' 'schema narrow "w"' 'table late unlogged' 'table late deferrable' 'sequence categories behind' 'sequence counted behind' 'table keyless .' 'table fleeting .'; do
  read -r area place what <<<"$fault"
  gone error "$area" "$place" "$what"
  gone warning "$area" "$place" "$what"
  gone note "$area" "$place" "$what"
done
cp "$work/good.yaml" "$PGTANDEM_CONFIG"
check 0

# --- rights that are taken away ---
primary 'revoke select on images from pgtandem'
standby 'revoke update on categories from pgtandem' 'revoke set on parameter session_replication_role from pgtandem'
check 1
found error rights primary_node 'SELECT ON TABLE "public"."images"' 'GRANT SELECT ON TABLE "public"."images" TO "pgtandem";'
found error rights backup_node 'UPDATE ON TABLE "public"."categories"'
found warning rights backup_node 'session_replication_role' 'GRANT SET ON PARAMETER session_replication_role'
mend error rights primary_node SELECT
mend error rights backup_node 'UPDATE ON TABLE'
mend warning rights backup_node session_replication_role
check 0

# --- the server: slots, TLS, recovery, encoding, the same database twice ---
primary "select pg_create_physical_replication_slot('other' || i) from generate_series(1, 9) i" >/dev/null
check 1
found warning link primary_node 'all 10 replication slots are taken' "pg_drop_replication_slot\\('other1'\\)"
primary "select pg_drop_replication_slot(slot_name) from pg_replication_slots where slot_name like 'other%'" >/dev/null
address=$(hostname -I | awk '{ print $1 }')
if [ -n "$address" ]; then
  # Beside loopback this one time, and for this machine alone.
  echo "host crawler pgtandem $address/32 trust" >>"$(cluster_dir primary)/data/pg_hba.conf"
  primary "alter system set listen_addresses = '127.0.0.1, $address'"
  restart primary
  PRIMARY_URL="postgresql://pgtandem@$address:$(cluster_port primary)/crawler" write_config "images, categories"
  check 1
  found warning tls primary_node "go to $address unencrypted" 'sslmode=verify-full'
  primary 'alter system reset listen_addresses'
  restart primary
else
  say "no address but loopback here: TLS is tested from values only"
fi
STANDBY_URL=$(cluster_url primary crawler pgtandem) write_config "images, categories"
check 1
found error config backup_node 'the same database of the same server as primary_node'
cluster_psql standby postgres -c "create database latin encoding 'LATIN1' lc_collate 'C' lc_ctype 'C' template template0"
STANDBY_URL=$(cluster_url standby latin pgtandem) write_config "images, categories"
check 1
found warning server backup_node 'encoding is LATIN1' "ENCODING 'UTF8'"
found error schema 'backup_node public.images' 'does not exist'
cp "$work/good.yaml" "$PGTANDEM_CONFIG"
cluster_stop standby
cluster_as_owner touch "$(cluster_dir standby)/data/standby.signal"
cluster_start standby
check 1
found error server backup_node 'in recovery' 'SELECT pg_promote\(\)'
standby 'select pg_promote()' >/dev/null
check 0

# --- files of this machine: what is in the configuration, programs, directories, and what others left there ---
mine=$PGTANDEM_CONFIG
chmod 644 "$mine"
PRIMARY_URL=$(cluster_url primary crawler pgtandem:secret) write_config "images, categories"
check 1
found warning config "^$mine" '^it holds a password, and everybody may read it' "^chmod o-r $mine"
! grep -q secret "$work/out" "$work/err" || fail "it tells the password"
bash -c "$(jq -r '.findings[] | select(.what | test("everybody may read it")).mend | sub(",.*"; "")' "$work/out")"
check 0
sound
chmod 644 "$mine"
printf '#!/bin/sh\necho "{}"\n' >"$work/talks"
printf '#!/bin/sh\nexit 3\n' >"$work/dies"
chmod +x "$work/talks" "$work/dies"
for fault in 'no-such-program|there is no program no-such-program' "$work/talks|prints lines though it was given none" "$work/dies|given no line at all, .*3"; do
  write_config "images, categories" "filters: {program: [${fault%%|*}]}"
  check 1
  found error config filters.program "${fault#*|}"
done
for hook in on_sync_complete on_failure on_conflict; do
  write_config "images, categories" "hooks: {$hook: [./absent]}"
  check 1
  found error config "hooks.$hook" 'there is no program .*/absent that may be run'
done
# As somebody who is not root: that one may write anywhere.
mkdir -p "$work/shut/spool" "$work/shut/state"
chmod o+rx "$work" "$work/shut"
write_config "images, categories" 'spool: {directory: shut/spool}' 'state: {directory: shut/state}'
chmod o+r "$mine"
chmod 755 "$work/shut/spool" "$work/shut/state"
[ "$(id -u)" = 0 ] || chmod 555 "$work/shut/spool" "$work/shut/state"
cluster_as_owner env PGTANDEM_CONFIG="$mine" "$BIN/status" check --json >"$work/out" 2>"$work/err" || same "exit code of a check by another" 1 "$?"
for folder in spool state; do found error disk "^$work/shut/$folder\$" 'ermission denied' 'chown'; done
write_config "images, categories" 'spool: {directory: shut/spool/more/below}' 'state: {directory: shut/state/more}'
cluster_as_owner env PGTANDEM_CONFIG="$mine" "$BIN/status" check --json >"$work/out" 2>"$work/err" || same "exit code of a check by another" 1 "$?"
found error disk "shut/spool/more/below\$" '^it does not exist, and may not be made here' '^install -d -m 750 .*, or set spool.directory$'
found error disk "shut/state/more\$" '^it does not exist' 'or set state.directory$'
[ -z "$(find "$work/shut" -type f)" ] || fail "it left something behind"
cp "$work/good.yaml" "$mine"
mv "$work/spool" "$work/spool.away"
check 1
found error link primary_node 'knows nothing of it' 'capture drop'
mkdir "$work/spool"
echo garbage >"$work/spool/mark"
check 1
found error state "^$work/spool" 'mark is damaged' 'queue put </dev/null'
rm -r "$work/spool"
mv "$work/spool.away" "$work/spool"
echo garbage >"$work/state/verify.json"
mkdir -p "$work/state/marks"
echo garbage >"$work/state/marks/0123456789abcdef.json"
check 1
found error state "^$work/state" 'verify.json is damaged' 'verify all tables'
found error state "^$work/state" 'marks/.* is damaged' 'compare all tables'
rm "$work/state/verify.json" "$work/state/marks/0123456789abcdef.json"
standby 'begin' 'create table kept as table pgtandem.progress' 'delete from pgtandem.progress' 'commit'
check 1
found error link backup_node 'does not follow slot' 'apply init'
standby 'insert into pgtandem.progress table kept' 'drop table kept'
check 0
sound
echo garbage >"$work/state/switches.json"
check 1
found error state "$work/state" 'switches.json is damaged' 'pgtandem status enable'
expect 0 "$BIN/status" disable
check 0
found note state '' '^sync is disabled by' '^pgtandem status enable$'
expect 0 "$BIN/status" enable

# --- what is yet to be published: a look changes nothing, and marks no table ---
both 'create table joining (id int primary key)'
write_config "images, categories, joining"
check 1
found error rights primary_node 'SET TABLE ONLY .*"joining"$'
! grep -q 'joins the publication' "$work/err" || fail "a look tells of what it does not do: $(cat "$work/err")"
same "marks after a look" "" "$(find "$work/state/marks" -type f)"
both 'drop table joining'
cp "$work/good.yaml" "$mine"

# --- servers that are away, or hang ---
pid=$(cluster_pid standby)
clusters_at_exit "kill -CONT $pid 2>/dev/null || true"
kill -STOP "$pid"
started=$SECONDS
check 1
kill -CONT "$pid"
found error connection backup_node 'no answer within connection_timeout'
at_most "seconds beside a server that hangs" 15 $((SECONDS - started))
cluster_stop standby
check 1
found error connection backup_node 'refused'
gone error link primary_node .
cluster_stop primary
check 69
cluster_start primary
cluster_start standby

# --- a publication that is gone: none that is made now is a way out, and none is asked for ---
primary 'drop publication pgtandem_backup_node'
check 1
found error link primary_node 'publication pgtandem_backup_node is gone' 'capture drop'
gone error rights primary_node .

# --- a slot that lost its WAL ---
primary "alter system set max_slot_wal_keep_size = '1MB'" 'select pg_reload_conf()' 'create table filler (v text)' >/dev/null
for _ in 1 2 3 4; do primary "insert into filler select repeat('x', 1000) from generate_series(1, 1000)" 'select pg_switch_wal()' 'checkpoint' >/dev/null; done
check 1
found error link primary_node 'was invalidated' 'sync-full --init'
expect 78 "$BIN/status" check -c "$work/no-such-file.yaml"
expect 64 "$BIN/status" check --node nowhere
say "each fault is found with its place, and what mends it does"
