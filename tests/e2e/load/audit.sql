-- On the standby only: who did what there, in the order in which it was done and in the transaction that did it.
CREATE SCHEMA audit;
CREATE TABLE audit.log (
    seq    bigserial PRIMARY KEY,
    tab    text NOT NULL,
    op     text NOT NULL,
    key    text,
    batch  bigint NOT NULL DEFAULT pg_current_xact_id()::text::bigint   -- the standby's transaction
);
CREATE FUNCTION audit.note() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    line jsonb := to_jsonb(CASE TG_OP WHEN 'DELETE' THEN OLD ELSE NEW END);
BEGIN
    INSERT INTO audit.log (tab, op, key)
        VALUES (TG_TABLE_NAME, left(TG_OP, 1), coalesce(line ->> 'txn', line ->> 'id', line ->> 'client'));
    RETURN NULL;
END $$;
DO $$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['ledger', 'marks', 'counters', 'accounts', 'images', 'categories', 'visits'] LOOP
        EXECUTE format('CREATE TRIGGER audit AFTER INSERT OR UPDATE OR DELETE ON public.%I FOR EACH ROW EXECUTE FUNCTION audit.note()', name);
        EXECUTE format('ALTER TABLE public.%I ENABLE ALWAYS TRIGGER audit', name);
    END LOOP;
END $$;
-- What the reader saw, snapshot by snapshot, and the primary's commit order as another plugin decoded it.
CREATE TABLE audit.snapshots (
    taken timestamptz, n bigint, sum numeric, hash numeric, marks bigint, marks_sum numeric, marks_hash numeric,
    counted bigint, bank bigint, orphans bigint, server_start bigint
);
CREATE TABLE audit.truth (n bigserial, txn bigint NOT NULL);
