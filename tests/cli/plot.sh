#!/usr/bin/env bash
# plot: each chart in each form, names that try to break out, and a machine without gnuplot.
# shellcheck source=tests/cli/lib.sh
. "$(dirname "$0")/lib.sh"
data=$(dirname "$0")/../reports/data

fails "plot: no database" 1 "no such|No such" "$BW" plot roas
"$BW" init >/dev/null
fails "plot: an empty shop has nothing to show" 1 "fit" "$BW" plot roas
fails "plot: unknown chart" 2 "plot --list" "$BW" plot pie
sqlite3 "$BELLWETHER_DB" <"$data/shop.sql"
sqlite3 "$BELLWETHER_DB" "INSERT INTO experiment (id, name) VALUES ('E', 'free returns');
    INSERT INTO model_run (id, kind, engine, seed, input, created_at) VALUES (91, 'promotion', 'x', 1, '', ''), (92, 'segment', 'x', 1, '', ''), (93, 'experiment', 'x', 1, '', '');
    INSERT INTO estimate (run, name, subject, at, mean, sd, lo, hi) VALUES
        (91, 'net', 'rain week', '2026-03-02', -3200, 900, -4700, -1700), (91, 'net', 'spring sale', '2026-04-01', 8100, 2500, 4000, 12200),
        (92, 'lifetime_value', 'champions', '', 231.9, 3, 227, 237), (92, 'lifetime_value', 'lost', '', 7.1, 0.2, 6.7, 7.4),
        (93, 'effect', 'E', 'shown', 0.012, 0.004, 0.005, 0.019), (93, 'effect', 'E', 'hidden', 0.001, 0.004, -0.006, 0.008)"
names=$("$BW" plot --list | cut -d' ' -f1)
equal "plot: fourteen charts" "$(wc -l <<<"$names")" 14
for c in $names; do
    out=$("$BW" plot "$c" 2>&1)
    contains "plot $c: a picture with a name for screen readers" "$out" '<svg .*aria-labelledby'
    if grep -qiE '>[^<]*(\bnan\b|\binf\b|null|-0[^0-9.])[^<]*<' <<<"$out"; then not_ok "plot $c: no broken number" "$(grep -iE 'nan|inf|null' <<<"$out" | head -3)"; else ok "plot $c: no broken number"; fi
    contains "plot $c: a table behind it" "$("$BW" plot "$c" --format tsv | head -2 | tail -1)" '[0-9]'
done
contains "plot: the largest promotion is the title's, newest first in the table" "$("$BW" plot promotion)" 'spring sale brought the most'
"$BW" plot roas --out "$T/roas.png" && contains "plot: png by the file's name" "$(head -c 8 "$T/roas.png" | od -c)" 'P +N +G'
"$BW" plot roas --out "$T/roas.pdf" && contains "plot: pdf" "$(head -c 5 "$T/roas.pdf")" '%PDF'
"$BW" plot roas --format gnuplot >"$T/roas.gp"
(cd "$T" && rm -f roas.png && gnuplot -d roas.gp) && check "plot: the script draws by itself" test -s "$T/roas.png"
equal "plot: same data, same bytes" "$("$BW" plot curves | sha256sum)" "$("$BW" plot curves | sha256sum)"
fails "plot: unknown format" 2 "svg, png, pdf, tsv and gnuplot" "$BW" plot roas --format bmp

hostile="\`touch x\`'\";<b>^@\\n"
sqlite3 "$BELLWETHER_DB" "UPDATE estimate SET subject = '$(sed "s/'/''/g" <<<"$hostile")' WHERE subject = 'search'"
out=$(cd "$T" && "$BW" plot roas)
contains "plot: a hostile name is shown as text" "$out" "\`touch x\`'”;&lt;b>"
check "plot: a hostile name runs nothing" test ! -e "$T/x"
fails "plot: gnuplot missing" 1 "gnuplot is not installed.*gnuplot-nox" env PATH=/nonexistent "$BW" plot roas
finish
