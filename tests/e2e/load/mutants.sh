# shellcheck shell=bash
# Does exactly_once_test.sh notice? Each mutant spoils the finished standby, or the evidence, in one way; check_all must then
# fail for the reason given, and pass again when the mutant is undone.

caught() { # NAME EXPECTED-REASON SPOIL UNDO   (SQL on the standby; audit's trigger sees to its own log, as in earnest)
  local output
  standby "$3" >/dev/null
  if output=$( (check_all) 2>&1); then fail "mutant '$1' was not noticed"; fi
  grep -q -- "$2" <<<"$output" || fail "mutant '$1' was noticed for another reason: $output"
  standby "$4" >/dev/null
  say "noticed: $1"
}

as_replica="set session_replication_role = replica"
quietly="alter table ledger disable trigger audit"
loudly="alter table ledger enable always trigger audit"
txn=$(sed -n "$(($(wc -l <"$work/truth") / 2))p" "$work/truth")
row=$(standby "select format('(%s, %s, %L)', txn, client, kind) from ledger where txn = $txn")
seq=$(standby "select seq from audit.log where tab = 'ledger' and key = '$txn'")

caught "a transaction's row is lost" "^< ledger" \
  "$quietly; delete from ledger where txn = $txn; $loudly" "$quietly; insert into ledger values $row; $loudly"
caught "a row is repeated" "^> ledger" \
  "$quietly; insert into ledger values $row; $loudly" \
  "$quietly; delete from ledger where ctid = (select max(ctid) from ledger where txn = $txn); $loudly"
caught "a row was inserted twice and one of the two deleted again" "changes of the keyless table that are no inserts" \
  "insert into ledger values $row; delete from ledger where ctid = (select max(ctid) from ledger where txn = $txn)" \
  "delete from audit.log where seq >= (select max(seq) - 1 from audit.log) and tab = 'ledger'"
caught "two transactions changed places" "another order" \
  "update audit.log set key = (select key from audit.log where tab = 'ledger' and seq > $seq order by seq limit 1) where seq = $seq" \
  "update audit.log set key = $txn where seq = $seq"
caught "an update was applied twice" "^> counters" \
  "$as_replica; update counters set n = n + 1 where client = 0" \
  "$as_replica; update counters set n = n - 1 where client = 0"
caught "a deleted row came back" "^> images" \
  "$as_replica; insert into images (id, url) values (-1, 'back')" "$as_replica; delete from images where id = -1"
caught "empty became NULL" "^> images" \
  "$as_replica; update images set title = null where id = (select min(id) from images where title = ''); " \
  "$as_replica; update images set title = '' where id = (select key::int from audit.log order by seq desc limit 1)"
caught "a snapshot showed half a transaction" "a transaction was torn" \
  "insert into audit.snapshots select taken, n, sum, hash, marks - 1, marks_sum, marks_hash, counted, bank, 0, server_start from audit.snapshots where n = (select max(n) from audit.snapshots) limit 1" \
  "delete from audit.snapshots where n <> marks"
caught "a snapshot showed a later transaction without an earlier one" "no prefix" \
  "insert into audit.snapshots select taken, n, sum + 1, hash, n, sum + 1, hash, n, bank, 0, server_start from audit.snapshots where n = (select max(n) from audit.snapshots) limit 1" \
  "delete from audit.snapshots s where sum <> (select sum(txn) from audit.truth t where t.n <= s.n)"
caught "a snapshot showed half a transfer" "the bank's sum was another" \
  "update audit.snapshots set bank = bank + 1 where n = (select max(n) from audit.snapshots)" \
  "update audit.snapshots set bank = 20000 where n > 0"
caught "a snapshot showed an earlier state than the one before" "older than one before" \
  "insert into audit.snapshots select s.* from (select max(taken) + interval '1 s' as late, server_start as last from audit.snapshots
     group by server_start having count(distinct n) > 1 order by 1 desc limit 1) l,
   lateral (select late, n, sum, hash, marks, marks_sum, marks_hash, counted, bank, orphans, server_start from audit.snapshots
     where server_start = last and n > 0 order by n limit 1) s" \
  "delete from audit.snapshots where taken = (select max(taken) from audit.snapshots)"
caught "a sequence stayed behind" "next id of images is free" \
  "select setval('images_id_seq', 5)" "select setval('images_id_seq', (select max(id) from images))"
acknowledged=$(tail -n 1 "$work/acknowledged")
echo "${acknowledged% *} 0/1" >>"$work/acknowledged"
caught "acknowledged before it was durable" "was acknowledged to the primary" "select 1" "select 1"
sed -i '$d' "$work/acknowledged"
(check_all) || fail "a mutant was not undone"
