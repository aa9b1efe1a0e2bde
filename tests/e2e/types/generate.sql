-- Random values of any type, as SQL expressions, and the tables and statements of types_test. Base types get their values by
-- trying: texts of many grammars are cast, and what a type takes is kept.
\set QUIET on
set client_min_messages = warning;
create schema types;
create function types.r(below int) returns int language sql volatile as $$ select floor(random() * below)::int $$;
create function types.pick(variadic choices text[]) returns text language sql volatile as $$ select choices[1 + floor(random() * array_length(choices, 1))::int] $$;
create function types.big() returns numeric language sql volatile as $$ select floor(random() * 1e15)::numeric $$;
create function types.word() returns text language plpgsql volatile as $$
declare out text := '';
begin
  for i in 1 .. case when types.r(40) = 0 then 3000 else types.r(9) end loop
    out := out || case types.r(6) when 0 then chr(1 + types.r(127)) when 1 then types.pick('"', '''', '\', '{', '}', '(', ')', ',', ' ', ':', '<', '&') when 2 then chr(161 + types.r(50000)) when 3 then chr(65536 + types.r(900000))
      else chr(97 + types.r(26)) end;
  end loop;
  return out;
exception when others then return 'x';  -- a surrogate
end $$;
create function types.text_of(kind int) returns text language sql volatile as $$
  select case kind
    when 0 then types.word()
    when 1 then types.pick('', ' ', 'NULL', 'null', '\N', '\.', 'true', 'f', 'a', 'é')
    when 2 then (types.r(65536) - 32768)::text
    when 3 then types.pick('0', '-1', '2147483647', '-2147483648', '4294967295', '32767', '-32768', '9223372036854775807', '-9223372036854775808', '18446744073709551615')
    when 4 then (types.big() - 5e14)::text
    when 5 then types.pick('NaN', 'Infinity', '-Infinity', '-0', '0.00', '1.0', '1.00', '5e-324', '1.7976931348623157e308', '1e-45', '3.4028235e38', '1e130', '1e-130', '0.1')
    when 6 then (random() * power(10, types.r(600) - 300))::text
    when 7 then repeat('9', 1 + types.r(400)) || '.' || repeat('0', types.r(20)) || types.r(1000)
    when 8 then types.pick('infinity', '-infinity', 'epoch', '4713-01-01 BC', '0044-03-15 BC', '1582-10-15', '0001-01-01', '9999-12-31', '5874897-12-31', '294276-12-31', '10000-01-01')
    when 9 then (date '2000-01-01' + (types.r(2000000) - 700000))::text
    when 10 then (timestamptz '2000-01-01 00:00+00' + (random() - 0.3) * interval '3000 years')::text
    when 11 then types.pick('00:00', '24:00', '23:59:59.999999', '12:30:00.1+14', '00:00:00-15:59:59', '04:05:06.789-08')
    when 12 then format('%s years %s mons %s days %s:%s:%s.%s', types.r(400) - 200, types.r(30) - 15, types.r(90) - 45, types.r(99) - 50, types.r(60), types.r(60), types.r(1000000))
    when 13 then types.pick('178000000 years', '-178000000 years', '0', '1 year -1 day', '-00:00:00.000001', 'P1Y2M3DT4H5M6S', '2562047788:00:54.775807')
    when 14 then '\x' || encode(decode(md5(types.r(1000)::text) || repeat('00', types.r(40)), 'hex'), 'hex')
    when 15 then types.pick('\x', '\x00', '\x0000ff', '\x5c5c')
    when 16 then types.r(1000000)::bit(20)::text
    when 17 then types.pick('0', '1', '101', '')
    when 18 then gen_random_uuid()::text
    when 19 then format('%s.%s.%s.%s/%s', types.r(256), types.r(256), types.r(256), types.r(256), types.r(33))
    when 20 then types.pick('::1', 'fe80::/10', '::ffff:1.2.3.4', '10.0.0.0/8', '2001:db8::/32', '0.0.0.0', '255.255.255.255')
    when 21 then types.pick('08:00:2b:01:02:03', '08:00:2b:01:02:03:04:05', 'ff:ff:ff:ff:ff:ff')
    when 22 then to_json(types.word())::text
    when 23 then format('{"a": %s,  "a": [1.0, 1.00, null], %s: {}}', types.big(), to_json(types.word()))
    when 24 then types.pick('$.a[*] ? (@ > 1)', 'strict $', '$."a b".size()', '$[0 to last]')
    when 25 then types.pick('<a b="c">&amp;</a>', '<!-- c --><x/>', 'text only', '<?xml version="1.0"?><a>é</a>')
    when 26 then format('(%s,%s)', random() * 100 - 50, types.pick('0', '-0', '1e-300', 'Infinity', 'NaN', '5'))
    when 27 then format('((%s,%s),(3,4))', types.r(10) - 5, random())
    when 28 then format('[(%s,1),(3,%s)]', types.r(10) - 5, random())
    when 29 then format('((0,0),(1,%s),(%s,1))', types.r(100), random())
    when 30 then types.pick('<(1,2),3>', '<(0,-0),0>', '{1,-1,0.5}', '{0,1,-3}')
    when 31 then types.pick('''a'':1A,3 ''it''''s'':2B', 'fat cat', '''\\''')
    when 32 then types.pick('fat & !cat', 'a <-> b:AB', '''x'' | y:*')
    when 33 then types.pick('0/0', 'FFFFFFFF/FFFFFFFF', '16/B374D848')
    when 34 then types.pick('(0,1)', '(4294967295,65535)')
    when 35 then types.pick('10:20:10,14,15', '1:1:')
    when 36 then types.pick('postgres=arwdDxt/postgres', '=r/postgres')
    when 37 then types.pick('pg_class', 'pg_catalog', 'integer', 'character varying', 'lower(text)', 'now', '=(integer,integer)', 'simple', 'english', 'postgres', '"C"', '-', 'pg_catalog.pg_type', '|/')
    when 38 then types.pick('', '1', '1 2 3', '0 0')
    when 39 then types.pick('a=>b', '"a b"=>NULL, ""=>""', 'x=>"\"", y=>"{,}"', '')
    when 40 then types.pick('a.b.c', '', 'Top.Science_1', 'a.*{1,2}.b|c', 'a & b*')
    when 41 then types.pick('978-0-393-04002-9', '0-393-04002-X', '1436-4522', '9771436452006', '979-0-000-00000-0', '036000291452')
    when 42 then types.pick('(1,2,3)', '(0),(1)', '[(1,2),(3,4)]')
    when 43 then types.pick('1.0', '1 .. 2', '~5.0 .. 7', '< 1.00', '5(+-)0.3')
    when 44 then types.pick('1&(2|!3)', '5')
    when 45 then types.pick('$1,234.50', '-$92,233,720,368,547,758.08', '0')
  end $$;

create table types.known (type regtype, value text, primary key (type, value));
create procedure types.learn(what regtype) language plpgsql as $$
declare
  came text;
begin
  for kind in 0 .. 45 loop
    for try in 1 .. 3 loop
      begin
        execute format('select (%L::%s)::text', types.text_of(kind), what) into came;
        -- a number that names nothing here may name something on the standby: only what initdb made is the same on both
        continue when what::text like 'reg%' and came ~ '^[0-9]+$' and came::bigint >= 16384;
        execute format('select (%L::%s)::text', came, what) into came; -- what cannot be read again is no value to write
        insert into types.known select what, came where length(came) < 2000 on conflict do nothing;
      exception when others then null;
      end;
    end loop;
  end loop;
end $$;

create function types.expression(what regtype) returns text language plpgsql volatile as $$
declare
  t pg_type := (select t from pg_type t where oid = what);
  a text;
  b text;
begin
  if types.r(12) = 0 then return format('null::%s', what); end if;
  if exists (select from pg_type e where e.typarray = t.oid) then
    a := types.expression(t.typelem::regtype);
    b := types.expression(t.typelem::regtype);
    return case types.r(6) when 0 then format('''{}''::%s', what) when 3 then format('array[%s]::%s', a, what) when 1 then format('array[array[%s, %s], array[null, %1$s]]::%3$s', a, b, what)
      when 2 then format('(''[-3:-1]='' || replace(array[%s, null, %s]::%s::text, '''', ''''))::%3$s', a, b, what) else format('array[%s, null, %s, %1$s]::%3$s', a, b, what) end;
  end if;
  case t.typtype
    when 'd' then  -- what its checks take
      for try in 1 .. 20 loop
        a := format('(%s)::%s', types.expression(t.typbasetype::regtype), what);
        begin
          execute 'select ' || a;
          exit;
        exception when integrity_constraint_violation or data_exception then null;
        end;
      end loop;
      return a;
    when 'e' then return format('%L::%s', (select enumlabel from pg_enum where enumtypid = what order by random() limit 1), what);
    when 'r' then
      if types.r(5) = 0 then return format('''empty''::%s', what); end if;
      b := (select rngsubtype::regtype::text from pg_range where rngtypid = what);
      a := types.expression(b::regtype);
      b := types.expression(b::regtype);
      return format('%s(least(%s, %s), greatest(%2$s, %3$s), %L)', what, a, b, types.pick('[]', '[)', '(]', '()'));
    when 'm' then
      b := (select rngtypid::regtype::text from pg_range where rngmultitypid = what);
      return format('%s(%s)', what, case when types.r(4) = 0 then '' else format('coalesce(%s, ''empty''::%s), coalesce(%s, ''(,)''::%2$s)', types.expression(b::regtype), b, types.expression(b::regtype)) end);
    when 'c' then
      return format('row(%s)::%s', (select string_agg(types.expression(atttypid::regtype), ', ' order by attnum) from pg_attribute where attrelid = t.typrelid and attnum > 0 and not attisdropped), what);
    else
      return coalesce((select format('%L::%s', value, what) from types.known where type = what order by random() limit 1), format('null::%s', what));
  end case;
end $$;

-- Every type that could be a column's; of those that are rows, the catalogs' are left out: one is like the other.
create table types.all_of_them as
  select row_number() over (order by format_type(t.oid, null)) as n, t.oid::regtype as type, t.typtype, 'a text why it is no column' as why_not, false as comparable
    from pg_type t left join pg_class c on c.oid = typrelid left join pg_type e on e.oid = t.typelem left join pg_class ec on ec.oid = e.typrelid
   where (c.relkind is null or c.relkind = 'c' or t.typname in ('rowtype', 'pg_namespace')) and (ec.relkind is null or ec.relkind = 'c' or e.typname = 'rowtype')
     and t.typnamespace not in ('types'::regnamespace, 'pg_toast'::regnamespace);
update types.all_of_them set why_not = null;
create procedure types.plan() language plpgsql as $$
declare
  one types.all_of_them;
begin
  for one in select * from types.all_of_them a where typtype = 'b' and not exists (select from pg_type e where e.typarray = a.type) loop call types.learn(one.type); end loop;
  for one in select * from types.all_of_them loop
    begin
      execute format('create temporary table try (v %s)', one.type);
      drop table try;
      begin
        execute format('create temporary table try (v %s primary key)', one.type);
        -- An array or a row may be one by its type, and then its parts have no order.
        for i in 1 .. 6 loop execute format('select a < a from (values (%s)) v (a)', replace(types.expression(one.type), 'not_null', 'text')); end loop;
        drop table try;
        update types.all_of_them set comparable = true where n = one.n;
      exception when others then null;
      end;
    exception when others then update types.all_of_them set why_not = sqlerrm where n = one.n;
    end;
  end loop;
end $$;

-- Values as they are, as keys, and as all there is to tell rows apart by.
create function types.tables() returns setof text language sql as $$
  select format('create table of_%s (id int primary key, v %s, w %2$s); create table full_%1$s (v %2$s, n int); alter table full_%1$s replica identity full;', n, type)
    || case when comparable then format('create table key_%s (k %s primary key, v %2$s, n int);', n, type) else '' end
    from types.all_of_them where why_not is null order by n $$;
create procedure types.try(statement text) language plpgsql as $$
begin
  execute statement;
exception when integrity_constraint_violation or data_exception or program_limit_exceeded then null;
end $$;
create procedure types.insert(rows int) language plpgsql as $$
declare
  one types.all_of_them;
begin
  for one in select * from types.all_of_them where why_not is null order by n loop
    for i in 1 .. rows loop
      call types.try(format('insert into of_%s values (%s, %s, %s)', one.n, i, types.expression(one.type), types.expression(one.type)));
      call types.try(format('insert into full_%s select %s, %s from generate_series(1, 2)', one.n, types.expression(one.type), i % 3));
      if one.comparable then call types.try(format('insert into key_%s values (%s, %s, %s)', one.n, types.expression(one.type), types.expression(one.type), i)); end if;
    end loop;
    commit;
  end loop;
end $$;
create procedure types.change() language plpgsql as $$
declare
  one types.all_of_them;
begin
  for one in select * from types.all_of_them where why_not is null order by n loop
    call types.try(format('update of_%s set w = v where id %% 2 = 0', one.n));
    call types.try(format('update of_%s set v = %s, w = w where id %% 3 = 0', one.n, types.expression(one.type)));
    call types.try(format('delete from of_%s where id %% 5 = 0', one.n));
    call types.try(format('update full_%s set n = n + 1 where ctid in (select ctid from full_%1$s limit 5)', one.n));
    call types.try(format('update full_%s set v = %s where ctid = (select max(ctid) from full_%1$s)', one.n, types.expression(one.type)));
    call types.try(format('delete from full_%s where ctid in (select ctid from full_%1$s offset 3 limit 3)', one.n));
    if one.comparable then
      call types.try(format('update key_%s set n = n + 1 where n %% 2 = 0', one.n));
      call types.try(format('update key_%s set k = %s, n = -1 where n = (select min(n) from key_%1$s)', one.n, types.expression(one.type)));
      call types.try(format('update key_%s set k = %s where n = (select max(n) from key_%1$s)', one.n, types.expression(one.type)));
      call types.try(format('delete from key_%s where n = (select max(n) from key_%1$s)', one.n));
    end if;
    commit;
  end loop;
end $$;
