#!/usr/bin/env bash
# early: 92
# scripts/sync-full: from two empty directories and one configuration to a synced, following pair; what differs is mended and
# proven; marks come first and go; only when due; one at a time; and a pass that was killed is gone on with.
set -euo pipefail
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
script=$BIN/sync-full
recorded() { jq -rc "$1" "$work/state/full-sync.backup_node.json"; }
expect 0 "$script" --help
grep -q '^usage: sync-full' "$work/out" || fail "no help on stdout"
for arguments in --unknown -c extra --node --node=; do expect 64 "$script" $arguments; done
expect 78 "$script" -c "$work/no-such-file.yaml"

two_servers
images_tables
standby 'drop table images, categories'
primary 'create table notes (id int primary key, v text)' "insert into notes select n, md5(n::text) from generate_series(1, 12000) n" \
  "insert into categories (name) select 'category ' || n from generate_series(1, 300) n"
standby 'create table notes (id int primary key, v text)'
write_config 'images, categories, notes' 'full_sync_interval: 60'

# --- the first copy, while the primary is written: each init prints what its role lacks, and the command is given again ---
writes_begin 20 "insert into notes select max(id) + 1, 'later' from notes" "update notes set v = v || '.' where id % 1000 = 7"
cluster_psql standby crawler -c 'grant create on schema public to pgtandem'
for _ in 1 2 3; do
  code=0
  timeout 60 "$script" --init >"$work/out" 2>"$work/err" || code=$?
  [ "$code" = 77 ] || break
  told "lacks rights: .*then sync-full --init again"
  if grep -q '^sync-full: capture init' "$work/err"; then cluster_psql primary crawler -f "$work/out"; else cluster_psql standby crawler -f "$work/out"; fi
done
same "exit code of the first sync" 0 "$code"
writes_end
told 'all 3 tables are proven equal on backup_node'
same "cuts of the copies" 1 "$(grep -o 'copied public[^ ]* at [0-9A-F/]*' "$work/err" | sed 's/.* //' | sort -u | wc -l)"
same "the report" '[0,false,null,"backup_node"]' "$(recorded '[.exit_code, .stopped, .failed, .node]')"
at_least "copied" 12000 "$(recorded '.tables["public.notes"].copied')"
same "mended" '[true,300,300,0]' "$(recorded '.tables["public.categories"] | [.proven, .rows, .copied, .repaired]')"
same "mended" '[true,0]' "$(recorded '.tables["public.notes"] | [.proven, .repaired]')"
recorded .lsn | grep -qE '^[0-9A-F]+/[0-9A-F]+$' || fail "lsn: $(recorded .)"
at_most "seconds since the last full sync" 30 $(($(date +%s) - $(recorded .last_full_sync)))

# --- it follows; differences planted beside the services are mended and proven ---
follow_capture
follow_apply
writes_begin 20 "insert into notes select coalesce(max(id), 0) + 1, 'later' from notes" "update notes set v = v || '.' where id % 500 = 7"
standby "delete from notes where id = 5" "update notes set v = 'wrong' where id in (6, 8)" "insert into categories (name) values ('extra')"
expect 0 "$script" --full
same "repaired" '[3,1,0]' "$(recorded '[.tables["public.notes"].repaired, .tables["public.categories"].repaired, .tables["public.images"].repaired]')"
same "a mended row" 1 "$(standby 'select count(*) from notes where id = 5')"
# from then on a pass reads what changed, which is where something goes wrong first, and a part of the rest
since=$(recorded '.tables["public.notes"].proven_since')
expect 0 "$script"
same "since when all is proven" "$since" "$(recorded '.tables["public.notes"].proven_since')"
at_least "rows that changed" 1 "$(recorded '.tables["public.notes"].touched')"
at_most "rows read of more than 12,000" 6000 "$(recorded '.tables["public.notes"].read')"
writes_end
wait_applied
equal_tables
expect 0 "$script"
same "nothing left to mend" '[0]' "$(recorded '[.tables[].repaired] | unique')"

