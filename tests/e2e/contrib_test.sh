#!/usr/bin/env bash
# The tables that an installed PostgreSQL can make by itself, as a stand-in for its regression tests, which no package ships:
# a copy of every catalog and view of pg_catalog and information_schema, pgbench's tables under its load, and tables with
# contrib's indexes, constraints and triggers. All of them are synced, changed and equal.
set -euo pipefail
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
# shellcheck source=tests/e2e/history/equal.sh
. "$e2e/history/equal.sh"

# shellcheck disable=SC2119 # its arguments are optional
two_servers
extensions=(bloom btree_gin btree_gist citext cube earthdistance hstore intarray isn lo ltree pg_trgm seg unaccent autoinc insert_username moddatetime refint tcn tablefunc pgcrypto "uuid-ossp")
for extension in "${extensions[@]}"; do both "create extension \"$extension\""; done

# --- catalogs and views: what no table may have as a column's type, or what its own input refuses (regproc is ambiguous), as text ---
primary "create schema copied" "select format('create table copied.%I as select %s from %s with no data;%s', format('%s_%s', left(n.nspname, 2), c.relname),
    string_agg(case when t.typname in ('anyarray', 'pg_node_tree', 'pg_ndistinct', 'pg_dependencies', 'pg_mcv_list', 'regproc') or a.atttypid in ('aclitem'::regtype, 'aclitem[]'::regtype) then format('%I::text', attname) else quote_ident(attname) end, ', ' order by attnum),
    c.oid::regclass, case when bool_or(attname = 'oid') then format(' alter table copied.%I add primary key (oid);', format('%s_%s', left(n.nspname, 2), c.relname)) else format(' alter table copied.%I replica identity full;', format('%s_%s', left(n.nspname, 2), c.relname)) end)
  from pg_class c join pg_namespace n on n.oid = c.relnamespace join pg_attribute a on attrelid = c.oid and attnum > 0 join pg_type t on t.oid = atttypid
  where n.nspname in ('pg_catalog', 'information_schema') and c.relkind in ('r', 'v') and c.relname not in ('pg_largeobject', 'pg_statistic', 'pg_user_mapping', 'pg_replication_slots') and c.relname not like 'pg\_stat%'
  group by c.oid, n.nspname, c.relname order by c.relname" >"$work/copies.sql"
# All are made from the primary's catalogs, so the standby gets them by their definitions.
cluster_psql primary crawler -1 -f "$work/copies.sql"
"$CLUSTER_BIN/pg_dump" -h "$CLUSTERS_DIR/primary" -p "$(cluster_port primary)" -U postgres -d crawler -s -n copied >"$work/copied.sql"
cluster_psql standby crawler -f "$work/copied.sql" >"$work/restored"
mapfile -t COPIES < <(primary "select format('copied.%I', relname) from pg_class where relnamespace = 'copied'::regnamespace and relkind = 'r' order by 1")
at_least "catalogs and views" 120 "${#COPIES[@]}"

# --- pgbench, and tables with what contrib can put on them ---
for name in primary standby; do
  "$CLUSTER_BIN/pgbench" -h "$CLUSTERS_DIR/$name" -p "$(cluster_port "$name")" -U postgres -i -I tp -q crawler 2>"$work/pgbench.log"
done
both 'alter table pgbench_history replica identity full' \
  'create table rooms (id serial primary key, room int, during tstzrange, tags int[], path ltree, name citext unique, h hstore, c cube, isbn isbn13, by text, at timestamp, blob lo, exclude using gist (room with =, during with &&))' \
  'create index on rooms using gin (tags gin__int_ops)' 'create index on rooms using gist (path)' 'create index on rooms using gin (name gin_trgm_ops)' 'create index on rooms using bloom (room)' 'create index on rooms using gist (c)' \
  'create trigger touched before update on rooms for each row execute function moddatetime (at)' 'create trigger who before insert or update on rooms for each row execute function insert_username (by)' \
  'create trigger told after insert or update or delete on rooms for each row execute function triggered_change_notification()' 'create trigger blobs before update or delete on rooms for each row execute function lo_manage(blob)' \
  'create table owners (name text primary key)' 'create table pets (id int primary key, owner text)' \
  "create trigger refers before insert or update on pets for each row execute function check_primary_key('owner', 'owners', 'name')" \
  "create trigger cascades before delete or update on owners for each row execute function check_foreign_key(1, 'cascade', 'name', 'pets', 'owner')"
