#!/usr/bin/env bash
# advice: decisions, what they refuse, and promises settled weeks later.
# shellcheck source=tests/cli/lib.sh
. "$(dirname "$0")/lib.sh"
data=$(dirname "$0")/../reports/data
db() { sqlite3 "$BELLWETHER_DB" "$1"; }

"$BW" init >/dev/null
contains "advice: none yet" "$("$BW" advice)" 'bellwether report'
sqlite3 "$BELLWETHER_DB" <"$data/shop.sql"
"$BW" report --no-stages --out "$T/r" >/dev/null
contains "advice: listed with its promise" "$("$BW" advice)" 'A-2026-W45-1 +open +Short video \+\$4.0k'
contains "advice: accepted" "$("$BW" advice accept A-2026-W45-1)" 'A-2026-W45-1 is accepted'
contains "advice: rejected with a reason" "$("$BW" advice reject A-2026-W45-2 --reason "contract's end")" 'is rejected'
equal "advice: the reason is kept" "$(db "SELECT json_extract(action, '\$.reason') FROM advice WHERE id = 'A-2026-W45-2'")" "contract's end"
fails "advice: no such id" 1 "advice list" "$BW" advice accept A-1
fails "advice: a verb that does not exist" 2 "accept ID" "$BW" advice praise A-2026-W45-1
gain=$(db "SELECT gain FROM advice WHERE id = 'A-2026-W45-1'")
db "UPDATE estimate SET mean = mean * 2 WHERE name = 'gain' AND subject = ''"
"$BW" report --no-stages --out "$T/r" >/dev/null
equal "advice: what was accepted keeps its promise" "$(db "SELECT gain, status FROM advice WHERE id = 'A-2026-W45-1'")" "$gain|accepted"

# Four weeks earlier, short video was raised by 4,000: the curve says what 8,000 would have brought,
# the decomposition what came instead.
db "UPDATE advice SET id = 'A-2026-W40-1', week = '2026-09-28', due = '2026-10-07', action = '{\"moves\":{\"short_video\":4000},\"now\":{\"short_video\":8000}}' WHERE id = 'A-2026-W45-1'"
expected=$(db "SELECT printf('%.6f', (SELECT avg(mean) FROM estimate WHERE run = 1 AND name = 'decomposition' AND subject = 'short_video' AND at BETWEEN '2026-10-13' AND '2026-11-02')
    - (SELECT mean FROM curve WHERE run = 1 AND subject = 'short_video' ORDER BY abs(x - 8000) LIMIT 1))")
"$BW" report --no-stages --out "$T/r" >/dev/null
equal "advice: settled against the curve at the old spend" "$(db "SELECT printf('%.6f', realised) FROM advice_outcome WHERE advice = 'A-2026-W40-1'")" "$expected"
equal "advice: inside is what the numbers say" "$(db "SELECT inside = (realised BETWEEN gain_lo AND gain_hi) FROM advice_outcome JOIN advice ON id = advice")" 1
page=$(cat "$T/r/index.html")
contains "advice: the report opens its record with the calibration" "$page" 'id="record".*'
contains "advice: and says how many were inside" "$page" 'measured recommendation,'
contains "verify: the ledger's numbers too" "$("$BW" verify "$T/r")" 'all match'
fails "advice: what was measured stays" 1 "measured and cannot be" "$BW" advice reject A-2026-W40-1
contains "advice: json" "$("$BW" advice --json)" '"realised":'
finish
