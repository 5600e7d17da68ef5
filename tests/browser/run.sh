#!/usr/bin/env bash
# Renders the demo report in Chromium, English and Chinese, and checks what a reader would trip over
# (page.mjs says what). Needs Chromium and npm; playwright-core and axe-core are fetched once by npm,
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
exec node $here/page.mjs build/browser/en/index.html build/browser/zh/index.html
