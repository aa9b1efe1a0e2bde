-- What the load's scripts call, and its first rows; on the primary only. Rows with an id up to 200 are never deleted and
-- keep their key, so that a script always finds the row it wants.
CREATE SCHEMA load;

-- Signs the running transaction.
CREATE FUNCTION load.sign(client integer, kind text) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    me bigint := pg_current_xact_id()::text;
BEGIN
    INSERT INTO public.ledger VALUES (me, client, kind);
    UPDATE public.counters SET n = n + 1, last_txn = me WHERE counters.client = sign.client;
    INSERT INTO public.marks VALUES (me, client);
    RETURN me;
END $$;

-- NULL, empty, and what quoting, escaping and encodings trip over.
CREATE FUNCTION load.words(n integer) RETURNS text LANGUAGE sql IMMUTABLE AS $$
    SELECT (ARRAY[NULL, '', ' ', 'NULL', '\N', '\.', E'tab\there, line\nbreak, return\r', 'back\slash ''quote'' "double"',
                  'größer 漢字 🐘', E'\u0001\u007f\u2028', '{"json": [1, null]}', '$1 %s {}', 'plain'])[1 + n % 13]
$$;

CREATE FUNCTION load.body(n integer) RETURNS text LANGUAGE sql IMMUTABLE AS $$
    SELECT CASE WHEN n % 12 = 0 THEN repeat(md5(n::text), 640) END   -- 20 kB
$$;

-- Two rows change places in a unique column.
CREATE FUNCTION load.swap_hashes(a integer, b integer) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    hash_a text;
    hash_b text;
BEGIN
    PERFORM FROM public.images WHERE id IN (a, b) ORDER BY id FOR UPDATE;
    SELECT md5_hash INTO hash_a FROM public.images WHERE id = a;
    SELECT md5_hash INTO hash_b FROM public.images WHERE id = b;
    UPDATE public.images SET md5_hash = NULL WHERE id = a;
    UPDATE public.images SET md5_hash = hash_a WHERE id = b;
    UPDATE public.images SET md5_hash = hash_b WHERE id = a;
END $$;

INSERT INTO public.categories (name) SELECT 'category ' || n FROM generate_series(1, 40) AS n;
INSERT INTO public.images (url, title, md5_hash, category_id, body)
    SELECT 'https://example.org/' || n, load.words(n), md5('image ' || n), 1 + n % 40, load.body(6 * n)
      FROM generate_series(1, 400) AS n;
INSERT INTO public.accounts SELECT n, 1000 FROM generate_series(1, 20) AS n;
INSERT INTO public.counters SELECT n, 0 FROM generate_series(0, 9) AS n;
