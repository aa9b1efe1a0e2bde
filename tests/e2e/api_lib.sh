# shellcheck shell=bash
# What the tests of `status serve` add to lib.sh; to be sourced right after it. Owns the server that it started, and two
# ports that are free at that moment: $API0 and $API1, for write_config "api: {ports: [$API0, $API1]}".
#
#   serve_up                      starts it, log in $work/serve.log, and returns when it answers
#   serve_stop                    SIGTERM, and it must end with 0
#   ask METHOD PATH [CURL-ARG…]   of $API1, within 5 s as the clients of old; the status in $code, $work/head, $work/body
#   body FILTER                   jq -r of the last body
#   must CODE METHOD PATH [CURL-ARG…]   ask, and the status must be CODE; an error's body must be JSON that says so

API0=$(cluster_free_port)
API1=$(cluster_free_port)
SERVE=
code=
clusters_at_exit serve_kill

serve_kill() { kill_children ${SERVE:+"$SERVE"}; }

serve_up() {
  "$BIN/status" serve >>"$work/serve.log" 2>&1 &
  SERVE=$!
  wait_until 15 "the server" serve_answers
}

serve_answers() {
  kill -0 "$SERVE" 2>/dev/null || fail "status serve ended: $(cat "$work/serve.log")"
  curl -s -o /dev/null -m 2 "http://127.0.0.1:$API0/api/health" && curl -s -o /dev/null -m 2 "http://127.0.0.1:$API1/api/health"
}

serve_stop() {
  local ended=0
  kill -TERM "$SERVE"
  wait "$SERVE" || ended=$?
  SERVE=
  same "exit code of status serve, stopped" 0 "$ended"
}

ask() {
  local method=$1 path=$2 how=(-X "$1")
  shift 2
  [ "$method" != HEAD ] || how=(-I)
  code=$(curl -s -m 5 -o "$work/body" -D "$work/head" -w '%{http_code}' "${how[@]}" "$@" "http://localhost:$API1$path") || true
}

body() { jq -r "$1" "$work/body"; }

must() {
  local expected=$1
  shift
  ask "$@"
  same "status of $*" "$expected" "$code"
  [ "$expected" -lt 400 ] || [ "$1" = HEAD ] || same "body of $*" "error $expected" "$(body '"\(.status) \(.code)"')"
}
