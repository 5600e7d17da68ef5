#!/usr/bin/env bash
# report: the page, its siblings, the ledger's ids, and what each section says without data.
# shellcheck source=tests/cli/lib.sh
. "$(dirname "$0")/lib.sh"
data=$(dirname "$0")/../reports/data

fails "report: no database" 1 "no such|No such" "$BW" report --out "$T/none"
"$BW" init >/dev/null
fails "report: nothing imported" 1 "import --help" "$BW" report --out "$T/none"
sqlite3 "$BELLWETHER_DB" <"$data/shop.sql"
check "report: written" "$BW" report --no-stages --out "$T/a/b"
page=$(cat "$T/a/b/index.html")
for id in decide change record channels timing voice outlook notes method queries; do
    contains "report: section $id" "$page" "<section[^>]* id=\"$id\""
done
for chart in kpi waterfall roas budget curves sources timing sentiment aspects forecast; do
    contains "report: chart $chart in two layouts" "$page" "id=\"$chart-n-t\""
    check "report: chart $chart for Markdown" test -s "$T/a/b/charts/$chart.png"
done
contains "report: the decision has money and interval" "$page" 'more revenue a week.*90% interval'
contains "report: phone numbers in quotes are hidden" "$page" '\[phone\]'
if grep -qE '555 010' <<<"$page"; then not_ok "report: no phone number is left"; else ok "report: no phone number is left"; fi
if grep -qE '(src|href)="(https?:)?//' <<<"$page"; then not_ok "report: no network"; else ok "report: no network"; fi
if sed 's/<code>.*<\/code>//' <<<"$page" | grep -qiwE 'nan|inf|null|\{[a-z]+\}'; then not_ok "report: no broken text"; else ok "report: no broken text"; fi
contains "report: facts with their queries" "$(cat "$T/a/b/facts.json")" '"schema":.*"bellwether-facts/1"'
contains "report: Markdown" "$(cat "$T/a/b/report.md")" '!\[Move .*\]\(charts/budget.png\)'
sum=$(cat "$T/a/b/index.html" "$T/a/b/report.md" "$T/a/b/facts.json" | sha256sum)
"$BW" report --no-stages --out "$T/c" >/dev/null
equal "report: same data, same bytes" "$(cat "$T/c/index.html" "$T/c/report.md" "$T/c/facts.json" | sha256sum)" "$sum"
equal "report: the week's advice keeps its ids" "$(sqlite3 "$BELLWETHER_DB" "SELECT count(*), count(DISTINCT id) FROM advice")" "4|4"
for lang in en zh; do
    "$BW" report --no-stages --lang $lang --out "$T/v" >/dev/null
    contains "verify: every number of the $lang page" "$("$BW" verify "$T/v")" 'all match'
done
sed 's/7,000 美元/7,900 美元/' "$T/v/index.html" >"$T/v/x" && mv "$T/v/x" "$T/v/index.html"
fails "verify: a number that was changed" 1 "^$" "$BW" verify "$T/v"
contains "verify: names the fact" "$("$BW" verify "$T/v")" 'shows "7,900 美元" for advice.moved/A-2026-W45-1, which is 7000'
"$BW" report --no-stages --out "$T/v" >/dev/null
sqlite3 "$BELLWETHER_DB" "UPDATE estimate SET mean = mean * 1.1 WHERE name = 'roas' AND subject = 'email'"
contains "verify: a database that changed" "$("$BW" verify "$T/v")" 'roas/email: value is 6 in the report and 6.6 in the database'
contains "verify: the chart too" "$("$BW" verify "$T/v")" 'chart roas: row 1, column average return differs'
fails "verify: not a report" 1 "facts.json" "$BW" verify "$T"
# sentence LAG CORRELATION PROBABILITY LANG: what a test of that outcome lets the page say
sentence() {
    sqlite3 "$BELLWETHER_DB" "INSERT OR REPLACE INTO model_run (id, kind, engine, seed, input, created_at) VALUES (9, 'sentiment', 'test', 1, 'x', '2026-11-09 06:00');
        INSERT OR REPLACE INTO estimate (run, name, mean, lo, hi, probability, n) VALUES (9, 'lead', $1, NULL, NULL, $3, 97), (9, 'correlation', $2, $2 - 0.2, $2 + 0.15, $3, 91)"
    "$BW" report --no-stages --length full --lang "$4" --out "$T/lead" >/dev/null
    contains "verify: the $4 page with a lag of $1" "$("$BW" verify "$T/lead")" 'all match'
    said=$(cat "$T/lead/report.md")
}
sentence 3 0.41 0.988 en
contains "report: sentiment leads" "$said" 'runs ahead of revenue: when reviews turn better, revenue is higher 3 weeks later \(correlation \+0.41.*over 97 weeks'
sentence 3 -0.41 0.988 zh
contains "report: sentiment leads, in Chinese" "$said" '情感先于销售额变化：评论好转后 3 周，销售额偏低'
sentence -1 0.41 0.951 en
contains "report: sentiment follows" "$said" 'follows revenue: when revenue is higher, reviews are better 1 week later'
sentence 0 -0.5 0.988 en
contains "report: sentiment in the same week" "$said" 'in the same week: when reviews turn better, revenue is lower'
sentence 3 0.41 0.949 zh
contains "report: no lead is claimed on thin ground" "$said" '看不出情感先于还是滞后于销售额'
# an earlier week: verified against the estimates kept for it, never by a silent fit
"$BW" report --no-stages --week 2026-W40 --out "$T/past" >/dev/null
contains "verify: an earlier week" "$("$BW" verify "$T/past")" 'all match'
sqlite3 "$BELLWETHER_DB" "DELETE FROM past_state"
fails "verify: an earlier week whose estimates are gone" 1 'report of 2026-W40 was written from are not in this database any more.*--refit' "$BW" verify "$T/past"
for lang in en zh; do
    "$BW" report --no-stages --format eml --lang $lang --out "$T/mail" >/dev/null
    equal "mail, $lang: text beside HTML, charts by cid, styles in place, a readable subject" "$(python3 - "$T/mail/report.eml" <<'P'
