-- The random history: transactions made of statements below, many of which fail and are rolled back as subtransactions.
-- Keys come from small sets, so that they meet again and again.
create schema history;
create table history.statements (n int generated always as identity, sql text);
-- 0 … below - 1
create function history.r(below int) returns int language sql volatile as $$ select floor(random() * below)::int $$;
create function history.word() returns text language sql volatile as $$
  select (array['', ' ', 'a', 'A', 'ä', 'Ä', 'ß', 'SS', E'\t', E'\\', E'\\N', '\.', '"', '''', '{', '{}', 'NULL', 'null', '🙂', E'x\ny', E'\r', 'a ', 'true', '0', ',', '(,)', E'\u0001', E'\u2028',
    'é', E'e\u0301', repeat('ö', 300)])[1 + history.r(31)] $$;
create function history.big() returns text language sql volatile as $$ select repeat(md5(random()::text), 65 + history.r(30)) $$;
create function history.spelled() returns numeric language sql volatile as $$
  select (array['1', '1.0', '1.00', '2', '2.0', '0', '0.0', '-1', '-1.000', 'NaN', 'Infinity', '-Infinity', '1e30', '10.10', '10.1', '1e-20'])[1 + history.r(16)]::numeric $$;
create function history.float() returns float8 language sql volatile as $$
  select (array['0', '-0', 'NaN', 'Infinity', '-Infinity', '1', '-1', '5e-324', '1.7976931348623157e308', '0.1', '1e22'])[1 + history.r(11)]::float8 $$;
create function history.mood() returns public.mood language sql volatile as $$ select (array['sad', 'ok', 'very glad'])[1 + history.r(3)]::public.mood $$;
create function history.label() returns public.ltree language sql volatile as $$ select public.text2ltree((array['', 'a', 'A', 'a.b', 'A.b', 'a.b.c'])[1 + history.r(6)]) $$;
create function history.json() returns text language sql volatile as $$
  select (array['null', '{"a": 1,  "a": 2}', '[1.0, 1.00]', '" "', '{}', '{"x": null}', '"\u00e9"', '[]'])[1 + history.r(8)] $$;
create function history.day() returns date language sql volatile as $$
  select (array['infinity', '-infinity', '2000-01-01', '1999-12-31', '0044-03-15 BC', '2024-02-29'])[1 + history.r(6)]::date $$;

insert into history.statements (sql) values
  ('insert into plain select i, ''c'' || i, history.r(9), history.big(), history.word() from generate_series(@a, @a + history.r(6)) i on conflict do nothing'),
  ('insert into plain values (@a, ''c'' || @b, 1, null, ''upserted'') on conflict (id) do update set n = plain.n + 1, note = excluded.note'),
  ('insert into plain values (@a, history.word(), 1, history.big(), null) on conflict (code) do update set n = plain.n + 1, id = @b'),
  ('update plain set n = n + 1 where id = @a'), ('update plain set n = n + 1 where id % 7 = @a % 7'),
  ('update plain set id = @b where id = @a'), ('update plain set id = id + 1000, note = history.word() where id = @a'), ('update plain set id = id - 1000 where id = 1000 + @a'),
  ('@ordered update plain set code = ''hold'' where id = @a; update plain set code = ''c'' || @a where id = @b; update plain set code = ''c'' || @b where code = ''hold'''),
  ('@ordered update plain set code = null where id in (@a, @b); update plain set code = ''c'' || @a where id = @b; update plain set code = ''c'' || @b where id = @a'),
  ('update plain set id = -1 where id = @a; update plain set id = @a where id = @b; update plain set id = @b where id = -1'),
  ('update plain set big = history.big() where id = @a'), ('update plain set big = null, code = null where id = @a'),
  ('delete from plain where id = @a'), ('delete from plain where id between @a and @b'),
  ('delete from plain where id = @a; insert into plain values (@a, ''c'' || @a, 0, history.big(), ''again''); update plain set note = history.word() where id = @a'),
  ('insert into plain values (@a, null, 0, history.big(), null); update plain set id = @b, n = 3 where id = @a; delete from plain where id = @b'),
  ('insert into keys_citext select history.word(), history.word(), history.big()'), ('@ordered update keys_citext set k = upper(k) where lower(k) = ''a'''),
  ('@ordered update keys_citext set k = lower(k) where k = ''a'''), ('update keys_citext set v = history.word() where k = history.word()::citext'),
  ('@ordered update keys_citext set k = history.word(), body = history.big() where k = (select min(k) from keys_citext)'), ('delete from keys_citext where k = ''a''; insert into keys_citext values (''A'', ''new'', history.big())'),
  ('update keys_citext set body = history.big() where length(k::text) < 2'), ('delete from keys_citext where k = (select max(k) from keys_citext)'),
  ('insert into keys_anycase values (history.word(), history.mood(), history.word())'), ('update keys_anycase set k = upper(k)'), ('update keys_anycase set k = lower(k), v = history.word() where m = history.mood()'),
  ('update keys_anycase set m = history.mood() where k = ''A'''), ('delete from keys_anycase where k = history.word()'),
  ('insert into keys_numeric values (history.spelled(), @a, history.float())'), ('insert into keys_numeric values (history.spelled(), @a, history.float()) on conflict (k) do update set k = excluded.k, v = excluded.v'),
  ('update keys_numeric set k = k * 1.0'), ('update keys_numeric set k = trim_scale(k), f = history.float()'), ('update keys_numeric set v = v + 1'), ('delete from keys_numeric where k = 1'),
  ('delete from keys_numeric where k = 1; insert into keys_numeric values (''1.000'', 5, -0)'), ('update keys_numeric set k = k + 1 where k = (select max(k) from keys_numeric where k < 1e10)'),
  ('insert into keys_float values (history.float(), history.word())'), ('update keys_float set k = case when k = 0 then -k else k end'), ('update keys_float set v = history.word() where k = history.float()'), ('delete from keys_float where k = 0'),
  ('insert into keys_ltree values (history.label(), hstore(history.word(), history.word()))'), ('update keys_ltree set h = h || hstore(history.word(), null)'), ('update keys_ltree set k = history.label() where k = history.label()'), ('delete from keys_ltree where k = history.label()'),
  ('insert into keys_only values (@a % 5, decode((array['''', ''00'', ''0000'', ''ff'', ''5c78''])[1 + history.r(5)], ''hex''))'), ('update keys_only set a = a + 1 where a = @a % 5'), ('update keys_only set b = b || ''\x00'' where a = @a % 5'), ('update keys_only set a = a'), ('delete from keys_only where a = @a % 5'),
  ('insert into keys_many values (@a % 4, history.word(), (array[''infinity'', ''2000-01-01 00:00+00'', ''0044-03-15 BC''])[1 + history.r(3)]::timestamptz, md5(''x'' || @b % 3)::uuid, history.json()::jsonb, history.big())'),
  ('update keys_many set v = history.json()::jsonb where a = @a % 4'), ('update keys_many set b = history.word() where a = @a % 4'), ('update keys_many set c = c + interval ''1 us'', v = null where a = @a % 4 and d = md5(''x0'')::uuid'), ('delete from keys_many where a = @a % 4 and b = history.word()'),
  ('insert into by_index (u, w, x) values (history.word(), @a % 9, history.word())'), ('update by_index set w = w + 1 where id = (select min(id) from by_index)'), ('update by_index set x = history.word() where w = @a % 9'),
  ('update by_index set id = -id, u = u || ''!'' where length(u) < 40 and w = @a % 9'), ('delete from by_index where w = @a % 9 and u = history.word()'),
  ('insert into whole values (@a, history.json()::json, history.float(), history.big())'), ('update whole set f = history.float() where id = @a'), ('update whole set id = @b where id = @a'), ('update whole set j = null where id % 5 = @a % 5'), ('update whole set body = history.big(), id = id where id = @a'), ('delete from whole where id = @a'),
  ('delete from whole where id = @a; insert into whole values (@a, null, ''-0'', null)'), ('insert into whole values (@a, ''[]'', 0, null) on conflict (id) do update set f = -whole.f'),
  ('insert into loose select @a % 3, history.json()::json, point(history.float(), 0), history.word(), history.word(), history.float()::text::float4, history.mood(), row(@a % 3, history.word())::pair, xmlelement(name a, history.r(2)), history.spelled(), null from generate_series(1, 1 + history.r(3)) where (select count(*) from loose) < 60'),
  ('insert into loose (a, j, t, c) select 1, ''{"a": 1}'', ''twin'', '''' from generate_series(1, 3) where (select count(*) from loose) < 60'), ('insert into loose (a, body) values (2, history.big())'),
  ('update loose set t = history.word() where ctid = (select min(ctid) from loose)'), ('update loose set a = a + 1 where t = ''twin'''), ('update loose set n = history.spelled(), f = -f where a = @a % 3'), ('update loose set t = ''twin'' where ctid in (select ctid from loose where a = 1 limit 2)'),
  ('delete from loose where ctid = (select max(ctid) from loose)'), ('delete from loose where ctid = (select min(ctid) from loose where t = ''twin'')'), ('delete from loose where a > 4'), ('update loose set r = null, k = null, x = null where a = @a % 3'),
  ('insert into notes values (@a, history.word(), array[history.mood(), null])'), ('insert into notes select @a, ''twin'', ''{}'' from generate_series(1, history.r(5))'),
  ('insert into parted values (@a % 6, history.day(), history.word(), history.big())'), ('insert into parted values (@a % 6, history.day(), ''upserted'', null) on conflict (a, d) do update set t = excluded.t'), ('update parted set d = history.day() where a = @a % 6 and d = history.day()'),
  ('update parted set a = (a + 1) % 6 where d = history.day()'), ('update parted set t = history.word()'), ('delete from parted where a = @a % 6'),
  ('insert into sorted select @a % 9, history.word(), history.spelled() where (select count(*) from sorted) < 50'), ('update sorted set a = (a + 3) % 9 where t = history.word()'), ('update sorted set t = ''a'', n = null where a = @a % 9'), ('delete from sorted where tableoid = ''sorted_low''::regclass and ctid = (select min(ctid) from sorted_low)'),
  ('insert into parent values (@a, history.word())'), ('insert into child values (@a, @a, @b, history.word())'), ('update parent set id = @b where id = @a'), ('delete from parent where id = @a'), ('insert into child values (@a, (select min(id) from parent), @a, null)'),
  ('update child set other = id, parent = null where id = @a'), ('delete from child where id = @a'), ('insert into child values (@a, null, @b, ''before''), (@b, null, @a, ''its own'')'), ('update child set id = @b where id = @a and other is null'),
  ('insert into always (k, v, body) values (history.word(), history.word(), history.big())'), ('@ordered update always set n = default, v = history.word() where k = history.word()'), ('@ordered update always set n = default where k = (select min(k) from always)'), ('update always set k = history.word() where k = (select max(k) from always)'),
  ('@ordered update always set k = k || ''!'', n = default where k = (select min(k) from always) and length(k) < 20'), ('update always set v = history.word()'), ('delete from always where k = history.word()'),
  ('insert into always_key (v) values (history.word())'), ('update always_key set id = default where id = (select min(id) from always_key)'), ('update always_key set v = history.word() where id % 3 = 0'), ('update always_key set v = history.big() where id % 3 = 1'), ('update always_key set v = v'), ('delete from always_key where id < @a'), ('insert into always_key overriding system value values (@a, ''put'')'),
  ('insert into by_default (v) values (history.word())'), ('insert into by_default values (-@a, null)'), ('update by_default set id = -id'), ('update by_default set v = null where id = -@a'), ('delete from by_default where v = history.word()'),
  ('insert into mixed_up values (@a + 9007199254740993, @b, default, history.word())'), ('update mixed_up set b = b + 1'), ('@ordered update mixed_up set id = @b where b = @a'), ('@ordered update mixed_up set id = -id, c = null where b = @a'), ('delete from mixed_up where b % 11 = @a % 11'),
  ('insert into deferred select i, i, history.word() from generate_series(@a, @a + 3) i on conflict (id) do nothing'), ('update deferred set pos = case id when @a then (select pos from deferred where id = @b) else (select pos from deferred where id = @a) end where id in (@a, @b) and 2 = (select count(*) from deferred where id in (@a, @b))'),
  ('update deferred set pos = pos + 1'), ('update deferred set pos = -pos where id % 3 = 0'), ('delete from deferred where id = @a; insert into deferred values (@a, @b, null)'), ('update deferred set id = id + 1 where id = (select max(id) from deferred)'),
  ('insert into spans values (@a, int4range(@a, @a + 2))'), ('@ordered update spans set during = int4range(@b, @b + 3) where id = @a'), ('update spans set during = null where id in (@a, @b)'), ('delete from spans where during && int4range(@a, @a + 3); insert into spans values (@a, int4range(@a, @a + 3))'), ('update spans set id = @b where id = @a'),
  ('@ordered update spans set during = ''empty'' where id = @a; update spans set during = int4range(lower(during), upper(during) - 1) where not isempty(during) and upper(during) - lower(during) > 1'),
  ('insert into "Odd Schema"."Ödd ""Table""" values (@a % 8, history.mood(), history.word(), array[row(@a, history.word())::pair, null])'), ('update "Odd Schema"."Ödd ""Table""" set "ünï.cödé" = history.word(), "$1" = null where "Sp ace" = @a % 8'), ('update "Odd Schema"."Ödd ""Table""" set "q""uote" = history.mood() where "Sp ace" = @a % 8'), ('delete from "Odd Schema"."Ödd ""Table""" where "Sp ace" = @a % 8'),
  ('insert into base values (@a, history.word())'), ('insert into derived values (@a, history.word(), ''child'')'), ('update only base set v = history.word() where id = @a'), ('update base set v = history.word() where id % 4 = @a % 4'), ('update only base set id = @b where id = @a'), ('delete from only base where id = @a'), ('delete from base where id = @a'), ('delete from derived where id = @a'), ('update derived set id = id + 1 where id = @a'),
  ('insert into nulls values (@a, null, @b, ''{}'')'), ('update nulls set u = @b where id = @a'), ('update nulls set w = null where id = @a'), ('update nulls set u = null; update nulls set u = 100 - id'), ('insert into nulls values (@a, @b, null, array[null, history.word()]) on conflict (w) do update set u = excluded.u'), ('delete from nulls where u is null'),
  ('insert into must_have values (@a, history.word(), history.big())'), ('update must_have set name = history.word() where id = @a'), ('update must_have set id = @b where id = @a'), ('delete from must_have where id = @a'),
  ('insert into wide (id, c1, c4, c150) values (@a, history.word(), 1, history.spelled())'), ('update wide set c5 = history.word(), c200 = @a where id = @b'), ('delete from wide where id = @a'),
  ('insert into a_name_of_sixty_three_bytes_as_long_as_postgresql_will_take_one values (@a, history.word()) on conflict (a) do update set b = excluded.b'),
  ('@rare truncate notes'), ('@rare truncate base'), ('@rare truncate only base'), ('@rare truncate parent, child restart identity; insert into parent values (@a, ''after'')'), ('@rare truncate parted; insert into parted values (1, ''infinity'', null, null)'), ('@rare truncate loose, whole, sorted; insert into loose (a) values (1), (1)'),
  ('@rare truncate always, always_key, by_default restart identity; insert into always (k) values (''first'')'), ('@rare insert into plain values (7000, ''gone'', 0, null, null); truncate plain, keys_citext cascade; insert into plain values (1, ''c1'', 0, history.big(), null)'), ('@rare truncate parent cascade');

-- `count` transactions, two random numbers @a and @b in each statement; what is tried and failed is undone, as a savepoint does it.
-- Without `ordered` there are none of the statements that keep the whole batch they are in to the primary's order: what a set
-- of rows would trip over on its way, and changed keys where the standby has columns of its own.
create procedure history.run(count int, ordered bool) language plpgsql as $$
declare
  common text[] := (select array_agg(replace(sql, '@ordered ', '') order by n) from history.statements where sql not like '@rare%' and (ordered or sql not like '@ordered%'));
  rare text[] := (select array_agg(substr(sql, 7) order by n) from history.statements where sql like '@rare%');
begin
  for i in 1 .. count loop
    for j in 0 .. case when history.r(20) = 0 then 40 else history.r(5) end loop
      call history.try(case when history.r(150) = 0 then rare[1 + history.r(array_length(rare, 1))] else common[1 + history.r(array_length(common, 1))] end);
    end loop;
    -- What is deferred may still refuse the transaction; then it is gone, as a whole.
    if history.settled() then commit; else rollback; end if;
  end loop;
end $$;
create procedure history.try(statement text) language plpgsql as $$
declare
  a int := history.r(40);
  b int := history.r(40);
begin
  execute 'do $do$ begin ' || replace(replace(statement, '@a', a::text), '@b', b::text) || '; end $do$';
  if history.r(12) = 0 then raise exception 'undone' using errcode = 'ZZ000'; end if;
exception
  when sqlstate 'ZZ000' or integrity_constraint_violation or data_exception or object_in_use then null;
end $$;
create function history.settled() returns bool language plpgsql as $$
begin
  set constraints all immediate;
  set constraints all deferred;
  return true;
exception when integrity_constraint_violation then return false;
end $$;
