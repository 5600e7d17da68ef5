#!/usr/bin/env bash
# The weekly script of reports/README.md, run as it is documented but for its folder: it reports a good
# week, and fails with a message and a status when an import fails.
. "$(dirname "$0")/lib.sh"
root=$(dirname "$0")/../..
mkdir -p "$T/srv/import" "$T/bin"
ln -s "$(realpath "$BW")" "$T/bin/bellwether"
sed -n '/^    #!\/bin\/sh$/,/^$/ s/^    //p' "$root/reports/README.md" | sed "s|/srv|$T/srv|" >"$T/weekly"
contains "the script is in the README" "$(cat "$T/weekly")" '^set -eu$'
if command -v shellcheck >/dev/null; then
    check "shellcheck has nothing to say" shellcheck "$T/weekly"
else
    echo "ok $((count += 1)) - shellcheck has nothing to say # SKIP no shellcheck"
fi
weekly() { env PATH="$T/bin:$PATH" sh "$T/weekly"; }
{
    echo day,channel,cost
    for d in $(seq 0 27); do date -u -d "2026-01-05 + $d days" +%F,search,100; done
} >"$T/srv/import/spend.csv"
sed 's/channel,cost/revenue,orders/; s/search,100/900,9/' "$T/srv/import/spend.csv" >"$T/srv/import/outcome.csv"
printf 'id,day,text,rating\n1,2026-01-06,good jacket,5\n2,2026-01-20,late parcel,2\n' >"$T/srv/import/review.csv"
BELLWETHER_DB="$T/srv/shop.db" "$BW" init >/dev/null
contains "a good week ends with its check" "$(weekly 2>"$T/said")" 'all match$'
check "and leaves its page" test -s "$T/srv/report/$(date +%G-W%V)/index.html"
echo "2026-02-02,search,plenty" >>"$T/srv/import/spend.csv"
fails "an import that fails ends the run loudly" 1 "spend.csv.*30.*plenty" weekly
rm -r "$T/srv/report" "$T/srv/import/review.csv"
sed -i '$ d' "$T/srv/import/spend.csv"
fails "so does a file that is missing" 1 "review.csv" weekly
check "and no report is written" test ! -e "$T/srv/report"
finish
