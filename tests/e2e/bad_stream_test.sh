#!/usr/bin/env bash
# early: 60
# A stream that cannot go on, for want of room or because it is not what it should be: nothing is lost, nothing is half
# applied, and what is wrong is told in one line.
set -euo pipefail
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
# shellcheck source=tests/e2e/bad_lib.sh
. "$e2e/bad_lib.sh"

# A server that hears nothing from capture for two seconds gives it up: staying alive behind a full spool is tested too.
two_servers wal_sender_timeout=2s
both 'create table images (id int primary key, url text)' 'create table other (id int primary key)'
sender() { primary "select active_pid from pg_replication_slots where slot_name = 'pgtandem_backup_node'"; }
rows() { standby 'select count(*), coalesce(sum(id), 0) from images'; }
# 40 bytes that do not compress, over and over: COUNT transactions of one row of about a kilobyte
load() { # FROM COUNT
  primary "do \$\$ begin for i in $1 .. $1 + $2 - 1 loop
    insert into images select i, string_agg(md5(i || ':' || j), '') from generate_series(1, 30) j; commit; end loop; end \$\$"
}
begin_anew() { # empties everything: the next test has a spool of its own
  expect 0 "$BIN/apply" drop
  with_rights capture drop
  rm -rf "$work/spool"
  both 'truncate images'
}

# A pass into a spool that cannot hold it: `queue put` says so once and waits, capture's connection lives on, and when
# apply has made room all of it arrives.
until_there_is_room() { # WARNING [FILE that takes the room and goes then]
  local started
  rm -f "$work/put.log" "$work/capture.log" "$work/full"
  mkfifo "$work/full"
  INPUT=$work/full background put "$BIN/queue" put
  "$BIN/capture" >"$work/full" 2>"$work/capture.log" &
  STARTED[capture]=$!
  wait_until 20 "the warning of a full spool" log_has "$work/put.log" "warn .*$1"
  started=$(sender)
  sleep 3
  same "lines that say so" 1 "$(grep -c ' is full: ' "$work/put.log")"
  same "walsender after more than wal_sender_timeout" "$started" "$(sender)"
  ! is_gone "${STARTED[put]}" || fail "queue put has given up: $(cat "$work/put.log")"
  background apply "$BIN/apply" --follow
  [ -z "${2:-}" ] || rm "$2"
  ended capture 0 40
  ended put 0
  same "lines that say so, in the end" 1 "$(grep -c ' is full: ' "$work/put.log")"
  wait_applied 20 "$(durable_lsn)"
  stopped apply
  [ ! -s "$work/capture.log" ] || ! grep -q warn "$work/capture.log" || fail "capture was troubled: $(cat "$work/capture.log")"
  equal_tables images
}

# --- spool.max_bytes ---
write_config images 'spool: {directory: spool, max_bytes: 1MiB}' 'sync_interval: 0.2'
link_up
load 1 3000
until_there_is_room 'spool.max_bytes .* is reached'
at_most "bytes of the spool" $((1200 * 1024)) "$(du -sb "$work/spool/segments" | cut -f 1)"

# --- spool.strict ---
begin_anew
write_config images 'max_queue_size: 100' 'spool: {directory: spool, strict: true}' 'sync_interval: 0.2'
link_up
load 1 3000
until_there_is_room 'max_queue_size .* is reached'

# --- a damaged segment in the middle ---
begin_anew
write_config images 'spool: {directory: spool, max_bytes: 4MiB}' 'max_retry_attempts: 1'
link_up
load 1 2000
pass
mapfile -t segments < <(ls "$work/spool/segments")
at_least "segments" 3 "${#segments[@]}"
victim=$work/spool/segments/${segments[1]}
cp -p "$victim" "$work/whole"
# a row in the middle: its value changed, so that only the checksum can tell
line=$(grep -n '"type":"insert"' "$victim" | sed -n 100p | cut -d : -f 1)
sed -i "${line}s/\",\"url\":\"..../\",\"url\":\"zzzz/;${line}s/\"url\":\"..../\"url\":\"zzzz/" "$victim"
! cmp -s "$victim" "$work/whole" || fail "nothing was damaged"
spoilt=$(sed -n "${line}p" "$victim" | jq -r .new.id)
refused 65 "${segments[1]}:[0-9]+: " "$BIN/apply"
same "rows before the damage" "$((spoilt - 1))|$(((spoilt - 1) * spoilt / 2))" "$(rows)"
refused 65 "${segments[1]}" "$BIN/apply"
same "rows after a second try" "$((spoilt - 1))|$(((spoilt - 1) * spoilt / 2))" "$(rows)"
expect 1 "$BIN/queue" check
grep -q "${segments[1]}" "$work/out" || fail "queue check does not name the segment: $(cat "$work/out")"
cp -p "$work/whole" "$victim"
expect 0 "$BIN/queue" check
# bytes that are no line at all, then a segment that is gone
printf '\0\0\0\0\0\0\0\0' | dd of="$victim" bs=1 seek=$(($(stat -c %s "$victim") / 2)) conv=notrunc status=none
refused 65 "${segments[1]}" "$BIN/apply"
expect 1 "$BIN/queue" check
rm "$victim"
refused 65 '' "$BIN/apply"
expect 1 "$BIN/queue" check
cp -p "$work/whole" "$victim"
expect 0 "$BIN/apply"
equal_tables images

