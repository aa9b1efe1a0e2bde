-- A row moves to another key, once or along a chain, with its long body untouched; what refers to it follows.
\set n random(1, 1000000)
BEGIN;
WITH moved AS (
    UPDATE images SET id = nextval('images_id_seq')
     WHERE id = (SELECT id FROM images WHERE id > 200 + :n % 2000 ORDER BY id LIMIT 1 FOR UPDATE SKIP LOCKED)
    RETURNING id)
SELECT coalesce(max(id), 0) AS id FROM moved \gset
UPDATE images SET id = nextval('images_id_seq'), title = load.words(:n) WHERE id = :id AND :n % 2 = 0;
UPDATE images SET duplicate_of = :id WHERE id = 1 + :n % 200 AND EXISTS (SELECT FROM images WHERE id = :id);
SELECT load.sign(:client_id, 'rekey');
COMMIT;
