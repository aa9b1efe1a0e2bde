-- Equal rows without a key: some more, one changed, others gone.
\set page random(0, 9)
\set n random(1, 1000000)
BEGIN;
INSERT INTO visits SELECT load.words(:page), nullif(:n % 3, 0), CASE WHEN :page = 9 THEN repeat('snippet ', 400) END
  FROM generate_series(1, 2);
UPDATE visits SET hits = coalesce(hits, 0) + 1
 WHERE ctid = (SELECT ctid FROM visits WHERE page IS NOT DISTINCT FROM load.words(:page) LIMIT 1 FOR UPDATE);
DELETE FROM visits
 WHERE ctid = ANY (ARRAY(SELECT ctid FROM visits WHERE page IS NOT DISTINCT FROM load.words(:page) OFFSET 3 LIMIT 2 FOR UPDATE));
SELECT load.sign(:client_id, 'visits');
COMMIT;
