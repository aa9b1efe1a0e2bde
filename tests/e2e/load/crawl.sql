-- A page with some images; one seen before is counted, its long body stays untouched.
\set n random(1, 1000000)
\set rows random(1, 6)
\set seen random(1, 200)
BEGIN;
INSERT INTO images (url, title, md5_hash, width, file_size, quality_score, category_id, duplicate_of, exif_data, body, crawled_at)
    SELECT 'https://example.org/' || :n || '/' || i, load.words(:n + i), md5(pg_current_xact_id()::text || ' ' || i),
           nullif(:n % 7, 0), 9223372036854775807 - :n - i, (ARRAY['NaN', '-Infinity', 'Infinity', '-0', '0.1', '1e-300'])[1 + (:n + i) % 6]::float8 + 0,
           1 + (:n + i) % 40, CASE WHEN i = 3 THEN :seen END,
           json_build_object('iso', :n, 'lens', load.words(:n)), load.body(:n + i), now()
      FROM generate_series(1, :rows) AS i;
UPDATE images SET views = views + 1 WHERE id = :seen;
SELECT load.sign(:client_id, 'crawl');
COMMIT;
