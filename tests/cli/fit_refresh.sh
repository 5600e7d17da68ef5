#!/usr/bin/env bash
# A fit after new weeks: it takes over the last warm-up, and says what changed by new data, by revised
# history, and by other options.
. "$(dirname "$0")/lib.sh"

value() { python3 -c "import json,sys; print(eval('json.load(sys.stdin)' + sys.argv[1]))" "$1"; }
number() { sqlite3 "$BELLWETHER_DB" "$1"; }

# 70 weeks of two channels; spend and noise by a small generator of its own, so that the test needs no data.
python3 - "$T" <<'P'
import datetime, sys
x, rows = 7, []
def u():
    global x
    x = x * 1103515245 + 12345 & 0x7fffffff
    return x / 0x7fffffff
for w in range(70):
    a, b = 100 * u(), 60 * u()
    rows.append(f"{datetime.date(2023, 1, 2) + datetime.timedelta(weeks=w)},{900 + 2 * a + b + 40 * u():.2f},{a:.2f},{b:.2f}")
for name, n in (("early", 67), ("all", 70)):
    open(f"{sys.argv[1]}/{name}.csv", "w").write("\n".join(["week,sales,tv,radio"] + rows[:n]) + "\n")
open(f"{sys.argv[1]}/map.json", "w").write(
    '{"date": "week", "outcome": {"column": "sales", "kind": "revenue"}, "spend": {"tv": "tv", "radio": "radio"}}')
P
fit() { "$BW" fit --quick --draws 250 --compare --json "$@" 2>/dev/null; }

"$BW" init >/dev/null 2>&1
"$BW" import wide "$T/early.csv" --mapping "$T/map.json" >/dev/null 2>&1
equal "a first fit has nothing to be compared with" "$(fit | value '["changes"]')" None
"$BW" import wide "$T/all.csv" --mapping "$T/map.json" >/dev/null 2>&1
grown=$(fit)
equal "three weeks are new" "$(value '["changes"]["new_periods"]' <<<"$grown")" 3
equal "nothing was revised" "$(value '["changes"]["revised"]' <<<"$grown")" "{}"
equal "the change is put down to the new weeks alone" \
    "$(value '["changes"]["channels"].__iter__().__next__()["history"]' <<<"$grown")" 0
equal "the last warm-up is taken over" \
    "$(number "SELECT count(*) FROM model_run WHERE kind = 'fit' AND json_extract(diagnostics, '\$.warm_up_of_run') = 1")" 1
from_scratch=$(fit --force)
equal "and nothing of it when a fit is forced" \
    "$(number "SELECT count(*) FROM model_run WHERE kind = 'fit' AND json_extract(diagnostics, '\$.warm_up_of_run') IS NOT NULL")" 1
# Two runs of 1000 draws, about 700 of them effective: means of each within 4 of their standard errors.
equal "both ways lead to the same returns" "$(python3 -c "
import json, sys
a, b = (json.loads(t)['channels'] for t in sys.argv[1:])
print(all(abs(x['roas']['mean'] - y['roas']['mean']) < 4 * x['roas']['sd'] / 700 ** 0.5 * 2 ** 0.5 for x, y in zip(a, b)))" \
    "$grown" "$from_scratch")" True
number "UPDATE outcome SET revenue = revenue + 100 WHERE day IN (SELECT day FROM outcome ORDER BY day LIMIT 30)"
revised=$(fit)
equal "thirty revised weeks are counted" "$(value '["changes"]["revised"]' <<<"$revised")" "{'outcome': 30}"
other=$(fit --saturation hill --seed 2)
equal "other options are told apart from the data" \
    "$(value '["changes"]["channels"][0]["model"] != 0' <<<"$other") $(value '["changes"]["channels"][0]["data"]' <<<"$other")" "True 0"
number "UPDATE spend SET cost = cost * 2 WHERE channel = 'tv'"
"$BW" import wide "$T/all.csv" --mapping "$T/map.json" >/dev/null 2>&1
parts=$(fit --saturation hill --seed 3 | value '["changes"]["channels"]')
equal "the parts add up to the whole" "$(python3 -c "
for c in $parts: assert abs(c['roas'] - c['roas_before'] - c['data'] - c['history'] - c['model']) < 1e-9, c
print('yes')")" yes
contains "and are printed" "$("$BW" fit --quick --draws 250 --saturation hill --seed 3 --compare 2>/dev/null)" "new data"
number "UPDATE spend SET cost = cost * 3 WHERE channel = 'tv'"
fit --saturation hill --seed 3 >/dev/null
"$BW" report --no-stages --format md --out "$T/r" >/dev/null 2>&1
contains "the report says which return moved and why" "$(cat "$T/r/report.md")" \
    "mostly because figures of earlier weeks were revised"
finish
