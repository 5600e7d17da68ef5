#!/usr/bin/env bash
# timing, price, experiment, forecast, segment, attribution: from files and from an empty database.
. "$(dirname "$0")/lib.sh"

for c in timing price forecast segment attribution sentiment "experiment ab" "experiment did" "experiment impact" \
    "experiment synth" "experiment switchback" "experiment power" "experiment list" "experiment next"; do
    # shellcheck disable=SC2086
    contains "$c has help with examples" "$("$BW" $c --help)" '^examples:'
done
fails "an unknown kind of experiment is named" 2 "no kind 'abc'" "$BW" experiment abc
fails "experiment alone asks for the kind" 2 'which kind' "$BW" experiment

"$BW" init >/dev/null
fails "timing says that there are no messages" 1 'no messages' "$BW" timing
fails "price says that there are no sales" 1 'no sales' "$BW" price
fails "forecast says that there are no sales" 1 'no sales' "$BW" forecast
fails "segment says that there are no purchases" 1 'no purchases' "$BW" segment
fails "sentiment says what there is too little of" 1 '0 weeks' "$BW" sentiment
fails "experiment list says that there is none" 1 'no experiment' "$BW" experiment list

printf 'arm,buys,money\n' >"$T/ab.csv"
for i in $(seq 1 60); do
    echo "a,$((i % 5 == 0)),$((i % 5 == 0 ? i : 0))"
    echo "b,$((i % 3 == 0)),$((i % 3 == 0 ? i : 0))"
done >>"$T/ab.csv"
out=$("$BW" experiment ab "$T/ab.csv" --arm arm --control a --metric buys:rate --metric money:money --json)
contains "an A/B test has its uplift" "$out" '"uplift":	0.1333'
if grep -qiE 'nan|inf' <<<"$out"; then not_ok "JSON holds no NaN" "$out"; else ok "JSON holds no NaN"; fi
gzip -k "$T/ab.csv"
equal "a .gz file gives the same" \
    "$("$BW" experiment ab "$T/ab.csv.gz" --arm arm --control a --metric buys:rate --metric money:money --json)" "$out"
fails "an unknown control lists the arms" 1 "'a', 'b'" "$BW" experiment ab "$T/ab.csv" --arm arm --control c --metric buys:rate
fails "a metric without its kind is wrong usage" 2 'COLUMN:rate' "$BW" experiment ab "$T/ab.csv" --arm arm --metric buys
fails "money is no rate" 1 'is not 0 or 1' "$BW" experiment ab "$T/ab.csv" --arm arm --control a --metric money:rate
fails "an unknown column lists the columns" 1 'arm, buys, money' "$BW" experiment ab "$T/ab.csv" --arm x --metric buys:rate
sed 's/,[0-9]*$/,0/' "$T/ab.csv" >"$T/zero.csv"
fails "all-zero money is said" 1 'every value is the same' "$BW" experiment ab "$T/zero.csv" --arm arm --control a --metric money:money

{ echo 'day,y,x'; for i in $(seq 1 40); do printf '2026-01-%02d,%d,%d\n' $((i > 31 ? 31 : i)) $((i * 7 % 11 + i)) "$i"; done; } |
    head -32 >"$T/series.csv"
out=$("$BW" experiment impact "$T/series.csv" --time day --metric y --controls x --start 2026-01-31 --json)
contains "a start on the last day is judged" "$out" '"periods_after":	1'
contains "and it is said what cannot be" "$out" 'whether the effect lasts cannot be said'
check "a result is saved as an experiment" "$BW" experiment impact "$T/series.csv" --time day --metric y --controls x \
    --start 2026-01-25 --save T-1 --channel mail --spend-change -500
contains "and listed with its channel's test" "$("$BW" experiment list --json)" '"subject":	"T-1"'
fails "a start after the last day is refused" 1 'lies in the future' \
    "$BW" experiment impact "$T/series.csv" --time day --metric y --controls x --start 2026-02-01
