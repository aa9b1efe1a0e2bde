#!/usr/bin/env bash
# Set-ups that cannot work: each ends with one line that says what to do, with its exit code, with nothing half done on
# either server or in the spool, and without a password in any output.
set -euo pipefail
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
# shellcheck source=tests/e2e/bad_lib.sh
. "$e2e/bad_lib.sh"

canary 'canary-Pr1mary'
canary 'canary-St4ndby'
canary 'canary-Wr0ng'
cluster_create primary auth=scram wal_level=logical max_wal_senders=5 max_replication_slots=4 &
cluster_create standby auth=scram
wait
for name in primary standby; do
  cluster_start "$name"
  cluster_psql "$name" postgres -c 'create database crawler'
done
primary "create role mover login replication password 'canary-Pr1mary'" "create role reader login password 'canary-Pr1mary'" \
  "grant create on database crawler to mover" "grant create on schema public to mover"
standby "create role mover login password 'canary-St4ndby'" "grant create on database crawler to mover" \
  "grant create on schema public to mover" "create role stranger login password 'canary-St4ndby'"
both 'set role mover; create table images (id int primary key, url text, "Odd ""Name" text)'
PRIMARY_URL=$(cluster_url primary crawler mover:canary-Pr1mary)
STANDBY_URL=$(cluster_url standby crawler mover:canary-St4ndby)
good_primary=$PRIMARY_URL good_standby=$STANDBY_URL

config() { # TABLES [LINE…] with the retries short
  write_config "$@" 'max_retry_attempts: 2' 'retry_delay: 0.1'
}
lacks() { # STATEMENT NODE PROGRAM…: a right is missing, and among what is printed is the statement that grants it; rights_test has more
  expect 77 "${@:3}"
  last_word "${3##*/}" "$2: the role .* lacks rights"
  grep -qxE "$1" "$work/out" || fail "'$1' is not in what is printed: $(cat "$work/out")"
}
nothing_made() {
  same "slots" 0 "$(primary "select count(*) from pg_replication_slots where slot_name not like 'other%'")"
  same "publications" 0 "$(primary 'select count(*) from pg_publication')"
  same "schemas on the standby" 0 "$(standby "select count(*) from pg_namespace where nspname = 'pgtandem'")"
  [ ! -e "$work/spool/mark" ] || fail "a spool was founded"
}

# --- the configuration ---
config images
printf 'local_node: [backup_node\nnodes: {' >"$work/broken.yaml"
printf 'synchronization: {batch_size: many}\n' | cat <(grep -v synchronization "$PGTANDEM_CONFIG") - >"$work/wrong_type.yaml"
for tool in capture queue apply config; do
  words=()
  [ "$tool" != queue ] || words=(put)
  refused 78 'broken.yaml:[0-9]+:[0-9]+: ' "$BIN/$tool" "${words[@]}" -c "$work/broken.yaml"
  refused 78 'no-such.yaml' "$BIN/$tool" "${words[@]}" -c "$work/no-such.yaml"
  refused 78 "$work" "$BIN/$tool" "${words[@]}" -c "$work"
