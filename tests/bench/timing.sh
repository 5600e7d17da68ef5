#!/usr/bin/env bash
# tests/bench/timing.sh [ROWS] - seconds, peak memory and rows a second of `timing` on single messages.
#
# One row a message and recipient over two years, in forty audiences and three channels, of which the evening
# is twice as good as the morning: the best hour found must be one of the evening, or the run fails.
set -eu
rows=${1:-1000000}
bw=${BW:-$PWD/bellwether}
dir=${KEEP:-$(mktemp -d)}
[ -n "${KEEP:-}" ] || trap 'rm -rf "$dir"' EXIT
export BELLWETHER_DB="$dir/messages.db" NO_COLOR=1
"$bw" init >/dev/null 2>&1
sqlite3 "$BELLWETHER_DB" "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA cache_size = -200000;
WITH RECURSIVE i(n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM i WHERE n < $rows - 1),
-- Multiplicative hashing spreads the numbers; each message has the hash's parts as its day, hour and luck.
h AS (SELECT n, (n * 2654435761) % 4294967296 AS a, ((n + 77) * 2246822519) % 4294967296 AS b FROM i),
m AS (SELECT n, n * 730 / $rows AS day, 8 + a % 14 AS hour, b % 40 AS audience, b / 7 % 10000 AS luck, n % 3 AS c FROM h)
INSERT INTO message (id, channel, sent_at, audience, delivered, opens, clicks, orders)
SELECT printf('m%09d', n), CASE c WHEN 0 THEN 'email' WHEN 1 THEN 'push' ELSE 'sms' END,
       date(19723 * 86400 + day * 86400, 'unixepoch') || printf(' %02d:%02d', hour, luck % 60),
       'list ' || audience, 1, luck < 3000, luck < 800, luck < CASE WHEN hour >= 18 THEN 400 ELSE 200 END
FROM m;" >/dev/null
printf 'rows\tMB on disk\tseconds\tCPU seconds\tpeak MB\trows a second\n'
/usr/bin/time -f '%e %U %S %M' -o "$dir/time" "$bw" timing --json >"$dir/out.json"
read -r wall user system peak <"$dir/time"
awk -v n="$rows" -v d="$(stat -c %s "$BELLWETHER_DB")" -v w="$wall" -v u="$user" -v s="$system" -v p="$peak" \
    'BEGIN { printf "%d\t%.0f\t%.1f\t%.1f\t%.0f\t%.0f\n", n, d / 1e6, w, u + s, p / 1024, n / w }'
best=$(sqlite3 "$BELLWETHER_DB" "SELECT group_concat(substr(at, 3)) FROM latest_estimate WHERE kind = 'timing' AND name = 'best'")
case ,$best, in
*,0?,* | *,1[0-7],*) echo "the best hours are $best, and not of the evening" >&2; exit 1 ;;
esac
