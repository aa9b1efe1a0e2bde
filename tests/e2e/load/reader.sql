-- One statement, so one snapshot: see audit.snapshots.
SELECT clock_timestamp(), l.n, l.sum, l.hash, m.n, m.sum, m.hash,
       (SELECT coalesce(sum(n), 0) FROM counters),
       (SELECT coalesce(sum(balance), 0) FROM accounts),
       (SELECT count(*) FROM images AS i LEFT JOIN categories AS c ON c.id = i.category_id
                        LEFT JOIN images AS d ON d.id = i.duplicate_of
         WHERE i.category_id IS NOT NULL AND c.id IS NULL OR i.duplicate_of IS NOT NULL AND d.id IS NULL),
       (extract(epoch FROM pg_postmaster_start_time()) * 1000000)::bigint
  FROM (SELECT count(*) AS n, coalesce(sum(txn), 0) AS sum, coalesce(sum(hashint8(txn)::bigint), 0) AS hash FROM ledger) AS l,
       (SELECT count(*) AS n, coalesce(sum(txn), 0) AS sum, coalesce(sum(hashint8(txn)::bigint), 0) AS hash FROM marks) AS m;
