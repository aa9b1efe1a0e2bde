#!/usr/bin/env bash
# early: 100
# The page in headless Chromium: narrow and wide, light and dark, English and Chinese; table names that would be markup are text;
# the buttons, by keyboard; the token; a server that went away. Screenshots are left in page-test/screens of the build directory.
set -euo pipefail
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
# shellcheck source=tests/e2e/api_lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/api_lib.sh"

modules=$BIN/../page-test
screens=$modules/screens
lacks=$("$e2e/page/fetch.sh" --have "$modules" 2>&1) || fail "${lacks#page_test: }"
rm -rf "$screens"
mkdir -p "$screens"
CHROMIUM=$(command -v chromium)
export CHROMIUM HOME=$work
in_browser() { timeout 200 node "$e2e/page/page.cjs" "$modules" "http://localhost:$API1/" "$screens" "$@" >"$work/page.log" 2>&1 || fail "in the browser: $1"; }

hostile=('<script>alert(1)</script>' '<img src=x onerror=alert(2)>')
# shellcheck disable=SC2119 # its arguments are optional
two_servers
images_tables
for name in "${hostile[@]}"; do both "create table \"$name\" (id int primary key, v text)"; done
primary "insert into \"${hostile[0]}\" values (1, 'one')"
synced="images, categories, '\"${hostile[0]}\"', '\"${hostile[1]}\"'"
write_config "$synced" 'full_sync_interval: 300' "api: {ports: [$API0, $API1]}"
link_up
follow_capture
follow_apply
standby "insert into \"${hostile[0]}\" values (1, 'one')"
primary "insert into categories (name) select 'name ' || n from generate_series(1, 50) n"
wait_applied
serve_up

in_browser looks "${hostile[@]}"
in_browser several
in_browser controls
serve_stop

token=$(head -c 24 /dev/urandom | od -An -tx1 | tr -d ' \n')
(umask 077 && echo "$token" >"$work/token")
write_config "$synced" "api: {ports: [$API0, $API1], token_file: token}"
serve_up
in_browser token "$token"

node "$e2e/page/page.cjs" "$modules" "http://localhost:$API1/" "$screens" lost >"$work/page.log" 2>&1 &
browser=$!
wait_until 30 "the page" grep -q '^shown' "$work/page.log"
serve_stop
wait "$browser" || fail "in the browser: lost"
for name in 360-dark-zh 1280-light-en proven lost; do [ -s "$screens/$name.png" ] || fail "no screenshot $name"; done
follow_stop
say "page_test: passed; screenshots in $(cd "$screens" && pwd)"