# --- only when due; only while enabled ---
last=$(recorded .last_full_sync)
expect 0 "$script" --if-due
told 'not due for [0-9]* s; nothing done'
same "the last one" "$last" "$(recorded .last_full_sync)"
aged() { jq -c "$1" "$work/state/full-sync.backup_node.json" >"$work/aged" && cp "$work/aged" "$work/state/full-sync.backup_node.json"; }
aged '.last_full_sync -= 100'
started=$(recorded .started)
expect 0 "$script" --if-due --quiet
same "what a quiet pass says" "" "$(cat "$work/err")"
differ "passes" "$started" "$(recorded .started)"
# one that lies ahead was dated by a clock that was wrong
aged '.last_full_sync += 1000000'
started=$(recorded .started)
expect 0 "$script" --if-due
differ "passes" "$started" "$(recorded .started)"
at_most "the last one" "$(date +%s)" "$(recorded .last_full_sync)"
write_config 'images, categories, notes' 'full_sync_interval: 60' auto_sync_enabled:false
started=$(recorded .started)
expect 0 "$script"
told 'sync is disabled by the configuration (auto_sync_enabled); nothing done'
same "passes" "$started" "$(recorded .started)"
expect 0 "$script" --force
differ "passes" "$started" "$(recorded .started)"
write_config 'images, categories, notes' 'full_sync_interval: 60'

# --- a marked table comes first, and its mark goes ---
primary 'alter table notes add column extra int' "insert into notes values (900000, 'wide', 1)"
wait_until 20 "the pause" eval "[ -n \"\$(\"\$BIN/verify\" marked)\" ]"
expect 1 "$script"
told 'still different on backup_node: public.notes'
recorded '.tables["public.notes"].why' | grep -q '^paused' || fail "why: $(recorded .)"
same "the others" '[true,true]' "$(recorded '[.tables["public.images"].proven, .tables["public.categories"].proven]')"
# What it found stands until the next one is due, and what failed is not met again each minute.
started=$(recorded .started)
aged '.last_full_sync -= 100'
expect 0 "$script" --if-due
told 'not due for [0-9]* s; nothing done'
write_config 'images, categories, notes' 'full_sync_interval: 3600'
aged '.last_full_sync -= 10000 | .exit_code = 69 | .failed = "verify" | .ended = (now - 200 | strftime("%Y-%m-%dT%H:%M:%SZ"))'
expect 0 "$script" --if-due
told 'not due for [0-9]* s; nothing done'
same "passes" "$started" "$(recorded .started)"
aged '.ended = (now - 280 | strftime("%Y-%m-%dT%H:%M:%SZ"))'
expect 1 "$script" --if-due
differ "passes" "$started" "$(recorded .started)"
write_config 'images, categories, notes' 'full_sync_interval: 60'
standby 'alter table notes add column extra int'
wait_applied
wait_until 30 "the pause's end" eval "[ \"\$(standby \"select count(*) from pgtandem.tables where waiting_shape is not null\")\" = 0 ]"
standby "delete from notes where id = 9"
expect 0 "$script" --force
time_of() { recorded ".tables[\"public.$1\"].time"; }
[[ "$(time_of notes)" < "$(time_of images)" ]] || fail "the marked table did not come first: $(recorded .tables)"
same "marks" "" "$("$BIN/verify" marked)"

# --- two at once; one that is stopped, and one that is killed, in the middle, and then run again ---
primary "insert into notes select n, repeat(md5(n::text), 10) from generate_series(100000, 250000) n"
wait_applied
standby "update notes set v = 'wrong' where id = 11"
"$script" 2>"$work/first.err" &
first=$!
wait_until 20 "verify" eval "jq -e '.nodes.backup_node.run.result == \"unfinished\"' '$work/state/verify.json' >/dev/null"
expect 75 "$script"
told "another pass is running (pid $first sync-full since 20"
expect 0 "$script" --if-due
told 'nothing done'
expect 0 "$script" --if-due --quiet
same "what a quiet one says beside another" "" "$(cat "$work/err")"
kill -TERM "$first"
code=0
wait "$first" || code=$?
same "exit code of a pass that was stopped" 0 "$code"
same "its report" '[null,true]' "$(recorded '[.exit_code, .stopped]')"
standby "update notes set v = 'wrong' where id = 11" # a busy machine may have got as far as its repair
"$script" 2>"$work/first.err" &
first=$!
wait_until 30 "two proofs" eval "[ \"\$(jq --arg s \"\$(recorded .since)\" '[.nodes.backup_node.tables[] | select(.time >= \$s and .equal)] | length' '$work/state/verify.json')\" -ge 2 ]"
children=$(pgrep -P "$first" || true)
kill -KILL "$first"
wait "$first" 2>/dev/null || true
for child in $children; do kill -TERM "$child" 2>/dev/null || true; done
for child in $children; do while kill -0 "$child" 2>/dev/null; do sleep 0.05; done; done
since=$(recorded .since)
images=$(jq -r '.nodes.backup_node.tables["public.images"].time' "$work/state/verify.json")
expect 0 "$script"
same "the pass goes on" "$since" "$(recorded .since)"
same "what was proven is not done again" "$images" "$(time_of images)"
same "what was not is mended" '[true,1]' "$(recorded '.tables["public.notes"] | [.proven, .repaired]')"
equal_tables
expect 0 "$script"
differ "a new pass" "$since" "$(recorded .since)"