# --- hostile lines on stdin ---
relation='{"type":"relation","table":"public.images","columns":[{"name":"id","type":"integer"},{"name":"url","type":"text"}],"key":["id"],"identity":"default"}'
begin='{"type":"begin","lsn":"F/100","xid":7,"time":"2026-11-23T04:05:06.123456Z"}'
commit='{"type":"commit","lsn":"F/100","end_lsn":"F/180","changes":2}'
insert() { printf '{"type":"insert","table":"public.images","key":{"id":%s},"new":{"id":%s,"url":"%s"}}\n' "$1" "$1" "$2"; }
first=$(cat <<END
$relation
{"type":"begin","lsn":"F/10","xid":6,"time":"2026-11-23T04:05:06.000000Z"}
$(insert 900001 'before')
{"type":"commit","lsn":"F/10","end_lsn":"F/80","changes":1}
$begin
$(insert 900002 'with it')
END
)
expect 0 "$BIN/capture"
source=$(head -n 1 "$work/out" | jq -c 'select(.type == "source")')
[ -n "$source" ] || fail "capture does not begin with a source line"
fed=$work/fed
hostile() { # NAME PATTERN: the bad line is on stdin; the seventh of what apply gets
  local known
  printf '%s\n' "$first" >"$fed"
  cat >>"$fed"
  printf '%s\n' "$commit" >>"$fed"
  INPUT=$fed refused 65 "$2" "$BIN/apply" -
  same "$1: rows of its transaction" 0 "$(standby 'select count(*) from images where id > 900001')"
  same "$1: rows of the one before it" 1 "$(standby 'delete from images where id = 900001 returning 1' | head -n 1)"
  [ "${3:-}" != apply ] || return 0
  new_lsn
  known=$("$BIN/queue" stat --json | jq -c '[.transactions, .operations]')
  { echo "$source" && sed -e 's,"F/10",'"\"$lsn\",; s,\"F/80\",\"$lsn_end\"," "$fed"; } >"$fed.put"
  INPUT=$fed.put refused 65 "${2//stdin:7/stdin:8}" "$BIN/queue" put
  same "$1: what the spool took" "$known" "$("$BIN/queue" stat --json | jq -c '[.transactions - 1, .operations - 1]')"
  expect 0 "$BIN/queue" check
}
# Each stream for `queue put` has one good transaction of its own before the bad one.
new_lsn() {
  local number
  number=$("$BIN/queue" stat --json | jq .transactions)
  printf -v lsn 'E/%X' $((number * 256)) && printf -v lsn_end 'E/%X' $((number * 256 + 128))
}

name='a\"; drop table images; --'
echo '{"type":"insert","table":"public.'"$name"'","key":{"id":1},"new":{"id":1,"url":"x"}}' |
  hostile "a table name that is SQL" 'stdin:7:[0-9]+: '
echo '{"type":"insert","table":"public.\"a\"\"; drop table images; --\"","key":{"id":1},"new":{"id":1,"url":"x"}}' |
  hostile "the same well quoted, and unknown" 'stdin:7:[0-9]+: '
cat <<'END' | hostile "the same announced" 'drop table images; --.* does not exist' apply
{"type":"relation","table":"public.\"a\"\"; drop table images; --\"","columns":[{"name":"id\"); drop table images; --","type":"integer"}],"key":["id\"); drop table images; --"],"identity":"default"}
{"type":"insert","table":"public.\"a\"\"; drop table images; --\"","key":{"id\"); drop table images; --":1},"new":{"id\"); drop table images; --":1}}
END
insert 900003 'nul \u0000 inside' | hostile "an escaped NUL" 'stdin:7:[0-9]+: '
{ insert 900003 'nul ' | tr -d '\n' && printf '\0 raw"}}\n'; } | hostile "a raw NUL" 'stdin:7:[0-9]+: '
insert 900003 $'caf\xe9' | hostile "no UTF-8" 'stdin:7:[0-9]+: '
insert 900003 '\ud800' | hostile "half a surrogate pair" 'stdin:7:[0-9]+: '
insert 900003 cut | head -c 60 | sed 's/$//' | { cat && echo; } | hostile "truncated JSON" 'stdin:7:[0-9]+: '
echo '{"type":"insert","table":"public.images","key":{"id":900003},"new":{"id":900003,"id":900004,"url":"x"}}' |
  hostile "a key twice" 'stdin:7:[0-9]+: '
