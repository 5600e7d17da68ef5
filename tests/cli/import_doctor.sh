#!/usr/bin/env bash
# The data doctor: one file for each rule; what it finds, where, and whether it stops the import.
# shellcheck disable=SC2016,SC2059
. "$(dirname "$0")/lib.sh"
db() { sqlite3 "$BELLWETHER_DB" "$1"; }
fresh() { rm -f "$BELLWETHER_DB"; }
# file TEXT: printf to a new $T/f.csv
file() { fresh; printf "$@" >"$T/f.csv"; }
# spend: imports $T/f.csv, all output
spend() { "$BW" import spend "$T/f.csv" "$@" 2>&1; }
# weeks N: N Mondays
weeks() { for i in $(seq 0 $(($1 - 1))); do date -ud "2024-01-01 +$((7 * i)) days" +%F; done; }

# --- how the file is written ---
file '\xef\xbb\xbfday,channel,cost\n2024-01-01,tv,1\n'
contains "a byte order mark is skipped and said" "$(spend)" 'byte order mark was skipped'
equal "and does not hide the first column" "$(db 'SELECT day FROM spend')" 2024-01-01
file 'day;channel;cost\n2024-01-01;tv;1,5\n2024-01-02;tv;1.234,75\n2024-01-03;tv;7\n'
contains "semicolons and decimal comma" "$(spend)" "column 'cost': numbers are read with a decimal comma"
equal "numbers of it" "$(db 'SELECT group_concat(cost) FROM spend')" "1.5,1234.75,7.0"
file 'day\tchannel\tcost\n2024-01-01\tt,v\t1\n'
contains "tabs" "$(spend)" 'separated by tabs'
file 'day|channel|cost\n2024-01-01|tv|1\n'
check "bars" "$BW" import spend "$T/f.csv"
file 'sep=;\nday;channel;cost\n2024-01-01;tv;1\n'
check "Excel's sep= line" "$BW" import spend "$T/f.csv"
file 'day,channel,cost\n2024-01-01,tv,"1,234.5"\n2024-01-02,tv,"$2,000"\n2024-01-03,tv,"(3)"\n'
spend >/dev/null
equal "thousands, currency marks, accountants' minus" "$(db 'SELECT group_concat(cost) FROM spend')" "1234.5,2000.0,-3.0"
file "day;channel;cost\n2024-01-01;tv;1 234,5\n2024-01-02;tv;1'234,5\n2024-01-03;tv;1\xc2\xa0234,5 €\n"
spend >/dev/null
equal "spaces and apostrophes group thousands" "$(db 'SELECT DISTINCT cost FROM spend')" "1234.5"
file 'day,channel,cost\r\n2024-01-01,"t\r\nv",1\r\n'
check "CRLF, a line break in quotes" "$BW" import spend "$T/f.csv"
equal "the break stays" "$(db "SELECT hex(channel) FROM spend")" "740D0A76"
file 'day,channel,cost\r2024-01-01,tv,1\r2024-01-02,tv,2\r'
contains "CR alone" "$(spend)" '2 rows read'
fresh; printf 'day,channel,cost\n2024-01-01,电视广告,1\n2024-01-02,搜索,2\n' | iconv -t GBK >"$T/f.csv"
contains "GBK is converted and said" "$(spend)" 'the file is GBK and was converted'
equal "and reads right" "$(db 'SELECT group_concat(channel) FROM spend')" "电视广告,搜索"
for e in UTF-16LE UTF-16BE UTF-16; do
    fresh; printf 'day,channel,cost\n2024-01-01,电视,1\n' | iconv -t $e >"$T/f.csv"
    contains "$e is converted and said" "$(spend)" 'the file is UTF-16(LE|BE) and was converted'
    equal "$e reads right" "$(db 'SELECT channel FROM spend')" "电视"
done
file 'day,channel,cost\n2024-01-01,caf\xe9,1\n'
fails "Latin-1 is not taken for something else" 1 'line 2: byte 0xe9 is not UTF-8.*--encoding' "$BW" import spend "$T/f.csv"
check "and can be named" "$BW" import spend "$T/f.csv" --encoding WINDOWS-1252
equal "then it reads right" "$(db 'SELECT channel FROM spend')" "café"
fresh; { echo day,channel,cost; for i in $(seq 1 12000); do echo "2024-01-01,channel number $i,1.5"; done; printf '2024-01-02,b\xff\xfed,1\n'; } >"$T/f.csv"
fails "bytes that are no UTF-8 far down: line and byte" 1 'f.csv:12002: error: .0xff.: byte 13 of the line is not UTF-8' "$BW" import spend "$T/f.csv"

