#!/usr/bin/env bash
# sql and setting: formats, read-only, near names, hostile text, documentation of the schema.
# shellcheck disable=SC2012
. "$(dirname "$0")/lib.sh"
printf 'day,channel,cost,impressions\n2024-01-01,search,10.25,1000\n2024-01-01,微信广告,1234.5,\n2024-01-08,search,7,900\n2024-01-15,search,8,\n' >"$T/s.csv"
"$BW" import spend "$T/s.csv" >/dev/null 2>&1

equal "table: numbers to the right, Chinese as wide as it is" "$("$BW" sql "SELECT channel, sum(cost) AS cost FROM spend GROUP BY 1")" "channel      cost
────────  ───────
search      25.25
微信广告  1234.50"
equal "csv: quotes where needed, numbers in full" "$("$BW" sql "SELECT 'a,\"b\"' AS t, 0.1 + 0.2 AS x, NULL AS n" --format csv)" 't,x,n
"a,""b""",0.30000000000000004,'
equal "json: types, null, escapes" "$("$BW" sql "SELECT 'q\"' AS t, 3 AS i, 1.5 AS r, NULL AS n" --json)" '[
 {"t": "q\"", "i": 3, "r": 1.5, "n": null}
]'
equal "json: no rows are an empty list" "$("$BW" sql "SELECT 1 WHERE 0" --format json)" "[]"
equal "markdown: its marks are escaped" "$("$BW" sql "SELECT 'a|b*' AS t, 3 AS i" --format markdown)" '| t | i |
| --- | ---: |
| a\|b\* | 3 |'
equal "control characters and direction marks are shown, not sent" "$("$BW" sql "SELECT char(27) || '[31m' || char(0x202e) || char(0x9b) AS t" | tail -1)" '\x1b[31m\u202e\x9b'
equal "a long text is cut in a table" "$("$BW" sql "SELECT hex(zeroblob(500)) AS t" | tail -1 | wc -m)" 61
equal "and whole in csv" "$("$BW" sql "SELECT hex(zeroblob(500)) AS t" -f csv | tail -1 | wc -c)" 1001

before=$(sqlite3 "$BELLWETHER_DB" .dump | sha256sum)
for q in "DELETE FROM spend" "INSERT INTO setting VALUES ('a', 'b')" "DROP VIEW weekly" "PRAGMA user_version = 9" \
    "PRAGMA writable_schema = 1" "CREATE TEMP TABLE x(y)" "VACUUM" "BEGIN IMMEDIATE" \
    "WITH a AS (SELECT 1) UPDATE spend SET cost = 0"; do
    fails "read-only: $q" 1 'add --write' "$BW" sql "$q"
done
fails "no other file is opened" 1 'name another one with --db' "$BW" sql "ATTACH '$T/x.db' AS x"
fails "no extension is loaded" 1 'may not load' "$BW" sql "SELECT load_extension('x')"
fails "no file is written" 1 'write' "$BW" sql "VACUUM INTO '$T/copy.db'"
fails "one statement at a time" 1 'one statement' "$BW" sql "SELECT 1; SELECT 2"
equal "nothing of it changed anything" "$(sqlite3 "$BELLWETHER_DB" .dump | sha256sum)" "$before"
equal "and left no file" "$(ls "$T" | tr '\n' ' ')" "s.csv shop.db "

fails "a column that is not there: near names" 1 'no such column: revenu; near names: revenue' "$BW" sql "SELECT revenu FROM weekly"
fails "a table that is not there: near names" 1 'no such table: chanel; near names: channel' "$BW" sql "SELECT * FROM chanel"
fails "a syntax error shows its place" 1 "syntax error, near '.*FORM" "$BW" sql "SELECT 1 FORM weekly"
fails "no query" 2 'one query is wanted' "$BW" sql
fails "no database: what to do" 1 'bellwether init' "$BW" sql "SELECT 1" --db "$T/none.db"
fails "an unknown format" 2 'not table, csv, json or markdown' "$BW" sql "SELECT 1" --format xml
contains "the query may come by standard input" "$(echo 'SELECT count(*) AS n FROM spend' | "$BW" sql -)" '^4$'

contains "--write changes" "$("$BW" sql --write "UPDATE channel SET label_en = 'Search' WHERE name = 'search'" 2>&1)" '1 row changed'
equal "--write --json counts" "$("$BW" sql --write --json "UPDATE channel SET label_en = NULL WHERE 0")" '{"changed": 0}'
fails "--schema is for people" 2 'sqlite_schema' "$BW" sql --schema --json
equal "setting set --json is an object" "$("$BW" setting set shop "A \"B\"" --json | tr -d '[:space:]')" '{"shop":"A\"B\""}'
equal "and so is get" "$("$BW" setting get shop --json | tr -d '[:space:]')" '{"shop":"A\"B\""}'
fails "several statements are one transaction" 1 'no such table' "$BW" sql --write "DELETE FROM spend; DELETE FROM no_table"
equal "so a failure undoes the first" "$("$BW" sql "SELECT count(*) AS n FROM spend" -f csv | tail -1)" 4

doc=$("$BW" sql --schema)
for v in weekly channel_week review_scored channel_effect latest_estimate spend outcome estimate; do
    contains "--schema explains $v" "$doc" "^$v\$"
done
contains "--schema takes a part of a name" "$("$BW" sql --schema curve)" '^channel_curve$'
fails "--schema of nothing" 1 "no table or view has 'xyz'" "$BW" sql --schema xyz
# Every view can be read, also when it is empty.
for v in $("$BW" sql "SELECT name FROM sqlite_schema WHERE type = 'view'" -f csv | tail -n +2); do
    check "view $v can be read" "$BW" sql "SELECT * FROM $v"
done

contains "setting set: a day by name" "$("$BW" setting set week_start sunday)" 'week_start is now 0'
equal "setting get" "$("$BW" setting get week_start)" 0
equal "weeks of the views follow it" "$("$BW" sql "SELECT min(week) AS w FROM channel_week" -f csv | tail -1)" "2023-12-31"
fails "setting: a value out of range" 1 'no share between 0 and 1' "$BW" setting set margin 35
fails "setting: an unknown key, the nearest offered" 1 "is 'currency' meant" "$BW" setting set curency EUR
fails "setting: one that is not set" 1 'margin is not set' "$BW" setting get margin
check "setting: owners are free" "$BW" setting set owner.budget Ann
contains "setting list: all with what they mean" "$("$BW" setting list)" '^margin .*share of revenue'
contains "setting list --json" "$("$BW" setting list --json)" '"owner.budget":	"Ann"'
fails "setting: wrong usage" 2 'list, get KEY' "$BW" setting sett x
finish
