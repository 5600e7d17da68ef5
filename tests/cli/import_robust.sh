#!/usr/bin/env bash
# import when things go wrong: locked, read-only, foreign and newer databases, a full disk, Ctrl-C and
# kill in the middle, two at once, hostile names. Each time the content is what it was before.
# shellcheck disable=SC2016,SC2012
. "$(dirname "$0")/lib.sh"
content() { sqlite3 "$BELLWETHER_DB" .dump | sha256sum; }
chmod 755 "$T"

printf 'day,channel,cost\n2024-01-01,tv,1\n2024-01-02,tv,2\n' >"$T/small.csv"
printf 'day,channel,cost\n2024-01-03,tv,3\n2024-01-04,tv,x\n' >"$T/bad.csv"
awk 'BEGIN { print "day,channel,campaign,cost"
    for (i = 0; i < 150000; i++) printf "2023-%02d-%02d,channel %d,campaign %d,%d.5\n", i % 12 + 1, i % 28 + 1, i % 7, i, i % 1000 }' >"$T/big.csv"
check "a first import" "$BW" import spend "$T/small.csv"
before=$(content)

fails "a bad row in the middle" 1 '1 error; nothing was imported' "$BW" import spend "$T/bad.csv"
equal "leaves the content as it was" "$(content)" "$before"

# --- the database ---
(
    sqlite3 "$BELLWETHER_DB" "BEGIN EXCLUSIVE" ".system touch '$T/locked'" ".system while [ ! -e '$T/unlock' ]; do sleep 0.05; done" "ROLLBACK"
) &
while [ ! -e "$T/locked" ]; do sleep 0.05; done
fails "locked by another program, after waiting for it" 1 'locked by another program; wait for it' "$BW" import spend "$T/big.csv"
touch "$T/unlock"; wait
equal "locked: content as before" "$(content)" "$before"

if [ "$(id -u)" = 0 ]; then as_other() { setpriv --reuid 65534 --regid 65534 --clear-groups "$@"; }
else as_other() { "$@"; }; fi
chmod 444 "$BELLWETHER_DB"
cp "$T/small.csv" "$T/other.csv"; echo 2024-02-01,tv,5 >>"$T/other.csv"; chmod 644 "$T/other.csv"
if as_other test -x "$BW"; then
    fails "a read-only database" 1 'read-only; check the permissions' as_other "$BW" import spend "$T/other.csv"
    check "which can still be asked" as_other "$BW" sql "SELECT count(*) FROM spend"
else
    echo "# the read-only checks need a program that other users may run"
fi
chmod 644 "$BELLWETHER_DB"

echo 'this is no database, it is a text that is longer than a header' >"$T/text.db"
fails "not a database" 1 'not a database' "$BW" import spend "$T/small.csv" --db "$T/text.db"
equal "which is left alone" "$(cat "$T/text.db")" 'this is no database, it is a text that is longer than a header'
sqlite3 "$T/foreign.db" 'CREATE TABLE x(y)'
fails "another program's database" 1 "not one of Bellwether's" "$BW" import spend "$T/small.csv" --db "$T/foreign.db"
cp "$BELLWETHER_DB" "$T/newer.db"; sqlite3 "$T/newer.db" 'PRAGMA user_version = 99'
fails "a newer schema" 1 'newer Bellwether .schema 99' "$BW" import spend "$T/small.csv" --db "$T/newer.db"
fails "a folder that does not exist" 1 'cannot be opened' "$BW" import spend "$T/small.csv" --db "$T/none/x.db"

# --- the disk: no file may grow beyond 2 MiB ---
fails "a full disk" 1 'the disk refused.*nothing was changed' bash -c "ulimit -f 2048; exec '$BW' import spend '$T/big.csv'"
equal "full disk: content as before" "$(content)" "$before"

# --- interrupted ---
"$BW" import spend "$T/big.csv" >/dev/null 2>"$T/err" & pid=$!
while [ ! -s "$BELLWETHER_DB-journal" ] && kill -0 $pid 2>/dev/null; do sleep 0.01; done
kill -INT $pid; wait $pid
equal "Ctrl-C: exit status" $? 130
contains "Ctrl-C: said" "$(cat "$T/err")" 'interrupted: nothing was changed; run it again'
equal "Ctrl-C: content as before" "$(content)" "$before"
"$BW" import spend "$T/big.csv" >/dev/null 2>&1 & pid=$!
while [ ! -s "$BELLWETHER_DB-journal" ] && kill -0 $pid 2>/dev/null; do sleep 0.01; done
kill -KILL $pid; wait $pid 2>/dev/null
equal "killed: content as before" "$(content)" "$before"
contains "and the same command completes" "$("$BW" import spend "$T/big.csv" 2>&1)" '150000 rows read, 150000 new'

# --- two at once ---
rm "$BELLWETHER_DB"
for p in a b; do awk -v p=$p 'BEGIN { print "day,channel,cost"; for (i = 0; i < 28; i++) for (k = 0; k < 700; k++) printf "2024-01-%02d,%s %d,1\n", i + 1, p, k }' >"$T/$p.csv"; done
"$BW" init >/dev/null
"$BW" import spend "$T/a.csv" >"$T/a.out" 2>&1 & one=$!
"$BW" import spend "$T/b.csv" >"$T/b.out" 2>&1 & two=$!
wait $one; a=$?; wait $two; b=$?
equal "two imports at once: both succeed" "$a $b" "0 0"
equal "and no row is lost" "$(sqlite3 "$BELLWETHER_DB" 'SELECT count(*) FROM spend')" 39200

# --- hostile text ---
rm "$BELLWETHER_DB"
name='`touch '$T/owned'`'"'"'";<script>alert(1)</script>%s%n$(touch '$T/owned')'
python3 -c 'import csv,sys; csv.writer(open(sys.argv[1], "w")).writerows([["day", "channel", "campaign", "cost"], ["2024-01-01", sys.argv[2], sys.argv[2], "1"], ["2024-01-01", "\x1b]0;x\x07", "", "2"]])' "$T/evil.csv" "$name"
check "a hostile campaign name is a name" "$BW" import spend "$T/evil.csv"
equal "stored as it is" "$(sqlite3 "$BELLWETHER_DB" "SELECT campaign FROM spend WHERE campaign <> ''")" "$name"
check "queried" "$BW" sql "SELECT * FROM spend"
equal "nothing was run" "$(ls "$T/owned" 2>/dev/null)" ""
equal "no control character reaches the screen" "$("$BW" sql "SELECT channel FROM spend; " | tr -d '\n' | tr -dc '\000-\037' | wc -c)" 0
printf 'day,\033[31mchannel,cost\n2024-01-01,\033[2Jtv,x\n\033[5m,tv,1\n' >"$T/esc.csv"
equal "nor from a finding about it" "$("$BW" import spend "$T/esc.csv" 2>&1 | tr -d '\n' | tr -dc '\000-\037' | wc -c)" 0
finish
