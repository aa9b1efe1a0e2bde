# shellcheck shell=bash
# The load, the programs under supervision, and what befalls them; to be sourced by exactly_once_test.sh after lib.sh. Everything
# in here runs beside the test until $work/stop appears. Hits only processes whose id it wrote down itself.

running() { [ -d "$work" ] && [ ! -e "$work/stop" ]; }

# Four clients, round after round of a few seconds: a crash of the primary ends a round, and the next one goes on.
run_load() {
  set +e
  local round=0 file scripts=()
  for file in transfer@25 crawl@20 edit@20 swap@8 rekey@6 replace@8 savepoints@5 notes@4 visits@3 bulk@1; do
    scripts+=(-f "$e2e/load/${file/@/.sql@}")
  done
  while [ -d "$work" ] && [ ! -e "$work/load_stop" ]; do
    round=$((round + 1))
    "$CLUSTER_BIN/pgbench" -h "$CLUSTERS_DIR/primary" -p "$(cluster_port primary)" -U postgres -n -c 4 -T 4 -R "$RATE" \
      --max-tries=50 --random-seed=$((SEED * 1000 + round)) "${scripts[@]}" crawler >>"$work/load.out" 2>>"$work/load.log" || sleep 0.2
  done
}

# capture | queue put, again whenever it has ended. The pipe's ends are opened here, for an end that is killed while it
# opens a fifo would leave the other one waiting.
supervise_capture() {
  set +e
  local capture put code
  mkfifo "$work/pipe"
  while running; do
    exec {both}<>"$work/pipe" {in}<"$work/pipe" {out}>"$work/pipe" {both}>&-
    "$BIN/queue" put <&"$in" >>"$work/put.log" 2>&1 {in}<&- {out}>&- &
    put=$!
    echo "$put" >"$work/pid.queue"
    "$BIN/capture" --follow >&"$out" 2>>"$work/capture.log" {in}<&- {out}>&- &
    capture=$!
    echo "$capture" >"$work/pid.capture"
    exec {in}<&- {out}>&-
    wait "$put" 2>/dev/null
    code=$?
    echo "put $code" >>"$work/ends"
    wait "$capture" 2>/dev/null
    code=$?
    echo "capture $code" >>"$work/ends"
    sleep 0.02
  done
}

supervise_apply() {
  set +e
  local apply code
  while running; do
    "$BIN/apply" --follow >>"$work/apply.log" 2>&1 &
    apply=$!
    echo "$apply" >"$work/pid.apply"
    wait "$apply" 2>/dev/null
    code=$?
    echo "apply $code" >>"$work/ends"
    sleep 0.02
  done
}

# What a reader of the standby sees, about ten snapshots a second.
read_standby() {
  set +e
  while running; do
    while running; do
      cat "$e2e/load/reader.sql" || break
      sleep 0.1
    done 2>/dev/null | cluster_psql standby crawler -At >>"$work/snapshots" 2>/dev/null
    sleep 0.1
  done
}

# What was acknowledged to the primary, and after that what the spool says is durable.
watch_acknowledged() {
  set +e
  local acknowledged durable
  while running; do
    acknowledged=$(primary "select confirmed_flush_lsn from pg_replication_slots where slot_name = 'pgtandem_backup_node'" 2>/dev/null)
    durable=$("$BIN/queue" stat --json 2>/dev/null | jq -r .lsn)
    [ -z "$acknowledged" ] || [ -z "$durable" ] || echo "$acknowledged $durable" >>"$work/acknowledged"
    sleep 0.3
  done
}

# --- the schedule ---

