#!/usr/bin/env bash
# What a fit says of itself, and what it takes in besides spend: every judge is in the JSON; experiments move
# and narrow a return; signs of controls are kept; price, promotion, competitor, market and mood are parts.
. "$(dirname "$0")/lib.sh"

db() { sqlite3 "$BELLWETHER_DB" "$1"; }
"$BW" demo --no-report >/dev/null 2>&1
# Reviews scored by their stars, as a model would.
db "INSERT INTO review_score SELECT id, rating <= 2, rating = 3, rating >= 4, rating, 20, 0, 'stars' FROM review
    WHERE rating IS NOT NULL"
"$BW" fit --engine fast --json >"$T/first.json" 2>/dev/null
equal "every judge is told, with a value" "$(python3 - "$T/first.json" <<'P'
import json, sys
j = json.load(open(sys.argv[1]))
top = ["engine", "preset", "chains", "draws", "seconds", "divergences", "max_rhat", "min_ess_bulk", "min_ess_tail",
       "min_ebfmi", "max_depth_hits", "observations", "parameters", "rows_per_parameter", "health", "warnings", "stability"]
fit = ["r2", "mape", "crps", "durbin_watson", "predictive_p", "negative_baseline", "backtest_folds", "backtest_crps",
       "backtest_mape", "backtest_coverage_50", "backtest_coverage_90", "naive_crps", "naive_mape"]
channel = ["vif", "roas_mcse", "prior_shift", "prior_width", "stability", "probability_pays"]
summary = ["adstock", "saturation", "beta", "half_life", "contribution", "share", "roas", "marginal_roas"]
missing = [k for k in top if j.get(k) is None] + [k for k in fit if j["fit"].get(k) is None]
for c in j["channels"]:
    missing += [k for k in channel if c.get(k) is None]
    missing += [k for k in summary if sorted(c[k]) != ["mean", "p5", "p50", "p95", "sd"]]
print(missing)
P
)" "[]"
for part in _control:price _control:discount _control:competitor_price _control:market_trend _control:sentiment _trend _season; do
    equal "$part has its share of every week" \
        "$(db "SELECT count(*) > 100 FROM latest_estimate WHERE kind = 'fit' AND name = 'decomposition' AND subject = '$part'")" 1
done

coefficient() { db "SELECT lo >= 0, hi <= 0 FROM latest_estimate WHERE kind = 'fit' AND name = 'param:control' AND subject = '$1'"; }
"$BW" fit --engine fast --quick --sign competitor_price=-,price=+ >/dev/null 2>&1
equal "a control held below zero stays there, whatever the data say" "$(coefficient competitor_price)" "0|1"
equal "and one held above" "$(coefficient price)" "1|0"

# An experiment on search: twice its spend for four weeks earned what a return of 1 would, closely measured.
read -r week spend before <<<"$(db "SELECT min(at), sum(mean), (SELECT mean FROM latest_estimate WHERE kind = 'fit'
    AND name = 'marginal_roas' AND subject = 'search') FROM (SELECT week AS at, cost AS mean FROM channel_week
    WHERE channel = 'search' ORDER BY week DESC LIMIT 8 OFFSET 8)" | tr '|' ' ')"
until=$(date -u -d "$week +55 days" +%F)
"$BW" fit --engine fast --quick >/dev/null 2>&1
width() { db "SELECT hi - lo FROM latest_estimate WHERE kind = 'fit' AND name = 'marginal_roas' AND subject = 'search'"; }
mean() { db "SELECT mean FROM latest_estimate WHERE kind = 'fit' AND name = 'marginal_roas' AND subject = 'search'"; }
before=$(mean) wide=$(width)
db "INSERT INTO experiment (id, channel, kind, start_day, end_day, effect, effect_sd, spend_change)
    VALUES ('halved', 'search', 'holdout', '$week', '$until', -0.5 * $spend, 0.05 * $spend, -0.5 * $spend)"
"$BW" fit --engine fast --quick >/dev/null 2>&1
equal "a test that measured a return of one pulls the return there and narrows it" \
    "$(awk -v a="$before" -v b="$(mean)" -v w="$wide" -v n="$(width)" 'BEGIN {print (b < a && n < 0.8 * w)}')" 1
finish