import email, email.policy, re, sys
raw = open(sys.argv[1], "rb").read()
m = email.message_from_bytes(raw, policy=email.policy.default)
html = m.get_body(("html",)).get_content()
text = m.get_body(("plain",)).get_content()
shown = set(re.findall(r'src="cid:([^"]+)"', html))
sent = {p["Content-ID"].strip("<>") for p in m.walk() if p.get_content_type() == "image/png"}
print([p.get_content_type() for p in m.walk()][:4], shown == sent and len(sent) > 5, len(raw) < 1.5e6,
      max(map(len, raw.split(b"\r\n"))) <= 998, raw.isascii(), bool(re.search("var\\(|<style|<script|https?:", html)),
      len(text) > 1000, bool(re.match("Weekly strategy report 2026-W45: \\S+ |每周营销策略报告 2026-W45：\\S", m["Subject"])))
P
)" "['multipart/related', 'multipart/alternative', 'text/plain', 'text/html'] True True True True False True True"
done
"$BW" report --no-stages --format eml --out "$T/m" >/dev/null
contains "report: a mail with its charts inside" "$(cat "$T/m/report.eml")" 'Content-ID: <budget>'
if command -v chromium >/dev/null && [ -z "${BW_NO_BROWSER:-}" ]; then
    "$BW" report --no-stages --format pdf --out "$T/m" >/dev/null
    contains "report: a PDF" "$(head -c 5 "$T/m/report.pdf" | tr -d '\0')" '%PDF'
else
    echo "ok $((count += 1)) - report: a PDF # SKIP no chromium"
fi
short=$("$BW" report --no-stages --length brief --out "$T/s" >/dev/null && wc -c <"$T/s/report.md")
long=$("$BW" report --no-stages --length full --out "$T/l" >/dev/null && wc -c <"$T/l/report.md")
"$BW" report --no-stages --out "$T/middle" >/dev/null
check "report: brief is shorter than standard" test "$short" -lt "$(wc -c <"$T/middle/report.md")"
check "report: full says more than standard" test "$long" -gt "$(wc -c <"$T/middle/report.md")"
"$BW" report --no-stages --since 2026-09-14 --out "$T/since" >/dev/null
contains "report: what changed since a day" "$(cat "$T/since/report.md")" 'From 14 Sept? 2026 on, revenue came to .* than in the [0-9]+ weeks before'
contains "verify: the numbers since" "$("$BW" verify "$T/since")" 'all match'
fails "report: since no day" 2 "wanted a day" "$BW" report --no-stages --since soon --out "$T/x"
fails "report: since a day before the data" 1 "as many before" "$BW" report --no-stages --since 2001-01-01 --out "$T/x"
mkdir "$T/bin" && ln -s "$(command -v gnuplot)" "$T/bin/gnuplot"
fails "report: no browser" 1 "open .*index.html in a browser" env PATH="$T/bin" "$BW" report --no-stages --format html --open --out "$T/since"
fails "report: unknown week" 1 "no day in that week" "$BW" report --no-stages --week 2031-W01 --out "$T/x"
fails "report: not a week" 2 "wanted a day" "$BW" report --no-stages --week soon --out "$T/x"
fails "report: unknown language" 2 "'en' and 'zh'" "$BW" report --no-stages --lang fr --out "$T/x"
fails "report: unknown format" 2 "html, md, json, eml and pdf" "$BW" report --no-stages --format docx --out "$T/x"
"$BW" report --no-stages --lang en,zh --format html,json --out "$T/both" >"$T/said"
equal "report: two languages in one run" "$(cat "$T/said")" "$T/both/en/index.html
$T/both/zh/index.html"
for lang in en zh; do
    contains "verify: the $lang page of the two" "$("$BW" verify "$T/both/$lang")" 'all match'
