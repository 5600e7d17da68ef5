#!/usr/bin/env bash
# What goes wrong for users: files that are missing, locked, read-only or no database, a full disk,
# Ctrl-C, two programs at once, hostile names, broken text. Each time a clear message, an exit code,
# and nothing lost.
. "$(dirname "$0")/lib.sh"
shop() { rm -f "$BELLWETHER_DB"; "$BW" demo --no-report "$@" >/dev/null; }
content() { sqlite3 "${1:-$BELLWETHER_DB}" .dump | sha256sum; }
count() { sqlite3 "$BELLWETHER_DB" "SELECT count(*) FROM $1"; }
# Every reading command there is, without arguments beyond the database.
STAGES=$("$BW" --help | sed -n 's/^  \([a-z]*\) .*/\1/p' | grep -xE 'score|fit|timing|price|forecast|segment|plan|report' || true)

# ---- no such file, no database ----
for c in $STAGES; do
    fails "$c: a missing database is named, and how to make one" 1 'gone.db: No such file.*bellwether init' "$BW" "$c" --db "$T/gone.db"
done
fails "sql: a missing database is named" 1 'gone.db: No such file' "$BW" sql --db "$T/gone.db" 'SELECT 1'
if [ -e "$T/gone.db" ]; then not_ok "no empty file is left behind"; else ok "no empty file is left behind"; fi
fails "import: a missing file is named" 1 'gone.csv: No such file' "$BW" import spend "$T/gone.csv" --db "$T/none.db"
if [ -e "$T/none.db" ]; then not_ok "and no database is made for it"; else ok "and no database is made for it"; fi
echo 'day,cost' >"$T/text.db"
fails "a text file is not a database" 1 'text.db: not a database' "$BW" demo --db "$T/text.db"
equal "and stays what it is" "$(cat "$T/text.db")" "day,cost"
sqlite3 "$T/other.db" 'CREATE TABLE t (a)'
fails "another program's database is refused" 1 "not one of Bellwether's" "$BW" demo --db "$T/other.db"
fails "a folder is not a database" 1 'Is a directory' "$BW" demo --db "$T"
fails "a folder that does not exist" 1 'no/such/x.db: cannot be opened: No such file' "$BW" demo --db "$T/no/such/x.db"
: >"$T/empty.db"
fails "an empty file is not yet a database" 1 'empty database; run .bellwether init' "$BW" fit --db "$T/empty.db"
sqlite3 "$T/new.db" 'PRAGMA application_id = 0x42574852; PRAGMA user_version = 999; CREATE TABLE t (a)'
fails "a newer program's database is refused" 1 'newer Bellwether.*update the program' "$BW" fit --db "$T/new.db"

# ---- locked, read-only, full ----
shop --shape three-weeks
before=$(content)
sqlite3 "$BELLWETHER_DB" 'BEGIN EXCLUSIVE' '.shell sleep 7' >/dev/null &
locker=$!
sleep 0.3
printf 'day,channel,cost\n2026-11-16,search,5\n' >"$T/s.csv"
fails "a locked database: wait and run again" 1 'locked by another program; wait' "$BW" import spend "$T/s.csv" --allow-future
wait $locker
equal "and nothing was changed" "$(content)" "$before"

if [ "$(id -u)" -eq 0 ]; then as="setpriv --reuid=65534 --regid=65534 --clear-groups"; else as=""; fi
if [ -z "$as" ] || $as true 2>/dev/null; then
    cp "$BW" "$T/bw"; chmod 755 "$T" "$T/bw"; chmod 444 "$BELLWETHER_DB"
    # shellcheck disable=SC2086
    fails "a read-only database: check the permissions" 1 'read-only; check the permissions' $as "$T/bw" import spend "$T/s.csv" --allow-future
    # shellcheck disable=SC2086
    check "and can still be asked" $as "$T/bw" sql 'SELECT count(*) FROM review'
    chmod 644 "$BELLWETHER_DB"
