#!/usr/bin/env bash
# sql --plot: line, bar and scatter of a query's result, and what cannot be drawn.
. "$(dirname "$0")/lib.sh"
printf 'day,channel,cost\n2024-01-01,tv,10\n2024-01-01,search,-2\n2024-01-08,tv,30\n2024-01-08,search,5\n2024-01-15,tv,20\n' >"$T/s.csv"
"$BW" import spend "$T/s.csv" >/dev/null 2>&1
q="SELECT day, channel, cost FROM spend"
svg=$("$BW" sql "$q" --plot line)
contains "line: an SVG with its title" "$svg" '<title[^>]*>cost by day and channel'
contains "line: the query is the subtitle" "$svg" 'SELECT day, channel, cost'
contains "long form: a series a name" "$svg" '>search<'
contains "columns: a series each" "$("$BW" sql "SELECT day, sum(cost) AS cost, 2 * sum(cost) AS twice FROM spend GROUP BY 1" --plot line)" '>twice<'
contains "bar: names and values" "$("$BW" sql "SELECT channel, sum(cost) AS cost FROM spend GROUP BY 1" --plot bar)" '>tv<'
check "scatter to a PNG" "$BW" sql "SELECT cost, cost * cost FROM spend" --plot scatter --out "$T/s.png"
equal "which is one" "$(head -c 8 "$T/s.png" | od -An -c | tr -d ' \n')" '211PNG\r\n032\n'
# shellcheck disable=SC2016
contains "hostile names are text" "$("$BW" sql "SELECT '\`touch $T/x\`\"; <b>' AS name, 1 AS n" --plot bar)" '&lt;b&gt;'
equal "and nothing was run" "$(ls "$T/x" 2>/dev/null)" ""
fails "an unknown kind" 2 'line, bar or scatter' "$BW" sql "$q" --plot pie
fails "an ending that is no format" 2 '.svg, .png or .pdf' "$BW" sql "$q" --plot line --out "$T/x.gif"
fails "one column" 1 'two columns at least' "$BW" sql "SELECT day FROM spend" --plot line
fails "no rows" 1 'gives no rows' "$BW" sql "$q WHERE 0" --plot line
fails "no numbers" 1 'no column after the first holds numbers' "$BW" sql "SELECT day, channel FROM spend" --plot line
fails "x that is no place on an axis: bars are offered" 1 'bar draws names' "$BW" sql "SELECT channel, cost FROM spend" --plot line
finish
