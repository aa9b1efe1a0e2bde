\set a random(1, 20)
\set b random(1, 20)
\set amount random(1, 100)
BEGIN;
UPDATE accounts SET balance = balance - :amount WHERE id = least(:a, :b);
UPDATE accounts SET balance = balance + :amount WHERE id = greatest(:a, :b);
SELECT load.sign(:client_id, 'transfer');
COMMIT;
