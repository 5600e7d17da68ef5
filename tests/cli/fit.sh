#!/usr/bin/env bash
# fit and plan as a user drives them: on a small simulated shop, on too little data, with wrong words.
. "$(dirname "$0")/lib.sh"

value() { python3 -c "import json,sys; print(eval('json.load(sys.stdin)' + sys.argv[1]))" "$1"; }

"$BW" demo --no-report >/dev/null 2>&1
before=$(sqlite3 "$BELLWETHER_DB" "SELECT count(*) FROM model_run WHERE kind = 'fit'")
check "fit runs" "$BW" fit --quick
first=$("$BW" fit --quick --json 2>/dev/null)
equal "nothing changed, nothing is fitted" \
    "$(sqlite3 "$BELLWETHER_DB" "SELECT count(*) FROM model_run WHERE kind = 'fit'")" $((before + 1))
equal "sampler without divergences to speak of" "$(value '["divergences"] < 40' <<<"$first")" True
equal "chains agree" "$(value '["max_rhat"] < 1.02' <<<"$first")" True
equal "the seven channels of the shop" "$(value '["channels"].__len__()' <<<"$first")" 7
# demo_truth is what the shop was made with; estimates never see it.
covered=$(sqlite3 "$BELLWETHER_DB" "SELECT count(*) FROM latest_estimate e JOIN demo_truth t
    ON t.name = 'roas' AND t.subject = e.subject
    WHERE e.kind = 'fit' AND e.name = 'roas' AND t.value BETWEEN e.lo AND e.hi")
if [ "$covered" -ge 5 ]; then ok "90 % intervals hold the true ROAS of $covered channels of 7"
else not_ok "90 % intervals hold the true ROAS of at least 5 channels" "$covered of 7"; fi
equal "weekly parts add up to the fitted outcome" \
    "$(sqlite3 "$BELLWETHER_DB" "SELECT max(abs(d.s / f.mean - 1)) < 1e-6 FROM latest_estimate f JOIN
       (SELECT at, sum(mean) AS s FROM latest_estimate WHERE kind = 'fit' AND name = 'decomposition' GROUP BY at) d
       ON d.at = f.at WHERE f.kind = 'fit' AND f.name = 'fitted'")" 1
equal "parts of the week's change add up to the change" \
    "$(sqlite3 "$BELLWETHER_DB" "SELECT abs(sum(e.mean) - (SELECT a.revenue - b.revenue FROM weekly a, weekly b
       WHERE a.week = e.at AND b.week = date(e.at, '-7 days'))) < 1 FROM latest_estimate e
       WHERE kind = 'change' AND name = 'change_week'")" 1
second=$(OMP_NUM_THREADS=1 "$BW" fit --quick --force --json 2>/dev/null)
equal "the same figures from one thread" "$(grep -v seconds <<<"$second" | sha256sum)" \
    "$(grep -v seconds <<<"$first" | sha256sum)"

check "plan runs" "$BW" plan
plan=$("$BW" plan --json)
equal "the total is kept to the cent" \
    "$(python3 -c "import json,sys; p=json.loads(sys.argv[1]); print(abs(p['total_now']-p['total_planned']) < 0.01)" "$plan")" True
equal "the gap to the bound is small" "$(value '["gap"] < 0.01' <<<"$plan")" True
equal "the plan pays" "$(value '["gain"]["probability"] > 0.5' <<<"$plan")" True
limited=$("$BW" plan --limit search=8000:9000,email=fixed --json)
equal "limits go to the channel they name" \
    "$(python3 -c "import json,sys; p={c['channel']:c for c in json.loads(sys.argv[1])['channels']}
print(8000 <= p['search']['planned'] <= 9000 and abs(p['email']['planned']-p['email']['now']) < 1e-6)" "$limited")" True
out=$("$BW" forecast --spend plan --horizon 6 2>&1)
contains "a forecast follows the plan's spend" "$out" 'it brings .* more than spending as now'
contains "and says where the plan ends" "$out" 'the plan ends on'
week=$(sqlite3 "$BELLWETHER_DB" "SELECT week FROM forecast_spend ORDER BY week LIMIT 1 OFFSET 1")
printf 'week,channel,cost\n%s,search,0\n' "$week" >"$T/none.csv"
check "a file of spend is followed" "$BW" forecast --spend "$T/none.csv" --horizon 6 --json
equal "a week without search brings less, and only search is changed" \
    "$(sqlite3 "$BELLWETHER_DB" "SELECT (SELECT hi FROM latest_estimate WHERE kind = 'scenario' AND name = 'more') < 0,
    (SELECT count(*) FROM latest_estimate WHERE kind = 'scenario' AND name = 'spend' AND mean = 0)")" '1|1'
printf 'day,channel,cost\n%s,serch,5\n' "$week" >"$T/none.csv"
fails "spend on an unknown channel is named" 1 "line 2: channel 'serch' has no curve" "$BW" forecast --spend "$T/none.csv"
printf 'day,channel,cost\n2020-01-01,search,5\n' >"$T/none.csv"
fails "spend of other weeks is refused" 1 'no row lies in the 13 weeks' "$BW" forecast --spend "$T/none.csv"
fails "orders are not what the fit explains" 2 'explains revenue, not orders' "$BW" forecast --metric orders --spend now
# search spends more now than it is allowed to: less spend, less income.
equal "the loss of a channel cut below its spend of now is told" \
    "$(python3 -c "import json,sys; p={c['channel']:c for c in json.loads(sys.argv[1])['channels']}
print(p['search']['gain']['mean'] < -100 if p['search']['now'] > 9100 else p['search']['gain']['mean'] != 0)" "$limited")" True
# Each of 400 reviews speaks of delivery, 0.7 badly and 0.2 well: -0.5 whatever a segment buys.
sqlite3 "$BELLWETHER_DB" "INSERT INTO review_aspect SELECT id, 'delivery', 0.9, 0.7, 0.1, 0.2, NULL, 't' FROM review
    WHERE product <> '' LIMIT 400"
check "segments are made" "$BW" segment
equal "each hears what is said of the products it buys" \
    "$(sqlite3 "$BELLWETHER_DB" "SELECT count(DISTINCT subject) > 2, round(min(mean), 6), round(max(mean), 6)
    FROM latest_estimate WHERE kind = 'segment' AND name = 'voice'")" '1|-0.5|-0.5'
fails "contradicting limits are named" 1 "limits contradict.*search 20000" \
    "$BW" plan --limit search=20000:30000 --group s=search+email:0:10000
equal "a bound stands beside a plan by the tail of the gain, and none beside one by a quantile" \
    "$("$BW" plan --risk cvar10 --json | value '["gap"] < 0.05') $("$BW" plan --risk q10 --json | value '["gap"]')" "True None"
fails "an unknown channel is named" 1 "no paid channel 'serch'; there are" "$BW" plan --limit serch=1:2
fails "a group that keeps the total from being spent is named with the channels" 1 "group s together 1000; lower the total|group s together 1000\)" \
    "$BW" plan --total 140% --group s=search+email:0:1000 --limit search=0:5000,email=0:5000
fails "a cost an order is no target for money" 2 "target-cpa: the fit explains revenue" "$BW" plan --target-cpa 5
equal "curves without a foot are spent on evenly" \
    "$(python3 -c "import json,sys; print(max(max(c['weeks'].values()) - min(c['weeks'].values()) for c in json.loads(sys.argv[1])['channels']) < 1e-6)" "$plan")" True
ramped=$("$BW" plan --ramp 10 --json)
equal "from week to week no channel changes by more than the ramp" \
    "$(python3 -c "import json,sys
steps = [abs(b - a) / c['now'] for c in json.loads(sys.argv[1])['channels']
         for a, b in zip([c['now']] + list(c['weeks'].values()), c['weeks'].values())]
print(0.05 < max(steps) < 0.1001)" "$ramped")" True
equal "what is maximised stands beside its bound" \
    "$(python3 -c "import json,sys; o=json.loads(sys.argv[1])['objective']; print(o['value'] <= o['bound'] and o['risk'] == 'mean')" "$plan")" True
fails "a goal out of reach says how far one gets" 1 "earn at most" "$BW" plan --goal 1e9
fails "an unknown preset" 1 "no preset 'robyn'" "$BW" fit --preset robyn
fails "an unknown channel in a prior" 1 "no channel 'radio'" "$BW" fit --roas radio=2
fails "a word too many" 2 "not expected" "$BW" fit please

export BELLWETHER_DB="$T/short.db"
"$BW" demo --shape three-weeks --no-report >/dev/null 2>&1
fails "three weeks are too few, and said so" 1 "weeks of outcome; effects of channels need at least" "$BW" fit
fails "no plan without a fit" 1 "run 'bellwether fit' first" "$BW" plan
export BELLWETHER_DB="$T/confounded.db"
"$BW" demo --shape confounded --no-report >/dev/null 2>&1
contains "spend that follows demand is warned about" "$("$BW" fit --engine laplace --quick)" \
    'search is spent when demand is high anyway'
export BELLWETHER_DB="$T/orders.db"
"$BW" demo --shape orders --no-report >/dev/null 2>&1
check "orders are explained as revenue is, by S-curves too" "$BW" fit --engine laplace --quick --saturation hill
fails "a return in money is no target for orders" 2 "target-roas: the fit explains orders" "$BW" plan --target-roas 3
fails "a cost an order out of reach is told in that unit" 1 "target-cpa: .* an order costs" "$BW" plan --target-cpa 0.0001
reach=$("$BW" plan --target-cpa 0.0001 2>&1 | grep -oE 'costs [0-9.]+' | cut -d' ' -f2)
cheap=$("$BW" plan --target-cpa "$(awk -v c="$reach" 'BEGIN {print 1.1 * c}')" --json)
equal "and one within reach is kept, and what pays is told by it" \
    "$(python3 -c "import json,sys; p=json.loads(sys.argv[1]); print(p['total_planned'] > 0 and 0 <= p['gain']['probability'] <= 1)" "$cheap")" True
equal "without one it is not known whether more spend pays" "$("$BW" plan --json | value '["channels"][0]["gain"]["probability"]')" None
contains "an S-curve is spent on in bursts" "$("$BW" plan --weeks 6)" 'week by week:'
export BELLWETHER_DB="$T/empty.db"
"$BW" init >/dev/null 2>&1
fails "no outcome" 1 "no outcome to explain" "$BW" fit
finish
