#!/usr/bin/env bash
# early: 65
# scripts/sync-incremental: first the script alone, with programs that end as it is told, then on two real servers.
set -euo pipefail
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

recorded() { jq -rc "$1" "$work/state/runs/incremental.json"; }
mkdir -p "$work/fake" "$work/state"

first=
# shellcheck disable=SC2016 # as it is then
clusters_at_exit '[ -z "$first" ] || kill -TERM "$first" 2>/dev/null || true'
spent_by() { awk '{ print $14 + $15 + $16 + $17 }' "/proc/$1/stat"; } # CPU time, in 1/100 s

# --- the script alone ---
# Each program does what the variable of its name says, and notes how it was called.
ln -s "$top/scripts/sync-incremental" "$work/fake/sync-incremental"
for program in config capture queue apply verify status; do
  printf '#!/bin/bash\necho "%s $*" >>"%s"\n' "$program" "$work/calls" >"$work/fake/$program"
done
cat >>"$work/fake/config" <<EOT
jq -n '{synchronization: {incremental_sync_interval: 400, verify_sync: true, conflict_resolution: "primary_wins"}, state: {directory: "$work/state"}, logging: {level: "info", file: null},
  nodes: ({primary_node: {role: "primary"}, backup_node: {role: "secondary"}} + (if env.FAR then {far_node: {role: "secondary"}} else {} end))}'
EOT
# shellcheck disable=SC2016 # the program's own variable
echo '[ "${ENABLED:-true}" = true ] || { echo "sync is disabled by alice@host"; exit "${OFF:-1}"; }' >>"$work/fake/status"
cat >>"$work/fake/capture" <<'EOT'
if [ "${*: -1}" = lsn ]; then eval "${LSN:-echo 0/1590000}"; else eval "${CAPTURE:-echo lines}"; fi
EOT
# shellcheck disable=SC2016 # the programs' own variables
echo '[ "$1" != stat ] || exec echo "${STAT:-{\"full\":false\}}"; eval "${PUT:-cat >/dev/null}"' >>"$work/fake/queue"
# shellcheck disable=SC2016
echo 'eval "${APPLY:-:}"' >>"$work/fake/apply"
# shellcheck disable=SC2016
printf '%s\n' 'while [ $# -gt 1 ]; do [ "$1" != --report ] || printf "${REPORT:-}" >"$2"; shift; done' >>"$work/fake/apply"
# shellcheck disable=SC2016
echo 'cat >"'"$work/read-back"'"; eval "${VERIFY:-}"' >>"$work/fake/verify"
chmod +x "$work/fake/"*
script=$work/fake/sync-incremental
# a program that runs until it is told to stop, and then stops as ours do
endless='trap "exit 0" TERM; while :; do sleep 0.1; done'

expect 0 "$script" --help
grep -q '^usage: sync-incremental' "$work/out" || fail "no help on stdout"
expect 64 "$script" --unknown
expect 64 "$script" -c
expect 64 "$script" extra

: >"$work/calls"
expect 0 env ENABLED=false "$script"
told 'sync is disabled by alice@host; nothing done'
same "programs called while disabled" "config "$'\n'"status is-enabled" "$(cat "$work/calls")"
[ ! -e "$work/state/runs/incremental.json" ] || fail "a record of nothing"
expect 65 env ENABLED=false OFF=65 "$script" # a switch that cannot be read is not one that is on
[ ! -e "$work/state/runs/incremental.json" ] || fail "a record of nothing"
expect 0 env ENABLED=false "$script" --force
[ -e "$work/state/runs/incremental.json" ] || fail "no record of a forced pass"
rm "$work/state/forced.lock"

