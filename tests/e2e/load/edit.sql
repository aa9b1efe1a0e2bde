-- Columns beside a long body, NULL to empty and back, a row changed several times.
\set n random(1, 1000000)
\set a random(1, 200)
BEGIN;
UPDATE images SET title = load.words(:n), views = views + 1 WHERE id = :a;
UPDATE images SET title = CASE WHEN title IS NULL THEN '' WHEN title = '' THEN NULL ELSE title || '!' END WHERE id = :a;
UPDATE images SET body = CASE WHEN :n % 40 > 0 THEN repeat(md5(:n::text), 640) END, is_duplicate = NOT is_duplicate
 WHERE id = :a AND :n % 10 = 0;
UPDATE images SET quality_score = :n / 3.0, crawled_at = 'infinity'
 WHERE id = (SELECT id FROM images WHERE id > 200 + :n % 3000 ORDER BY id LIMIT 1);
UPDATE categories SET note = load.words(:n) WHERE id = 1 + :n % 40;
SELECT load.sign(:client_id, 'edit');
COMMIT;
