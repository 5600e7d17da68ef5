#!/usr/bin/env bash
# segment: what each group buys, says and answers to, and what is said where the data do not tell.
. "$(dirname "$0")/lib.sh"
"$BW" init >/dev/null 2>&1
db() { sqlite3 "$BELLWETHER_DB" "$1"; }

# 200 customers over two years of weeks: one in four buys often, and the coat; the others seldom, and the tent.
awk 'BEGIN {
    srand(4); print "customer,day,revenue,product"
    for (c = 0; c < 200; c++) {
        keen = c % 4 == 0
        for (w = c % 60; w < 104; w++)
            if (w == c % 60 || rand() < (keen ? 0.25 : 0.02))
                printf "c%d,%s,%.1f,%s\n", c, strftime("%Y-%m-%d", 1704067200 + 604800 * w, 1), 20 + 30 * rand(), (keen ? "coat" : "tent")
    }
}' >"$T/purchases.csv"
"$BW" import purchase "$T/purchases.csv" >/dev/null 2>&1
out=$("$BW" segment 2>"$T/notes")
contains "without names in reviews that is said" "$(cat "$T/notes")" 'no review names a customer who bought'
contains "without audiences too" "$(cat "$T/notes")" 'no message has a customer'
contains "what a group buys is shown" "$out" 'buys +coat x 1'

# Keen customers speak of the zip, the others of poles; mail wins orders from the keen, text messages from the others.
db "INSERT INTO review (id, text, customer) SELECT 'r' || customer, 'x', customer FROM (SELECT DISTINCT customer FROM purchase);
    INSERT INTO topic (id, kind, lang, name, words, centroid, size, emerging, model) VALUES (1, 'review', 'en', 'zip', '[]', '', 50, 0, ''), (2, 'review', 'en', 'poles', '[]', '', 150, 0, '');
    INSERT INTO topic_member SELECT CASE WHEN CAST(substr(customer, 2) AS INTEGER) % 4 = 0 THEN 1 ELSE 2 END, id, 1 FROM review;
    INSERT INTO message (id, channel, sent_at, audience, delivered, orders) SELECT channel || customer || k, channel, '2025-06-01 09:00', customer, 1,
        (CAST(substr(customer, 2) AS INTEGER) % 4 = 0) = (channel = 'mail') AND k % 2
        FROM (SELECT DISTINCT customer FROM purchase), (SELECT 'mail' AS channel UNION SELECT 'text'), (SELECT 1 AS k UNION SELECT 2 UNION SELECT 3 UNION SELECT 4)"
keen=$(db "SELECT segment FROM customer_segment WHERE CAST(substr(customer, 2) AS INTEGER) % 4 = 0 GROUP BY 1 ORDER BY count(*) DESC LIMIT 1")
out=$("$BW" segment --json 2>"$T/notes")
equal "new reviews and messages are a reason to estimate again" "$(grep -c 'no review\|no message' "$T/notes")" 0
said() { python3 -c '
import json, sys
rows = [r for r in json.load(sys.stdin)["personas"] if r["segment"] == sys.argv[1] and r["what"] == sys.argv[2]]
print(rows[0]["of"] if rows and rows[0]["value"] > 1.3 and rows[0]["lo"] > 1 else rows)' "$keen" "$1" <<<"$out"; }
equal "what the keen say" "$(said says)" zip
equal "what the keen answer to" "$(said answers)" mail
contains "for people too" "$("$BW" segment 2>&1)" 'answers to +mail x'
printf 'id,customer,text,day\n1,c3,good,2025-01-01\n' >"$T/review.csv"
"$BW" import review "$T/review.csv" >/dev/null 2>&1
equal "a review's customer is imported" "$(db "SELECT customer FROM review WHERE id = '1'")" c3
finish