: >"$work/calls"
expect 0 "$script" --config "$work/some file.yaml"
same "record" '["incremental","0/1590000",0,null,false]' "$(recorded '[.pass, .until_lsn, .exit_code, .failed, .stopped]')"
recorded '.started, .ended' | grep -cE '^[0-9]{4}(-[0-9]{2}){2}T[0-9:]{8}\.[0-9]{6}Z$' | grep -qx 2 || fail "times: $(recorded .)"
same "calls" "apply -c $work/some file.yaml --node backup_node --until-lsn 0/1590000 --report $work/state/incremental.backup_node.report
capture -c $work/some file.yaml --until-lsn 0/1590000
capture -c $work/some file.yaml lsn
config -c $work/some file.yaml
queue -c $work/some file.yaml put
status -c $work/some file.yaml is-enabled" "$(sort "$work/calls")"

# --if-due counts from where the last good pass began, and comes a tenth early; --quiet has nothing to say about any of it
aged() { # SECONDS
  jq -c --argjson s "$1" '.nodes.backup_node.started = (now - $s | todate | sub("Z"; ".000000Z"))' "$work/state/runs/incremental.json" >"$work/aged"
  cp "$work/aged" "$work/state/runs/incremental.json"
}
: >"$work/calls"
aged 300
expect 0 "$script" --if-due
told 'not due for [1-6][0-9]* s; nothing done'
expect 0 "$script" --if-due --quiet
same "programs called while not due" "" "$(grep -E '^(capture|queue|apply)' "$work/calls" || true)"
aged 380
expect 0 "$script" --if-due --quiet
same "what a quiet pass says" "" "$(cat "$work/err")"
grep -q '^apply --log-level warn --node backup_node --until-lsn' "$work/calls" || fail "the programs are not told to be quiet: $(cat "$work/calls")"
: >"$work/calls"
aged -100000 # dated by a clock that was wrong
expect 0 "$script" --if-due --quiet
grep -q '^capture' "$work/calls" || fail "a pass that lies ahead counts as one"
expect 0 env ENABLED=false "$script" --quiet
same "what a disabled, quiet pass says" "" "$(cat "$work/err")"
expect 69 env LSN='exit 69' "$script" --quiet
told 'capture failed'
: >"$work/calls"
expect 0 "$script" --if-due
grep -q '^capture' "$work/calls" || fail "a pass that failed counts as one"

expect 69 env LSN='exit 69' "$script"
same "record" '[69,"capture",null]' "$(recorded '[.exit_code, .failed, .until_lsn]')"
expect 65 env CAPTURE='exit 65' APPLY="$endless" "$script"
same "record" '[65,"capture","0/1590000"]' "$(recorded '[.exit_code, .failed, .until_lsn]')"
expect 73 env PUT='exit 73' CAPTURE='while echo lines; do :; done 2>/dev/null; exit 74' APPLY="$endless" "$script"
same "record" '[73,"queue put"]' "$(recorded '[.exit_code, .failed]')"
# a put that stands at a full queue, and the apply that should have made room fails
expect 69 env PUT="$endless" CAPTURE="$endless" APPLY='sleep 0.2; exit 69' "$script"
same "record" '[69,"apply"]' "$(recorded '[.exit_code, .failed]')"
# apply did all it could, and something is in quarantine: the others are not stopped for that
expect 1 env CAPTURE='sleep 0.5; echo captured >>"'"$work"'/late"' APPLY='exit 1' "$script"
told 'but what is in quarantine, or of a table that waits for its shape; see pgtandem status'
same "record" '[1,null]' "$(recorded '[.exit_code, .failed]')"
[ -s "$work/late" ] || fail "capture was stopped for a finding of apply"
expect 70 env APPLY='kill -SEGV $$' "$script"
told 'apply died of signal 11'

