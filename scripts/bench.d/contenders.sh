# shellcheck shell=bash
# How each contender of scripts/bench apply is timed. contend_NAME ROUND CASE MARK consumes what its slot has up to $target and
# records its seconds; MARK is the category that the case's last transaction added.
# shellcheck disable=SC2034,SC2154 # common.sh and apply.sh set what is used here

record() { printf '%s\t%s\t%s\t%s\n' "$1" "$2" "$3" "$4" >>"$results"; } # ROUND CASE WHAT SECONDS

ready() { # DATABASE
  cluster_psql primary bench -c CHECKPOINT
  cluster_psql standby "$1" -f "$sql/warm.sql"
}

contend_subscription() {
  local took try
  ready subscription
  took=$(
    cluster_psql standby subscription -At -v mark="$3" <<'SQL'
SELECT extract(epoch FROM clock_timestamp()) AS began \gset
ALTER SUBSCRIPTION bench ENABLE;
CALL await_mark(:'mark');
SELECT round(extract(epoch FROM clock_timestamp()) - :began, 3);
SQL
  )
  record "$1" "$2" subscription "$took"
  # Only then is its slot where the next case begins, and nothing has to be decoded twice.
  for ((try = 0; try < 300; try++)); do
    [ "$(slot bench_subscription "confirmed_flush_lsn >= '$target'")" = f ] || break
    sleep 0.1
  done
  cluster_psql standby subscription -c 'ALTER SUBSCRIPTION bench DISABLE'
  for ((try = 0; try < 300; try++)); do
    [ "$(slot bench_subscription active)" = t ] || return 0
    sleep 0.1
  done
  die "the subscription does not let go of its slot"
}
slot() { cluster_psql primary bench -Atc "SELECT $2 FROM pg_replication_slots WHERE slot_name = '$1'"; } # NAME EXPRESSION

contend_recvlogical() {
  local began
  ready subscription
  began=$(micros)
  "$CLUSTER_BIN/pg_recvlogical" -d "$(cluster_url primary bench)" --slot bench_recvlogical --start --endpos "$target" --no-loop \
    -o proto_version=1 -o publication_names=bench -f - >/dev/null
  record "$1" "$2" recvlogical "$(seconds_since "$began")"
}

contend_copy() {
  local took
  ready copy
  took=$(
    cluster_psql standby copy -At <<SQL
SET session_replication_role = replica;
SELECT extract(epoch FROM clock_timestamp()) AS began \gset
\copy images FROM '$work/rows'
SELECT round(extract(epoch FROM clock_timestamp()) - :began, 3);
SQL
  )
  record "$1" "$2" copy "$took"
}

contend_apply() {
  local began
  ready apply
  began=$(micros)
  (tandem apply capture --until-lsn "$target") | (tandem apply queue put) || tools_failed "capture | queue put"
  record "$1" "$2" capture "$(seconds_since "$began")"
  ready apply
  began=$(micros)
  (tandem apply apply) || tools_failed "apply"
  record "$1" "$2" apply "$(seconds_since "$began")"
  arrived apply "$3"
}

contend_pipeline() { whole_pipeline pipeline "$@"; }
contend_default() { whole_pipeline default "$@"; }
whole_pipeline() { # NODE ROUND CASE MARK
  local began pid
  ready "$1"
  began=$(micros)
  (tandem "$1" apply --until-lsn "$target") &
  pid=$!
  background=("$pid")
  (tandem "$1" capture --until-lsn "$target") | (tandem "$1" queue put) || tools_failed "capture | queue put"
  wait "$pid" || tools_failed "apply"
  background=()
  record "$2" "$3" "$1" "$(seconds_since "$began")"
  arrived "$1" "$4"
}

arrived() { # DATABASE MARK
  [ "$(cluster_psql standby "$1" -Atc "SELECT count(*) FROM categories WHERE name = '$2'")" = 1 ] ||
    die "$1 ended, but the last transaction is not in its database"
}
