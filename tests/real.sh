#!/usr/bin/env bash
# The main job on data that nobody here made: a published weekly modelling table and a published set
# of reviews, through import, score, fit and report, without a hand-edit.
# usage: DATA=FOLDER tests/real.sh    FOLDER has marketing/robyn_weekly.csv and reviews/*.tsv.gz
. "$(dirname "$0")/cli/lib.sh"
here=$(cd "$(dirname "$0")" && pwd)
DATA=$(cd "${DATA:?the folder with the published data}" && pwd)
begun=$(date +%s)

check "a new database" "$BW" init
check "the weekly table is imported by its mapping" \
    "$BW" import wide "$DATA/marketing/robyn_weekly.csv" --mapping "$here/real/robyn.json"
equal "every week is there" "$("$BW" sql --format csv 'SELECT count(*) FROM weekly' | tail -1)" 208
equal "revenue is the file's, to the cent" \
    "$("$BW" sql --format csv 'SELECT round(sum(revenue), 2) FROM outcome' | tail -1)" \
    "$(awk -F, 'NR > 1 {s += $2} END {printf "%.2f", s}' "$DATA/marketing/robyn_weekly.csv" | sed 's/0$//; s/\.0*$//')"
contains "importing it again changes nothing and says so" \
    "$("$BW" import wide "$DATA/marketing/robyn_weekly.csv" --mapping "$here/real/robyn.json" 2>&1)" 'imported before|nothing'
check "reviews are imported" "$BW" import review "$DATA/reviews/en_cr.tsv.gz"
check "Chinese reviews too" "$BW" import review "$DATA/reviews/zh_chnsenticorp_hotel.tsv.gz"
check "reviews are scored" "$BW" score
equal "no review is left without a score" \
    "$("$BW" sql --format csv 'SELECT count(*) FROM review WHERE id NOT IN (SELECT review FROM review_score)' | tail -1)" 0
check "channel effects are fitted" "$BW" fit
contains "tv earns with an interval above zero, as published" \
    "$("$BW" sql --format csv "SELECT contribution_lo > 0 FROM channel_effect WHERE channel = 'tv'" | tail -1)" '^1$'
check "the English report is written" "$BW" report --out "$T/en"
check "the Chinese report is written" "$BW" report --out "$T/zh" --lang zh
contains "a weekly table has a forecast" "$("$BW" sql --format csv "SELECT count(*) > 0 FROM latest_estimate WHERE kind = 'forecast'" | tail -1)" '^1$'
for lang in en zh; do
    page=$(sed 's/<[^>]*>/ /g' "$T/$lang/index.html" 2>/dev/null)
    if [ "${#page}" -gt 3000 ] && ! grep -qiwE 'nan|inf|null|-0' <<<"$page"; then ok "no broken figure in the $lang page"
    else not_ok "no broken figure in the $lang page" "$(grep -iwE -o '.{30}\b(nan|inf|null|-0)\b.{30}' <<<"$page" | head -5)"; fi
    contains "money is in the shop's currency ($lang)" "$page" '€|EUR|欧元'
    check "every number of the $lang report is re-computed" "$BW" verify "$T/$lang"
done
if [ $(($(date +%s) - begun)) -lt 180 ]; then ok "all of it within three minutes"; else not_ok "all of it within three minutes" "$(($(date +%s) - begun)) s"; fi
finish