# what was applied is read back, but for rows that were not; a proof that cannot be had is no failure
: >"$work/calls"
lines='{"operation_id":"0/1#1","result":"applied"}\n{"operation_id":"0/1#2","result":"quarantined"}\n{"operation_id":"0/1#3","result":"conflict insert_exists"}\n'
tables() { echo "echo '{\"tables\":{\"public.a\":{\"equal\":$1,\"different\":$2,\"unsettled\":$3},\"public.b\":{\"equal\":1,\"different\":0,\"unsettled\":0}}}'"; }
expect 0 env REPORT="$lines" VERIFY="$(tables 1 0 0)" "$script"
same "how verify was called" "verify --node backup_node - --json" "$(grep '^verify' "$work/calls")"
same "what it read" '0/1#1 0/1#3' "$(jq -r .operation_id "$work/read-back" | paste -sd ' ')"
same "record" '{"operations":2,"left":0,"equal":2,"different":0,"unsettled":0,"why":null}' "$(recorded .read_back)"
expect 1 env REPORT="$lines" VERIFY="$(tables 0 1 0); exit 1" "$script"
told 'but rows just applied differ'
same "record" '[1,null,1]' "$(recorded '[.exit_code, .failed, .read_back.different]')"
expect 0 env REPORT="$lines" VERIFY='exit 75' "$script"
told 'not all rows just applied are read back: nothing can be proven now'
same "record" '[0,0,"nothing can be proven now"]' "$(recorded '[.exit_code, .read_back.equal, .read_back.why]')"
for code in 65 77 78; do # of one table; the others are judged
  expect 0 env REPORT="$lines" VERIFY="$(tables 1 0 0); exit $code" "$script"
  told 'not all rows just applied are read back: a table cannot be compared'
  same "record" '[0,2,"a table cannot be compared"]' "$(recorded '[.exit_code, .read_back.equal, .read_back.why]')"
  expect 1 env REPORT="$lines" VERIFY="$(tables 0 1 0); exit $code" "$script"
  told 'but rows just applied differ'
  expect "$code" env REPORT="$lines" VERIFY="exit $code" "$script" # nothing at all was judged
done
expect 69 env REPORT="$lines" VERIFY='exit 69' "$script"
same "record" '[69,"verify"]' "$(recorded '[.exit_code, .failed]')"

# of two standbys one fails: the other gets what is its own, and what became of each is kept; but not for ever in a full queue
# shellcheck disable=SC2016 # the program's own variables
far_fails='case "$*" in *far_node*) exit 69 ;; esac; '
expect 69 env FAR=1 APPLY="${far_fails}sleep 0.5; echo applied >>'$work/other'" REPORT="$lines" VERIFY="$(tables 1 0 0)" "$script"
told 'apply failed on far_node with exit code 69'
same "record" '[69,"apply",0,69,2]' "$(recorded '[.exit_code, .failed, .nodes.backup_node.exit_code, .nodes.far_node.exit_code, .nodes.backup_node.read_back.equal]')"
[ -s "$work/other" ] || fail "one that failed stopped the other"
expect 69 env FAR=1 APPLY="$far_fails$endless" CAPTURE="$endless" PUT="$endless" STAT='{"full":true}' "$script"
expect 0 env FAR=1 "$script" --node backup_node
same "record" '[0,["backup_node",0],["far_node",69]]' "$(recorded '[.exit_code, (.nodes | to_entries[] | [.key, .value.exit_code])]')"
expect 69 env FAR=1 APPLY="case \"\$*\" in *far_node*) exit 75 ;; *) exit 69 ;; esac" "$script" # the worst counts
expect 0 env FAR=1 "$script"

env APPLY="$endless" "$script" 2>"$work/first" &
first=$!
until pgrep -P "$first" -f fake/apply >/dev/null; do sleep 0.05; done
expect 75 "$script"
told "another pass is running (pid $first sync-incremental since 20"
grep -qE '^SuccessExitStatus=(.* )?75( |$)' "$top/config/systemd/pgtandem-incremental.service" || fail "a pass beside another one is a unit that failed"
rm "$work/state/runs/incremental.json"
expect 0 "$script" --if-due
told "another pass is running (pid $first sync-incremental since 20.*nothing done"
expect 0 "$script" --if-due --quiet
same "what a quiet one says beside another" "" "$(cat "$work/err")"
spent=$(spent_by "$first")
sleep 2
at_most "1/100 s of CPU time that 2 s of waiting cost" 25 $(($(spent_by "$first") - spent))
kill -TERM "$first"
wait "$first" || fail "SIGTERM: exit code $?"
same "record" '[0,true]' "$(recorded '[.exit_code, .stopped]')"
expect 0 "$script"

