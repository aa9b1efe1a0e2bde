#!/usr/bin/env bash
# The primary is gone for good, step by step as pgtandem(7) has it: what is in the queue arrives without it, the standby takes over and is
# written, and the old server, which comes back with a row that nobody else has, becomes the backup: shown, mended and proven.
set -euo pipefail
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
# shellcheck source=tests/e2e/bad_lib.sh
. "$e2e/bad_lib.sh"

names() { # SERVER: of the categories, in their order
  "$1" "select string_agg(name, ' ' order by name) from categories"
}
finding() { # CODE: what mends it
  { "$BIN/status" health --json 2>/dev/null || true; } | jq -r --arg code "$1" 'first(.findings[] | select(.code == $code)).mend'
}

two_servers wal_level=logical
images_tables
write_config 'images, categories'
link_up
primary "insert into categories (name) values ('both')"
expect 0 "$BIN/sync-full"
primary "insert into categories (name) values ('queued')"
pass
primary "insert into categories (name) values ('lost')" # before anybody has fetched it
cluster_stop primary

# --- taken over ---
finding primary_down | grep -q 'taking over' || fail "not a word about taking over: $(finding primary_down)"
expect 0 "$BIN/apply"
same "what waits" 0 "$("$BIN/queue" stat --json | jq .operations)"
expect 0 "$BIN/status"
grep -qE '^applied  *everything up to .*, last change of ' "$work/out" || fail "up to where is not said: $(cat "$work/out")"
expect 0 "$BIN/apply" drop
standby "insert into categories (name) values ('later')" # its sequence has followed
same "on the standby" 'both later queued' "$(names standby)"

# --- the old server is back, as the backup ---
mv "$work/spool" "$work/spool.away"
sed -i -E 's/(primary_node: [{]role: )primary/\1secondary/; s/(backup_node: [{]role: )secondary/\1primary/' "$PGTANDEM_CONFIG"
cluster_start primary
drop=$(finding old_primary_back | sed -n 's/.*then on primary_node: //p')
same "what is to be dropped" "SELECT pg_drop_replication_slot('pgtandem_backup_node')" "$drop"
primary "$drop" 'drop publication pgtandem_backup_node' >/dev/null
expect 1 "$BIN/diff"
# The row that nobody had fetched has got the number of the one that came after it.
same "the rows that it has otherwise" '["update","public.categories",3]' "$(jq -c 'select(.key | type == "object") | [.type, .table, .key.id]' "$work/out")"
for _ in 1 2 3; do
  code=0
  timeout 60 "$BIN/sync-full" --init >"$work/sql" 2>"$work/err" || code=$?
  [ "$code" = 77 ] || break
  if grep -q '^capture: ' "$work/err"; then cluster_psql standby crawler -f "$work/sql"; else cluster_psql primary crawler -f "$work/sql"; fi
done
same "exit code of sync-full --init" 0 "$code"
same "on the old server" 'both later queued' "$(names primary)"
equal_tables
standby "insert into categories (name) values ('and on')"
expect 0 "$BIN/sync-incremental"
same "what comes after it" 'and on both later queued' "$(names primary)"
say "the standby took over, and the old primary is its backup"
