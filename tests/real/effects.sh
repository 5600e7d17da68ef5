#!/usr/bin/env bash
# Channel effects on published data sets with known answers: usage DATA=FOLDER tests/real/effects.sh
. "$(dirname "$0")/../cli/lib.sh"
here=$(cd "$(dirname "$0")" && pwd)
DATA=$(cd "${DATA:?the folder with marketing/}" && pwd)

load() { # FILE MAPPING
    rm -f "$BELLWETHER_DB"
    "$BW" init >/dev/null 2>&1
    "$BW" import wide "$DATA/marketing/$1" --mapping "$here/$2.json" >/dev/null 2>&1
}
# near NAME PARAM SUBJECT TRUTH SDS: the posterior mean is within SDS posterior sd of the truth.
near() {
    local got
    got=$("$BW" sql --format csv "SELECT abs(mean - $4) <= $5 * sd, mean, sd FROM latest_estimate
        WHERE kind = 'fit' AND name = '$2' AND subject = '$3'" | tail -1)
    if [ "${got%%,*}" = 1 ]; then ok "$1"; else not_ok "$1" "true $4; found: within, mean, sd = $got"; fi
}

load pymc_mmm_example.csv pymc
check "the PyMC-Marketing example is fitted under its preset" "$BW" fit --preset pymc --quick
# The generator of the example notebook: alpha 0.4, 0.2; lambda 4, 3; money per unit of spend from its betas.
near "carry-over of x1" param:adstock x1 0.4 1
near "carry-over of x2" param:adstock x2 0.2 1
near "saturation of x1" param:saturation x1 4 1
near "saturation of x2" param:saturation x2 3 1
near "return of x1" roas x1 4967.8 1
near "return of x2" roas x2 2274.9 1.64
# Least squares on the same data with the true carry-over and saturation: betas 3.012 and 2.053 for 3 and 2.
near "return of x1 as the data have it" roas x1 4987.7 0.25
near "return of x2 as the data have it" roas x2 2335.2 0.25
# mmm_evaluation notebook: RMSE of the posterior-mean prediction 238.1
rmse=$("$BW" sql --format csv "SELECT sqrt(avg((w.revenue - e.mean) * (w.revenue - e.mean))) FROM latest_estimate e
    JOIN weekly w ON w.week = e.at WHERE e.kind = 'fit' AND e.name = 'fitted'" | tail -1)
equal "the published error of the fit ($rmse against 238.1)" "$(awk -v r="$rmse" 'BEGIN {print (r > 236 && r < 240)}')" 1

load robyn_weekly.csv robyn
check "Robyn's simulated shop is fitted" "$BW" fit --quick
near "return of out-of-home as Robyn's best model has it" roas out-of-home 1.075 1
near "return of print likewise" roas print 9.678 1
near "return of tv likewise, within its interval" roas tv 5.089 2

# Sibyl He gives 20 % of sales to media, after a first model that explains them by her season and holiday columns.
load mmm_stan_weekly.csv mmm_stan
check "the weekly retail data are fitted with her controls" "$BW" fit --quick
share=$("$BW" sql --format csv "SELECT lo, hi FROM latest_estimate WHERE kind = 'fit' AND name = 'media_share'" | tail -1)
equal "the published share of media, 0.20, lies within the 90 % interval ($share)" \
    "$(awk -F, '{print ($1 < 0.20 && 0.20 < $2)}' <<<"$share")" 1

# Meridian's getting-started notebook: R2 0.7738, MAPE 25.57 %, wMAPE 19.98 % of single geos, a baseline that is
# never negative. Its ROI is shown in pictures only.
load meridian_geo_all_channels.csv.gz meridian_geo_all
"$BW" setting set outcome_kind revenue >/dev/null
check "Meridian's 40 geos are fitted under its preset" "$BW" fit --preset meridian --exposure --quick --engine fast --draws 400
fit_value() { "$BW" sql --format csv "SELECT mean FROM latest_estimate WHERE kind = 'fit' AND name = '$1'" | tail -1; }
within() { # NAME VALUE PUBLISHED BY
    equal "$1: $2, published $3" "$(awk -v v="$2" -v p="$3" -v b="$4" 'BEGIN {print (v >= p - b && v <= p + b)}')" 1
}
within "R2 of single geos" "$(fit_value r2_geo)" 0.7738 0.006
within "mean error of single geos" "$(fit_value mape_geo)" 0.2557 0.004
within "weighted mean error of single geos" "$(fit_value wmape_geo)" 0.1998 0.003
within "probability of a negative baseline" "$(fit_value negative_baseline)" 0 0
finish
