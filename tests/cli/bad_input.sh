#!/usr/bin/env bash
# Data that cannot answer: zero variance, all-zero money, perfect separation, an empty arm, gaps, a single year,
# overlapping tests, a treatment on the last day. Every command says what cannot be said, and JSON never holds
# a NaN or an infinity.
. "$(dirname "$0")/lib.sh"
"$BW" init >/dev/null 2>&1
cd "$T" || exit 1

# json NAME PATTERN COMMAND...: succeeds without NaN in its JSON, and says PATTERN among it.
json() {
    local name=$1 pattern=$2 out; shift 2
    if ! out=$("$BW" "$@" --json 2>&1); then not_ok "$name" "$out"; return; fi
    if grep -qiE '(^|[^a-z])-?(nan|inf|infinity)([^a-z]|$)' <<<"$out"; then not_ok "$name: no NaN" "$out"; return; fi
    contains "$name" "$out" "$pattern"
}
# rows N 'awk expression of i (0 ..) that prints a row'
rows() { awk -v n="$1" "BEGIN { srand(11); for (i = 0; i < n; i++) { $2 } }"; }
# Days from 2024-01-01 on in front of the lines of stdin.
dated() { awk -v step="${1:-1}" '{ print strftime("%Y-%m-%d", 1704067200 + 86400 * step * (NR - 1), 1) "," $0 }'; }

# ---- experiment ab ----
ab() { printf 'arm,m\n' >"$1.csv"; rows 60 "print $2" >>"$1.csv"; }
ab zero '(i % 2 ? "a" : "b") ",0"'
ab same '(i % 2 ? "a" : "b") ",5"'
ab apart '(i % 2 ? "a,0" : "b,1")'
ab alone '"a," i % 3'
ab flat '(i % 2 ? "a," i % 3 : "b,2")'
{ cat alone.csv; echo 'b,'; } >none.csv
{ cat alone.csv; echo 'b,2'; } >single.csv
AB=(--arm arm --control a --metric)
for f in zero same apart; do
    fails "ab: $f money has no noise" 1 'every value is the same within each arm' "$BW" experiment ab $f.csv "${AB[@]}" m:money
done
fails "ab: an empty arm" 1 "arm 'b' has 0 observations" "$BW" experiment ab none.csv "${AB[@]}" m:money
fails "ab: an arm of one" 1 "arm 'b' has 1 observations" "$BW" experiment ab single.csv "${AB[@]}" m:money
fails "ab: one arm" 1 'wanted 2 to 64 arms' "$BW" experiment ab alone.csv "${AB[@]}" m:money
json "ab: rates of 0 and 1 are bounded" 'fewer than ten successes or failures' experiment ab apart.csv "${AB[@]}" m:rate
json "ab: an arm without spread" "every value of arm 'b' is 2" experiment ab flat.csv "${AB[@]}" m:money

# ---- experiment did: 8 units x 10 times, five of them treated from time 6 on ----
did() { printf 'u,t,tr,post,y\n' >"$1.csv"; rows 80 "u = int(i / 10); t = i % 10; tr = u > 2; post = t > 5; y = u + t + rand(); $2; print u \",\" t \",\" tr \",\" post \",\" y" >>"$1.csv"; }
did d_flat 'y = 3'
did d_zero 'y = 0'
did d_exact 'y = u + t + 2 * tr * post'
did d_last 'post = t == 9'
did d_never 'post = 0'
did d_all 'tr = 1'
did d_gaps 'if (i % 7 == 3) y = "NA"'
DID=(--unit u --time t --treated tr --post post --metric y)
for f in d_flat d_zero; do
    fails "did: $f" 1 'does not vary' "$BW" experiment did $f.csv "${DID[@]}"
done
fails "did: nothing has no logarithm" 1 'has no logarithm' "$BW" experiment did d_zero.csv "${DID[@]}" --log
fails "did: an exact metric has no noise" 1 'no noise is left' "$BW" experiment did d_exact.csv "${DID[@]}"
fails "did: a start that never comes" 1 'no row is untreated after the start' "$BW" experiment did d_never.csv "${DID[@]}"
fails "did: nobody untreated" 1 'no row is untreated before the start' "$BW" experiment did d_all.csv "${DID[@]}"
json "did: a start on the last day" 'whether the effect lasts cannot be said' experiment did d_last.csv "${DID[@]}"
json "did: gaps" 'rows without y are left out' experiment did d_gaps.csv "${DID[@]}"

