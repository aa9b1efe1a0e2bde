-- What the mixed load writes to beside images and categories; on both servers.

-- Every transaction of the load leaves its id in these three, or in none of them.
CREATE TABLE ledger (txn bigint NOT NULL, client integer NOT NULL, kind text NOT NULL);   -- no key: a repeat would stay
ALTER TABLE ledger REPLICA IDENTITY NOTHING;
CREATE TABLE marks (txn bigint PRIMARY KEY, client integer NOT NULL);
CREATE TABLE counters (client integer PRIMARY KEY, n bigint NOT NULL, last_txn bigint);

CREATE TABLE accounts (id integer PRIMARY KEY, balance bigint NOT NULL);                  -- their sum never changes

-- Emptied now and then, together with what refers to it. Types whose text form is easily spoilt.
CREATE TABLE notes (
    id      bigserial PRIMARY KEY,
    body    text,
    amount  numeric,
    raw     bytea,
    words   text[],
    at      timestamptz,
    attrs   jsonb
);
CREATE TABLE note_tags (note_id bigint NOT NULL REFERENCES notes ON DELETE CASCADE, tag text NOT NULL, weight float8);
CREATE UNIQUE INDEX note_tags_identity ON note_tags (note_id, tag);
ALTER TABLE note_tags REPLICA IDENTITY USING INDEX note_tags_identity;

-- Equal rows, of which one is changed: known by all their columns.
CREATE TABLE visits (page text, hits integer, snippet text);
ALTER TABLE visits ALTER snippet SET STORAGE EXTERNAL;
ALTER TABLE visits REPLICA IDENTITY FULL;

CREATE TABLE bulk (id bigint PRIMARY KEY, batch bigint NOT NULL, payload text NOT NULL);
