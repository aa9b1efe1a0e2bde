# shellcheck shell=bash
# What must be true when the load is over and the standby has everything; to be sourced by exactly_once_test.sh after lib.sh.
# Each check stands for itself, looks only, and ends the test with what is wrong.

# The commit order as another plugin decoded it from a slot of its own, and what the reader saw, into tables of the standby.
gather_evidence() {
  primary "copy (select substring(data from 'txn\[bigint\]:(\d+)') from pg_logical_slot_peek_changes('truth', null, null, 'skip-empty-xacts', '1')
    where data like 'table public.ledger: INSERT: %') to stdout" >"$work/truth"
  standby "copy audit.truth (txn) from stdin" <"$work/truth"
  # A server that dies may take the last line along half written.
  grep -E '^[^|]+(\|-?[0-9]+){10}$' "$work/snapshots" | standby "copy audit.snapshots from stdin (delimiter '|')"
}

check_truth() { # is the evidence itself whole?
  same "ids in the primary's ledger that its own log does not show, or the reverse" "" \
    "$(diff <(sort "$work/truth") <(primary 'select txn from ledger' | sort) | head -n 5 || true)"
}

check_once_in_order() {
  same "the keyless table's rows more than once on the standby" 0 "$(standby 'select count(*) - count(distinct txn) from ledger')"
  same "changes of the keyless table that are no inserts" 0 "$(standby "select count(*) from audit.log where tab = 'ledger' and op <> 'I'")"
  standby "select key from audit.log where tab = 'ledger' order by seq" | cmp -s - "$work/truth" ||
    fail "the standby inserted in another order than the primary committed, or something else:"$'\n'"$(standby \
      "select key from audit.log where tab = 'ledger' order by seq" | diff "$work/truth" - | head -n 6 || true)"
  # A key's inserts and deletes alternate, whatever a batch folded; so their difference is what is there.
  local table
  for table in ledger marks images categories accounts counters visits; do
    same "rows of $table inserted less those deleted, and there" "$(standby "select count(*) from $table")" \
      "$(standby "select count(*) filter (where op = 'I') - count(*) filter (where op = 'D') from audit.log where tab = '$table'")"
  done
}

check_snapshots() {
  same "snapshots in which a transaction was torn" "" "$(standby "select taken, n, marks, counted from audit.snapshots
    where (n, sum, hash) is distinct from (marks, marks_sum, marks_hash) or n <> counted limit 3")"
  same "snapshots in which the bank's sum was another" "" "$(standby "select taken, bank from audit.snapshots
    where n > 0 and bank <> 20000 limit 3")"
  same "snapshots with a reference to nothing" "" "$(standby 'select taken, orphans from audit.snapshots where orphans > 0 limit 3')"
  same "snapshots that are no prefix of the primary's commits" "" "$(standby "with prefix as (
      select n, sum(txn) over w as sum, sum(hashint8(txn)::bigint) over w as hash from audit.truth window w as (order by n))
    select taken, s.n from audit.snapshots s left join prefix p on (p.n, p.sum, p.hash) = (s.n, s.sum, s.hash)
     where s.n > 0 and p.n is null limit 3")"
  # A crash of the standby may take back the last second, which then comes again; nothing else may.
  same "snapshots older than one before" 0 "$(standby 'select count(*) from (
    select n < lag(n) over (partition by server_start order by taken) as back from audit.snapshots) s where back')"
}

# A switch-over must never meet a duplicate key.
check_sequences() {
  local table
  for table in images categories notes; do
    same "next id of $table is free" t "$(standby "select nextval(pg_get_serial_sequence('$table', 'id')) > (select coalesce(max(id), 0) from $table)")"
  done
}

# Only what the spool holds durably may have been acknowledged to the primary.
check_acknowledged() {
  local acknowledged durable
  while read -r acknowledged durable; do
    [ "$(lsn_number "$acknowledged")" -le "$(lsn_number "$durable")" ] ||
      fail "$acknowledged was acknowledged to the primary when only $durable was durable in the spool"
  done <"$work/acknowledged"
}

check_all() {
  check_truth
  equal_tables
  check_once_in_order
  check_snapshots
  check_sequences
  check_acknowledged
}
