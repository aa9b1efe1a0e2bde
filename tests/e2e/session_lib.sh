# shellcheck shell=bash
# One psql for each server that lasts as long as the test: starting one takes more of the machine than most of what it is
# asked. For lib.sh alone, whose `primary` and `standby` come through here. Owns the psqls, and their pipes in $work.
#
#   session_begin NAME      begins the one of a server that runs, in the database crawler
#   session_run NAME SQL…   each SQL as `psql -At -c SQL` does it: one request to the server, its rows on stdout, its
#                           messages on stderr, 1 at the first that fails. 75, and nothing is done, where there is none, or it
#                           is about something else at the moment, or SQL needs a psql of its own
#   sessions_end            and no longer
#
# A token goes round: a test's other processes, $(…) and what is in the background, have the same pipes. Who does not get it
# at once goes without. One that ended, after an error or with its server, is begun again by the test's own shell alone.

declare -A SESSION_PID=() SESSION_TOKEN=() SESSION_IN=() SESSION_OUT=()

session_begin() {
  local name=$1 way=$work/session.$1 both in out token port
  read -r port <"$CLUSTERS_DIR/$name/port"
  rm -f "$way".* # programs that were started since have the old pipes open, with what nobody read in them
  mkfifo "$way.in" "$way.out" "$way.token"
  # Who opens a pipe's one end waits for the other; and only psql may write what is read here, for its end is to be seen.
  exec {both}<>"$way.in" {in}>"$way.in" {token}<>"$way.token"
  "$CLUSTER_BIN/psql" -X -q -At -v ON_ERROR_STOP=1 -h "$CLUSTERS_DIR/$name" -p "$port" -U postgres -d crawler \
    <"$way.in" >"$way.out" 2>>"$way.err" {both}>&- {in}>&- {token}>&- &
  SESSION_PID[$name]=$!
  exec {out}<"$way.out" {both}>&-
  SESSION_IN[$name]=$in SESSION_OUT[$name]=$out SESSION_TOKEN[$name]=$token
  printf t >&"$token"
}

session_end() { # NAME
  local in=${SESSION_IN[$1]} out=${SESSION_OUT[$1]} token=${SESSION_TOKEN[$1]}
  exec {in}>&- {out}<&- {token}>&-
  kill_children "${SESSION_PID[$1]}"
  unset "SESSION_PID[$1]"
}

sessions_end() {
  local name
  for name in "${!SESSION_PID[@]}"; do session_end "$name"; done
}

# What is read from stdin is the caller's; what changes a session would change it for what comes after; a role's or a
# database's settings are for sessions to come; and what waits, or ends sessions, does so beside others.
needs_its_own() { # SQL…
  local sql
  for sql in "$@"; do
    case ${sql,,} in
    '' | \\* | *from\ stdin* | begin* | start\ * | set\ * | *set_config* | *temp\ table* | *advisory* | *\$psql\$*) return 0 ;;
    *alter\ role* | *alter\ database* | *alter\ system* | *pg_sleep* | *pg_terminate*) return 0 ;;
    esac
  done
  return 1
}

session_run() {
  local name=$1 token code
  shift
  [ -n "${SESSION_PID[$name]:-}" ] && ! needs_its_own "$@" || return 75
  read -r -t 0.01 -N 1 -u "${SESSION_TOKEN[$name]}" token || return 75
  code=0
  session_ask "$name" "$@" || code=$?
  if [ "$code" = 0 ] || [ "$BASHPID" != "$$" ]; then
    printf '%s' "$token" >&"${SESSION_TOKEN[$name]}"
  else
    session_end "$name"
    session_begin "$name"
  fi
  return "$code"
}

session_ask() { # NAME SQL…
  local in=${SESSION_IN[$1]} out=${SESSION_OUT[$1]} way=$work/session.$1 sql input line lines
  shift
  # The first question shows whether there is still a server behind it; if there is not, psql ends before any other.
  input=$'select \\g /dev/null\n\\echo there\n\\o '$way.rows$'\n'
  for sql in "$@"; do input+="select \$psql\$$sql\$psql\$ \\gexec"$'\n'; done
  trap : PIPE
  { printf '%s\\o\n\\echo done\n' "$input" >&"$in"; } 2>/dev/null || true
  trap - PIPE
  read -r -u "$out" line || return 75
  read -r -u "$out" line || line=failed
  # A few rows cost less here than a process does, many cost far more.
  mapfile -n 100 lines <"$way.rows"
  if [ "${#lines[@]}" -lt 100 ]; then printf '%s' "${lines[@]}"; else cat "$way.rows"; fi
  if [ -s "$way.err" ]; then
    mapfile -t lines <"$way.err"
    : >"$way.err"
    printf '%s\n' "${lines[@]#psql:<stdin>:*: }" >&2
  fi
  [ "$line" = "done" ]
}
