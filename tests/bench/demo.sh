#!/usr/bin/env bash
# Seconds of each stage of the main job on the simulated shop, cold: wall clock and processor time,
# medians of ROUNDS, and the whole demo as a user runs it (two reports) against its limit of 60 s.
# usage: tests/bench/demo.sh [ROUNDS]
set -eu
cd "$(dirname "$0")/../.."
rounds=${1:-3}
BW=${BW:-$PWD/bellwether}
T=$(mktemp -d)
trap 'rm -rf "$T"' EXIT
unset OPENBLAS_CORETYPE OPENBLAS_L2_SIZE
stages="score fit timing price forecast segment plan"
known=$("$BW" --help | awk '/^  [a-z]/ { print $1 }')

# timed NAME COMMAND...: appends wall and processor seconds; a stage that fails is left out.
timed() {
    local name=$1; shift
    TIMEFORMAT='%R %U %S'
    if { time "$@" >/dev/null 2>&1; } 2>"$T/time"; then
        awk -v n="$name" '{ print n, $1, $2 + $3 }' "$T/time" >>"$T/all"
    fi
}
for ((i = 0; i < rounds; i++)); do
    rm -rf "$T/shop.db" "$T/demo.db" "$T/report" "$T/demo-report"
    timed simulate "$BW" demo --no-report --db "$T/shop.db"
    for s in $stages; do
        if grep -qx "$s" <<<"$known"; then timed "$s" "$BW" "$s" --db "$T/shop.db"; fi
    done
    timed report "$BW" report --db "$T/shop.db" --out "$T/report"
    timed again "$BW" report --db "$T/shop.db" --out "$T/report"
    timed demo "$BW" demo --db "$T/demo.db" --out "$T/demo-report"
done

median() { awk -v n="$1" -v c="$2" '$1 == n { print $c }' "$T/all" | sort -g | awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] }'; }
printf '%-10s %8s %8s\n' stage wall cpu
for s in simulate $stages report again demo; do
    grep -q "^$s " "$T/all" && printf '%-10s %7.2fs %7.2fs\n' "$s" "$(median "$s" 2)" "$(median "$s" 3)"
done
awk -v d="$(median demo 2)" 'BEGIN { printf "demo: %.1f s of 60 s (%s)\n", d, d <= 60 ? "within" : "OVER" }'
