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
equal "advice: a decision as JSON" "$("$BW" advice accept A-2026-W45-1 --json | tr -d '[:space:]')" \
    '{"id":"A-2026-W45-1","status":"accepted"}'
fails "advice: no such id" 1 "advice list" "$BW" advice accept A-1
fails "advice: a verb that does not exist" 2 "accept ID" "$BW" advice praise A-2026-W45-1
gain=$(db "SELECT gain FROM advice WHERE id = 'A-2026-W45-1'")
db "UPDATE estimate SET mean = mean * 2 WHERE name = 'gain' AND subject = ''"
"$BW" report --no-stages --out "$T/r" >/dev/null
equal "advice: what was accepted keeps its promise" "$(db "SELECT gain, status FROM advice WHERE id = 'A-2026-W45-1'")" "$gain|accepted"

# In a shop with a fit: short video went from 4,000 a week to what was spent since. Expected: the
# response curve that the fit stored, by straight lines between its points, which differ from the
# posterior's mean curve by less than a tenth.
export BELLWETHER_DB="$T/fitted.db"
"$BW" demo --no-report >/dev/null 2>&1
"$BW" fit --quick >/dev/null 2>&1
"$BW" report --no-stages --out "$T/r" >/dev/null 2>&1
db "INSERT INTO advice (id, week, kind, subject, action, gain, gain_lo, gain_hi, probability, due, status)
    VALUES ('A-2026-W40-1', '2026-09-28', 'budget', '', '{\"moves\":{\"short_video\":4000},\"now\":{\"short_video\":4000}}', 15000, 5000, 25000, 0.95, '2026-10-07', 'accepted')"
since=$("$BW" sql --format csv "SELECT avg(cost) FROM channel_week WHERE channel = 'short_video' AND week >= '2026-10-13'" | tail -1)
expected=$(db "SELECT x, mean FROM curve WHERE subject = 'short_video' AND name = 'response' ORDER BY x" |
    awk -F'|' -v was=4000 -v now="$since" '
        function at(u, i) { for (i = 2; i <= NR && x[i] < u; i++); return y[i-1] + (y[i] - y[i-1]) * (u - x[i-1]) / (x[i] - x[i-1]) }
        {x[NR] = $1; y[NR] = $2} END {print at(now) - at(was)}')
"$BW" report --no-stages --out "$T/r" >/dev/null 2>&1
near=$(db "SELECT abs(realised - ($expected)) < 0.1 * abs($expected) AND realised_lo < realised AND realised < realised_hi FROM advice_outcome WHERE advice = 'A-2026-W40-1'")
equal "advice: settled by the spend since, through the fitted curve ($expected)" "$near" 1
equal "advice: inside is what the numbers say" "$(db "SELECT inside = (realised BETWEEN gain_lo AND gain_hi) FROM advice_outcome JOIN advice ON id = advice")" 1
page=$(cat "$T/r/index.html")
contains "advice: the report has its record" "$page" 'id="record".*'
contains "advice: and says how the one measured came out" "$page" 'could be measured so far came out'
contains "verify: the ledger's numbers too" "$("$BW" verify "$T/r")" 'all match'

# A test that was accepted runs: the plan leaves its channel alone, and nothing else is advised there.
db "INSERT INTO advice (id, week, kind, subject, action, due, status) VALUES ('A-2026-W45-9', '2026-11-02', 'experiment', 'search', '{\"weeks\":6,\"spend\":20000}', '2026-11-16', 'accepted')"
"$BW" plan >/dev/null
contains "advice: without the test the plan moves search" "$(db "SELECT group_concat(subject) FROM estimate WHERE run = (SELECT max(id) FROM model_run WHERE kind = 'plan') AND name = 'spend_planned' AND at = '' AND abs(mean - (SELECT mean FROM estimate n WHERE n.run = estimate.run AND n.name = 'spend_now' AND n.subject = estimate.subject AND n.at = '')) > 100")" 'search'
"$BW" report --quiet --out "$T/r" >/dev/null 2>&1
equal "advice: a channel under test is not touched" "$(db "SELECT count(*) FROM advice WHERE week = '2026-11-09' AND (subject = 'search' OR json_extract(action, '\$.moves.search') IS NOT NULL)")" 0
contains "advice: the report says what is being measured, and until when" "$(cat "$T/r/report.md")" 'A-2026-W45-9 is being measured until 27 Dec'
contains "verify: with what is held" "$("$BW" verify "$T/r")" 'all match'
fails "advice: what was measured stays" 1 "measured and cannot be" "$BW" advice reject A-2026-W40-1
contains "advice: json" "$("$BW" advice --json)" '"realised":'
finish
