# shellcheck shell=bash
# shellcheck disable=SC2154 # $work is lib.sh's
# Many tables compared at once, a psql a side; to be sourced after lib.sh.
#
#   rows_plan TABLE…             reads the tables' columns on the primary; the tables that later words speak of
#   equal_rows WHAT [DATABASE]   their rows are the same, byte by byte, in the standby's DATABASE (crawler); WHAT is said where not

# In the primary's order of columns; an inheritance parent's rows without its children's.
rows_plan() {
  printf '%s\n' "$@" >"$work/tables"
  cluster_psql primary crawler -At -c 'create temporary table planned (t regclass)' -c "\\copy planned from '$work/tables'" -c "
    select format(E'select %L;\ncopy (select %s from %s%s order by row(%2\$s)::text collate \"C\") to stdout;', ' -- ' || t, string_agg(quote_ident(attname), ', ' order by attnum),
      case relkind when 'r' then 'only ' else '' end, t)
    from planned join pg_class c on c.oid = t join pg_attribute on attrelid = t and attnum > 0 and not attisdropped group by t, relkind order by t::text" >"$work/rows.sql"
}

equal_rows() {
  local name
  cluster_psql primary crawler -At -f "$work/rows.sql" >"$work/rows.primary"
  cluster_psql standby "${2:-crawler}" -At -f "$work/rows.sql" >"$work/rows.standby"
  ! cmp -s "$work/rows.primary" "$work/rows.standby" || return 0
  for name in primary standby; do awk '/^ -- / { at = $2; next } { print at ": " $0 }' "$work/rows.$name" >"$work/named.$name"; done
  diff "$work/named.primary" "$work/named.standby" | grep '^[<>]' | cut -c 1-200 >"$work/difference" || true
  fail "$1: ${2:-the standby} is not as the primary (<):"$'\n'"$(head -n 12 "$work/difference")"
}
