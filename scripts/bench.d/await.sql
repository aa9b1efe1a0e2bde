-- Returns when category `mark`, which a case's last transaction brings, is visible here. It commits at each look, because
-- a snapshot held for the whole wait would keep the dead versions of hot rows from being pruned.
CREATE PROCEDURE await_mark(mark text) LANGUAGE plpgsql AS $$
BEGIN
    LOOP
        EXIT WHEN EXISTS (SELECT FROM categories WHERE name = mark);
        PERFORM pg_sleep(0.005);
        COMMIT;
    END LOOP;
END $$;
CREATE EXTENSION pg_prewarm;
