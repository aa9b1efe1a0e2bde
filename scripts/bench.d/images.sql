-- The tables of the bench: images as crawlers have them, 30 columns and five indexes, and the categories they belong to.
-- The indexes come in load.sql, after the rows. A tenth of each page stays free, as in a table that is updated and
-- vacuumed for long: a freshly packed one is found only after a restore.
CREATE TABLE categories (
    id          serial PRIMARY KEY,
    name        text NOT NULL UNIQUE,
    created_at  timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE images (
    id               serial,
    url              text NOT NULL,
    page_url         text,
    domain           text NOT NULL,
    title            text,
    alt_text         text,
    description      text,
    filename         text,
    storage_path     text,
    md5_hash         text NOT NULL,
    perceptual_hash  text,
    mime_type        text,
    width            integer,
    height           integer,
    file_size        bigint,
    aspect_ratio     float8,
    quality_score    float8,
    nsfw_score       float8,
    dominant_color   text,
    http_status      integer,
    views            integer NOT NULL DEFAULT 0,
    is_downloaded    boolean NOT NULL DEFAULT false,
    is_duplicate     boolean NOT NULL DEFAULT false,
    is_active        boolean NOT NULL DEFAULT true,
    category_id      integer,
    duplicate_of     integer,
    exif_data        json,
    crawled_at       timestamptz,
    created_at       timestamptz NOT NULL,
    updated_at       timestamptz NOT NULL
) WITH (fillfactor = 90);

-- Row n is the same wherever it is made, so that each server can load its own. A plain SELECT, for the planner to inline.
CREATE FUNCTION image_row(n integer) RETURNS SETOF images LANGUAGE sql IMMUTABLE AS $$
    SELECT n,
           'https://cdn' || n % 7 || '.site' || h % 5000 || '.example/media/' || left(m, 2) || '/' || m || '.jpg',
           'https://www.site' || h % 5000 || '.example/gallery/' || h % 90000,
           'site' || h % 5000 || '.example',
           'Picture ' || n || ' of a series on ' || left(m, 12),
           CASE WHEN n % 3 > 0 THEN 'a view of ' || substr(m, 5, 20) END,
           CASE WHEN n % 4 = 0 THEN 'Found while crawling, described by its page as ' || m || ', ' || reverse(m) END,
           m || '.jpg',
           '/var/images/' || left(m, 2) || '/' || substr(m, 3, 2) || '/' || m || '.jpg',
           m,
           right(m, 16),
           CASE h % 4 WHEN 0 THEN 'image/png' WHEN 1 THEN 'image/webp' ELSE 'image/jpeg' END,
           320 + h % 3700,
           240 + h % 2100,
           20000 + h % 9000000,
           (320 + h % 3700)::float8 / (240 + h % 2100),
           h % 1000003 / 1000003.0::float8,
           CASE WHEN n % 5 > 0 THEN h % 65537 / 65537.0::float8 END,
           '#' || right(m, 6),
           200,
           h % 500,
           true,
           n % 50 = 0,
           true,
           1 + h % 200,
           CASE WHEN n % 50 = 0 THEN n - 1 END,
           json_build_object('camera', 'Model ' || h % 300, 'iso', 100 * (1 + h % 32), 'exposure', '1/' || 1 + h % 4000),
           '2025-01-01Z'::timestamptz + n * interval '10 seconds' + interval '3 seconds',
           '2025-01-01Z'::timestamptz + n * interval '10 seconds',
           '2025-01-01Z'::timestamptz + n * interval '10 seconds' + interval '1 hour'
      FROM (SELECT md5('image ' || n) AS m, hashint4(n) & 2147483647 AS h) AS seed
$$;