# --- what the rows hold ---
file ''
fails "an empty file" 1 'the file is empty' "$BW" import spend "$T/f.csv"
file 'day,channel,cost\n2024-01-01,t\0v,1\n'
fails "a NUL byte" 1 'f.csv: line 2: a NUL byte' "$BW" import spend "$T/f.csv"
file '[{"day":"2024-01-01","channel":"tv","cost":1}]\n'
fails "a JSON array" 1 'f.csv: a JSON array; one object a line' "$BW" import spend "$T/f.csv"
file '[\n{"day":"2024-01-01","channel":"tv","cost":1}\n]\n'
fails "a JSON array over several lines" 1 'f.csv: a JSON array' "$BW" import spend "$T/f.csv"
file '[day],[channel],[cost]\n2024-01-01,tv,1\n'
check "brackets around names are none" "$BW" import spend "$T/f.csv"
file '{"day"\n'
fails "objects that are none" 1 'no line holds a JSON object' "$BW" import spend "$T/f.csv"
file 'day,channel,cost,cost\n2024-01-01,tv,1,2\n'
contains "two columns of one name: said" "$("$BW" import spend "$T/f.csv" 2>&1)" "column 'cost': stands in the header more than once, and the first is read"
equal "and the first is read" "$(db "SELECT cost FROM spend")" 1.0
{ head -c 500000 /dev/zero | tr '\0' x; printf ',cost\n1,2\n'; } >"$T/f.csv"
equal "a header without end is cut in the message" "$("$BW" import spend "$T/f.csv" 2>&1 | awk 'length > 400' | wc -l)" 0
file 'day,channel,cost\n'
fails "a header alone" 1 'a header and no rows' "$BW" import spend "$T/f.csv"
file '2024,1,2\n2024,1,3\n'
fails "no header" 1 'holds numbers, not names' "$BW" import spend "$T/f.csv"
file 'day,chanel,cost\n2024-01-01,tv,1\n'
fails "a missing column: the nearest is named" 1 "no column for 'channel'; is it 'chanel'\\? then add --map channel='chanel'" "$BW" import spend "$T/f.csv"
file 'day,channel,cost\n2024-01-01,tv,12O\n'
fails "no number: line, column, value" 1 "f.csv:2: error: column 'cost': '12O': is not a number" "$BW" import spend "$T/f.csv"
file 'day,channel,cost\n2024-01-01,tv,1.5\n2024-01-02,tv,2.5\n2024-01-03,tv,"3,5"\n'
fails "both decimal marks in one column" 1 "f.csv:4:.*'3,5': has a decimal comma, the column a decimal point" "$BW" import spend "$T/f.csv"
file 'day;channel;cost\n2024-01-01;tv;1,234\n'
fails "a number with two readings: both are said" 1 '1,234.: is 1234 with a decimal point or 1.234 with a decimal comma' "$BW" import spend "$T/f.csv"
check "and can be decided" "$BW" import spend "$T/f.csv" --decimal ,
file 'day,channel,cost\n03/04/2024,tv,1\n05/06/2024,tv,1\n'
fails "dates with two readings: both are said" 1 '03/04/2024.: is 2024-04-03 day first or 2024-03-04 month first' "$BW" import spend "$T/f.csv"
check "and can be decided" "$BW" import spend "$T/f.csv" --date-order mdy
equal "month first" "$(db 'SELECT min(day) FROM spend')" 2024-03-04
file 'day,channel,cost\n03/04/2024,tv,1\n25/04/2024,tv,1\n'
contains "one date decides for all" "$(spend)" 'dates are read day first'
file 'day,channel,cost\n25/04/2024,tv,1\n04/26/2024,tv,1\n27/04/2024,tv,1\n'
fails "both orders in one column" 1 "f.csv:3:.*another order of day and month" "$BW" import spend "$T/f.csv"
file 'day,channel,cost\n2024-04-25,tv,1\n26.04.2024,tv,1\n27 April 2024,tv,1\n20240428,tv,1\n2024/4/29 10:30,tv,1\n'
contains "several forms that are clear are read" "$(spend)" '5 new.*2024-04-25 to 2024-04-29'
file 'day,channel,cost\n45292,tv,1\n'
fails "a spreadsheet's day number" 1 "format the column as a date" "$BW" import spend "$T/f.csv"
file 'day,channel,cost\n2023-02-29,tv,1\n'
fails "a day that does not exist" 1 "'2023-02-29': is no date" "$BW" import spend "$T/f.csv"
file 'day,channel,cost\n2999-01-01,tv,1\n'
fails "a day in the future" 1 "'2999-01-01': is in the future" "$BW" import spend "$T/f.csv"
check "unless it is allowed" "$BW" import spend "$T/f.csv" --allow-future
file 'day,channel,cost\n2024-06-02,tv,1\n'
fails "the future begins where the user says" 1 "is in the future" "$BW" import spend "$T/f.csv" --today 2024-06-01
file 'day,channel,cost\n1900-01-01,tv,1\n2024-01-01,tv,1\n'
contains "a day long ago" "$(spend)" "warning.*'1900-01-01': is very long ago"
file 'day,channel,cost\n2024-01-01,tv\n2024-01-01,tv,1,5\n2024-01-02,tv,1,\n'
contains "too few fields" "$(spend)" 'f.csv:2: error.*the row has 2 fields, the header 3'
contains "too many; an empty one at the end is none" "$(spend)" 'f.csv:3: error.*the row has 4 fields, the header 3.*'
equal "those two only" "$(spend | grep -c ': error:')" 2
file 'day,channel,cost\n2024-01-01,"tv,1\n2024-01-02,tv,1\n'
fails "a quote that is never closed" 1 'f.csv:2: error: a quoted field that begins in this row never ends' "$BW" import spend "$T/f.csv"
file 'day,channel,cost\n2024-01-01,tv,1\n2024-01-01,tv,2\n'
fails "the same key with other values" 1 'f.csv:3: error.*same key and other values.*--sum' "$BW" import spend "$T/f.csv"
check "--sum adds them up" "$BW" import spend "$T/f.csv" --sum
equal "added up" "$(db 'SELECT cost FROM spend')" 3.0
file 'day,channel,cost\n2024-01-01,tv,1\n2024-01-01,tv,1\n'
contains "an equal row is passed over with a warning" "$(spend)" 'f.csv:3: warning.*stands above already'
file 'day,channel,cost\n2024-01-01,tv,-5\n'
contains "spend below zero" "$(spend)" "f.csv:2: warning: column 'cost': '-5': is below zero"
file 'day,channel,cost\n2024-01-01,tv,\n'
contains "a missing amount" "$(spend)" 'warning.*missing and taken as 0'
file 'day,channel,cost\n,tv,1\n2024-01-01,,1\n'
equal "a missing day, a missing channel" "$(spend | grep -c 'error.*missing')" 2
fresh; { echo day,channel,cost; for i in $(seq 1 30); do echo "2024-01-01,tv,x$i"; done; } >"$T/f.csv"
equal "at most 20 errors are said" "$(spend | grep -c ': error:')" 20

