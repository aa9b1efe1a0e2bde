-- images as crawlers have them, and the categories they belong to: what most tests write to.
CREATE TABLE categories (
    id          serial PRIMARY KEY,
    name        text NOT NULL UNIQUE,
    note        text,
    created_at  timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE images (
    id             serial PRIMARY KEY,
    url            text NOT NULL,
    title          text,
    md5_hash       text UNIQUE,
    width          integer,
    file_size      bigint,
    quality_score  float8,
    is_duplicate   boolean NOT NULL DEFAULT false,
    category_id    integer REFERENCES categories ON DELETE SET NULL,
    duplicate_of   integer REFERENCES images ON DELETE SET NULL ON UPDATE CASCADE,
    exif_data      json,
    body           text,
    crawled_at     timestamptz,
    views          integer NOT NULL DEFAULT 0
);
-- A long body is stored out of line as it is, so that an update of another column finds it there, untouched.
ALTER TABLE images ALTER body SET STORAGE EXTERNAL;
CREATE INDEX ON images (category_id);
CREATE INDEX ON images (duplicate_of);
