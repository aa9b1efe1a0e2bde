\set a random(1, 199)
\set b random(:a + 1, 200)
\set last random(1, 200)
BEGIN;
SELECT load.swap_hashes(:a, :b);
-- and round: two values change places and back, a third row gets a fresh one
SELECT load.swap_hashes(:b, :a) WHERE :last % 3 = 0;
SELECT load.sign(:client_id, 'swap');
COMMIT;