fi
limited() { (ulimit -f "$1"; shift; "$@"); }
fails "a full disk: free some space" 1 'the disk refused.*free some space, nothing was changed' limited 300 "$BW" demo --no-report --db "$T/full.db"
check "with space the same command succeeds" "$BW" demo --no-report --db "$T/full.db"
before=$(content "$T/full.db")
size=$(($(stat -c %s "$T/full.db") / 1024 + 8))
seq 1 200000 | awk 'BEGIN { print "day,channel,campaign,cost" } { print "2025-01-01,search,c" $1 "," $1 }' >"$T/big.csv"
fails "a full disk in an import" 1 'the disk refused' limited $size "$BW" import spend "$T/big.csv" --db "$T/full.db"
equal "leaves every row as it was" "$(content "$T/full.db")" "$before"
equal "and the database sound" "$(sqlite3 "$T/full.db" 'PRAGMA integrity_check')" ok

# ---- Ctrl-C: exit 130, nothing half done, the re-run completes ----
# interrupted NAME SECONDS COMMAND...: either it had time to finish, or it says it was interrupted.
interrupted() {
    local name=$1 after=$2 status; shift 2
    timeout --preserve-status -s INT "$after" "$@" >/dev/null 2>"$T/int.err"; status=$?
    if [ $status -eq 130 ] || [ $status -eq 0 ]; then ok "$name: Ctrl-C after $after s (exit $status)"
    else not_ok "$name: Ctrl-C after $after s" "exit $status" "$(cat "$T/int.err")"; fi
}
for after in 0.02 0.1 0.25; do
    rm -f "$T/i.db"
    interrupted demo $after "$BW" demo --no-report --db "$T/i.db"
    n=$(sqlite3 "$T/i.db" 'SELECT count(*) FROM outcome' 2>/dev/null || echo 0)
    case $n in 0 | 6552 | '') ok "demo: all or nothing was written" ;; *) not_ok "demo: $n rows of sales were written" ;; esac
    [ "$n" = 6552 ] || check "demo: the re-run completes" "$BW" demo --no-report --db "$T/i.db"
done
interrupted import 0.15 "$BW" import spend "$T/big.csv" --db "$T/i.db"
check "import: the re-run completes" "$BW" import spend "$T/big.csv" --db "$T/i.db"
equal "import: with every row" "$(sqlite3 "$T/i.db" "SELECT count(*) FROM spend WHERE day = '2025-01-01' AND channel = 'search' AND campaign LIKE 'c%'")" 200000
shop --shape one-year
for c in $STAGES; do
    set --; if [ "$c" = report ]; then set -- --out "$T/int-report"; fi
    interrupted "$c" 0.1 "$BW" "$c" "$@"
    interrupted "$c" 0.6 "$BW" "$c" "$@"
    equal "$c: no run without its results is left" "$(sqlite3 "$BELLWETHER_DB" "SELECT count(*) FROM model_run r WHERE kind IN ('fit', 'timing', 'forecast', 'segment', 'plan') AND NOT EXISTS (SELECT 1 FROM estimate WHERE run = r.id)")" 0
    check "$c: the re-run completes" "$BW" "$c" "$@"
done

# ---- two programs at once ----
rm -f "$T/two.db"
"$BW" demo --no-report --db "$T/two.db" >/dev/null 2>"$T/1.err" & one=$!
"$BW" demo --no-report --db "$T/two.db" >/dev/null 2>"$T/2.err" & two=$!
wait $one; a=$?
wait $two; b=$?
equal "of two demos on one file one succeeds" $((a + b)) 1
contains "and the other says why not" "$(cat "$T/1.err" "$T/2.err")" 'already holds data|locked'
equal "and the data are there once" "$(sqlite3 "$T/two.db" 'SELECT count(*) FROM review')" 6400
"$BW" fit --quick --force >/dev/null 2>&1 & one=$!
"$BW" timing --force >/dev/null 2>&1 & two=$!
"$BW" sql 'SELECT count(*) FROM review' >/dev/null 2>&1; c=$?
wait $one; a=$?
wait $two; b=$?
equal "a fit, a timing and a question at once all succeed" "$a $b $c" "0 0 0"