echo '{"type":"insert","type":"delete","table":"public.images","key":{"id":900003},"new":{"id":900003,"url":"x"}}' |
  hostile "a member twice" 'stdin:7:[0-9]+: '
echo '{"type":"insert","table":"public.images","key":{"id":"900003"},"new":{"id":true,"url":"x"}}' |
  hostile "another type" 'stdin:7:[0-9]+: '
{ printf '{"type":"insert","new":' && printf '[%.0s' {1..100000} && echo; } | hostile "deep nesting" 'stdin:7:[0-9]+: '
{ printf '{"type":"insert","table":"public.images","key":{"id":900003},"new":{"id":900003,"url":"' &&
  head -c 200000000 /dev/zero | tr '\0' a && echo '"}}'; } | hostile "200 MB in a value" 'stdin:7'
echo '{"type":"begin","lsn":"F/200","xid":8,"time":"2026-11-23T04:05:06.000000Z"}' |
  hostile "a transaction inside a transaction" 'stdin:7:[0-9]+: '
echo 'drop table images;' | hostile "SQL" 'stdin:7:[0-9]+: '

# the end of the input inside a transaction: apply refuses it, queue put cuts it off, for its slot sends it again
printf '%s\n' "$first" >"$fed"
INPUT=$fed refused 65 'ends inside the transaction F/100' "$BIN/apply" -
same "rows of a transaction without end" 0 "$(standby 'select count(*) from images where id > 900001')"
standby 'delete from images where id = 900001'
new_lsn
{ echo "$source" && sed -e "s,\"F/10\",\"$lsn\",; s,\"F/80\",\"$lsn_end\"," "$fed"; } >"$fed.put"
known=$("$BIN/queue" stat --json | jq -c '[.transactions, .operations]')
INPUT=$fed.put
expect 0 "$BIN/queue" put <"$INPUT"
same "taken" "$known" "$("$BIN/queue" stat --json | jq -c '[.transactions - 1, .operations - 1]')"
unset INPUT
expect 0 "$BIN/queue" check

# --- names that look like an attack, and are legal ---
begin_anew
long=$(printf 'ü%.0s' {1..31})x
both 'create table "a""; drop table images; --" ("id""); drop table images; --" serial primary key, "select" text)' \
  'create schema "Bö se ; Schäma"' "create table \"Bö se ; Schäma\".\"$long\" (\"ключ\" int primary key, \"$long\" text, \"\\\\ \" text)"
same "bytes of the name" 63 "$(printf %s "$long" | wc -c)"
write_config "'\"a\"\"; drop table images; --\"', '\"Bö se ; Schäma\".\"$long\"', images"
link_up
primary 'insert into "a""; drop table images; --" ("select") select $$'"it's \\ "'"a" $$ || i from generate_series(1, 50) i' \
  "insert into \"Bö se ; Schäma\".\"$long\" select i, 'x' || i, e'\\\\ \\t \\r \\\\N' from generate_series(1, 50) i"
pass
expect 0 "$BIN/apply"
primary 'update "a""; drop table images; --" set "select" = null, "id""); drop table images; --" = "id""); drop table images; --" + 1000 where "id""); drop table images; --" % 2 = 0' \
  "update \"Bö se ; Schäma\".\"$long\" set \"$long\" = 'y' where \"ключ\" < 20" 'delete from "a""; drop table images; --" where "id""); drop table images; --" < 10'
pass
expect 0 "$BIN/apply"
equal_tables '"a""; drop table images; --"' "\"Bö se ; Schäma\".\"$long\"" images

# --- a full disk, a read-only one ---
begin_anew
disk=$work/disk
mkdir "$disk"
if ! mount -t tmpfs -o size=24m,mode=700 pgtandem "$disk" 2>/dev/null; then
  say "SKIPPED: the full and the read-only disk: mounting a tmpfs wants root (and CAP_SYS_ADMIN)"
  say "bad_stream_test: passed, with parts skipped"
  exit 0
fi
clusters_at_exit "started_kill; sleep 0.2; umount '$disk' || umount -l '$disk'"
write_config images 'spool: {directory: disk/spool}' 'sync_interval: 0.2'
link_up
load 1 6000
dd if=/dev/zero of="$disk/filler" bs=1M count=21 status=none
until_there_is_room 'the disk is full' "$disk/filler"
mount -o remount,ro "$disk"
refused 73 'read-only file system' "$BIN/apply"
echo "$source" >"$fed"
INPUT=$fed refused 73 'read-only file system' "$BIN/queue" put
expect 0 "$BIN/queue" check
mount -o remount,rw "$disk"
load 7001 10
pass
expect 0 "$BIN/apply"
equal_tables images
say "bad_stream_test: passed"
