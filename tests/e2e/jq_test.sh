#!/usr/bin/env bash
# A filter is any program: jq between capture and queue put, jq after queue get, and queue get into apply. jq 1.6 rounds
# integers above 2^53, so every value that it must not touch is a string.
set -euo pipefail
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
tandem=$BIN/pgtandem

two_servers
images_tables
write_config 'images, categories'
link_up

primary "insert into categories (name) values ('birds'), ('trees')" \
  "begin; insert into images (url, title, md5_hash, file_size, quality_score, exif_data)
            values ('a', e'quo\"te \\\\ tab\t 漢字', 'm1', 9223372036854775807, 0.1::float8 + 0.2::float8, '{\"big\": 12345678901234567890, \"big\": 1.0}'),
                   ('b', '', 'm2', -9223372036854775808, 'NaN', null);
          insert into categories (name) values ('fish'); commit" \
  "insert into images (url, body) values ('c', repeat('x', 20000)), ('secret', 'y')" \
  "update images set views = views + 1 where url = 'c'" \
  "begin; update categories set note = 'seen'; delete from images where url = 'b'; commit"

# --- a reader that has enough ends capture, which is nothing that status would tell as an error ---
code=0
timeout 30 "$tandem" capture --follow 2>"$work/err" | head -n 1 >"$work/got" || code=$?
same "exit code of capture without a reader" 74 "$code"
same "what capture says of it" "" "$(cat "$work/err")"
same "the last error" null "$("$tandem" status --json | jq .last_error)"

# --- one table's rows and one row are kept back; transactions stay whole, also one of which nothing is left ---
# shellcheck disable=SC2016 # jq's own variables
"$tandem" capture |
  jq -c 'select(.table != "public.categories" and (.new.url // "") != "secret")' |
  "$tandem" queue put
"$tandem" queue get >"$work/got"
same "lines of categories" "" "$(jq -c 'select(.table == "public.categories")' "$work/got")"
same "rows" "insert 1, insert 2, insert 3, update 3, delete 2" \
  "$(jq -r 'select(.type == "insert" or .type == "update" or .type == "delete") | "\(.type) \(.key.id)"' "$work/got" | paste -sd, | sed 's/,/, /g')"
same "unchanged columns" '["body"]' "$(jq -c 'select(.type == "update") | .unchanged' "$work/got")"
same "checksums of the spool in what it gives out" "" "$(jq -c 'select(has("xxh3"))' "$work/got")"
same "begins and commits" "$(jq -r 'select(.type == "begin") | .lsn' "$work/got")" "$(jq -r 'select(.type == "commit") | .lsn' "$work/got")"
expect 0 "$tandem" queue check

# --- what would be done, and nothing is ---
"$tandem" queue get | "$tandem" apply --dry-run - >"$work/sql"
grep -q 'images' "$work/sql" || fail "no SQL for images: $(head -c 500 "$work/sql")"
! grep -q 'categories' "$work/sql" || fail "SQL for what the filter kept back"
same "rows on the standby after a dry run" 0 "$(standby 'select count(*) from images')"
expect 0 "$tandem" apply --dry-run
same "rows on the standby after a dry run from the spool" 0 "$(standby 'select count(*) from images')"

# --- and then it is ---
expect 0 "$tandem" apply
same "images on the standby" "$(primary "select * from images where url <> 'secret' order by id")" "$(standby 'select * from images order by id')"
same "exact values" "9223372036854775807|0.30000000000000004|{\"big\": 12345678901234567890, \"big\": 1.0}" \
  "$(standby 'select file_size, quality_score, exif_data from images where id = 1')"
same "categories on the standby" 0 "$(standby 'select count(*) from categories')"

# --- jq may also change values ---
primary "insert into images (url, title) values ('d', 'private')"
"$tandem" capture | jq -c 'if .new.title then .new.title = "hidden" else . end' | "$tandem" queue put
expect 0 "$tandem" apply
same "a title that jq replaced" hidden "$(standby "select title from images where url = 'd'")"

# --- a range of the spool ---
first=$(jq -rs '[.[] | select(.type == "commit") | .lsn][0]' "$work/got")
"$tandem" queue get --to "$first" >"$work/first"
same "commits up to the first" "$first" "$(jq -r 'select(.type == "commit") | .lsn' "$work/first")"
"$tandem" queue get --from "$first" | jq -r 'select(.type == "commit") | .lsn' >"$work/from"
at_least "commits from the first on" 4 "$(wc -l <"$work/from")"

# --- a filter that dies or garbles: nothing of the transaction it broke, the rest stays where it is ---
waiting=$("$tandem" queue stat --json | jq .transactions)
primary "insert into images (url) values ('e')"
code=0
"$tandem" capture | sed 's/"type":"insert"/"type":"insert/' | "$tandem" queue put 2>"$work/err" || code=$?
same "exit code of queue put for a garbled line" 65 "$code"
same "transactions in the queue" "$waiting" "$("$tandem" queue stat --json | jq .transactions)"
"$tandem" capture | "$tandem" queue put
expect 0 "$tandem" apply
same "the row whose line was garbled, captured again" 1 "$(standby "select count(*) from images where url = 'e'")"
say "jq_test: passed in $SECONDS s"