# Sixty events a deck, shuffled; a gap in milliseconds before each, one in four so short that the one before is still
# being recovered from. Prints `GAP KIND` lines.
schedule() { # EVENTS
  local deck=() kind i j swap gap
  RANDOM=$((SEED % 32768))
  for ((i = 0; i < $1; i++)); do
    if [ "$((i % 60))" = 0 ]; then
      deck=()
      for kind in capture:11 queue:8 queue_stalled:3 apply:13 primary:5 standby:5 primary_twice:1 standby_twice:1 walsender:3 \
        walsender_stalled:3 applier:7; do
        for ((j = 0; j < ${kind#*:}; j++)); do deck+=("${kind%:*}"); done
      done
      for ((j = 59; j > 0; j--)); do
        swap=$((RANDOM % (j + 1)))
        kind=${deck[j]} deck[j]=${deck[swap]} deck[swap]=$kind
      done
    fi
    if [ "$((RANDOM % 4))" = 0 ]; then gap=$((RANDOM % 250)); else gap=$((300 + RANDOM % 2200)); fi
    echo "$gap ${deck[i % 60]}"
  done
}

signal_program() { # SIGNAL capture|queue|apply: the one that runs now; fails where it is just being started again
  local pid name
  { read -r pid <"$work/pid.$2" && read -r name <"/proc/$pid/comm"; } 2>/dev/null || return 1
  [ "$name" = "$2" ] && kill "-$1" "$pid" 2>/dev/null
}

# queue put stands still for longer than capture needs to give the primary its feedback, so that much is under way which is
# not durable. Then it dies (and nothing of that may have been acknowledged), or the stream breaks (and all of it comes again).
stall() { # queue|walsender
  signal_program STOP queue || return 1
  sleep "1.$((RANDOM % 10))"
  case $1 in
  queue) signal_program KILL queue ;;
  walsender)
    end_session primary "backend_type = 'walsender'" || { signal_program CONT queue && return 1; }
    sleep "0.$((3 + RANDOM % 7))"
    signal_program CONT queue
    ;;
  esac
}

end_session() { # SERVER SQL-CONDITION
  [ "$(on_server "$1" "select coalesce(bool_or(pg_terminate_backend(pid)), false) from pg_stat_activity
    where application_name like 'pgtandem%' and $2" 2>/dev/null)" = t ]
}

declare -A RESTART=()
wait_restarted() { # SERVER
  [ -n "${RESTART[$1]:-}" ] || return 0
  wait "${RESTART[$1]}" || fail "$1 did not come back after a crash"
  unset "RESTART[$1]"
}

# The server dies at once and starts again while the test goes on; `twice`: it dies again while it recovers.
crash() { # SERVER [twice]
  wait_restarted "$1"
  cluster_stop "$1" immediate
  if [ -n "${2:-}" ]; then
    cluster_as_owner "$CLUSTER_BIN/pg_ctl" start -D "$(cluster_dir "$1")/data" -l "$(cluster_dir "$1")/log" -s -W -o "-p $(cluster_port "$1")"
    sleep "0.0$((RANDOM % 10))"
    wait_until 10 "the postmaster of $1" test -s "$(cluster_dir "$1")/data/postmaster.pid"
    cluster_stop "$1" immediate
  fi
  cluster_start "$1" &
  RESTART[$1]=$!
}

hit() { # KIND
  case $1 in
  capture | queue | apply) signal_program KILL "$1" ;;
  queue_stalled | walsender_stalled) stall "${1%_*}" ;;
  primary | standby) crash "$1" ;;
  primary_twice | standby_twice) crash "${1%_*}" twice ;;
  walsender) end_session primary "backend_type = 'walsender'" ;;
  applier) end_session standby true ;;
  esac
}

try() { # KIND
  check_ends
  hit "$1"
}

declare -A HITS=()
play() { # reads `GAP KIND` lines; each event happens, if need be a little later
  local gap kind
  while read -r gap kind; do
    sleep "$((gap / 1000)).$(printf %03d $((gap % 1000)))"
    case $kind in walsender*) wait_restarted primary ;; applier) wait_restarted standby ;; esac
    wait_until 20 "a moment to hit $kind" try "$kind"
    HITS[$kind]=$((${HITS[$kind]:-0} + 1))
    check_ends
  done
  wait_restarted primary
  wait_restarted standby
}

# How programs may end: killed by us, stopped by us, because the other end of the pipe was gone, because a server was
# away, because the one killed before still held a lock or the slot. Never: bad data, a bug, a broken set-up.
check_ends() {
  local strange
  strange=$(grep -vE '^(capture|put|apply) (0|137)$|^capture (69|74|75)$|^put 75$|^apply 75$' "$work/ends" 2>/dev/null | sort | uniq -c || true)
  [ -z "$strange" ] || fail "a program gave up: $strange"
}
