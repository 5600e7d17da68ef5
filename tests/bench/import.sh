#!/usr/bin/env bash
# import spend against the sqlite3 shell's .import: the same file, the same table (schema of ours,
# keys and all), best of three each, taken in turn. Prints seconds, the ratio, and our peak memory
# at a tenth of the rows and at all of them.
# usage: tests/bench/import.sh [ROWS]
set -eu
cd "$(dirname "$0")/../.."
BW=${BW:-$PWD/bellwether}
rows=${1:-1000000}
T=$(mktemp -d)
trap 'rm -rf "$T"' EXIT

# 20 channels x 5 campaigns x 10 regions a day, days upward, as an export has them.
make_file() {
    awk -v rows="$1" 'BEGIN {
        print "day,channel,campaign,geo,cost,impressions,clicks"; srand(7)
        for (i = 0; i < rows; i++) {
            d = int(i / 1000); k = i % 1000
            printf "%s,channel %02d,campaign %d,region %d,%.2f,%d,%d\n", strftime("%Y-%m-%d", 1420070400 + 86400 * d, 1),
                   int(k / 50), int(k / 10) % 5, k % 10, 500 * rand(), 100000 * rand(), 900 * rand()
        }
    }' >"$T/spend.csv"
}
seconds() { local a b; a=$(date +%s%N); "$@" >/dev/null 2>&1; b=$(date +%s%N); echo $(((b - a) / 1000000)); }
shell_import() {
    rm -f "$T/a.db"; "$BW" init --db "$T/a.db" >/dev/null
    sqlite3 "$T/a.db" ".import --csv --skip 1 $T/spend.csv spend"
}
our_import() { rm -f "$T/b.db"; "$BW" import spend "$T/spend.csv" --db "$T/b.db"; }
peak_kib() { /usr/bin/env python3 - "$@" <<'P'
import resource, subprocess, sys
subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=True)
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
P
}

make_file $((rows / 10))
small=$(peak_kib "$BW" import spend "$T/spend.csv" --db "$T/small.db")
make_file "$rows"
shell=999999 ours=999999
for _ in 1 2 3; do
    s=$(seconds shell_import); o=$(seconds our_import)
    shell=$((s < shell ? s : shell)) ours=$((o < ours ? o : ours))
done
large=$(peak_kib "$BW" import spend "$T/spend.csv" --db "$T/large.db")
same=$(sqlite3 "$T/a.db" "ATTACH '$T/b.db' AS b; SELECT count(*) FROM (SELECT day, channel, campaign, geo, cost + 0, impressions + 0, clicks + 0 FROM spend EXCEPT SELECT * FROM b.spend)")
awk -v r="$rows" -v s="$shell" -v o="$ours" -v a="$small" -v b="$large" -v d="$same" 'BEGIN {
    printf "import of %d rows: sqlite3 .import %.2f s, bellwether %.2f s, ratio %.2f; rows that differ: %d\n", r, s / 1000, o / 1000, o / s, d
    printf "peak memory: %.1f MiB for %d rows, %.1f MiB for %d\n", a / 1024, r / 10, b / 1024, r
}'