# killed outright, it is the programs that hold the lock on
env APPLY="$endless" "$script" 2>"$work/first" &
first=$!
until orphan=$(pgrep -P "$first" -f fake/apply); do sleep 0.05; done
kill -KILL "$first"
wait "$first" 2>/dev/null || true
expect 75 "$script"
kill -TERM "$orphan"
while kill -0 "$orphan" 2>/dev/null; do sleep 0.05; done
expect 0 "$script"
for left in "$work/state/"*; do
  case ${left##*/} in runs | incremental.lock) ;; *) fail "left behind: $left" ;; esac
done

# --- two servers ---
script=$BIN/sync-incremental
rm -rf "$work/state"
two_servers
images_tables
write_config "images, categories" max_retry_attempts:1
link_up
count() { standby 'select count(*) from categories'; }

both "create function own() returns trigger language plpgsql as 'begin return new; end'" \
  'create trigger own before insert or update on categories for each row execute function own()'
expect 0 "$script"
primary "insert into categories (name) select 'category ' || i from generate_series(1, 1000) i" \
  "update categories set name = name || '?' where id % 3 = 0" 'delete from categories where id % 10 = 0'
expect 0 "$BIN/pgtandem" sync-incremental
equal_tables
same "rows" 900 "$(count)"
same "record" '[0,null]' "$(recorded '[.exit_code, .failed]')"
recorded .until_lsn | grep -qE '^[0-9A-F]+/[0-9A-F]+$' || fail "until_lsn: $(recorded .)"

# a row that is spoiled on the standby while it is written is found when it is read back, and its table is marked
same "rows read back" '[1,0]' "$(recorded '[(.read_back.equal > 900 | if . then 1 else 0 end), .read_back.different]')"
standby "create function spoil() returns trigger language plpgsql as 'begin new.name = new.name || ''!''; return new; end'" \
  'create trigger spoil before insert on categories for each row when (new.id % 2 = 0) execute function spoil()' 'alter table categories enable always trigger spoil'
primary "insert into categories (id, name) values (5001, 'left alone'), (5002, 'spoiled')"
expect 1 "$script"
told 'but rows just applied differ'
same "record" '[1,1,1,0]' "$(recorded '[.exit_code, .read_back.equal, .read_back.different, .read_back.unsettled]')"
"$BIN/verify" marked | grep -q 'public.categories  1 rows that were read back differ, as {"id":5002}' || fail "marks: $("$BIN/verify" marked)"
standby 'drop trigger spoil on categories'
primary 'delete from categories where id > 5000'
write_config "images, categories" max_retry_attempts:1 verify_sync:false
expect 0 "$script"
same "rows read back when not asked" null "$(recorded .read_back)"
write_config "images, categories" max_retry_attempts:1

# the standby is away: what was captured waits in the queue
primary "insert into categories (name) values ('while away')"
cluster_stop standby
expect 69 "$script"
same "record" '[69,"apply"]' "$(recorded '[.exit_code, .failed]')"
cluster_start standby
expect 0 "$script"
equal_tables

cluster_stop primary immediate
expect 69 "$script"
same "record" '[69,"capture"]' "$(recorded '[.exit_code, .failed]')"
cluster_start primary
expect 0 "$script"

expect 78 "$script" -c "$work/no-such-file.yaml"
primary "insert into categories (name) values ('not yet')"
write_config "images, categories" auto_sync_enabled:false
expect 0 "$script"
told 'sync is disabled by the configuration (auto_sync_enabled); nothing done'
same "rows while disabled" 901 "$(count)"
write_config "images, categories"
expect 0 "$script"
equal_tables
echo "sync_incremental_test: passed"
