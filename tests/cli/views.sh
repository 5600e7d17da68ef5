#!/usr/bin/env bash
# The views: what they say about a handful of rows whose sums are done by hand.
. "$(dirname "$0")/lib.sh"
ask() { "$BW" sql "$1" -f csv | tail -n +2; }
run() { sqlite3 "$BELLWETHER_DB" "$1"; }

# Wednesday 2024-01-03 and Sunday 7th are one week from Monday 1st, Monday 8th begins the next.
cat >"$T/outcome.csv" <<'C'
day,geo,product,revenue,orders,units,price,discount
2024-01-03,north,shoe,100,2,3,10,0
2024-01-07,north,shoe,50,1,1,20,0.5
2024-01-07,south,hat,25,1,1,5,
2024-01-08,south,hat,8,1,2,4,0.1
C
cat >"$T/spend.csv" <<'C'
day,channel,campaign,geo,cost,impressions,clicks
2024-01-03,tv,spring,north,10,1000,
2024-01-07,tv,spring,north,30,3000,
2024-01-07,search,,south,5,100,20
2024-01-08,search,brand,south,6,0,3
2024-01-15,search,brand,south,1,0,0
C
printf 'day,series,value\n2024-01-03,rain,2\n2024-01-04,rain,4\n' >"$T/context.csv"
printf 'id,campaign,channel,sent_at,text,delivered,opens,clicks,orders\nm1,spring,email,2024-01-03 09:30,mail a@b.example,200,50,10,0\nm2,,email,2024-01-04 10:00,none,0,0,0,0\n' >"$T/message.csv"
for k in outcome spend context message; do "$BW" import $k "$T/$k.csv" >/dev/null 2>&1 || echo "not ok - import $k"; done

equal "weekly: sums of the week, spend of all regions, days with an outcome" "$(ask 'SELECT week, revenue, orders, units, cost, days FROM weekly')" "2024-01-01,175,4,5,45,2
2024-01-08,8,1,2,6,1"
equal "channel_week: also weeks without an outcome" "$(ask 'SELECT week, channel, cost, clicks FROM channel_week ORDER BY 1, 2')" "2024-01-01,search,5,20
2024-01-01,tv,40,
2024-01-08,search,6,3
2024-01-15,search,1,0"
equal "geo_week: outcome and spend of the region" "$(ask 'SELECT week, geo, revenue, cost FROM geo_week ORDER BY 1, 2')" "2024-01-01,north,150,40
2024-01-01,south,25,5
2024-01-08,south,8,6"
equal "product_week: mean price" "$(ask "SELECT revenue, price FROM product_week WHERE product = 'shoe'")" "150,15"
equal "campaign_total: cost of a thousand and of a click, none by zero" "$(ask 'SELECT campaign, cost, cost_per_thousand, round(cost_per_click, 3) FROM campaign_total ORDER BY 1')" "brand,7,,2.333
spring,40,10,"
equal "message_result: rates, none of nothing, redacted" "$(ask 'SELECT id, weekday, hour, text, open_rate, order_rate FROM message_result')" "m1,2,9,mail [e-mail],0.25,0
m2,3,10,none,,"
equal "context_week: the mean" "$(ask 'SELECT week, series, value FROM context_week')" "2024-01-01,rain,3"
equal "import_history: one row a file" "$(ask 'SELECT kind, file, rows_new FROM import_history')" "outcome,outcome.csv,4
spend,spend.csv,5
context,context.csv,2
message,message.csv,2"
"$BW" setting set week_start Sunday >/dev/null
equal "weeks follow the setting" "$(ask 'SELECT week, revenue FROM weekly')" "2023-12-31,100
2024-01-07,83"

run "INSERT INTO review(id, day, text, rating) VALUES ('r1', '2024-01-08', 'a', 4), ('r2', '2024-01-09', 'b', 2);
INSERT INTO review_score VALUES ('r1', 0.1, 0.2, 0.7, 4.1, 3, 0, 'm'), ('r2', 0.5, 0.3, 0.2, 2.5, 3, 0, 'm');
INSERT INTO review_aspect VALUES ('r1', 'delivery', 0.9, 0.2, 0.2, 0.6, NULL, 'm'), ('r2', 'delivery', 0.4, 0.9, 0.1, 0, NULL, 'm');"
# Sentiments 0.6 and -0.3: mean 0.15, standard error of the mean |0.9| / 2 = 0.45.
equal "review_sentiment_week: mean and its standard error" "$(ask 'SELECT reviews, round(sentiment, 6), round(se, 6), stars FROM review_sentiment_week')" "2,0.15,0.45,3.3"
equal "aspect_week: only what is mentioned" "$(ask 'SELECT aspect, mentions, negative FROM aspect_week')" "delivery,1,0.2"

run "INSERT INTO model_run(id, kind, engine, seed, input, created_at) VALUES (1, 'fit', 'x', 1, 'a', ''), (2, 'fit', 'x', 1, 'b', ''), (3, 'plan', 'x', 1, 'c', '');
INSERT INTO estimate(run, name, subject, at, mean, lo, hi, probability) VALUES
 (1, 'roas', 'tv', '', 9, 8, 10, 1), (2, 'roas', 'tv', '', 2, 1, 3, 0.95), (2, 'marginal_roas', 'tv', '', 1.5, 0.5, 2, 0.8),
 (2, 'spend', 'tv', '', 41, NULL, NULL, NULL), (2, 'decomposition', 'tv', '2024-01-01', 7, 6, 8, NULL),
 (3, 'spend_now', 'tv', '', 10, NULL, NULL, NULL), (3, 'spend_planned', 'tv', '', 12, NULL, NULL, NULL), (3, 'gain', 'tv', '', 4, 1, 7, 0.9), (3, 'gain', '', '', 5, 1, 9, 0.9);
INSERT INTO curve VALUES (2, 'response', 'tv', 10, 20, 15, 25, 1);"
equal "channel_effect: the newest run" "$(ask 'SELECT channel, spend, roas, roas_lo, marginal_roas, probability_pays, half_life_weeks FROM channel_effect')" "tv,41,2,1,1.5,0.8,"
equal "channel_curve and decomposition_week" "$(ask 'SELECT channel, spend, revenue FROM channel_curve') $(ask 'SELECT week, part, revenue FROM decomposition_week')" "tv,10,20 2024-01-01,tv,7"
equal "plan_channel: now, planned, gain of the channel" "$(ask 'SELECT channel, spend_now, change, gain, probability FROM plan_channel')" "tv,10,2,4,0.9"
run "INSERT INTO advice(id, week, kind, subject, action, gain) VALUES ('A-1', '2024-01-07', 'budget', 'tv', '{}', 5); INSERT INTO advice_outcome (advice, week, realised, realised_lo, realised_hi, inside, method) VALUES ('A-1', '2024-02-04', 4, 1, 7, 1, 'did');"
equal "advice_record: promised and realised" "$(ask 'SELECT id, gain, realised, inside FROM advice_record')" "A-1,5,4,1"
finish
