# shellcheck shell=bash
# What a full pass knows of each table, and the reports that it leaves of that: state/full-sync.NODE.json, and the same as
# state/runs/ID.json. Installed beside sync-full; to be sourced by it alone, after pass.sh. It runs no program of ours, and
# decides nothing but which tables are left; it reads the variables of sync-full, and writes tables, lsn and repairs.
#
#   report_of NODE               the file
#   before NODE JQ-FILTER        of the last pass over this standby, as far as there was one
#   record                       writes the report of $node, and the record of this pass
#   record_all                   the record of this pass alone
#   tidy_runs                    of the passes before this one the last few stay to be asked for
#   size_of                      of $journal, to which what apply - and the first copy did is added
#   gather                       what they noted there since the last look, into $repairs
#   look                         what is known of each table now, into $tables and $lsn; recorded
#   unproven_names               of $tables, for people
#   left TABLES…                 those that are not proven, and that something here can mend
#   due TABLES…                  those that diff is to read whole, where nothing can be proven

report_of() { echo "$state/full-sync.$1.json"; } # NODE
before() { jq -r --arg node "$1" "select(.node == \$node) | $2" "$(report_of "$1")" 2>/dev/null; } # NODE JQ-FILTER

# The record, whole or not at all: others read it at any moment. Once more under the pass's own name, for who asks for it.
record() {
  local good=$last
  if [ -n "$ended" ] && [ "$code" = 0 ] && ! "$stopped"; then good=$(date +%s); fi
  # shellcheck disable=SC2016 # jq's variables
  if ! jq -nc --arg node "$node" --arg started "$started" --arg since "$since" --arg ended "$ended" --arg lsn "$lsn" --argjson code "$code" \
    --arg failed "$failed" --argjson stopped "$stopped" --arg good "$good" --argjson tables "$tables" \
    --arg run "$run_id" --arg by "$by" --arg message "$message" --argjson seen "$seen" 'def text: if . == "" then null else . end;
      {pass: "full", run: $run, by: ($by | text), node: $node, started: $started, since: $since, ended: ($ended | text), lsn: ($lsn | text),
       exit_code: (if $ended == "" or $stopped then null else $code end), failed: ($failed | text), message: ($message | text), stopped: $stopped,
       last_full_sync: (if $good == "" then null else ($good | tonumber) end), tables: $tables, compared: $seen}' >"$report.new" ||
    ! mv -f "$report.new" "$report" || ! record_all; then
    say "cannot write $report; is the disk full?"
  fi
}

# Of one standby the same once more. Of several their records side by side, and what they come to: it has ended when the last
# one has, $worst is then known.
worst=
record_all() {
  local each file=$state/runs/$run_id.json
  if [ "${#nodes[@]}" = 1 ]; then
    cp -f "$report" "$file.new" && mv -f "$file.new" "$file"
    return
  fi
  # shellcheck disable=SC2016 # jq's variables
  for each in "${nodes[@]}"; do cat "$(report_of "$each")" 2>/dev/null || true; done |
    jq -sc --arg run "$run_id" --arg by "$by" --arg began "$began" --arg ended "$all_ended" --arg worst "$worst" --arg message "$message" \
      --argjson stopped "$stopped" --argjson count "${#nodes[@]}" 'def text: if . == "" then null else . end;
      map(select(.run == $run)) as $parts | ($parts | map(select(.failed != null)) | .[0].failed) as $failed |
      {pass: "full", run: $run, by: ($by | text), node: null, started: $began, since: $began, ended: ($ended | text), lsn: null,
       exit_code: (if $worst == "" or $stopped then null else $worst | tonumber end), failed: $failed,
       message: (if $ended == "" then null else $message end), stopped: $stopped,
       last_full_sync: (if ($parts | length) < $count or any($parts[]; .last_full_sync == null) then null
                        else $parts | map(.last_full_sync) | min end),
       tables: {}, nodes: ($parts | map({key: .node, value: .}) | from_entries)}' >"$file.new" && mv -f "$file.new" "$file"
}

