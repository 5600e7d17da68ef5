#!/usr/bin/env bash
# import of each kind: columns by name, counts, the same file twice, updates, --map, --set, ids.
. "$(dirname "$0")/lib.sh"
db() { sqlite3 "$BELLWETHER_DB" "$1"; }

cat >"$T/spend.csv" <<'C'
Date,Channel,Campaign name,Amount spent (EUR),Impr.
2024-01-01,search,brand,10.5,1000
2024-01-02,"tv, national",x,"1,211.50",0
C
contains "spend: rows are counted" "$("$BW" import spend "$T/spend.csv" 2>&1)" '2 rows read, 2 new, 0 changed'
equal "spend: quotes, thousands and synonyms are read" "$(db "SELECT channel, campaign, cost FROM spend WHERE day = '2024-01-02'")" "tv, national|x|1211.5"
equal "spend: the currency stands in the name of the column" "$("$BW" setting get currency)" EUR
printf 'day,channel,cost (USD)\n2024-01-01,x,1\n' >"$T/usd.csv"
fails "spend: money of two currencies is not mixed" 1 "'USD': the database holds money in EUR" "$BW" import spend "$T/usd.csv"
equal "spend: channels are known" "$(db 'SELECT group_concat(name) FROM channel')" "search,tv, national"
contains "the same file again changes nothing and says so" "$("$BW" import spend "$T/spend.csv" 2>&1)" 'imported before, nothing changed'
sed 's/10.5/12.25/' "$T/spend.csv" >"$T/spend2.csv"
contains "a corrected file updates what differs" "$("$BW" import spend "$T/spend2.csv" 2>&1)" '2 rows read, 0 new, 1 changed, 1 as before'
printf 'day,channel,campaign,clicks,cost\n2024-01-01,search,brand,7,12.25\n' >"$T/clicks.csv"
check "a file with other columns is read" "$BW" import spend "$T/clicks.csv"
equal "columns that a file lacks keep what they hold" "$(db "SELECT impressions, clicks FROM spend WHERE channel = 'search'")" "1000.0|7.0"

printf 'week,umsatz,n\n2024-01-01,100.5,3\n' >"$T/out.csv"
contains "outcome: --map names a column" "$("$BW" import outcome "$T/out.csv" --map orders=n 2>&1)" '1 new'
equal "outcome: values arrive" "$(db 'SELECT revenue, orders FROM outcome')" "100.5|3.0"

printf 'ds,holiday\n2030-12-25,Christmas\n' >"$T/ev.csv"
check "event: a planned one in the future is fine" "$BW" import event "$T/ev.csv"
equal "event: one day long unless it says otherwise" "$(db 'SELECT day, end_day, name, kind FROM event')" "2030-12-25|2030-12-25|Christmas|other"

printf 'date,series,value\n2024-01-01,rain,-3.5\n2024-01-02,rain,\n' >"$T/ctx.csv"
contains "context: a row without value is passed over with a warning" "$("$BW" import context "$T/ctx.csv" 2>&1)" 'warning.*passed over'
equal "context: the other row arrives" "$(db 'SELECT series, value FROM context')" "rain|-3.5"

printf 'label\tstars\ttext\n1\t4\t"Good" it said\n0\t\tbad 5" screen\nneutral\t\tso so\n' >"$T/r.tsv"
gzip -k "$T/r.tsv"
contains "review: a gzipped TSV with plain quotes" "$("$BW" import review "$T/r.tsv.gz" --set source=site,lang=en --day 2024-02-03 2>&1)" '3 new'
equal "review: stars win, labels fill no gap of a rated file" "$(db "SELECT rating, day, source, lang FROM review WHERE text LIKE '\"Good\"%'")" "4.0|2024-02-03|site|en"
printf 'label\ttext\n1\tyes\n0\tno\nneutral\tso\n' >"$T/l.tsv"
check "review: labels alone" "$BW" import review "$T/l.tsv"
equal "review: labels become ratings" "$(db "SELECT group_concat(rating) FROM (SELECT rating FROM review WHERE day IS NULL ORDER BY rating)")" "1.0,3.0,5.0"

printf 'label\ttext\n0\tworst\n4\tbest\n2\tmiddling\n4\tbest\n' >"$T/five.tsv"
contains "review: equal rows are one, and said once" "$("$BW" import review "$T/five.tsv" --set source=five 2>&1)" 'five.tsv:5: note: 1 row is the same'
equal "review: five classes are stars less one" "$(db "SELECT group_concat(rating) FROM (SELECT rating FROM review WHERE source = 'five' ORDER BY rating)")" "1.0,3.0,5.0"

