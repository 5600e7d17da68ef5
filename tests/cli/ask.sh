#!/usr/bin/env bash
# Questions in plain words: every documented way to ask leads to its question, answers show their
# query, hostile text stays text, and nothing is written.
. "$(dirname "$0")/lib.sh"
"$BW" demo --no-report >/dev/null 2>&1
"$BW" fit --quick >/dev/null 2>&1 || "$BW" fit >/dev/null 2>&1
before=$(sha256sum "$BELLWETHER_DB")
out=$("$BW" ask "which channel earns most?")
contains "the answer has its interval" "$out" '90% interval'
contains "the query is shown" "$out" 'SELECT roas AS value'
contains "a chart is offered" "$out" 'bellwether plot roas'
shown=$(sed -n 's/^  \(SELECT sum.*\);$/\1/p' <<<"$("$BW" ask "how much did we spend on e-mail in October?")")
equal "a shown query can be run as it is" \
    "$("$BW" sql --format csv "$shown" | tail -1)" \
    "$("$BW" sql --format csv "SELECT sum(cost) FROM spend WHERE channel = 'email' AND day LIKE '2026-10-%'" | tail -1)"
contains "Chinese is answered in Chinese" "$("$BW" ask '哪个渠道最赚钱？')" '回报最高'
contains "a period that an answer cannot be given for is told" "$("$BW" ask 'how is search doing in March?')" \
    '^There is no such answer for 1 to 31 Mar 2026 alone; this one rests on .* 2026\. A euro spent on search has brought'
contains "in Chinese too, the month spelled out" "$("$BW" ask '搜索广告三月份表现怎么样？')" \
    '^没有单独针对 2026 年 3 月 1 日至 31 日的结果；以下回答依据.*搜索广告'
contains "the period that an answer is about needs no remark" "$("$BW" ask 'how much did we spend on search in March?')" \
    '^Search cost .*1 to 31 Mar 2026'
contains "a missing name is asked for" "$("$BW" ask 'what does it earn')" 'Which channel'
contains "an unknown question gets its nearest" "$("$BW" ask 'what is the meaning of life')" 'not among the questions'
contains "hostile text stays text" "$("$BW" ask "revenue '; DROP TABLE review; -- \`id\`")" '.'
equal "json for machines, the unit of a fact with it" \
    "$("$BW" ask 'which channel earns most' --json | python3 -c \
        'import json,sys; a=json.load(sys.stdin); print(a["outcome"], a["facts"][0]["unit"])')" "answered money"
equal "asking writes nothing" "$(sha256sum "$BELLWETHER_DB")" "$before"
"$BW" price >/dev/null 2>&1
contains "a promotion is found without its year" "$("$BW" ask 'what did Black week bring')" '^Black week 20.*90% interval'
"$BW" ask "how much did we spend last month" --plot "$T/spend.svg" >/dev/null
contains "an answer without a chart of the report is drawn from a query" "$(cat "$T/spend.svg")" '<title[^>]*>spend by week'
fails "a language that is not there is wrong usage" 2 "no language .fr." "$BW" ask "revenue" --lang fr
fails "no question is wrong usage" 2 'wanted one question' "$BW" ask
# Names that are no words: each is asked for as it stands, answered with its own spend (10 a day for
# the first, 20 for the second, ...), and drawn; none is ever run, and none breaks JSON or SVG.
export BELLWETHER_DB="$T/hostile.db"
python3 - "$BW" "$T" <<'P' >"$T/hostile.out" 2>&1
import csv, json, os, subprocess, sys
import xml.etree.ElementTree as xml
bw, folder = sys.argv[1:]
os.chdir(folder)
names = ["O'Brien's", "`touch run`", "a;b", "<img src=x onerror=alert(1)>", "x'); DROP TABLE spend; --",
         "$(touch run)", "\U0001F388\U0001F388", "!!!", "long" * 250, 'say "hi"', "back\\slash",
         "{channel}", "%s%n", ":first"]
with open("s.csv", "w", encoding="utf-8") as f:
    rows = csv.writer(f)
    rows.writerow(["day", "channel", "cost"])
    rows.writerows([f"2026-03-{d:02}", n, 10 * (i + 1)] for i, n in enumerate(names) for d in range(1, 15))
subprocess.run([bw, "import", "spend", "s.csv"], check=True, capture_output=True)
for i, name in enumerate(names):
    p = subprocess.run([bw, "ask", f"how much did we spend on {name} last week", "--json", "--plot", f"{i}.svg"],
                       capture_output=True, text=True)
    answer = json.loads(p.stdout)
    again = subprocess.run([bw, "sql", "--json", answer["sql"][0]], capture_output=True, text=True)
    xml.parse(f"{i}.svg")
    right = answer["facts"][0]["value"] == json.loads(again.stdout)[0]["value"] == 70 * (i + 1)
    print("right" if right and not os.path.exists("run") else f"wrong: {name!r} {p.stdout} {p.stderr}")
P
equal "hostile names are found, answered and drawn" "$(sort "$T/hostile.out" | uniq -c | tr -s ' ')" " 14 right"
# Three reviews, 20, 40 and 90 % negative: mean 50 %, standard error sqrt(0.13 / 3) = 0.2082, so 90 % of
# means lie within 1.645 * 0.2082 = 34.2 points.
"$BW" sql --write "INSERT INTO review_aspect(review, aspect, mentioned, negative, neutral, positive, model)
    VALUES ('1', 'delivery', 1, 0.2, 0.8, 0, ''), ('2', 'delivery', 1, 0.4, 0.6, 0, ''),
           ('3', 'delivery', 1, 0.9, 0.1, 0, ''), ('4', 'price', 1, 0.7, 0.2, 0.1, '')" 2>/dev/null
contains "a share of reviews has its interval" "$("$BW" ask 'what do customers say about delivery')" \
    'Of 3 reviews.* 50% negative \(16% to 84%\)'
contains "one review has none" "$("$BW" ask 'what do customers say about price')" 'positive about it and 70% negative\.'
for q in "" " " "?!;,.--" "🎉" "$(printf 'a%.0s' {1..1000})" '%s%n%d' '{' "$(printf 'bad \377 text')"; do
    check "a question that says nothing gets examples: $(head -c 12 <<<"$q" | iconv -c -t ascii)" "$BW" ask "$q"
done
covers=$(sqlite3 "$BELLWETHER_DB" "SELECT strftime('%Y', max(day)) FROM calendar_day")
contains "a year that the data do not cover" "$("$BW" ask 'how much revenue did we make in 2031')" "The data do not cover 1 Jan to 31 Dec 2031; they cover .*$covers"
contains "a week that no year has" "$("$BW" ask 'revenue in week 60')" 'no such day or week'
contains "a day that no year has" "$("$BW" ask '2月30日销售额')" '日历上没有这一天'
contains "a year that the data cover in part" "$("$BW" ask "how much revenue did we make in $covers")" "^Of the time asked for .* the data cover "
fails "a picture's ending is checked before the work" 2 '.svg, .png or .pdf' "$BW" ask "revenue" --plot x.gif
finish