# ---- odd text ----
evil="\`touch $T/pwned\`'\";<script>alert(1)</script>"
shop --shape one-year
printf 'day,channel,campaign,cost\n2026-11-02,search,"%s",100\n2026-11-03,"%s",x,250\n' "${evil//\"/\"\"}" "${evil//\"/\"\"}" >"$T/evil.csv"
check "a hostile campaign and channel name are imported" "$BW" import spend "$T/evil.csv"
equal "as they are" "$(sqlite3 "$BELLWETHER_DB" "SELECT count(*) FROM spend WHERE campaign LIKE '%<script>%' OR channel LIKE '%<script>%'")" 2
head -c 1000000 /dev/zero | tr '\0' 'a' | sed 's/aaaaaaaaa/good bad /g' >"$T/long.txt"
{ printf 'id,day,rating,text,lang\nlong,2026-11-02,4,"'; tr -d '\n' <"$T/long.txt"; printf '",en\n'; } >"$T/long.csv"
check "a review of 1 MB is imported" "$BW" import review "$T/long.csv"
printf 'id,day,rating,text\nbad,2026-11-02,1,"caf\xe9 \xff\xfe broken"\n' >"$T/utf.csv"
out=$("$BW" import review "$T/utf.csv" 2>&1); status=$?
case $status in
0) equal "text that is not UTF-8 is converted" "$(sqlite3 "$BELLWETHER_DB" "SELECT count(*) FROM review WHERE id = 'bad' AND text LIKE 'caf%broken'")" 1 ;;
1) contains "text that is not UTF-8 is refused by line" "$out" 'utf.csv.*(line|:)' ;;
*) not_ok "text that is not UTF-8" "exit $status: $out" ;;
esac
for c in $STAGES; do
    set --; if [ "$c" = report ]; then set -- --out "$T/evil-report"; fi
    check "$c: passes through hostile names and broken text" "$BW" "$c" "$@"
done
page=$(cat "$T/evil-report/index.html")
if grep -q '<script>alert' <<<"$page"; then not_ok "the page escapes hostile names"; else ok "the page escapes hostile names"; fi
if grep -qE '>[^<]*\b(nan|inf|null)\b' <<<"$(sed 's/<script.*<\/script>//g; s/<style.*<\/style>//g' <<<"$page")"; then not_ok "no figure is nan, inf or null"; else ok "no figure is nan, inf or null"; fi
if [ -e "$T/pwned" ]; then not_ok "no name was run as a command"; else ok "no name was run as a command"; fi

# ---- little data, and a missing program ----
shop --shape three-weeks
check "three weeks of data: a report is written" "$BW" report --out "$T/short"
contains "and says what three weeks cannot tell" "$(cat "$T/short/report.md")" '(weeks|too (short|little|few))'
shop --shape no-reviews
check "no reviews: a report is written" "$BW" report --out "$T/mute"
contains "and says so" "$(cat "$T/mute/report.md")" '[Nn]o reviews'
mkdir "$T/bin"
for p in sh env cat; do ln -s "$(command -v $p)" "$T/bin/$p"; done
fails "gnuplot missing: plot says how to install it" 1 'gnuplot' env PATH="$T/bin" "$BW" plot kpi --out "$T/x.svg"
out=$(PATH="$T/bin" "$BW" report --out "$T/plain" 2>&1); status=$?
case $status in
0) contains "gnuplot missing: the report is written without charts and says so" "$out$(cat "$T/plain/report.md")" 'gnuplot' ;;
1) contains "gnuplot missing: the report says how to install it" "$out" 'gnuplot' ;;
*) not_ok "gnuplot missing: report" "exit $status: $out" ;;
esac
finish
