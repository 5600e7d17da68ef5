#!/usr/bin/env bash
# demo: a filled database, the same from the same seed, odd shops by name, nothing overwritten.
. "$(dirname "$0")/lib.sh"
run() { "$BW" demo --no-report "$@"; }
content() { sqlite3 "$1" "SELECT * FROM outcome; SELECT * FROM spend; SELECT * FROM review; SELECT * FROM message; SELECT * FROM demo_truth;" | sha256sum; }

out=$(run --db "$T/a.db")
contains "it says where the shop is and what is in it" "$out" '6,?400 reviews'
check "a second seed makes another shop" run --db "$T/b.db" --seed 2
check "the first seed again" run --db "$T/c.db" --seed 1
equal "the same seed gives the same rows" "$(content "$T/a.db")" "$(content "$T/c.db")"
if [ "$(content "$T/a.db")" != "$(content "$T/b.db")" ]; then ok "another seed gives other rows"; else not_ok "another seed gives other rows"; fi
equal "every day of three years is there" "$(sqlite3 "$T/a.db" 'SELECT count(DISTINCT day) FROM outcome')" 1092

before=$(content "$T/a.db")
fails "data are not mixed with another simulation" 1 'already holds data.*--db' run --db "$T/a.db" --seed 3
equal "and the refused database is as it was" "$(content "$T/a.db")" "$before"
contains "the same demo again goes on with what is there" "$(run --db "$T/a.db")" 'holds this shop already'

fails "an unknown shape is answered with the known ones" 2 "no shape 'round'.*three-weeks" run --db "$T/d.db" --shape round
fails "an operand is refused" 2 "takes no" run --db "$T/d.db" shop.db
check "an odd shop" run --db "$T/d.db" --shape three-weeks
equal "has its three weeks" "$(sqlite3 "$T/d.db" 'SELECT count(*) FROM weekly')" 3
check "towns by --geos" run --db "$T/e.db" --geos --shape one-year
equal "twelve of them" "$(sqlite3 "$T/e.db" 'SELECT count(DISTINCT geo) FROM outcome')" 12
out=$("$BW" demo --db "$T/d.db" --shape three-weeks --out "$T/report" 2>/dev/null)
contains "without --no-report the job runs and says where the report is" "$out" "the report: $T/report/index.html"
contains "which is a page" "$(head -c 200 "$T/report/index.html")" '<!doctype html>|<!DOCTYPE html>'
contains "--help lists the shapes" "$("$BW" demo --help)" 'confounded +all spend follows demand'
finish
