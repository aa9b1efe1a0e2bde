-- Many rows at once, now and then.
\set dice random(1, 30)
BEGIN;
\if :dice = 1
INSERT INTO bulk SELECT pg_current_xact_id()::text::bigint * 100000 + i, pg_current_xact_id()::text::bigint, 'row ' || i
  FROM generate_series(1, 20000) AS i;
DELETE FROM bulk WHERE batch < (SELECT max(batch) FROM (SELECT DISTINCT batch FROM bulk ORDER BY batch DESC OFFSET 3) AS old);
\endif
SELECT load.sign(:client_id, 'bulk');
COMMIT;