# ---- experiment impact ----
series() { { echo 'd,y,x'; rows 60 "$2" | dated; } >"$1.csv"; }
series i_flat 'print "4," i % 7'
series i_zero 'print "0," i % 7'
series i_fine 'print 10 + i % 7 + rand() "," i % 7'
series i_dull 'print 10 + rand() ",1"'
sed '/-0[67],/d' i_fine.csv >i_gaps.csv
IMPACT=(--time d --metric y --controls x --start)
for f in i_flat i_zero; do
    fails "impact: $f" 1 'does not vary before the start' "$BW" experiment impact $f.csv "${IMPACT[@]}" 2024-02-15
done
fails "impact: nothing before" 1 'values before the start' "$BW" experiment impact i_fine.csv "${IMPACT[@]}" 2024-01-02
fails "impact: nothing after" 1 'the effect lies in the future' "$BW" experiment impact i_fine.csv "${IMPACT[@]}" 2025-01-02
json "impact: a start on the last day" 'whether the effect lasts cannot be said' experiment impact i_fine.csv "${IMPACT[@]}" 2024-02-29
json "impact: a control that does not vary" 'do not vary before the start and are left out' experiment impact i_dull.csv "${IMPACT[@]}" 2024-02-15
json "impact: gaps" 'periods are missing' experiment impact i_gaps.csv "${IMPACT[@]}" 2024-02-15

# ---- experiment synth, switchback, power ----
panel() { printf 'u,t,y\n' >"$1.csv"; rows 80 "u = int(i / 10); t = i % 10; print u \",\" t \",\" ($2)" >>"$1.csv"; }
panel s_flat 3
panel s_zero 0
panel s_fine 'u + t + rand()'
grep -v '^4,3,' s_fine.csv >s_gaps.csv
SYNTH=(--unit u --time t --metric y --treated 3 --start)
for f in s_flat s_zero; do
    fails "synth: $f" 1 'every value is' "$BW" experiment synth $f.csv "${SYNTH[@]}" 6
done
fails "synth: a gap" 1 'has no row in one of the 10 periods' "$BW" experiment synth s_gaps.csv "${SYNTH[@]}" 6
fails "synth: too little before" 1 '1 periods before the start' "$BW" experiment synth s_fine.csv "${SYNTH[@]}" 1
json "synth: a start on the last day" 'whether the effect lasts cannot be said' experiment synth s_fine.csv "${SYNTH[@]}" 9
switch() { printf 'on,y\n' >"$1.csv"; rows 60 "on = rand() < 0.5; y = rand(); $2; print on \",\" y" >>"$1.csv"; }
switch b_flat 'y = 4.1'
switch b_zero 'y = 0'
switch b_exact 'y = 2 * on'
switch b_on 'on = 1'
switch b_last 'on = i == 59'
SWITCH=(--treated on --metric y --lags 1)
for f in b_flat b_zero b_exact; do
    fails "switchback: $f" 1 'no noise by which' "$BW" experiment switchback $f.csv "${SWITCH[@]}"
done
fails "switchback: always on" 1 'on all the time' "$BW" experiment switchback b_on.csv "${SWITCH[@]}"
fails "switchback: on at the very end" 1 'switched too seldom' "$BW" experiment switchback b_last.csv "${SWITCH[@]}"
fails "power: a rate of nothing" 2 'between 0 and 1' "$BW" experiment power --rate 0 --effect 0.01
fails "power: no effect to find" 2 'out of its range' "$BW" experiment power --rate 0.1 --effect 0

# ---- forecast, weeks ----
weeks() { { echo 'd,y'; rows "$2" "print $3" | dated 7; } >"$1.csv"; }
weeks f_flat 60 5
weeks f_zero 60 0
weeks f_short 5 'i % 3'
weeks f_year 52 '50 + 9 * rand()'
weeks f_long 80 '50 + 9 * rand()'
awk 'NR < 20 || NR > 30' f_long.csv >f_gaps.csv
for f in f_flat f_zero; do
    fails "forecast: $f" 1 'values are equal' "$BW" forecast --file $f.csv --time d --metric y
