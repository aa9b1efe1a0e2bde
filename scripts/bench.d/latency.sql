-- For scripts/bench latency: how rows are written on the primary, and how they are looked for on the standby.

-- One image, stamped with the clock in the moment before its commit.
CREATE PROCEDURE write_image() LANGUAGE plpgsql AS $$
DECLARE
    image images;
BEGIN
    SELECT * INTO image FROM image_row(nextval('images_id_seq')::integer);
    image.duplicate_of := NULL;  -- another client may not have committed that one yet
    image.created_at := clock_timestamp();
    INSERT INTO images VALUES (image.*);
END $$;

CREATE TABLE seen (id integer, at timestamptz);

-- Notes when which image became visible here, with about a millisecond between two looks, until category `mark` is there.
-- Clients commit in another order than they draw ids, so each look goes back over the last 64 ids. Writes only at the end,
-- so as not to share the server's commits with what is measured.
CREATE PROCEDURE watch_images(mark text) LANGUAGE plpgsql AS $$
DECLARE
    newest integer := (SELECT max(id) FROM images);
    known  integer[] := ARRAY(SELECT id FROM images ORDER BY id DESC LIMIT 64);
    fresh  integer[];
    ids    integer[] := '{}';
    times  timestamptz[] := '{}';
BEGIN
    LOOP
        fresh := ARRAY(SELECT id FROM images WHERE id > newest - 64 AND id <> ALL (known) ORDER BY id);
        IF cardinality(fresh) > 0 THEN
            ids := ids || fresh;
            times := times || array_fill(clock_timestamp(), ARRAY[cardinality(fresh)]);
            newest := greatest(newest, fresh[cardinality(fresh)]);
            known := ARRAY(SELECT id FROM unnest(known || fresh) AS id WHERE id > newest - 64);
        END IF;
        EXIT WHEN EXISTS (SELECT FROM categories WHERE name = mark);
        PERFORM pg_sleep(0.001);
        COMMIT;
    END LOOP;
    INSERT INTO seen SELECT * FROM unnest(ids, times);
END $$;

-- Milliseconds from written to seen, without what was written in the first second.
CREATE VIEW latency AS
SELECT created_at, 1000 * extract(epoch FROM seen.at - created_at) AS ms
  FROM images LEFT JOIN seen USING (id)
 WHERE created_at > (SELECT min(created_at) + interval '1 second' FROM images JOIN seen USING (id));

CREATE VIEW latency_summary AS
SELECT round(percentile_cont(0.5) WITHIN GROUP (ORDER BY ms)::numeric, 1) AS median,
       round(percentile_cont(0.95) WITHIN GROUP (ORDER BY ms)::numeric, 1) AS p95,
       round(percentile_cont(0.99) WITHIN GROUP (ORDER BY ms)::numeric, 1) AS p99,
       round(max(ms), 1) AS most, count(*) AS rows, count(*) - count(ms) AS unseen,
       round(count(*) / extract(epoch FROM max(created_at) - min(created_at))) AS rate
  FROM latency;
