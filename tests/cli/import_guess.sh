#!/usr/bin/env bash
# import --guess: the kind and the mapping of unknown files; what it prints can be fed back.
. "$(dirname "$0")/lib.sh"
field() { python3 -c 'import json,sys; v = json.load(open(sys.argv[1]))
for k in sys.argv[2].split("/"): v = v[k]
print(json.dumps(v, ensure_ascii=False))' "$T/map.json" "$1"; }
# guess FILE: mapping to map.json, explanation to why.txt
guess() { "$BW" import --guess "$1" >"$T/map.json" 2>"$T/why.txt"; }
# back KIND FILE: the mapping is accepted
back() { rm -f "$BELLWETHER_DB"; "$BW" import "$1" "$2" --mapping "$T/map.json" 2>&1; }
days() { for i in $(seq 0 "$1"); do date -ud "2024-01-01 +$((7 * i)) days" +%F; done; }

# Column names as the known mix-model tools use them.
{ echo 'DATE,revenue,tv_S,facebook_I,facebook_S,search_clicks_P,search_S,newsletter,competitor_sales_B,events'
  for d in $(days 5); do echo "$d,100,5,900,7,12,3,40,77,na"; done; } >"$T/robyn.csv"
guess "$T/robyn.csv"
equal "suffix _S is spend" "$(field spend)" '{"tv_S": "tv", "facebook_S": "facebook", "search_S": "search"}'
equal "_I is exposure, _clicks_P clicks, of the same channel" "$(field exposure) $(field clicks)" '{"facebook_I": "facebook"} {"search_clicks_P": "search"}'
equal "newsletter is organic, competitor context, events events" "$(field organic) $(field context) $(field event)" '{"newsletter": "newsletter"} ["competitor_sales_B"] ["events"]'
contains "fed back, it imports" "$(back wide "$T/robyn.csv")" '6 rows read'
contains "what was taken for what is said" "$(cat "$T/why.txt")" 'tv_S +spend +is spend, by its name; channel tv'

{ echo 'geo,time,Channel0_impression,Channel0_spend,Organic_channel0_impression,mdsp_dm,mdip_em,conversions,revenue_per_conversion,population,temp_control'
  for d in $(days 5); do for g in A B; do echo "$g,$d,10,2,5,3,8,4,0.5,1000,-1.5"; done; done; } >"$T/geo.csv"
guess "$T/geo.csv"
equal "conversions with money, regions, people" "$(field outcome) $(field geo) $(field population)" '{"column": "conversions", "kind": "conversions", "value": "revenue_per_conversion"} "geo" "population"'
equal "reach without spend is organic" "$(field organic)" '{"Organic_channel0_impression": "Organic_channel0", "mdip_em": "em"}'
contains "fed back, it imports too" "$(back wide "$T/geo.csv")" '12 rows read'

{ echo 'date_week,y,x1,x2,event_1,dayofyear,t,x1_contribution'; n=0
  for d in $(days 9); do n=$((n + 1)); echo "$d,3.5,0.$n,1.5,$((n == 4)),$n,$n,9"; done; } >"$T/plain.csv"
guess "$T/plain.csv"
equal "x1, x2 may be channels; a 0/1 event; answers and calendars are left out" "$(field spend) $(field event) $(field context)" '{"x1": "x1", "x2": "x2"} ["event_1"] []'
contains "and named" "$(cat "$T/why.txt")" 'left out.*dayofyear, t, x1_contribution'

printf 'Datum;Kanal;Kosten\n01.02.2024;TV;1.234,50\n13.02.2024;TV;2,5\n' >"$T/de.csv"
guess "$T/de.csv"
equal "a German spend list" "$(field map)" '{"day": "Datum", "channel": "Kanal", "cost": "Kosten"}'
contains "fed back" "$(back spend "$T/de.csv")" '2 new'
printf 'Date,Spent,Impressions\n2024-01-01,5,100\n2024-01-02,6,100\n' >"$T/one.csv"
guess "$T/one.csv"
equal "one platform's export: the channel is a constant to correct" "$(field set)" '{"channel": "paid"}'
contains "fed back as well" "$(back spend "$T/one.csv")" '2 new'
printf 'customer_id,date,cds,dollars\n1,1997-01-01,1,11.77\n' >"$T/buy.csv"
guess "$T/buy.csv"
equal "purchases" "$(field map)" '{"customer": "customer_id", "day": "date", "revenue": "dollars"}'
printf '评论,评分,日期\n质量非常好，物流也很快，下次还会再来买,5,2024-01-01\n' >"$T/zh.csv"
guess "$T/zh.csv"
equal "Chinese reviews" "$(field map)" '{"day": "日期", "rating": "评分", "text": "评论"}'
printf 'recency,segment,visit\n10,Mens E-Mail,0\n' >"$T/other.csv"
fails "what fits nothing is said, with its columns" 1 'no kind of import fits.*recency, segment, visit' "$BW" import --guess "$T/other.csv"
fails "no file" 1 'No such file' "$BW" import --guess "$T/none.csv"
equal "guessing makes no database" "$(rm -f "$BELLWETHER_DB"; "$BW" import --guess "$T/de.csv" >/dev/null 2>&1; ls "$BELLWETHER_DB" 2>/dev/null)" ""
finish