tidy_runs() {
  local runs=("$state"/runs/full-*.json) i
  for ((i = 0; i < ${#runs[@]} - 20; i++)); do rm -f "${runs[i]}" "${runs[i]%.json}.log"; done
}

size_of() { stat -c %s "$journal" 2>/dev/null || echo 0; }
gather() {
  [ ! -f "$journal" ] || [ "$(size_of)" -ge "$journal_size" ] || journal_size=0 # a new file
  if [ -f "$journal" ]; then
    # shellcheck disable=SC2016 # jq's variables
    repairs=$(tail -c +$((journal_size + 1)) "$journal" | jq -sc --argjson sum "$repairs" 'reduce .[] as $r ($sum;
      .[$r.table] |= {repaired: ((.repaired // 0) + $r.inserted + $r.updated + $r.deleted), copied: ((.copied // 0) + $r.copied),
                      unsettled: $r.unsettled, refused: ($r.refused // 0)})') || repairs={}
  fi
  journal_size=$(size_of)
}

# What is known of each table: the receipt has what was proven, and repairs what was done.
look() {
  # shellcheck disable=SC2016 # jq's variables
  tables=$(jq -nc --arg node "$node" --arg since "$since" --argjson repairs "$repairs" \
    --slurpfile receipt <(cat "$state/verify.json" 2>/dev/null || echo '{}') --args '[$ARGS.positional[] as $name |
      ($receipt[0].nodes[$node].tables[$name] // null) as $proof | {key: $name, value: (
        if $proof != null and $proof.time >= $since
        then {proven: $proof.equal, why: $proof.why, lsn: $proof.lsn, time: $proof.time,
              rows: ($proof.primary.rows // ($proof.scrub.pieces // [] | map(.rows) | add)),
              proven_since: $proof.scrub.proven_since.time, touched: ($proof.scrub.touched // 0), read: ($proof.scrub.read // 0)}
        else {proven: false, why: "not compared", lsn: null, time: null, rows: null, proven_since: null, touched: 0, read: 0} end
        + ($repairs[$name] // {repaired: 0, copied: 0, unsettled: 0, refused: 0}))}] | from_entries' "${synced[@]}") || {
    code=70 failed="the reading of $state/verify.json"
    tables={}
    finish
  }
  lsn=$(jq -r '[.[] | .lsn // empty] | last // ""' <<<"$tables")
  record
}

unproven_names() { jq -r 'to_entries | map(select(.value.proven | not) | .key) | join(", ")' <<<"$tables"; }

# Those of TABLES that are not proven; one that is paused waits for its shape, as does one that cannot be compared: nothing here
# can mend it. Nor one that diff left out, since it has a row too long for a line, say, or of which as much is refused as by the
# repair before: what is left of it is for a person to mend.
left() { # TABLES…
  # shellcheck disable=SC2016 # jq's variables
  jq -nr --argjson tables "$tables" --argjson refused "$refused" --argjson left_out "$left_out" --args '$ARGS.positional[] as $name | $name | select($tables[$name].proven | not) |
    select($left_out[$name] | not) |
    select($tables[$name].refused == 0 or $tables[$name].unsettled > 0 or $tables[$name].refused != $refused[$name]) |
    select($tables[$name].why // "" | startswith("paused") or startswith("cannot be compared") | not)' "$@"
}

# Those of TABLES, of which nothing could be proven now, that diff is to read whole nevertheless: it costs as much as all rows,
# and what changed since is looked at where it is applied. What was found different, or is marked, is not left at that.
due() { # TABLES…
  if "$full" || "$force"; then
    [ $# = 0 ] || printf '%s\n' "$@"
    return
  fi
  # shellcheck disable=SC2016 # jq's variables
  jq -nr --arg node "$node" --argjson seen "$seen" --argjson marks "$marks" --argjson age "$max_age" \
    --slurpfile receipt <(cat "$state/verify.json" 2>/dev/null || echo '{}') --args '$ARGS.positional[] as $name |
      ($receipt[0].nodes[$node].tables[$name] // null) as $proof |
      ([$seen[$name], ($proof | values | select(.equal) | .scrub.proven_since.time // .time)] | max) as $since | $name |
      select($since == null or ($marks | index($name)) or (now - ($since | sub("\\.[0-9]+Z"; "Z") | fromdate) | . < -1 or . >= $age) or
             ($proof != null and ($proof.equal | not) and $proof.time > $since))' "$@"
}