done
# what stands in a URL's place, and nothing of it may be shown
for url in 'canary-Wr0ng' 'postgresql://mover:canary-Wr0ng@127.0.0.1:port/crawler' 'host=127.0.0.1 password canary-Wr0ng' \
  'postgresql://mover:canary-Wr0ng@127.0.0.1:5432/crawler?sslmode=canary-Wr0ng' 'mysql://mover:canary-Wr0ng@127.0.0.1/crawler' \
  "host=127.0.0.1 password='canary-Wr0ng" 'postgresql://mover:canary-Wr0ng@127.0.0.1:5432/crawler?no_such_option=canary-Wr0ng'; do
  PRIMARY_URL=${url//\'/\'\'} config images
  refused 78 'database_url' "$BIN/capture" init
  PRIMARY_URL=$good_primary STANDBY_URL=${url//\'/\'\'} config images
  refused 78 'database_url' "$BIN/apply" -
done
STANDBY_URL=$good_standby

# --- servers and rights ---
PRIMARY_URL=${good_primary%/*}/no_such_database config images
refused 78 'primary_node: .*no_such_database.*does not exist' "$BIN/capture" init
PRIMARY_URL=$(cluster_url primary crawler mover:canary-Wr0ng) config images
refused 77 'primary_node: .*password authentication failed.*pg_hba' "$BIN/capture" init
refused 77 'primary_node: .*password authentication failed' "$BIN/capture" lsn
PRIMARY_URL=$(cluster_url primary crawler reader:canary-Pr1mary) config images
lacks 'ALTER ROLE "reader" REPLICATION;' primary_node "$BIN/capture" init
primary 'alter role reader replication'
lacks 'CREATE PUBLICATION "pgtandem_backup_node" .*;' primary_node "$BIN/capture" init
PRIMARY_URL=postgresql://mover:canary-Pr1mary@127.0.0.1:$(cluster_free_port)/crawler config images
refused 69 'primary_node: .*(refused|is the server)' "$BIN/capture" init
refused 69 'primary_node: .*refused' "$BIN/capture"
same "attempts told" 2 "$(grep -c 'trying again' "$work/err")"
PRIMARY_URL=$good_primary
# A pooler that was told to ignore the start-up options passes none of them on.
pooler='use IO::Socket::INET; use IO::Select; $SIG{CHLD} = "IGNORE";
  my $heard = IO::Socket::INET->new(Listen => 5, LocalAddr => "127.0.0.1", LocalPort => $ARGV[0], ReuseAddr => 1) or die;
  while (my $in = $heard->accept) {
    next if fork;
    my $out = IO::Socket::INET->new(PeerAddr => "127.0.0.1", PeerPort => $ARGV[1]) or die;
    sysread $in, my $first, 65536;
    $first =~ s/\0options\0[^\0]*\0/\0/;
    syswrite $out, pack("N", length $first) . substr($first, 4);
    my $both = IO::Select->new($in, $out);
    for (;;) { for my $from ($both->can_read) { sysread($from, my $bytes, 65536) or exit; syswrite($from == $in ? $out : $in, $bytes) } }
  }'
pooled=$(cluster_free_port)
for name in primary standby; do
  background "pooler_$name" perl -e "$pooler" "$pooled" "$(cluster_port "$name")"
  url=$([ "$name" = primary ] && echo "$good_primary" || echo "$good_standby")
  url="${url/:$(cluster_port "$name")/:$pooled}?sslmode=disable&gssencmode=disable"
  if [ "$name" = primary ]; then PRIMARY_URL=$url config images; else STANDBY_URL=$url config images; fi
  wait_until 10 "the pooler" bash -c "exec 3<>/dev/tcp/127.0.0.1/$pooled" 2>/dev/null
  tool=$([ "$name" = primary ] && echo capture || echo apply)
  refused 78 '(primary|backup)_node: the settings that the connection asks for did not reach the server' "$BIN/$tool" init
  killed "pooler_$name"
done
primary 'alter system set wal_level = replica'
cluster_stop primary && cluster_start primary
config images
refused 78 'wal_level is replica; set wal_level = logical' "$BIN/capture" init
primary 'alter system reset wal_level'
cluster_stop primary && cluster_start primary

# --- the primary's tables ---
primary 'set role mover; create table keyless (a int); create view seen as select * from images; create unlogged table fleeting (a int primary key)' \
  'set role mover; create table spread (a int primary key) partition by range (a); create table spread_1 partition of spread for values from (0) to (9); create unlogged table spread_2 partition of spread default'
config 'images, keyless'
refused 65 'keyless.*ALTER TABLE "public"."keyless" REPLICA IDENTITY FULL.*ALTER TABLE "public"."keyless" REPLICA IDENTITY NOTHING' "$BIN/capture" init
config 'images, no_such_table'
refused 78 'public.no_such_table of sync_tables does not exist' "$BIN/capture" init
config 'seen, images'
refused 65 'public.seen is not a table' "$BIN/capture" init
config fleeting
refused 65 'public.fleeting is unlogged' "$BIN/capture" init
config spread
refused 65 'public.spread has the partition public.spread_2, which is unlogged.*ALTER TABLE public.spread_2 SET LOGGED' "$BIN/capture" init
primary 'set role mover; create table mixed (a int) partition by range (a); alter table mixed replica identity full'
primary 'create extension file_fdw' 'create server files foreign data wrapper file_fdw' \
  "create foreign table mixed_1 partition of mixed default server files options (filename '/dev/null')"
config mixed
refused 65 'public.mixed has the foreign table public.mixed_1 as a partition.*DETACH PARTITION public.mixed_1' "$BIN/capture" init
nothing_made

# --- where the spool or the slot cannot be made, the other half is not made either ---
echo 'not a directory' >"$work/file"
config images 'spool: {directory: file/spool}'
refused 74 'file/spool' "$BIN/capture" init
nothing_made
config images
primary "select pg_create_physical_replication_slot('other' || i) from generate_series(1, 4) i" >/dev/null
refused 65 'replication slots are in use' "$BIN/capture" init
nothing_made
primary "select pg_drop_replication_slot(slot_name) from pg_replication_slots" >/dev/null

# --- an open transaction holds a slot's beginning up; init waits, and leaves nothing when it is told to stop ---
background holder cluster_psql primary crawler -c 'do $$ begin perform txid_current(), pg_sleep(60); end $$'
holds() { [ "$(primary "select count(*) from pg_stat_activity where wait_event = 'PgSleep'")" = 1 ]; }
wait_until 10 "an open transaction" holds
background init "$BIN/capture" init
wait_until 10 "init to wait" log_has "$work/init.log" 'creating slot .* waits'
sleep 0.5
stopped init 75
grep -q '^capture: stopped before the slot was made' "$work/init.log" || fail "init says: $(cat "$work/init.log")"
primary "select pg_terminate_backend(pid) from pg_stat_activity where wait_event = 'PgSleep'" >/dev/null
ended holder 2
nothing_made

# --- in the wrong order ---
refused 65 'capture init' "$BIN/capture"
refused 65 'capture init' "$BIN/apply" init
refused 65 'capture init' "$BIN/queue" put
expect 0 "$BIN/capture" init
refused 65 'apply init' "$BIN/apply"

# --- the standby ---
STANDBY_URL=${good_standby%/*}/no_such_database config images
refused 78 'backup_node: .*no_such_database.*does not exist' "$BIN/apply" init
STANDBY_URL=$(cluster_url standby crawler mover:canary-Wr0ng) config images
refused 77 'backup_node: .*password authentication failed' "$BIN/apply" init
STANDBY_URL=$(cluster_url standby crawler stranger:canary-St4ndby) config images
lacks 'CREATE SCHEMA pgtandem AUTHORIZATION "stranger";' backup_node "$BIN/apply" init
STANDBY_URL=$good_primary config images
refused 78 'backup_node: .*it is the primary' "$BIN/apply" init
same "schemas on the primary" 0 "$(primary "select count(*) from pg_namespace where nspname = 'pgtandem'")"
STANDBY_URL=$good_standby config images
expect 0 "$BIN/apply" init
expect 0 "$BIN/apply"
STANDBY_URL=$good_primary config images
refused 65 'backup_node: .*apply init' "$BIN/apply"
STANDBY_URL=$(cluster_url standby crawler stranger:canary-St4ndby) config images
refused 77 'backup_node: .*permission denied.*run `apply init`' "$BIN/apply"
STANDBY_URL=postgresql://mover:canary-St4ndby@127.0.0.1:$(cluster_free_port)/crawler config images
refused 69 'backup_node: .*refused' "$BIN/apply"
same "attempts told" 2 "$(grep -c 'trying again' "$work/err")"

# what its tables lack is told together with the statement that mends it, and that statement mends it
STANDBY_URL=$good_standby config images
primary "insert into images values (1, 'one', 'odd')"
pass
waits_for() { # PATTERN
  expect 1 "$BIN/apply"
  standby 'select reason from pgtandem.tables' >"$work/reason"
  grep -qE "backup_node: .*$1" "$work/reason" || fail "what it waits for is '$(cat "$work/reason")', and not '$1'"
}
standby 'alter table images rename to away'
waits_for 'public.images does not exist; create it'
standby 'alter table away rename to images' 'alter table images drop "Odd ""Name"'
waits_for 'ALTER TABLE "public"."images" ADD COLUMN "Odd ""Name" text'
standby "$(sed 's/.*; \(ALTER TABLE .*\)/\1/' "$work/reason")" 'alter table images drop constraint images_pkey'
waits_for 'CREATE UNIQUE INDEX ON "public"."images" \("id"\)'
same "rows before it fits" 0 "$(standby 'select count(*) from images')"
standby "$(sed 's/.*; \(CREATE UNIQUE .*\)/\1/' "$work/reason")"
standby 'revoke all on images from mover; alter table images owner to postgres'
refused 77 'backup_node: .*permission denied for table images' "$BIN/apply"
standby 'alter table images owner to mover; grant all on images to mover'
expect 0 "$BIN/apply"
equal_tables images
same "temporary tables left" 0 "$(standby "select count(*) from pg_class where relname like 'pgtandem_stage%'")"

# --- a table that lost its identity after it was linked, and one that is new in the configuration ---
primary 'alter table images drop constraint images_pkey'
refused_stream() { # CODE PATTERN: capture may have said where it comes from
  expect "$1" "$BIN/capture"
  mv "$work/out" "$work/stream"
  grep -qE "^capture: .*($2)" "$work/err" || fail "capture does not say '$2': $(cat "$work/err")"
  same "lines in the stream" 0 "$(grep -cv '"type":"source"' "$work/stream" || true)"
}
refused_stream 65 'REPLICA IDENTITY FULL.*REPLICA IDENTITY NOTHING'
primary 'alter table images add primary key (id)'
primary 'set role mover; create table late (id int primary key)'
config 'images, late'
refused_stream 65 'capture init'
expect 0 "$BIN/capture" init
expect 0 "$BIN/capture"
config images
expect 0 "$BIN/capture" init

# --- two at once ---
mkfifo "$work/never"
exec 8<>"$work/never"
config images
background follower "$BIN/capture" --follow
wait_until 10 "the slot in use" slot_active
refused_stream 75 'is active for PID'
stopped follower
INPUT=$work/never background writer "$BIN/queue" put
wait_until 10 "a running queue put" is_locked "$work/spool/lock"
refused 75 'queue put' "$BIN/queue" put
stopped writer
background applier "$BIN/apply" --follow
wait_until 10 "a running apply" is_locked "$work/spool/cursors/backup_node.lock"
refused 75 'apply' "$BIN/apply"
stopped applier
exec 8>&-

# --- and away again: nothing is left on either server ---
expect 0 "$BIN/apply" drop
expect 0 "$BIN/capture" drop
rm -r "$work/spool"
nothing_made
no_canary "$work"/*.log
say "bad_setup_test: passed"