# --- where no exact comparison can be had: only what is marked, or is older than max_age, is read whole ---
for i in {1..9}; do primary "select from pg_create_physical_replication_slot('full_$i')"; done
without_slot() { write_config 'images, categories, notes' 'full_sync_interval: 60' "full_sync: {max_age: $1}"; }
of_notes() { echo "$(recorded '.tables["public.notes"].repaired') $(standby "select count(*) from notes where v = 'wrong'")"; }
without_slot 86400
standby "update notes set v = 'wrong' where id = 11"
aged '.compared = {}'
expect 75 "$script"
told '^sync-full: not proven on backup_node, since no exact comparison could be had: public.images, public.categories, public.notes; the next pass tries again$'
same "the report" '[75,"verify"]' "$(recorded '[.exit_code, .failed]')"
same "repaired, and wrong, where all was proven not long ago" '0 1' "$(of_notes)"
without_slot 1
expect 75 "$script"
same "repaired, and wrong, where that is longer ago" '1 0' "$(of_notes)"
same "compared" 'public.categories public.images public.notes' "$(recorded '.compared | keys | join(" ")')"
without_slot 86400
aged '.compared["public.images"] = "2020-01-01T00:00:00.000000Z"'
jq -c '.nodes.backup_node.tables = {}' "$work/state/verify.json" >"$work/aged" && cp "$work/aged" "$work/state/verify.json"
since=$(recorded '.compared | [.["public.categories"], .["public.notes"]]')
standby "update notes set v = 'wrong' where id = 11"
expect 75 "$script"
same "repaired, and wrong, where all was read not long ago" '0 1' "$(of_notes)"
same "when others were compared" "$since" "$(recorded '.compared | [.["public.categories"], .["public.notes"]]')"
differ "when the one was that is due" '2020' "$(recorded '.compared["public.images"][:4]')"
echo '{"operation_id":"0/1#1","table":"public.notes","key":{"id":11},"type":"update","result":"applied"}' >"$work/report"
expect 1 "$BIN/verify" - <"$work/report"
expect 75 "$script"
same "repaired, and wrong, of a table that is marked" '1 0' "$(of_notes)"
primary "select pg_drop_replication_slot('full_' || i) from generate_series(1, 9) i" >"$work/dropped"
write_config 'images, categories, notes' 'full_sync_interval: 60'
expect 0 "$script"
same "marks" "" "$("$BIN/verify" marked)"

# --- who mends dies, and who compares is stopped for it, which is 75: what is told is the death ---
mkdir "$work/tools"
for tool in "$BIN"/*; do ln -s "$(readlink -f "$tool")" "$work/tools/${tool##*/}"; done
rm "$work/tools/diff" "$work/tools/apply"
printf '#!/bin/bash\ntrap "kill \\$!; exit 75" TERM\nsleep 20 &\nwait\n' >"$work/tools/diff"
printf '#!/bin/bash\ncase "$*" in *" -") sleep 0.5 && kill -KILL $$ ;; esac\nexec "%s/apply" "$@"\n' "$BIN" >"$work/tools/apply"
chmod +x "$work/tools/diff" "$work/tools/apply"
standby "update notes set v = 'wrong' where id = 11"
expect 70 "$work/tools/sync-full" --full
told '^sync-full: apply - died of signal 9$'
same "the report" '[70,"apply -"]' "$(recorded '[.exit_code, .failed]')"
expect 0 "$script" --full
follow_stop

# --- without services, what waits is brought first; a server that is away ---
primary "insert into notes values (1000000, 'waits', 1)"
expect 0 "$script"
equal_tables
good=$(recorded .last_full_sync)
cluster_stop standby immediate
write_config 'images, categories, notes' 'full_sync_interval: 60' 'max_retry_attempts: 1'
expect 69 "$script"
same "the last good one stays" "$good" "$(recorded .last_full_sync)"
same "the report" '[69,false]' "$(recorded '[.exit_code, .stopped]')"
for left in "$work/state/"*.pipe "$work/state/"*.new; do [ ! -e "$left" ] || fail "left behind: $left"; done
say "the full pass copies, mends, proves, and goes on where it was broken off"
