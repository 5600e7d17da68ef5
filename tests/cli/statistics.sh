#!/usr/bin/env bash
# timing, price, experiment, forecast, segment, attribution: from files and from an empty database.
. "$(dirname "$0")/lib.sh"

for c in timing price forecast segment attribution "experiment ab" "experiment did" "experiment impact" \
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

printf 'path,total_conversions\nmail > search,3\nsearch,1\n' >"$T/paths.csv"
contains "journeys share their credit" "$("$BW" attribution "$T/paths.csv" --db "$BELLWETHER_DB" --json)" '"shapley":	2.5'
printf 'path,total_conversions\nmail,0\n' >"$T/none.csv"
fails "journeys without a sale share none" 1 'no path ended' "$BW" attribution "$T/none.csv"
contains "a test's size" "$("$BW" experiment power --rate 0.05 --effect 0.01)" 'rows in the control +815[0-9]'
fails "an effect beyond 1 is refused" 2 'out of 0..1' "$BW" experiment power --rate 0.95 --effect 0.1
finish
