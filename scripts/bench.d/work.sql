-- The work of the cases, made on the primary: the quickest way to 100,000 transactions is a loop that commits.
CREATE PROCEDURE insert_images(operations integer) LANGUAGE plpgsql AS $$
DECLARE
    next integer;  -- not nextval() as the argument: a volatile one keeps image_row() from being inlined
BEGIN
    FOR i IN 1 .. operations LOOP
        next := nextval('images_id_seq');
        INSERT INTO images SELECT * FROM image_row(next);
        COMMIT;
    END LOOP;
END $$;

-- As a crawler looks at its pictures again: no indexed column changes, so with room in the page these updates are HOT, and
-- without it they write all five indexes. `keys` of the first `rows` ids take part, evenly spread.
CREATE PROCEDURE update_images(operations integer, keys integer, rows integer) LANGUAGE plpgsql AS $$
DECLARE
    chosen integer;  -- not an expression in the WHERE: random() there is volatile and would forbid the index
BEGIN
    FOR i IN 1 .. operations LOOP
        chosen := 1 + floor(random() * keys)::integer * (rows / keys);
        UPDATE images
           SET views = views + 1, http_status = 200 + i % 2, quality_score = random(), crawled_at = clock_timestamp(),
               updated_at = clock_timestamp()
         WHERE id = chosen;
        COMMIT;
    END LOOP;
END $$;

CREATE PROCEDURE bulk_images(operations integer) LANGUAGE plpgsql AS $$
DECLARE
    first integer := nextval('images_id_seq');
BEGIN
    INSERT INTO images SELECT row.* FROM generate_series(first, first + operations - 1) AS n CROSS JOIN LATERAL image_row(n) AS row;
    PERFORM setval('images_id_seq', first + operations - 1);
END $$;
