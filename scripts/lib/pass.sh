# shellcheck shell=bash
# What the incremental and the full pass have in common: options, the configuration, the switch, one pass at a time, and the
# programs that they start, stop and wait for. Installed beside them; to be sourced by them. They own what is said and how
# they end: usage, say, tell, give_up CODE MESSAGE.
#
#   pass_option WORDS…           takes an option that both have, into $common (for the programs), $node, $if_due, $force, $quiet;
#                                $taken WORDS belong to it. 1: it is none of these
#   wants WHAT OPTION [VALUE]…   ends with 64 where the value is missing, or got lost as in `--node $UNSET`
#   pass_begin PROGRAM…          finds PROGRAMs in $tools, reads the configuration: $settings, $state; a missing one ends with 78
#   ask JQ-FILTER                of the configuration
#   pass_nodes                   $nodes: the standby that --node names, else all; without any ends with 78, with another 64
#   say_less                     with --quiet the programs' own lines, too; but a log that goes to a file is no cron mail
#   pass_if_enabled              while sync is disabled: says so, and ends with 0
#   pass_alone LOCK [WORDS…]     $started, and LOCK as long as this pass or a program of it lives; else ends with 75, with --if-due 0
#   pass_is_forced               opens state/forced.lock as $forced_fd, to be locked
#   wait_for_all                 for all of ${running[@]}, process id -> name; calls has_ended NAME CODE ID of each, in no order,
#                                and meanwhile about once a second
#   stop_children                tells them; a signal does that, too, and $stopped is true
#   is_worse CODE THAN-CODE      0 before 1 before 75, try again later, before what failed; of two that failed the first
#   now                          as the records have it

common=()
node=
if_due=false
force=false
quiet=false

wants() {
  [ -n "${3:-}" ] || give_up 64 "$2 wants $1; see --help"
}

# shellcheck disable=SC2034 # who sources this uses them
pass_option() {
  taken=1
  case $1 in
    -c | --config)
      wants "a file" "$@"
      common=(-c "$2") taken=2
      ;;
    --config=*)
      wants "a file" --config "${1#*=}"
      common=(-c "${1#*=}")
      ;;
    --node)
      wants "a name" "$@"
      node=$2 taken=2
      ;;
    --node=*)
      wants "a name" --node "${1#*=}"
      node=${1#*=}
      ;;
    --if-due) if_due=true ;;
    --force) force=true ;;
    --quiet) quiet=true ;;
    -h | --help)
      usage
      exit 0
      ;;
    *) return 1 ;;
  esac
}

pass_begin() {
  local program
  # Beside the programs when installed and, as a link, in the build tree; else this is the source tree's own copy.
  tools=$(dirname "$0")
  [ -x "$tools/verify" ] || tools=$(dirname "$(readlink -f "$0")")/../build/bin
  for program in "$@"; do
    [ -x "$tools/$program" ] || give_up 78 "no $tools/$program; build it, or run the installed 'pgtandem ${0##*/}'"
  done
  command -v jq >/dev/null || give_up 78 "jq is not installed; install the package jq"
  settings=$("$tools/config" "${common[@]}") || exit
  state=$(ask '.state.directory') || exit
}

ask() { jq -r "$1" <<<"$settings" || give_up 70 "cannot read what pgtandem config printed"; }

# shellcheck disable=SC2034 # who sources this uses it
pass_nodes() {
  local all
  all=$(ask '.nodes | to_entries[] | select(.value.role == "secondary") | .key') || exit
  [ -n "$all" ] || give_up 78 "the configuration names no standby; give a node role: secondary"
  mapfile -t nodes <<<"$all"
  [ -n "$node" ] || return 0
  grep -qxF -e "$node" <<<"$all" || give_up 64 "the configuration has no standby \"$node\"; name one of: ${all//$'\n'/, }"
  nodes=("$node")
}

say_less() {
  if "$quiet" && [ "$(ask '.logging | .file == null and .level != "error"')" = true ]; then common+=(--log-level warn); fi
}

pass_if_enabled() {
  local switch off
  switch=$("$tools/status" "${common[@]}" is-enabled) || {
    off=$?
    [ "$off" = 1 ] || exit "$off" # it has said why
    tell "$switch; nothing done"
    exit 0
  }
}

now() { date -u +%Y-%m-%dT%H:%M:%S.%6NZ; }

# The programs inherit the lock: should this shell be killed, the next pass still waits for them.
pass_alone() {
  local lock=$1 busy
  shift
  mkdir -p "$state/runs" 2>/dev/null || give_up 73 "cannot create $state/runs; create it for user $(id -un), or set state.directory"
  { exec {lock_fd}>>"$lock"; } 2>/dev/null || give_up 77 "cannot write $lock; it must belong to user $(id -un)"
  # Not -n: who only looks whether a pass runs holds it for a moment.
  if ! flock -w 0.2 "$lock_fd"; then
    busy="another pass is running ($(head -n 1 "$lock"))"
    "$if_due" || give_up 75 "$busy; wait for it, or stop it"
    tell "$busy; nothing done"
    exit 0
  fi
  trap stop_asked TERM INT HUP
  started=$(now)
  echo "pid $$ ${0##*/} since $started${*:+ $*}" >"$lock"
}

# shellcheck disable=SC2034 # who sources this uses it
pass_is_forced() {
  { exec {forced_fd}>>"$state/forced.lock"; } 2>/dev/null || give_up 77 "cannot write $state/forced.lock; it must belong to user $(id -un)"
}

stopped=false
declare -A running=()

stop_children() {
  [ "${#running[@]}" = 0 ] || kill -TERM "${!running[@]}" 2>/dev/null
}
# shellcheck disable=SC2034,SC2317 # called by the traps, and looked at by who sources this
stop_asked() {
  stopped=true
  stop_children
}

meanwhile() { :; } # who sources this may have another one

wait_for_all() {
  local pid end name any tick # none that has_ended sets
  while [ "${#running[@]}" -gt 0 ]; do
    any=false
    for pid in "${!running[@]}"; do
      if kill -0 "$pid" 2>/dev/null; then continue; fi
      wait "$pid"
      end=$? name=${running[$pid]} any=true
      unset "running[$pid]"
      has_ended "$name" "$end" "$pid"
    done
    ! "$any" || continue
    meanwhile
    # bash forgets a child that a signal killed as soon as it sees it; dying just here, such a one would not end the wait.
    sleep 1 &
    tick=$!
    wait -n
    kill "$tick" 2>/dev/null
    wait "$tick" 2>/dev/null # or it would end the next wait -n at once, and so on without a rest
  done
}

rank_of() { case $1 in 0) echo 0 ;; 1) echo 1 ;; 75) echo 2 ;; *) echo 3 ;; esac; }
is_worse() { [ "$(rank_of "$1")" -gt "$(rank_of "$2")" ]; }
