#!/usr/bin/env bash
# Seconds, effective draws a second and peak memory of `fit --quick` at the sizes of the trade, four
# chains each; and, where R with rstan is installed, the plain national model (geometric adstock,
# logistic saturation) by Stan on the same data in the same run, its compile time not counted.
# usage: tests/bench/fit.sh [WEEKSxCHANNELS[xGEOS]...]
set -u
here=$(cd "$(dirname "$0")" && pwd)
BW=${BW:-$here/../../bellwether}
T=$(mktemp -d)
trap 'rm -rf "$T"' EXIT
unset OPENBLAS_CORETYPE OPENBLAS_L2_SIZE
sizes=${*:-104x4 156x8 208x16 156x5x40}

printf '%-10s %9s %9s %12s %12s %9s\n' size wall cpu "min ESS" "ESS/cpu s" "peak MB"
for size in $sizes; do
    python3 "$here/mmm_shop.py" "$size" "$T/shop.csv" "$T/map.json"
    rm -f "$T/shop.db"
    "$BW" init --db "$T/shop.db" >/dev/null 2>&1
    "$BW" import wide "$T/shop.csv" --mapping "$T/map.json" --db "$T/shop.db" >/dev/null 2>&1 || exit 1
    python3 - "$BW" "$T/shop.db" "$size" <<'P'
import json, resource, subprocess, sys, time
start = time.time()
out = subprocess.run([sys.argv[1], "fit", "--db", sys.argv[2], "--quick", "--json"], capture_output=True, text=True)
wall = time.time() - start
use = resource.getrusage(resource.RUSAGE_CHILDREN)
if out.returncode:
    sys.exit(out.stderr)
fit = json.loads(out.stdout)
cpu = use.ru_utime + use.ru_stime
ess = min(fit["min_ess_bulk"], fit["min_ess_tail"])
print(f"{sys.argv[3]:<10} {wall:8.2f}s {cpu:8.2f}s {ess:12.0f} {ess / cpu:12.0f} {use.ru_maxrss / 1024:9.0f}"
      f"   R-hat {fit['max_rhat']:.3f}, {fit['divergences']} divergences")
P
done
if command -v Rscript >/dev/null && Rscript -e 'q(status = !requireNamespace("rstan", quietly = TRUE))' >/dev/null 2>&1; then
    python3 "$here/mmm_shop.py" 156x5 "$T/shop.csv" "$T/map.json"
    rm -f "$T/shop.db"
    "$BW" init --db "$T/shop.db" >/dev/null 2>&1
    "$BW" import wide "$T/shop.csv" --mapping "$T/map.json" --db "$T/shop.db" >/dev/null 2>&1
    Rscript "$here/fit_stan.R" "$BW" "$T/shop.csv" "$T/shop.db" 2>/dev/null
else
    echo "rstan is not installed: no peer in this run (apt-get install r-cran-rstan)"
fi
