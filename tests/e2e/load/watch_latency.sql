-- On the standby: when was each row of pings first visible? Looks every 2 ms, each look with a snapshot of its own.
CREATE SCHEMA latency;
CREATE TABLE latency.seen (id bigint PRIMARY KEY, at timestamptz NOT NULL);
CREATE TABLE latency.committed (id bigint PRIMARY KEY, at timestamptz NOT NULL);
CREATE PROCEDURE latency.watch(seconds integer) LANGUAGE plpgsql AS $$
DECLARE
    until timestamptz := clock_timestamp() + make_interval(secs => seconds);
BEGIN
    SET synchronous_commit = off;
    WHILE clock_timestamp() < until LOOP
        INSERT INTO latency.seen
            SELECT id, clock_timestamp() FROM public.pings
             WHERE id > (SELECT coalesce(max(id), 0) - 200 FROM latency.seen) ON CONFLICT DO NOTHING;
        COMMIT;
        PERFORM pg_sleep(0.002);
    END LOOP;
END $$;