out=$("$BW" forecast --file "$T/series.csv" --time day --metric y --horizon 3 --json)
contains "a month of days is forecast" "$out" '"at":	"2026-02-03"'
contains "without a year there is no yearly season" "$out" 'left out'
sed 's/^\(2026-01-..\),[0-9]*,/\1,5,/' "$T/series.csv" >"$T/flat.csv"
fails "a flat series is refused" 1 'all 31 values are equal' "$BW" forecast --file "$T/flat.csv" --time day --metric y

# Files as other programs write them: ';' between cells, spaces, NA, an arm without values.
{ echo 'arm;buys'; for i in $(seq 1 40); do echo " a ;$((i % 4 == 0))"; echo "b;$((i % 3 == 0 ? 1 : 0))"; echo 'c;NA'; done; } >"$T/semi.csv"
out=$("$BW" experiment ab "$T/semi.csv" --arm arm --control a --metric buys:rate --json 2>&1)
contains "semicolons and spaces are read" "$out" '"uplift":	0.075,'
contains "an empty arm is named" "$out" "arm 'c' has 0 observations: nothing can be said of it"
if grep -qE '"(hi|lo)":	-?1\.[0-9]' <<<"$out"; then not_ok "rates differ by 1 at most" "$out"; else ok "rates differ by 1 at most"; fi
fails "an empty control is named" 1 "arm 'c' has 0 observations" "$BW" experiment ab "$T/semi.csv" --arm arm --control c --metric buys:rate
# Two rows a unit: n counts rows, units what was assigned.
{ echo 'arm,who,m'; for i in $(seq 1 30); do echo "a,u$i,$((i % 7))"; echo "a,u$i,$((i % 5))"; echo "b,v$i,$((i % 6))"; done; } >"$T/unit.csv"
out=$("$BW" experiment ab "$T/unit.csv" --arm arm --control a --metric m:money --unit who --json)
contains "n counts rows" "$out" '"n":	60'
contains "units are counted beside them" "$out" '"units":	30'
contains "the split is judged by units, which are even" "$out" '"alarm":	false'

# Ten cities, six quarters: one city treated, its noise told by the other nine; names of periods will do.
{ echo 'city,quarter,treated,post,rate'
    for u in 1 2 3 4 5 6 7 8 9 10; do for q in 1 2 3 4 5 6; do
        echo "c$u,Q$((q > 3 ? q - 3 : q))$((q > 3 ? 2011 : 2010)),$((u == 4)),$((q > 3)),$((50 + 7 * u + (u * q * 13) % 5 + (u == 4 && q > 3 ? 9 : 0)))"
    done; done; } >"$T/one.csv"
out=$("$BW" experiment did "$T/one.csv" --unit city --time quarter --treated treated --post post --metric rate --json)
contains "one treated unit is held against the others" "$out" 'one treated unit: its error is how far the 9'
equal "its effect is found" "$(python3 -c 'import json,sys; d=json.loads(sys.argv[1]); print(5 < d["effect"] < 13 and d["lo"] > 0 and d["pretrend_p"] > 0.05)' "$out")" True
sed 's/,Q1/,spring /; s/,Q2/,summer /; s/,Q3/,autumn /' "$T/one.csv" >"$T/names.csv"
contains "names of periods cannot show who moved first" \
    "$("$BW" experiment did "$T/names.csv" --unit city --time quarter --treated treated --post post --metric rate --json)" 'which period comes first is not known'
sed 's/^c2,Q12010,0,0,.*/c2,Q12010,0,0,NA/' "$T/one.csv" >"$T/hole.csv"
contains "a missing value is left out and said" \
    "$("$BW" experiment did "$T/hole.csv" --unit city --time quarter --treated treated --post post --metric rate --json)" '1 rows without rate are left out'
