-- Every contender starts alike: its tables and indexes in shared buffers, nothing left to write from before.
SELECT sum(pg_prewarm(oid)) FROM pg_class
 WHERE oid IN (SELECT indexrelid FROM pg_index WHERE indrelid IN ('images'::regclass, 'categories'::regclass)
               UNION ALL SELECT 'images'::regclass UNION ALL SELECT 'categories'::regclass) \g /dev/null
CHECKPOINT;
