#!/usr/bin/env bash
# Renders the demo report in Chromium, English and Chinese, and those of the shops whose numbers are
# longest and whose channels are most, and checks what a reader would trip over (page.mjs says what). Needs Chromium and npm; playwright-core and axe-core are fetched once by npm,
# pinned by package-lock.json.
# usage: tests/browser/run.sh [DATABASE]      default: build/demo.db, made by the demo when it is missing
set -u
cd "$(dirname "$0")/../.." || exit 1
BW=${BW:-$PWD/bellwether} here=tests/browser db=${1:-build/demo.db}
say() { echo "tests/browser: $*" >&2; exit 1; }

CHROMIUM=${CHROMIUM:-$(command -v chromium || command -v chromium-browser || command -v google-chrome)}
[ -n "$CHROMIUM" ] || say "Chromium is missing; on Debian: apt-get install chromium"
export CHROMIUM
command -v npm >/dev/null || say "npm is missing; on Debian: apt-get install npm"
if [ ! -d $here/node_modules/playwright-core ] || [ ! -d $here/node_modules/axe-core ]; then
    (cd $here && npm ci --no-audit --no-fund >&2) || say "npm could not fetch playwright-core and axe-core (offline?)"
fi
if [ ! -s "$db" ]; then
    "$BW" demo --db "$db" --out build/browser-demo >&2 || exit 1
fi
for lang in en zh; do
    "$BW" report --no-stages --quiet --db "$db" --lang $lang --out build/browser/$lang >/dev/null || exit 1
done
for shape in huge thirty-channels; do
    odd=build/browser/$shape.db
    rm -f "$odd"
    "$BW" demo --small --no-report --shape $shape --db "$odd" >/dev/null 2>&1 || exit 1
    for stage in score "fit --engine laplace" plan timing price segment forecast; do
        # shellcheck disable=SC2086
        "$BW" $stage --db "$odd" >/dev/null 2>&1 || [ $? -eq 1 ] || say "$shape: $stage failed"
    done
    "$BW" report --no-stages --quiet --format html --db "$odd" --lang en,zh --out build/browser/$shape >/dev/null || exit 1
done
pages=$(for dir in build/browser/en build/browser/zh build/browser/huge/* build/browser/thirty-channels/*; do echo "$dir/index.html"; done)
# shellcheck disable=SC2086
exec node $here/page.mjs --full-first 2 $pages
