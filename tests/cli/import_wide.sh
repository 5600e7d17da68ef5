#!/usr/bin/env bash
# import wide: a modelling table by mapping and by flags, its events, organic channels, settings.
# shellcheck disable=SC2016
. "$(dirname "$0")/lib.sh"
db() { sqlite3 "$BELLWETHER_DB" "$1"; }

# Ten weeks from Sunday 2024-01-07; an event over weeks 3 and 4 and again in week 8.
{
    echo 'week,y,tv_S,fb_S,fb_I,mail,rival,events,hldy_Easter,note'
    for i in 0 1 2 3 4 5 6 7 8 9; do
        event=na; case $i in 2|3|7) event=spring;; esac
        echo "$(date -ud "2024-01-07 +$((7 * i)) days" +%F),$((1000 + i)),$((i % 3)).5,$((10 + i)),$((100 * i)),$((20 + i)),-0.$i,$event,$((i == 5)),x"
    done
} >"$T/wide.csv"
cat >"$T/map.json" <<'J'
{"date": "week", "outcome": {"column": "y", "kind": "orders"}, "spend": {"tv_S": "tv", "fb_S": "facebook"},
 "exposure": {"fb_I": "facebook"}, "organic": ["mail"], "context": ["rival"],
 "event": ["events", "hldy_Easter"], "geo": null, "population": null, "currency": "CHF"}
J
out=$("$BW" import wide "$T/wide.csv" --mapping "$T/map.json" 2>&1)
contains "a wide table is read" "$out" '10 rows read, 53 new' # 10 weeks x (outcome, 3 channels, rival) + 2 events 'spring' + 1 holiday
contains "columns that are not named are said" "$out" 'does not name: note'
equal "settings come from mapping and rows" "$(db "SELECT group_concat(key || '=' || value) FROM (SELECT * FROM setting WHERE key NOT LIKE 'schema%' ORDER BY key)")" "currency=CHF,outcome_kind=orders,week_start=0"
equal "consecutive weeks are one event" "$(db "SELECT day, end_day, kind FROM event WHERE name = 'spring' ORDER BY day")" "2024-01-21|2024-02-03|other
2024-02-25|2024-03-02|other"
equal "a 0/1 column is an event of its name" "$(db "SELECT day, kind FROM event WHERE name = 'Easter'")" "2024-02-11|holiday"
equal "organic channels cost nothing and have exposure" "$(db "SELECT kind, sum(cost), sum(impressions) FROM spend JOIN channel ON name = channel WHERE channel = 'mail'")" "organic|0.0|245.0"
equal "exposure belongs to its channel" "$(db "SELECT sum(impressions) FROM spend WHERE channel = 'facebook'")" "4500.0"
equal "the outcome is what the mapping says" "$(db "SELECT orders, revenue FROM outcome WHERE day = '2024-01-07'")" "1000.0|"
equal "context keeps its sign" "$(db "SELECT value FROM context WHERE day = '2024-01-14'")" "-0.1"
equal "weeks of the views begin on the file's day" "$(db "SELECT min(week), count(*) FROM weekly")" "2024-01-07|10"
contains "again: nothing changes" "$("$BW" import wide "$T/wide.csv" --mapping "$T/map.json" 2>&1)" 'nothing changed'
echo "2024-03-17,1010,1,1,1,1,1,na,0,x" >>"$T/wide.csv"
contains "a grown file adds its new week" "$("$BW" import wide "$T/wide.csv" --mapping "$T/map.json" 2>&1)" '11 rows read, 5 new, 0 changed, 50 as before'

rm "$BELLWETHER_DB"
check "flags do the same" "$BW" import wide "$T/wide.csv" --date week --outcome y --spend tv_S=tv,fb_S --event events
equal "flags: channels" "$(db 'SELECT group_concat(name) FROM channel')" "fb_S,tv"

printf 'd,g,people,y,v\n2024-01-01,north,100,3,2.5\n2024-01-01,south,200,4,2\n' >"$T/geo.csv"
rm "$BELLWETHER_DB"
check "regions with population, orders with money" "$BW" import wide "$T/geo.csv" --date d --geo g --population people --outcome y --outcome-kind conversions --value v
equal "regions arrive" "$(db 'SELECT o.geo, orders, revenue, population FROM outcome o JOIN geo ON name = o.geo')" "north|3.0|7.5|100.0
south|4.0|8.0|200.0"
rm "$BELLWETHER_DB"
fails "two rows of a day without a region are refused, with the way out" 1 'geo.csv:3: error.*--geo' "$BW" import wide "$T/geo.csv" --date d --outcome y
check "or added up" "$BW" import wide "$T/geo.csv" --date d --outcome y --sum
equal "added up" "$(db 'SELECT revenue FROM outcome')" "7.0"

fails "a column that is not there: the nearest is named" 1 "error: column 'yy'.*nearest is 'y'" "$BW" import wide "$T/geo.csv" --date d --outcome yy
echo '{"date": "d", "outcom": "y"}' >"$T/bad.json"
fails "an unknown key of the mapping: the nearest is named" 1 '"outcom"; is "outcome" meant' "$BW" import wide "$T/geo.csv" --mapping "$T/bad.json"
fails "a mapping that is no JSON" 1 'mapping: not a JSON object' "$BW" import wide "$T/geo.csv" --mapping "$T/geo.csv"
fails "no mapping at all" 2 'import --guess' "$BW" import wide "$T/geo.csv"
fails "an index is no event" 1 'map the column as context' "$BW" import wide "$T/geo.csv" --date d --geo g --outcome y --event v
fails "another currency than the database's" 1 'holds money in EUR' bash -c '"$0" import wide "$1" --date d --geo g --outcome y --currency EUR >/dev/null 2>&1; "$0" import wide "$1" --date d --geo g --outcome y --currency USD' "$BW" "$T/geo.csv"
finish
