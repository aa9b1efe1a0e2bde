-- Parts of a transaction, and whole ones, that never were.
\set n random(1, 1000000)
\set a random(1, 200)
BEGIN;
UPDATE images SET views = views + 1 WHERE id = :a;
SAVEPOINT one;
INSERT INTO images (url, md5_hash) SELECT 'never', md5(pg_current_xact_id()::text || ' ' || i) FROM generate_series(1, 5) AS i;
UPDATE images SET title = 'never' WHERE id = :a;
SAVEPOINT two;
DELETE FROM accounts WHERE id = 1 + :n % 20;
ROLLBACK TO one;
INSERT INTO images (url, md5_hash, title) VALUES ('kept', md5(pg_current_xact_id()::text || ' kept'), load.words(:n));
SAVEPOINT three;
UPDATE images SET views = views + 10 WHERE id = :a;
RELEASE three;
SELECT load.sign(:client_id, 'savepoints');
COMMIT;
BEGIN;
SELECT load.sign(:client_id, 'never');
UPDATE accounts SET balance = 0 WHERE id = 1 + :n % 20;
ROLLBACK;
