#!/usr/bin/env bash
# timing: which content works, with the share of false findings; what to test next, from a fit's own numbers.
. "$(dirname "$0")/lib.sh"
"$BW" init >/dev/null 2>&1
db() { sqlite3 "$BELLWETHER_DB" "$1"; }

# 600 messages, of which half have an emoji that doubles orders; the other features are tossed and do nothing.
awk 'BEGIN {
    srand(12); print "INSERT INTO message (id, channel, sent_at, delivered, orders) VALUES"
    for (i = 0; i < 600; i++) {
        for (f = 0; f < 5; f++) x[i, f] = rand() < 0.5
        rate = 0.02 * (x[i, 2] ? 2 : 1); n = 0
        for (k = 0; k < 1000; k++) n += rand() < rate
        printf "(\"m%d\", \"mail\", \"%s %02d:00\", 1000, %d)%s\n", i, strftime("%Y-%m-%d", 1704067200 + 86400 * i, 1), 8 + i % 5, n, i < 599 ? "," : ";"
    }
    print "INSERT INTO message_score VALUES"
    for (i = 0; i < 600; i++)
        printf "(\"m%d\", 0.1, 0.8, 0.1, %d, %d, %d, %d, %d, %d, \"x\")%s\n", i, 40 + 100 * rand(), x[i, 0], x[i, 1], x[i, 2], x[i, 3], x[i, 4], i < 599 ? "," : ";"
}' | sed "s/\"/'/g" | sqlite3 "$BELLWETHER_DB"
"$BW" timing >/dev/null 2>&1
equal "the emoji's lift is found, about +100 %" \
    "$(db "SELECT mean BETWEEN 0.8 AND 1.2 AND lo > 0.7 FROM latest_estimate WHERE kind = 'content' AND name = 'effect' AND subject = 'emoji' AND at = ''")" 1
equal "it is no false discovery" "$(db "SELECT mean < 0.001 FROM latest_estimate WHERE kind = 'content' AND name = 'false_discovery' AND subject = 'emoji'")" 1
equal "of what does nothing, nothing is called" "$(db "SELECT count(*) FROM latest_estimate WHERE kind = 'content' AND name = 'false_discovery' AND mean < 0.1 AND subject <> 'emoji'")" 0
# Benjamini and Hochberg by hand, from the effects and their errors.
equal "the shares are Benjamini and Hochberg's" "$("$BW" timing --json 2>/dev/null | python3 -c '
import json, math, sys
rows = json.load(sys.stdin)["content"]["estimates"]
p = sorted((math.erfc(abs(r["mean"]) / r["sd"] / math.sqrt(2)), r["subject"]) for r in rows if r["name"] == "effect" and r["at"] == "")
q, least = {}, 1
for i in range(len(p), 0, -1):
    least = min(least, p[i - 1][0] * len(p) / i)
    q[p[i - 1][1]] = least
ours = {r["subject"]: r["mean"] for r in rows if r["name"] == "false_discovery"}
print(len(q) > 4 and all(abs(q[k] - ours[k]) < 1e-9 for k in q))')" True

# A fit of two channels, one of them far less sure: that is the one to test, and the interval would narrow.
db "INSERT INTO setting VALUES ('margin', '0.5');
    WITH RECURSIVE d(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM d WHERE i < 103)
    INSERT INTO outcome (day, revenue) SELECT date('2024-01-01', '+' || (7 * i) || ' days'), 10000 + 37 * (i * i % 29) FROM d;
    WITH RECURSIVE d(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM d WHERE i < 103)
    INSERT INTO spend (day, channel, cost) SELECT date('2024-01-01', '+' || (7 * i) || ' days'), c, 500 + 11 * (i * k % 31) FROM d, (SELECT 'tv' AS c, 7 AS k UNION SELECT 'search', 13);
    INSERT INTO experiment (id, channel, kind, start_day, end_day, effect, effect_sd, spend_change) VALUES ('E', 'tv', 'geo', '2024-03-04', '2024-04-01', 900, 200, 500)"
if "$BW" fit >/dev/null 2>&1; then
    out=$("$BW" experiment next --json 2>/dev/null)
    contains "the next test names its channel, size and weeks" "$out" '"next_change"'
    equal "every interval would narrow, by how much is told" "$(python3 -c '
import json, sys
e = json.load(sys.stdin)["estimates"]
now = {r["subject"]: r["mean"] for r in e if r["name"] == "next_width_now"}
after = {r["subject"]: r["mean"] for r in e if r["name"] == "next_width"}
part = {r["subject"]: r["mean"] for r in e if r["name"] == "next_narrowing"}
print(len(now) == 2 and all(0 < after[c] < now[c] and abs(1 - after[c] / now[c] - part[c]) < 0.01 for c in now))' <<<"$out")" True
else
    not_ok "a small fit succeeds" "$("$BW" fit 2>&1 | tail -3)"
fi
finish
