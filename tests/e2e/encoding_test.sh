#!/usr/bin/env bash
# A primary whose text may be no UTF-8. In a database of SQL_ASCII bytes of another encoding are told with their place, at
# the start and when one comes, and what is told to do leads out of it; so is a character that UTF-8 lacks.
set -euo pipefail
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
# shellcheck source=tests/e2e/bad_lib.sh
. "$e2e/bad_lib.sh"

two_servers
table='create table words (id int primary key, v varchar(20) not null, odd text)'
for encoding in SQL_ASCII WIN1252; do
  cluster_psql primary postgres -c "create database $encoding encoding '$encoding' template template0 lc_collate 'C' lc_ctype 'C'"
  default_rights primary "${encoding,,}"
  PGCLIENTENCODING=$encoding cluster_psql primary "${encoding,,}" -c "$table"
done
standby "$table"
raw() { PGCLIENTENCODING=SQL_ASCII cluster_psql primary "$database" -At -c "$1"; }
link() { # DATABASE
  database=$1
  PRIMARY_URL=$(cluster_url primary "$database" pgtandem) write_config words
  expect 77 "$BIN/capture" init
  cluster_psql primary "$database" -f "$work/out"
  expect 0 "$BIN/capture" init
  mv "$work/err" "$work/init"
  with_rights apply init
}
stops_at() { # PATTERN: capture passes on what came before, and stops there, at every try
  for _ in 1 2; do
    expect 65 "$BIN/capture"
    last_word capture "$1"
    cp "$work/err" "$work/stopped"
    "$BIN/queue" put <"$work/out" 2>>"$work/put.log" || true
  done
}

# --- SQL_ASCII: every text that is UTF-8 goes through, in every part of a row ---
link sql_ascii
grep -q "warn .*primary_node: the database's encoding is SQL_ASCII.*ENCODING 'UTF8'" "$work/init" || fail "init says nothing: $(cat "$work/init")"
expect 0 "$BIN/capture" init
told 'SQL_ASCII'
raw "insert into words values (1, 'caf' || convert_from('\xc3a9', 'SQL_ASCII'), 'plain'), (2, 'two', null)"
pass
expect 0 "$BIN/apply"
same "a word in UTF-8" 'café' "$(standby 'select v from words where id = 1')"
# --- and one that is none: its place, and the way out ---
raw "insert into words values (3, 'three', null); update words set v = 'caf' || convert_from('\xe9', 'SQL_ASCII') where id = 2; insert into words values (4, 'four', null)"
lsn=$(raw 'select pg_current_wal_lsn()')
stops_at 'operation [0-9A-F/]+#2 on public.words: the column v holds bytes that are no UTF-8.*UPDATE .*SET "v" = .*capture drop'
same "the operation's transaction" 1 "$(($(lsn_number "$(grep -oE '[0-9A-F]+/[0-9A-F]+#' "$work/stopped" | tr -d '#')") < $(lsn_number "$lsn")))"
expect 0 "$BIN/apply"
same "nothing of its transaction" 2 "$(standby 'select count(*) from words')"
same "of what capture failed, as status has it" 1 "$("$BIN/status" show --json 2>/dev/null | jq -r '.. | strings | select(test("no UTF-8"))' | grep -c 'public.words' | awk '{ print ($1 > 0) }')"
raw "$(sed -E 's/.*(UPDATE .*) WHERE .*/\1/' "$work/stopped") where id = 2"
same "the row after it, in bytes" '\x636166c3a9' "$(raw "select convert_to(v, 'SQL_ASCII') from words where id = 2")"
stops_at 'operation .*#2 on public.words'
with_rights capture drop sql_ascii
expect 0 "$BIN/apply" drop
rm -rf "$work/spool"
link sql_ascii
raw "insert into words values (5, 'five', null)"
pass
expect 0 "$BIN/apply"
code=0
"$BIN/diff" >"$work/diff.lines" 2>"$work/err" || code=$?
same "what the begin left to mend" 1 "$code"
expect 0 "$BIN/apply" - <"$work/diff.lines"
same "all rows" "$(raw "select string_agg(id || v, ' ' order by id) from words")" "$(standby "select string_agg(id || v, ' ' order by id) from words")"
with_rights capture drop sql_ascii
expect 0 "$BIN/apply" drop
rm -rf "$work/spool"

# --- a character that UTF-8 lacks ---
link win1252
! grep -q SQL_ASCII "$work/init" || fail "init warns of WIN1252: $(cat "$work/init")"
DATABASE=win1252 primary "insert into words values (11, 'café', null)"
raw "insert into words values (12, 'twelve', null); insert into words values (13, E'\\x81', null)"
stops_at 'no equivalent in encoding.*after change 1 of the transaction [0-9A-F/]+; UPDATE .*capture drop'
expect 0 "$BIN/apply"
same "what came before its transaction" 11 "$(standby 'select id from words where id > 10')"
say "encoding_test: passed in $SECONDS s"
