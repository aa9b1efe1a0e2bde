-- The demo's keys and indexes on the tables of bench.d/images.sql, on both sides. A standby has the same constraints as its
-- primary, and they are checked there by what is written, not by trust.
ALTER TABLE images
    ADD PRIMARY KEY (id),
    ADD UNIQUE (md5_hash),
    ADD FOREIGN KEY (category_id) REFERENCES categories,
    ADD FOREIGN KEY (duplicate_of) REFERENCES images ON DELETE SET NULL;
CREATE INDEX ON images (category_id);
CREATE INDEX ON images (duplicate_of);
CREATE INDEX ON images (domain);
