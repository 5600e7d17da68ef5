#!/usr/bin/env bash
# Seconds, effective draws a second and peak memory of `fit --quick` at the sizes of the trade, four
# chains each; and, where R with rstan is installed, the plain national model of --preset pymc by Stan
# on the same data in the same run: ours, Stan, ours, with a dense metric and 4 x (1000 + 1000) each.
# Stan is compiled at -O3 and its compile time is not counted. Posterior means are compared as well.
# usage: tests/bench/fit.sh [WEEKSxCHANNELS[xGEOS]...]
set -eu
here=$(cd "$(dirname "$0")" && pwd)
BW=${BW:-$here/../../bellwether}
T=$(mktemp -d)
trap 'rm -rf "$T"' EXIT
unset OPENBLAS_CORETYPE OPENBLAS_L2_SIZE
export BELLWETHER_DB=$T/shop.db
sizes=${*:-104x4 156x5 156x8 208x16 156x5x40}

shop() { # SIZE
    python3 "$here/mmm_shop.py" "$1" "$T/shop.csv" "$T/map.json"
    rm -f "$BELLWETHER_DB"
    "$BW" init >/dev/null 2>&1
    "$BW" import wide "$T/shop.csv" --mapping "$T/map.json" >/dev/null 2>&1
}
own() { # LABEL OPTIONS...
    python3 "$here/fit_own.py" "$BW" "$@"
}

printf '%-12s %9s %9s %12s %12s %9s\n' size wall cpu "min ESS" "ESS/cpu s" "peak MB"
for size in $sizes; do
    shop "$size"
    own "$size"
done
if ! command -v Rscript >/dev/null || ! Rscript -e 'q(status = !requireNamespace("rstan", quietly = TRUE))' >/dev/null 2>&1; then
    echo "rstan is not installed: no peer in this run (apt-get install r-cran-rstan)"
    exit 0
fi
shop 156x5
echo "156x5, preset pymc, dense metric, 4 x (1000 + 1000):"
like_for_like="--preset pymc --warmup 1000 --draws 1000 --knots 0 --fourier 2"
own first $like_for_like | tee "$T/own"
echo 'CXX14FLAGS = -O3 -mtune=native -fPIC' >"$T/Makevars"
R_MAKEVARS_USER="$T/Makevars" Rscript "$here/fit_stan.R" "$T/shop.csv" "$T/stan.csv" 2>/dev/null | tee "$T/stan"
own again $like_for_like | tee -a "$T/own"
python3 "$here/fit_ratio.py" "$BW" "$T"
