-- Fills an empty database of images.sql with :rows rows the fastest way, then builds the five indexes.
INSERT INTO categories (name, created_at) SELECT 'category ' || n, '2025-01-01Z' FROM generate_series(1, 200) AS n;
INSERT INTO images SELECT row.* FROM generate_series(1, :rows) AS n CROSS JOIN LATERAL image_row(n) AS row;
SELECT setval('images_id_seq', :rows) \g /dev/null
ALTER TABLE images ADD PRIMARY KEY (id);
ALTER TABLE images ADD UNIQUE (md5_hash);
CREATE INDEX ON images (category_id);
CREATE INDEX ON images (created_at);
CREATE INDEX ON images (domain);
ALTER TABLE images ADD FOREIGN KEY (category_id) REFERENCES categories NOT VALID;
ALTER TABLE images ADD FOREIGN KEY (duplicate_of) REFERENCES images NOT VALID;
VACUUM (FREEZE, ANALYZE) categories, images;
