#!/usr/bin/env bash
# Every odd shop of `demo --shape` through the job: import is simulated, texts scored, effects fitted by
# the fast engine, then the report in both languages, `verify`, and a reading for broken text
# (read_report.py). The pages stay in build/odd for tests/browser.
# usage: tests/slow/odd_shops.sh [SHAPE...]     default: all of them
. "$(dirname "$0")/../cli/lib.sh"
here=$(dirname "$0") out=${ODD:-build/odd}
mkdir -p "$out"
all=$("$BW" demo --help | sed -n '/^shapes:/,$ s/^  \([a-z-]*\) .*/\1/p')
[ "$(wc -w <<<"$all")" -ge 30 ] && ok "there are thirty odd shops" || not_ok "there are thirty odd shops" "$all"

# A stage that has too little to go on exits with 1 and says so; a crash exits with more.
stage() {
    local said status
    said=$("$BW" "$@" --db "$db" 2>&1 >/dev/null); status=$?
    [ "$status" -le 1 ] || not_ok "$shape: $1" "exit $status: $said"
}

# shellcheck disable=SC2086
[ $# -gt 0 ] || set -- $all
for shape in "$@"; do
    db="$T/$shape.db"
    check "$shape: simulated" "$BW" demo --small --no-report --shape "$shape" --db "$db"
    stage score
    stage fit --engine laplace
    for s in plan timing price segment; do stage $s; done
    stage forecast --metric "$(sqlite3 "$db" "SELECT coalesce((SELECT value FROM setting WHERE key = 'outcome_kind'), 'revenue')")"
    "$BW" report --no-stages --quiet --format json --db "$db" --out "$T/first" >/dev/null 2>&1
    equal "$shape: nothing is tested and moved at once" "$(sqlite3 "$db" "SELECT count(*) FROM advice t JOIN advice a ON a.week = t.week AND a.id <> t.id WHERE t.kind = 'experiment' AND (a.subject = t.subject AND a.kind IN ('timing', 'content') OR a.kind = 'budget' AND EXISTS (SELECT 1 FROM json_each(a.action, '\$.moves') WHERE key = t.subject)) AND t.due <= date(a.due, '+14 days')")" 0
    for lang in en zh; do
        dir="$out/$shape-$lang"
        check "$shape, $lang: report" "$BW" report --no-stages --quiet --format html,json --db "$db" --lang $lang --out "$dir"
        check "$shape, $lang: verify" "$BW" verify "$dir" --db "$db"
        check "$shape, $lang: reads well" python3 "$here/read_report.py" "$dir/index.html"
    done
    rm -f "$db"
done
finish
