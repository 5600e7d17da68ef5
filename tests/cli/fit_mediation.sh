#!/usr/bin/env bash
# Searches that other media cause: the model counts them where they were spent, and says so where it matters.
. "$(dirname "$0")/lib.sh"

# 60 weeks of tv and of a second channel: FOLLOWS is the part of its spend that tv's spend of the week makes.
shop() { # NAME FOLLOWS
    python3 - "$T" "$@" <<'P'
import datetime, sys
x = 5
def u():
    global x
    x = x * 1103515245 + 12345 & 0x7fffffff
    return x / 0x7fffffff
folder, name, follows = sys.argv[1], sys.argv[2], float(sys.argv[3])
with open(f"{folder}/shop.csv", "w") as f:
    f.write(f"week,sales,tv,{name}\n")
    for w in range(60):
        tv = 100 * u()
        own = follows * tv + (1 - follows) * 60 * u()
        f.write(f"{datetime.date(2023, 1, 2) + datetime.timedelta(weeks=w)},{900 + 3 * tv + own + 30 * u():.2f},{tv:.2f},{own:.2f}\n")
open(f"{folder}/map.json", "w").write('{"date": "week", "outcome": {"column": "sales", "kind": "revenue"}, '
                                      f'"spend": {{"tv": "tv", "{name}": "{name}"}}}}')
P
    rm -f "$BELLWETHER_DB"
    "$BW" init >/dev/null 2>&1
    "$BW" import wide "$T/shop.csv" --mapping "$T/map.json" >/dev/null 2>&1
}
warned() { "$BW" fit --engine laplace --quick 2>/dev/null | grep -c "searches that they cause"; }

shop brand_search 0.6
equal "search that follows tv is warned about" "$(warned)" 1
shop brand_search 0
equal "search of its own is not" "$(warned)" 0
shop radio 0.6
equal "nor is another channel that follows tv" "$(warned)" 0
finish
