# shellcheck shell=bash
# What the tests of bad input add to lib.sh; to be sourced right after it. Owns nothing but the words below.
#
#   refused CODE PATTERN PROGRAM [ARG…]  runs it; CODE, nothing on stdout, ONE line of error on stderr that PROGRAM begins and
#                                 PATTERN (grep -E) is in, and no canary anywhere. Stdin is $INPUT, else empty
#   last_word TOOL PATTERN        the last expect wrote ONE line of error, as above
#   canary WORD                   a secret: no program may ever print it
#   no_canary FILE…               so in these files too
#   background NAME PROGRAM [ARG…]  starts it, stdin $INPUT, stderr to $work/NAME.log, stdout to $work/NAME.out; its id in ${STARTED[NAME]}
#   ended NAME CODE [SECONDS]     it ends by itself with CODE
#   stopped NAME [CODE]           SIGTERM, and it ends with CODE (0)
#   killed NAME                   SIGKILL
#   log_has FILE PATTERN          for wait_until
#   pass                          capture | queue put to the end; both with 0
#   progress                      the standby's row of progress, as a|b
#   slot_lsn                      what the primary's slot has confirmed
#   durable_lsn                   what the spool's mark says
#   at_or_after LSN LSN           the first is not before the second
#   is_locked FILE | slot_active  for wait_until

declare -A STARTED=()
CANARIES=()
clusters_at_exit started_kill

canary() { CANARIES+=("$1"); }

no_canary() {
  local word
  for word in "${CANARIES[@]}"; do
    ! grep -lqF -- "$word" "$@" || fail "the secret $word is in $(grep -lF -- "$word" "$@" | tr '\n' ' ')"
  done
}

# Beside lines of lower levels, which begin with their time, only the tool's last word.
refused() {
  local code=$1 pattern=$2 tool=${3##*/}
  shift 2
  expect "$code" "$@" <"${INPUT:-/dev/null}"
  [ ! -s "$work/out" ] || fail "$tool said something on stdout: $(head -c 300 "$work/out")"
  last_word "$tool" "$pattern"
}

last_word() {
  local lines
  lines=$(grep -cvE '^[0-9]{4}-[0-9-]{5}T[0-9:.]+Z (debug|info|warn) ' "$work/err" || true)
  [ "$lines" = 1 ] || fail "$lines lines of error instead of one from $1: $(head -c 2000 "$work/err")"
  grep -qE "^$1: .*($2)" "$work/err" || fail "$1 does not say '$2': $(head -c 2000 "$work/err")"
  no_canary "$work/err" "$work/out"
}

background() {
  local name=$1
  shift
  "$@" <"${INPUT:-/dev/null}" >>"$work/$name.out" 2>>"$work/$name.log" &
  STARTED[$name]=$!
}

ended() {
  local name=$1 code=0
  wait_until "${3:-30}" "the end of $name" is_gone "${STARTED[$name]}"
  wait "${STARTED[$name]}" || code=$?
  unset "STARTED[$name]"
  same "exit code of $name" "$2" "$code"
}
is_gone() { case $(ps -o stat= -p "$1" 2>/dev/null) in '' | Z*) return 0 ;; *) return 1 ;; esac; }

stopped() {
  kill -TERM "${STARTED[$1]}" 2>/dev/null || fail "$1 had ended by itself"
  ended "$1" "${2:-0}" 15
}

killed() {
  kill -KILL "${STARTED[$1]}" 2>/dev/null || true
  wait "${STARTED[$1]}" 2>/dev/null || true
  unset "STARTED[$1]"
}

started_kill() {
  kill_children "${STARTED[@]}"
  STARTED=()
}

log_has() { grep -qE -- "$2" "$1" 2>/dev/null; }

pass() {
  local codes
  "$BIN/capture" 2>"$work/capture.log" | "$BIN/queue" put 2>"$work/put.log" || { codes=("${PIPESTATUS[@]}") && fail "a pass ended with ${codes[*]}"; }
}

progress() { standby "select lsn, end_lsn, operations from pgtandem.progress"; }
slot_lsn() { primary "select confirmed_flush_lsn from pg_replication_slots where slot_name = 'pgtandem_backup_node'"; }
durable_lsn() { "$BIN/queue" stat --json | jq -r .lsn; }
at_or_after() { [ "$(lsn_number "$1")" -ge "$(lsn_number "$2")" ]; }
is_locked() { ! flock -n "$1" true 2>/dev/null; }
slot_active() { [ "$(primary "select active from pg_replication_slots where slot_name = 'pgtandem_backup_node'")" = t ]; }
