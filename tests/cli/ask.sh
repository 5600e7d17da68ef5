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
contains "a missing name is asked for" "$("$BW" ask 'what does it earn')" 'Which channel'
contains "an unknown question gets its nearest" "$("$BW" ask 'what is the meaning of life')" 'not among the questions'
contains "hostile text stays text" "$("$BW" ask "revenue '; DROP TABLE review; -- \`id\`")" '.'
equal "json for machines, the unit of a fact with it" \
    "$("$BW" ask 'which channel earns most' --json | python3 -c \
        'import json,sys; a=json.load(sys.stdin); print(a["outcome"], a["facts"][0]["unit"])')" "answered money"
equal "asking writes nothing" "$(sha256sum "$BELLWETHER_DB")" "$before"
fails "no question is wrong usage" 2 'wanted one question' "$BW" ask
finish
