-- Types of every kind that pg_type has, beside those that the server and its contrib bring; on both sides.
\set QUIET on
set client_min_messages = warning;
create extension citext;
create extension hstore;
create extension ltree;
create extension isn;
create extension cube;
create extension seg;
create extension lo;
create extension intarray;
create schema "My Types";
set search_path = public;
create type "My Types"."Mood, ""x""" as enum ('', 'sad', 'very glad', 'a,b', '"', '\', 'NULL', 'Ö', '{}', '()');
create type "My Types".pair as (a int, "b b" text, c numeric[], d "My Types"."Mood, ""x""");
create type nested as (p "My Types".pair, q json, r int4range);
create type no_fields as ();
create type float_range as range (subtype = float8, subtype_diff = float8mi);
create type text_range as range (subtype = text, multirange_type_name = "Text, ranges", collation = "C");
create type citext_range as range (subtype = citext);
create domain positive as numeric(12, 3) check (value > 0 or value = 'NaN');
create domain few as int[] check (array_length(value, 1) < 5);
create domain of_domain as positive;
create domain pair_domain as "My Types".pair;
create domain not_null as text not null;
create domain mood_domain as "My Types"."Mood, ""x""" default 'sad';
create domain citext_domain as citext;
create table rowtype (a int, b text[], c timestamptz);
