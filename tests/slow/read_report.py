#!/usr/bin/env python3
"""Reads written reports the way a critical reader would; prints what is wrong, one line each.

usage: read_report.py PAGE...      exit 1 when anything was found

Names, quotes and queries come from the data and are left out: only what the report itself says counts.
"""
import re
import sys
from html.parser import HTMLParser

BROKEN = [
    (r"(?i)\b(nan|inf|infinity|null)\b", "no number"),
    (r"(?<![\w.,])[-−]0(?:\.0+)?(?![\d.,]*\d)", "minus zero"),
    (r"\{[a-z_0-9:|]*\}|\bterm\.", "an unfilled slot"),
    (r"\b(chart|missing|voice|change|mover|outlook|note|nothing|action|figure|table|status|verdict|hedge)\.[a-z_]+", "a key"),
    (r"\(\s*\)|（\s*）|“”", "empty brackets"),
    (r"\s[,;:.!?](?!\d)|[,;:]\.|\.\.(?!\.)|,,|，，|。。|、、|，。|：。", "loose punctuation"),
    (r"(?<![\d.,])1 (weeks|days|points|stars|reviews|mentions|messages|recommendations|oddities)\b", "one of many"),
    (r"\b(the the|a a|of of|to to|in in|is is|and and)\b", "a word twice"),
    (r"(?<!\d)%|\$\(", "a bare sign"),
]
SENTENCE_END = re.compile(r"[.!?。！？”)）:：]$")  # a colon: a list follows
SKIPPED = {"style", "script", "code", "title", "desc"}
SHOWN = 8  # faults of one page
VOID = {"meta", "link", "br", "img", "hr", "input"}


class Page(HTMLParser):
    """Collects the texts of paragraphs, cells, items and labels, and counts labels and shapes of a chart."""

    def __init__(self):
        super().__init__(convert_charrefs=True)
        self.stack, self.blocks, self.charts = [], [], []

    def handle_starttag(self, tag, attrs):
        if tag in VOID:
            return
        a = dict(attrs)
        css = a.get("class", "") or ""
        self.stack.append((tag, css))
        if tag in ("p", "td", "th", "li", "h1", "h2", "text", "summary"):
            self.blocks.append([tag, css, ""])
        if tag == "svg":
            self.charts.append({"labels": 0, "shapes": 0})
        elif self.charts and tag == "text":
            self.charts[-1]["labels"] += 1
        elif self.charts and tag in ("path", "rect", "circle", "polygon", "polyline"):
            self.charts[-1]["shapes"] += 1

    def handle_endtag(self, tag):
        while self.stack and self.stack.pop()[0] != tag:
            pass

    def handle_data(self, data):
        tags = [t for t, _ in self.stack]
        css = [c for _, c in self.stack]
        if not self.blocks or SKIPPED & set(tags) or "blockquote" in tags or "appendix" in css:
            return
        self.blocks[-1][2] += "•" if "name" in css else data.replace("\n", " ")


def faults(path):
    page = Page()
    with open(path, encoding="utf-8") as f:
        page.feed(f.read())
    prose = [b for b in page.blocks if b[0] != "text"]
    if not any(b[0] == "h2" and b[2].strip() for b in prose):
        yield "no headline"
    for tag, css, text in page.blocks:
        text = text.strip()
        for pattern, what in BROKEN:
            found = re.search(pattern, text)
            if found and not (tag in ("text", "td") and what in ("loose punctuation", "a bare sign", "a key")):
                yield f'{what}: "{found.group()}" in: {text[:160]}'
        if tag != "text" and "  " in text:
            yield f"two spaces in: {text[:160]}"
        if tag == "p" and css == "prose" and not SENTENCE_END.search(text):
            yield f"no end in: {text[-160:]}"
    for i, chart in enumerate(page.charts):
        if chart["labels"] < 4 or chart["shapes"] < 2:
            yield f"chart {i} is empty: {chart}"


def main():
    bad = 0
    for path in sys.argv[1:]:
        for n, fault in enumerate(faults(path)):
            bad += 1
            if n < SHOWN:
                print(f"{path}: {fault}")
    return 1 if bad else 0


sys.exit(main())
