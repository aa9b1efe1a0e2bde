-- What the demo's clients do, on the primary only: a crawler finds images, looks at them again, forgets some.
CREATE FUNCTION some_image() RETURNS integer LANGUAGE sql VOLATILE AS $$
    SELECT id FROM images WHERE id >= (SELECT 1 + floor(random() * last_value)::integer FROM images_id_seq) ORDER BY id LIMIT 1
$$;

CREATE FUNCTION find_image() RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    image images;
BEGIN
    SELECT * INTO image FROM image_row(nextval('images_id_seq')::integer);
    image.category_id := 1 + image.id % 24;
    image.duplicate_of := NULL;
    IF image.is_duplicate THEN
        -- Locked, so that no other client forgets it before this transaction is through.
        SELECT id INTO image.duplicate_of FROM images WHERE id = (SELECT some_image()) FOR KEY SHARE SKIP LOCKED;
    END IF;
    image.is_downloaded := false;
    image.crawled_at := NULL;
    image.created_at := clock_timestamp();
    image.updated_at := image.created_at;
    INSERT INTO images VALUES (image.*);
END $$;

CREATE FUNCTION look_again() RETURNS void LANGUAGE sql AS $$
    UPDATE images
       SET is_downloaded = true, views = views + 1, http_status = 200, quality_score = random(),
           crawled_at = clock_timestamp(), updated_at = clock_timestamp()
     WHERE id = (SELECT some_image())
$$;

CREATE FUNCTION forget_image() RETURNS void LANGUAGE sql AS $$
    DELETE FROM images WHERE id = (SELECT some_image())
$$;