done
# A topic that customers of this shop hardly ever speak of is left out; what has no name comes last.
sqlite3 "$BELLWETHER_DB" "INSERT INTO review_aspect SELECT id, 'food', 0.9, 0.9, 0.05, 0.05, '', 'test' FROM (SELECT id FROM review WHERE day > '2026-10-12' ORDER BY id LIMIT 14);
    INSERT INTO review_aspect SELECT id, 'other', 0.9, 0.95, 0.03, 0.02, '', 'test' FROM review"
"$BW" report --no-stages --out "$T/topics" >/dev/null
rows=$("$BW" plot aspects --format tsv)
equal "report: a topic of other shops is left out" "$(grep -ci '^food' <<<"$rows")" 0
contains "report: other topics come last" "$(tail -1 <<<"$rows")" '^other topics'
if grep -q 'Other topics draws' "$T/topics/report.md"; then not_ok "report: and are no title"; else ok "report: and are no title"; fi
# One new complaint in two languages: the same product, begun in the same weeks; a third of another.
sqlite3 "$BELLWETHER_DB" "INSERT INTO topic (id, kind, lang, name, words, centroid, size, first_day, emerging, model)
    SELECT column1, 'emerging', column2, column3, '[]', '', 5, column4, 1, 'test' FROM
    (VALUES (901, 'en', 'zip', '2026-10-12'), (902, 'zh', '拉链', '2026-10-20'), (903, 'zh', '线头', '2026-10-21'));
    INSERT INTO topic_member SELECT 901, id, 1 FROM (SELECT id FROM review WHERE day > '2026-10-10' AND lang = 'en' ORDER BY id LIMIT 6);
    INSERT INTO topic_member SELECT 902, id, 1 FROM (SELECT id FROM review WHERE day > '2026-10-10' AND lang = 'zh' ORDER BY id LIMIT 9);
    INSERT INTO topic_member SELECT 903, id, 1 FROM (SELECT id FROM review WHERE day > '2026-10-10' AND lang = 'zh' ORDER BY id DESC LIMIT 4);
    UPDATE review SET product = 'Rain jacket' WHERE id IN (SELECT id FROM topic_member WHERE topic IN (901, 902));
    UPDATE review SET product = 'Tent' WHERE id IN (SELECT id FROM topic_member WHERE topic = 903)"
"$BW" report --no-stages --lang en,zh --out "$T/twins" >/dev/null
share() { sqlite3 "$BELLWETHER_DB" "SELECT printf('%.1f%%', 100.0 * count(DISTINCT m.id) / (SELECT count(*) FROM review WHERE day > '2026-09-27' AND day <= '2026-11-08')) FROM topic_member m JOIN review r ON r.id = m.id WHERE m.topic IN ($1) AND r.day > '2026-09-27' AND r.day <= '2026-11-08'"; }
contains "report: one complaint in two languages is told once" "$(cat "$T/twins/en/report.md")" \
    "since 12 Oct, in two languages and mostly about Rain jacket: “拉链” in $(share 902) and “zip” in $(share 901) .* together $(share 901,902) against"
contains "report: in Chinese too" "$(cat "$T/twins/zh/report.md")" "两种语言都多半指向 ?Rain jacket：.*合计 $(share 901,902)"
contains "report: with a quote of each" "$(cat "$T/twins/en/report.md")" 'complain of zip'
contains "report: another product's complaint stays its own" "$(cat "$T/twins/en/report.md")" '“线头”, in .* mostly about Tent'
contains "verify: the complaint told once" "$("$BW" verify "$T/twins/en")" 'all match'
fails "report: an unknown language among several" 2 "no language 'fr'" "$BW" report --no-stages --lang en,fr --out "$T/several"
check "report: and leaves no page of the others" test ! -e "$T/several"
finish
