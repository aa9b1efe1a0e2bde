-- A row is deleted and a new one takes its key, in one transaction or in two; some stay away, a category goes.
\set n random(1, 1000000)
BEGIN;
WITH gone AS (
    DELETE FROM images
     WHERE id = (SELECT id FROM images WHERE id > 200 + :n % 2000 ORDER BY id LIMIT 1 FOR UPDATE SKIP LOCKED)
    RETURNING id)
SELECT coalesce(max(id), 0) AS id FROM gone \gset
\if :n % 3 = 0
SELECT load.sign(:client_id, 'replace');
COMMIT;
BEGIN;
\endif
INSERT INTO images (id, url, title, md5_hash, body)
    SELECT :id, 'again', load.words(:n), md5(pg_current_xact_id()::text), load.body(:n)
     WHERE :id > 0 AND :n % 5 > 0 ON CONFLICT DO NOTHING;
DELETE FROM images WHERE id IN (SELECT id FROM images WHERE id > 200 ORDER BY id LIMIT 6 FOR UPDATE SKIP LOCKED) AND :n % 2 = 0;
DELETE FROM categories WHERE id = (SELECT id FROM categories WHERE id > 40 ORDER BY id LIMIT 1 FOR UPDATE SKIP LOCKED);
INSERT INTO categories (name) VALUES ('of ' || pg_current_xact_id()::text);
UPDATE images SET category_id = currval('categories_id_seq') WHERE id = 1 + :n % 200;
SELECT load.sign(:client_id, 'replace');
COMMIT;