write_config "$(IFS=, && echo "${COPIES[*]}"), pgbench_accounts, pgbench_branches, pgbench_tellers, pgbench_history, rooms, owners, pets" 'batch_size: 1000' 'max_queue_size: 100000000'
link_up

sync() {
  "$BIN/capture" 2>>"$work/capture.log" | "$BIN/queue" put 2>>"$work/put.log"
  expect 0 "$BIN/apply"
}
rows_plan "${COPIES[@]}" pgbench_accounts pgbench_branches pgbench_tellers pgbench_history rooms owners pets
sed -n 's/^create table \(copied\..*\) as \(select .*\) with no data;.*/insert into \1 \2;/p' "$work/copies.sql" >"$work/fill.sql"
cluster_psql primary crawler -f "$work/fill.sql"
pgbench() { "$CLUSTER_BIN/pgbench" -h "$CLUSTERS_DIR/primary" -p "$(cluster_port primary)" -U postgres "$@" crawler >"$work/pgbench.log" 2>&1 || fail "pgbench: $(tail -n 3 "$work/pgbench.log")"; }
pgbench -i -I g -q
pgbench -n -c 4 -t 150
primary "insert into rooms (room, during, tags, path, name, h, c, isbn) select n, tstzrange(now() + n * interval '1 hour', now() + (n + 1) * interval '1 hour'), array[n, n + 1], text2ltree('a.b' || n), 'Room ' || n, hstore('n', n::text), cube(array[n, 0.5]), '978-0-393-04002-9' from generate_series(1, 200) n" \
  "update rooms set room = 1 - room, h = h || 'x=>NULL' where id % 3 = 0" "update rooms set name = upper(name) where id % 2 = 0" "delete from rooms where room < -100" \
  "insert into owners values ('ann'), ('bob')" "insert into pets values (1, 'ann'), (2, 'ann'), (3, 'bob')" "delete from owners where name = 'ann'" "update rooms set blob = lo_from_bytea(0, 'x')::oid where id = 1"
sync
equal_rows "what was inserted"
at_least "rows of the copies" 15000 "$(standby "select sum((xpath('/row/c/text()', query_to_xml(format('select count(*) as c from copied.%I', relname), false, true, '')))[1]::text::bigint) from pg_class where relnamespace = 'copied'::regnamespace and relkind = 'r'")"

# Again, in the other ways: rows by key, and by all of their columns.
primary "select case when exists (select from pg_index where indrelid = c.oid) then format('update copied.%1\$I set oid = oid where oid::bigint %% 3 = 0; delete from copied.%1\$I where oid::bigint %% 5 = 0;', relname)
    else format('delete from copied.%1\$I where ctid = any (array(select ctid from copied.%1\$I limit 3)); insert into copied.%1\$I select * from copied.%1\$I limit 5;', relname) end
  from pg_class c where relnamespace = 'copied'::regnamespace and relkind = 'r'" >"$work/change.sql"
cluster_psql primary crawler -f "$work/change.sql"
pgbench -n -c 2 -t 100
primary "truncate pgbench_history" "delete from pgbench_accounts where aid % 7 = 0" "update pgbench_accounts set filler = null where aid % 11 = 0"
sync
equal_rows "what was changed"
say "contrib_test: passed, ${#COPIES[@]} catalogs and views, in $SECONDS s"