# --- what the series say ---
fresh; { echo day,channel,cost; for d in $(weeks 12); do case $d in 2024-02-19|2024-02-26) ;; *) echo "$d,tv,1$((RANDOM % 9))";; esac; done; } >"$T/f.csv"
contains "a gap: how many, from when to when, before which line" "$(spend)" 'f.csv:9: warning: the file has no rows for 2 weeks from 2024-02-19 to 2024-02-26'
contains "weekly rows set the first day of the week" "$(spend --again)" '' && equal "week_start" "$("$BW" setting get week_start)" 1
fresh; { echo day,channel,cost; for d in $(weeks 12); do echo "$d,tv,1$((RANDOM % 9))"; [ "$d" = 2024-02-19 ] || echo "$d,radio,2$((RANDOM % 9))"; done; } >"$T/f.csv"
contains "a gap in one series" "$(spend)" 'note: radio has no rows for 1 week from 2024-02-19'
fresh; { echo day,channel,cost; n=0; for d in $(weeks 20); do n=$((n + 1)); [ $n -gt 12 ] && echo "$d,tv,$((95 + n % 7))00" || echo "$d,tv,$((95 + n % 7))"; done; } >"$T/f.csv"
contains "a change of unit: x100" "$(spend)" 'f.csv:14: warning.*on 2024-03-25 is 1..e?.*times the .* that was usual before, and the values after it too'
fresh; { echo day,channel,cost; n=0; for d in $(weeks 20); do n=$((n + 1)); [ $n -le 12 ] && echo "$d,tv,$((95 + n % 7))000" || echo "$d,tv,$((95 + n % 7))"; done; } >"$T/f.csv"
contains "a change of unit: 1/1000" "$(spend)" 'warning.*is 1/9[0-9.]+|warning.*is 1/1.*e\+03 times'
fresh; { echo day,channel,cost; n=0; for d in $(weeks 20); do n=$((n + 1)); [ $n = 15 ] && echo "$d,tv,9900" || echo "$d,tv,$((95 + n % 7))"; done; } >"$T/f.csv"
contains "a lost decimal mark" "$(spend)" "f.csv:16: warning.*'9900'"
fresh; { echo day,channel,cost; n=0; for d in $(weeks 40); do n=$((n + 1)); echo "$d,tv,$((n % 5 == 0 ? 2 : 300 + 37 * (n % 11)))"; done; } >"$T/f.csv"
equal "media that come and go are no change of unit" "$(spend | grep -c 'usual before')" 0
fresh; { echo day,channel,cost; for d in $(weeks 12); do echo "$d,tv,1$((RANDOM % 9))"; echo "$d,radio,0"; echo "$d,print,50"; done; } >"$T/f.csv"
out=$(spend)
contains "a channel without spend" "$out" "warning.*'radio': never has any spend"
contains "a channel with the same spend at all times" "$out" "warning.*'print': always has the same spend"
file 'day,channel,cost,impressions\n2024-01-01,tv,5,0\n2024-01-02,tv,5,10\n'
contains "spend that was seen by nobody" "$(spend)" "f.csv:2: warning: column 'impressions': 1 rows? ha(s|ve) spend and 0 impressions"
fresh; { echo day,channel,cost; for d in $(weeks 20); do [ "$d" = 2024-03-11 ] && d=2024-03-12; echo "$d,tv,1$((RANDOM % 9))"; done; } >"$T/f.csv"
contains "a week that begins on another day" "$(spend)" "warning: '2024-03-12': the rows are weekly"
"$BW" setting set week_start Sunday >/dev/null
fresh; "$BW" init >/dev/null; "$BW" setting set week_start Sunday >/dev/null
{ echo day,channel,cost; for d in $(weeks 5); do echo "$d,tv,1"; done; } >"$T/f.csv"
contains "weeks of another day than the database's" "$(spend)" "warning: 'Monday': the rows are weekly from this day, the database counts weeks from Sunday"

