#!/usr/bin/env bash
# The ten questions of reports/README.md, walked on the demo's report in both languages: each question's
# last column names what must stand on the page, and in which section.
. "$(dirname "$0")/lib.sh"
rubric=$(dirname "$0")/../../reports/README.md

check "rubric: the demo's report" "$BW" demo --db "$T/demo.db" --out "$T/report"
check "rubric: in both languages" "$BW" report --no-stages --db "$T/demo.db" --lang en,zh --format html --out "$T/both"
cat >"$T/walk.py" <<'EOF'
import re, sys
page = open(sys.argv[1], encoding="utf-8").read()
parts = re.split(r'(?=<section\b)', page)
sections = {m.group(1): p for p in parts for m in [re.match(r'<section[^>]*\bid="(\w+)"', p)] if m}

def number(section, measure, part):
    found = re.findall(r'data-part="(\w)" data-fact="%s[/"]' % re.escape(measure), section)
    return part in found if part else bool(found)

def column(section, place):
    """Every action of the decision has something at that place of its row."""
    rows = re.findall(r'<tr[^>]*>(.*?)</tr>', section, re.S)
    cells = [re.findall(r'<td[^>]*>(.*?)</td>', r, re.S) for r in rows]
    cells = [c for c in cells if len(c) > place]
    return bool(cells) and all(re.sub('<[^>]*>', '', c[place]).strip(' –') for c in cells)

def stands(token):
    name, sign, what = re.match(r'(\w+)([#:])(.+)', token).groups()
    section = sections.get(name, "")
    if sign == "#":
        part = what[-1] if re.search(r'\.[ip]$', what) else ""
        return number(section, what[:-2] if part else what, part)
    if what == "quote":
        return "<blockquote" in section
    if what in ("owner", "due"):
        return column(section, {"owner": 3, "due": 4}[what])
    return 'id="%s-n-t"' % what in section

for line in open(sys.argv[2], encoding="utf-8"):
    row = [c.strip() for c in line.strip().strip("|").split("|")]
    if len(row) == 3 and row[0].endswith("?"):
        missing = [t for t in re.findall("`([^`]+)`", row[2]) if not stands(t)]
        print(("not ok" if missing or "`" not in row[2] else "ok") + "\t" + row[0] + "\t" + ", ".join(missing))
EOF
for lang in en zh; do
    python3 "$T/walk.py" "$T/both/$lang/index.html" "$rubric" >"$T/$lang.tsv"
    equal "rubric, $lang: ten questions" "$(wc -l <"$T/$lang.tsv")" 10
    while IFS=$'\t' read -r verdict question missing; do
        if [ "$verdict" = ok ]; then ok "rubric, $lang: $question"; else not_ok "rubric, $lang: $question" "missing: $missing"; fi
    done <"$T/$lang.tsv"
done
finish
