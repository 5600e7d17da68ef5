#!/usr/bin/env bash
# price: what promotions brought and what they took from other products, from import to table, JSON and SQL.
. "$(dirname "$0")/lib.sh"
"$BW" init >/dev/null 2>&1
db() { sqlite3 "$BELLWETHER_DB" "$1"; }

# 300 days of three products; rain week is for the jacket alone (units 1.5 times, the coat's 0.8 times).
awk 'BEGIN {
    srand(3); print "day,product,revenue,units,price,discount"
    for (t = 0; t < 300; t++) {
        cmd = "date -u -d \"2024-01-01 +" t " days\" +%F"; cmd | getline day; close(cmd)
        n = 40 + 6 * (t % 7 > 4) + 3 * rand(); on = t >= 150 && t < 160
        printf "%s,jacket,%.2f,%.0f,50,%s\n", day, n * (on ? 1.5 * 0.8 : 1) * 50, n * (on ? 1.5 : 1), on ? 0.2 : 0
        printf "%s,coat,%.2f,%.0f,80,0\n", day, n * (on ? 0.8 : 1) * 80, n * (on ? 0.8 : 1)
        printf "%s,tent,%.2f,%.0f,200,0\n", day, n * 200, n
    }
}' >"$T/sales.csv"
"$BW" import outcome "$T/sales.csv" >/dev/null 2>&1
printf 'day,end_day,name,kind\n2024-05-30,2024-06-08,rain week,promotion\n' >"$T/events.csv"
"$BW" import event "$T/events.csv" >/dev/null 2>&1
printf 'product,category\njacket,wear\ncoat,wear\ntent,camp\n' >"$T/products.csv"
contains "product: categories are imported" "$("$BW" import product "$T/products.csv" 2>&1)" '3 new'

out=$("$BW" price 2>"$T/notes")
contains "the table names what a promotion took" "$out" 'promoted +taken +uplift +days after +net'
contains "its line is there" "$out" '^2024-05-30 +rain week'
equal "JSON holds the promotion's run" "$("$BW" price --json 2>/dev/null | grep -c '"cannibalisation"')" 1
# Money of the ten days: the jacket 0.2 more, the coat 0.2 less of about 43 a day; the tent is no rival.
equal "the coat lost about 43 * 80 * 0.2 * 10" \
    "$(db "SELECT taken BETWEEN -9000 AND -4500 AND taken_hi < 0 FROM promotion_effect")" 1
equal "the jacket gained about 43 * 50 * 0.2 * 10" "$(db "SELECT promoted BETWEEN 2500 AND 6000 FROM promotion_effect")" 1
equal "the parts add up" "$(db "SELECT abs(promoted + taken - uplift) < 0.01 * promoted AND
    abs(uplift + dip - net) < 0.01 * promoted FROM promotion_effect")" 1
db "UPDATE outcome SET discount = 0.2 WHERE day BETWEEN '2024-05-30' AND '2024-06-08'"
contains "a sale of everything takes from nothing, and says so" "$("$BW" price 2>&1 >/dev/null)" \
    'rain week: what it took from other products is not told apart, because everything'
equal "then there is no such row" "$(db "SELECT count(taken) FROM promotion_effect")" 0
finish