cat >"$T/a.jsonl" <<'C'
{"reviewerID":"u1","asin":"B01","reviewText":"great\nbuy","overall":5.0,"unixReviewTime":1390694400}
{"user_id":"u2","asin":"B02","reviewText":"meh","overall":2,"unixReviewTime":1390694400,"helpful":[1,2]}
C
check "review: Amazon's JSON lines" "$BW" import review "$T/a.jsonl"
equal "review: product, day and rating" "$(db "SELECT day, product, rating FROM review WHERE text LIKE 'great%'")" "2014-01-26|B01|5.0"

printf 'customer_id,date,dollars\n1,1997-01-01,11.77\n1,1997-01-01,11.77\n2,1997-01-12,12\n' >"$T/p.csv"
contains "purchase: two equal ones are two" "$("$BW" import purchase "$T/p.csv" 2>&1)" '3 new'
contains "purchase: and the same two when the file grows" "$(echo 3,1997-02-01,5 >>"$T/p.csv"; "$BW" import purchase "$T/p.csv" 2>&1)" '1 new, 0 changed, 3 as before'

printf 'campaign,channel,sent,subject,recipients,opened\nspring,email,2024-03-01 09:30,Hello,1000,300\n' >"$T/m.csv"
check "message" "$BW" import message "$T/m.csv"
equal "message: time and counts" "$(db 'SELECT sent_at, delivered, opens FROM message')" "2024-03-01 09:30|1000|300"
# Berlin's clocks skip 02:00 on 29 March 2026 and have 02:30 twice on 25 October; offsets of senders differ.
db "INSERT OR REPLACE INTO setting VALUES ('timezone', 'Europe/Berlin')"
cat >"$T/zone.csv" <<E
id,channel,sent_at,delivered
z1,email,2026-03-29T00:59:00Z,10
z2,email,2026-03-29T01:00:00Z,10
z3,email,2026-10-25T00:30:00Z,10
z4,email,2026-10-25T01:30:00Z,10
z5,email,2026-07-01 20:15-05:00,10
z6,email,2026-01-01 09:30,10
E
check "messages with their distance from UTC" "$BW" import message "$T/zone.csv" --allow-future
equal "message: local time, across both changes of the clock" \
    "$(db "SELECT group_concat(substr(sent_at, 6), ' | ') FROM (SELECT sent_at FROM message WHERE id LIKE 'z%' ORDER BY id)")" \
    "03-29 01:59 | 03-29 03:00 | 10-25 02:30 | 10-25 02:30 | 07-02 03:15 | 01-01 09:30"
db "DELETE FROM message WHERE id LIKE 'z%'; DELETE FROM setting WHERE key = 'timezone'"

printf 'experiment,channel,start,end,lift,se,spend\ne1,tv,2024-01-01,2024-01-28,1200,300,-800\n' >"$T/e.csv"
check "experiment" "$BW" import experiment "$T/e.csv"
equal "experiment: effect and spend" "$(db 'SELECT id, effect, effect_sd, spend_change FROM experiment')" "e1|1200.0|300.0|-800.0"
printf 'test,variant,users,conversions,kpi\ne2,A,100,7,orders\n' >"$T/arm.csv"
check "arm of an experiment" "$BW" import arm "$T/arm.csv"

contains "--where passes other rows over" "$(printf 'ds,holiday,country\n2024-01-01,Neujahr,DE\n2024-01-01,New Year,US\n' >"$T/h.csv"; "$BW" import event "$T/h.csv" --where country=DE 2>&1)" '1 new'
before=$(db .dump | sha256sum)
contains "--dry-run reports" "$(printf 'day,channel,cost\n2024-05-01,x,1\n' >"$T/d.csv"; "$BW" import spend "$T/d.csv" --dry-run 2>&1)" '1 new.*dry run'
equal "--dry-run keeps nothing" "$(db .dump | sha256sum)" "$before"
contains "--json is for machines" "$("$BW" import spend "$T/d.csv" --dry-run --json)" '"rows_new":	1'
fails "an unknown kind is named" 2 "no kind 'spent'" "$BW" import spent "$T/d.csv"
finish