done
fails "forecast: five weeks" 1 '8 are the least' "$BW" forecast --file f_short.csv --time d --metric y
json "forecast: a single year" 'less than a year and a half' forecast --file f_year.csv --time d --metric y
json "forecast: gaps" 'periods have no value' forecast --file f_gaps.csv --time d --metric y

# ---- price ----
sales() { printf 'q,p,g\n' >"$1.csv"; rows 60 "q = 5 + i % 4 + rand(); p = 10 + i % 5; $2; print q \",\" p \",a\"" >>"$1.csv"; }
sales p_flat 'p = 10'
sales p_deaf 'q = 5'
sales p_zero 'q = 0'
sales p_free 'p = 0'
PRICE=(--units q --price p --by g)
fails "price: a price that never moved" 1 'no price ever moved' "$BW" price --file p_flat.csv "${PRICE[@]}"
fails "price: sales that never moved" 1 'nothing answered' "$BW" price --file p_deaf.csv "${PRICE[@]}"
fails "price: nothing sold" 1 'units 0 has no logarithm' "$BW" price --file p_zero.csv "${PRICE[@]}"
fails "price: nothing asked" 1 'price 0 has no logarithm' "$BW" price --file p_free.csv "${PRICE[@]}"

# ---- segment, attribution ----
buys() { { echo 'd,c,r'; rows "$2" "print $3" | dated "${4:-1}"; } >"$1.csv"; }
buys g_once 40 'i ",10"'
buys g_zero 300 'i % 60 ",0"' 2
SEGMENT=(--customer c --day d --revenue r)
fails "segment: nobody came back" 1 '0 of 40 customers bought again' "$BW" segment --file g_once.csv "${SEGMENT[@]}"
json "segment: all-zero money has no lifetime value" '"lifetime_value":	null' segment --file g_zero.csv "${SEGMENT[@]}"
printf 'path,total_conversions\na > b,0\nc,0\n' >t_zero.csv
printf 'path,total_conversions\na > a,5\n' >t_one.csv
fails "attribution: no sale" 1 'no credit to share' "$BW" attribution t_zero.csv
json "attribution: one channel" 'a is the only channel' attribution t_one.csv

# ---- timing of a file ----
calls() { printf 's,h,n\n' >"$1.csv"; rows 480 "h = i % 24; s = rand() < 0.3; $2; print s \",\" h \",1\"" >>"$1.csv"; }
calls c_none 's = 0'
calls c_all 's = 1'
calls c_apart 's = h == 5'
calls c_hour 'h = 5'
TIMING=(--success s --trials n --factor h)
fails "timing: never a success" 1 'no success of 480' "$BW" timing --file c_none.csv "${TIMING[@]}"
fails "timing: never a failure" 1 'no failure of 480' "$BW" timing --file c_all.csv "${TIMING[@]}"
fails "timing: one hour" 1 "column h is '5' in every row" "$BW" timing --file c_hour.csv "${TIMING[@]}"
json "timing: perfect separation is finite" '"factor":	"h"' timing --file c_apart.csv "${TIMING[@]}"

# ---- stored tests that overlap, sales that are all zero, a database of one channel's messages ----
printf 'id,channel,kind,start,end,effect,effect_sd,spend_change\nA,tv,geo,2024-01-01,2024-02-01,10,5,100\nB,search,geo,2024-01-20,2024-03-01,20,5,100\n' >tests.csv
"$BW" import experiment tests.csv >/dev/null 2>&1
json "overlapping experiments" 'A and B ran at the same time' experiment list
{ echo 'day,product,units,revenue,price'; rows 90 'print "x,0,0,9"' | dated; } >nothing.csv
"$BW" import outcome nothing.csv >/dev/null 2>&1
"$BW" import event <(printf 'day,end_day,name,kind\n2024-02-01,2024-02-05,sale,promotion\n') >/dev/null 2>&1
fails "price and promotions: all-zero sales" 1 'no sales by product|values' "$BW" price
fails "forecast: all-zero sales" 1 'equal' "$BW" forecast
{ echo 'sent_at,channel,delivered,orders'; rows 60 'print "m,100,0"' | dated | sed 's/,/ 09:00,/'; } >silent.csv
"$BW" import message silent.csv >/dev/null 2>&1
fails "timing: messages that sold nothing" 1 'too few' "$BW" timing
finish