# --- kept, and machine-readable ---
equal "warnings are kept with their import" "$(db "SELECT severity, rule FROM import_finding JOIN import_log ON id = import WHERE rule = 'week_start'")" "warning|week_start"
file 'day,channel,cost\n2024-01-01,tv,x\n'
contains "findings as JSON" "$("$BW" import spend "$T/f.csv" --json 2>/dev/null)" '"line":	2'

# --- not tables ---
fresh; printf 'PK\003\004xxxx' >"$T/f.csv"
fails "an Excel workbook" 1 'an Excel workbook or zip archive; save the sheet as CSV' "$BW" import spend "$T/f.csv"
fails "a folder" 1 'directory' "$BW" import spend "$T"
fails "no such file" 1 'No such file' "$BW" import spend "$T/none.csv"
printf 'day,channel,cost\n2024-01-01,tv,1\n' | gzip | head -c 40 >"$T/f.csv.gz"
fails "a gzip file cut short" 1 'ends too early' "$BW" import spend "$T/f.csv.gz"
{ printf 'id,text\n1,"'; head -c 1048576 /dev/zero | tr '\0' 'x'; printf '"\n2,short\n'; } >"$T/f.csv"
contains "a review of 1 MB" "$("$BW" import review "$T/f.csv" 2>&1)" '2 new'
equal "whole" "$(db 'SELECT max(length(text)) FROM review')" 1048576
finish
