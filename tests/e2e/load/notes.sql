-- Small tables, now and then emptied inside a transaction that writes before and after.
\set n random(1, 1000000)
BEGIN;
INSERT INTO notes (body, amount, raw, words, at, attrs)
    SELECT load.words(:n + i), (ARRAY['NaN', '0.00', '-1.50', '1e-20', '123456789012345678901234567890.5'])[1 + (:n + i) % 5]::numeric,
           decode(md5((:n + i)::text), 'hex') || '\x005c27'::bytea, ARRAY[load.words(:n), NULL, '', 'a,b{}"\'],
           (ARRAY['infinity', '-infinity', '0044-03-15 BC', '2026-03-29 01:30:00.123456+00'])[1 + (:n + i) % 4]::timestamptz,
           jsonb_build_object('n', :n, 'w', load.words(:n))
      FROM generate_series(1, 3) AS i;
\if :n % 20 = 0
TRUNCATE notes CASCADE;
\elif :n % 20 = 1
TRUNCATE notes, note_tags RESTART IDENTITY;
INSERT INTO notes (body) VALUES ('first again');
\endif
INSERT INTO note_tags SELECT id, coalesce(load.words(:n), 'none'), 0.1 FROM notes ORDER BY id DESC LIMIT 1 ON CONFLICT DO NOTHING;
UPDATE note_tags SET weight = weight / 3 WHERE tag = load.words(:n + 1);
SELECT load.sign(:client_id, 'notes');
COMMIT;