untreated_0() { awk -F, 'NR > 1 && $3 == 0 { $4 = 0 } { print }' OFS=, "$1"; }
did() { "$BW" experiment did "$1" --unit city --time quarter --treated treated --post post --metric rate --json; }
untreated_0 "$T/one.csv" >"$T/unset.csv"
equal "with one start, post need not be set for the untreated" "$(did "$T/unset.csv")" "$(did "$T/one.csv")"
untreated_0 "$T/one.csv" | sed 's/^c5,\(Q[23]2011\),0,0/c5,\1,1,1/; s/^c5,\(Q[0-9]*\),0,/c5,\1,1,/' >"$T/stag.csv"
out=$(did "$T/stag.csv")
contains "different starts are seen, and what two-way fixed effects would say" "$out" 'units start at different times: .*would say'
contains "and the effect is told by periods since the start" "$out" '"since_start"'

awk -F, 'NR == 1 { print $0 ",flat" } NR > 1 { print $0 ",4" }' "$T/series.csv" >"$T/flatx.csv"
contains "a control that does not vary is left out" \
    "$("$BW" experiment impact "$T/flatx.csv" --time day --metric y --controls x,flat --start 2026-01-25 --json)" '1 of the controls do not vary'
fails "the metric cannot be its own control" 2 "'y' is the metric itself" \
    "$BW" experiment impact "$T/series.csv" --time day --metric y --controls x,y --start 2026-01-25
sed '/2026-01-0[3-6]/d' "$T/series.csv" >"$T/gaps.csv"
contains "missing periods are counted" \
    "$("$BW" experiment impact "$T/gaps.csv" --time day --metric y --controls x --start 2026-01-25 --json)" '4 periods are missing'

printf 'path,total_conversions\nmail > search,3\nsearch,1\n' >"$T/paths.csv"
contains "journeys share their credit" "$("$BW" attribution "$T/paths.csv" --db "$BELLWETHER_DB" --json)" '"shapley":	2.5'
equal "and are kept as rows" \
    "$(sqlite3 "$BELLWETHER_DB" "SELECT shapley FROM attribution WHERE channel = 'search'")" 2.5
# A panel of days: a result is stored with its total, for the mix model.
{ echo 'city,day,treated,post,revenue'
    for u in 1 2 3 4 5 6 7 8; do for d in 01 02 03 04 05 06 07 08 09 10 11 12; do
        echo "c$u,2026-03-$d,$((u > 4)),$((10#$d > 8)),$((100 + 9 * u + (u * 10#$d * 7) % 11 + (u > 4 && 10#$d > 8 ? 20 : 0)))"
    done; done; } >"$T/panel.csv"
check "did saves its result" "$BW" experiment did "$T/panel.csv" --unit city --time day --treated treated --post post \
    --metric revenue --save D-1 --channel tv --spend-change 900
effect=$("$BW" experiment did "$T/panel.csv" --unit city --time day --treated treated --post post --metric revenue --json |
    python3 -c 'import json,sys; print(round(16 * json.load(sys.stdin)["effect"], 3))')
equal "as the total over sixteen treated city days" \
    "$(sqlite3 "$BELLWETHER_DB" "SELECT round(effect, 3), start_day, end_day, effect_sd > 0, metric FROM experiment WHERE id = 'D-1'")" \
    "$effect|2026-03-09|2026-03-12|1|revenue"
check "synth saves its result" "$BW" experiment synth "$T/panel.csv" --unit city --time day --metric revenue --treated c8 \
    --start 2026-03-09 --save S-1 --channel tv --spend-change 300 --save-as revenue
equal "with its days" "$(sqlite3 "$BELLWETHER_DB" "SELECT start_day, end_day, effect > 0 FROM experiment WHERE id = 'S-1'")" '2026-03-09|2026-03-12|1'
fails "saving needs what was spent" 2 'needs --time, --channel and --spend-change' \
    "$BW" experiment did "$T/panel.csv" --unit city --time day --treated treated --post post --metric revenue --save D-2
printf 'path,total_conversions\nmail,0\n' >"$T/none.csv"
fails "journeys without a sale share none" 1 'no path ended' "$BW" attribution "$T/none.csv"
contains "a test's size" "$("$BW" experiment power --rate 0.05 --effect 0.01)" 'rows in the control +815[0-9]'
fails "an effect beyond 1 is refused" 2 'out of 0..1' "$BW" experiment power --rate 0.95 --effect 0.1
finish
