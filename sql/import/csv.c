/* sql/import/csv.c - CSV through libcsv, a line at a time, so that every row knows its line.
 *
 * The separator is the one that gives the same number of fields, at least two, in the most of the
 * first lines. Tab-separated files often use quotes as plain characters ('5" pipe'): quoting is on
 * for them only when lines do not have as many tabs as the header. */
#include "sql/import/sheet_internal.h"

#include <stdlib.h>
#include <string.h>

#define SAMPLE_LINES  50
#define INSIDE_FIELD  2     /* libcsv's FIELD_BEGUN: quoted, and the closing quote has not come */
#define ROW_LINES_MAX 10000 /* a quoted field over more lines is a quote that was never closed */

/* Fields of a line for one separator; separators inside double quotes do not count. */
static size_t count_fields(const char *line, size_t n, char separator) {
    size_t fields = 1;
    bool quoted = false;
    for (size_t i = 0; i < n; i++) {
        quoted ^= line[i] == '"';
        fields += !quoted && line[i] == separator;
    }
    return fields;
}

struct sample {
    size_t lines;
    size_t header[4], same[4]; /* per separator: fields of the header, lines with as many */
    size_t tabs_even;          /* lines with as many tabs as the header, quotes or not */
    bool sep_line;             /* "sep=;" of Excel stands above the header */
};

static const char SEPARATORS[4] = {',', ';', '\t', '|'};

static size_t count_char(const char *line, size_t n, char c) {
    size_t count = 0;
    for (size_t i = 0; i < n; i++)
        count += line[i] == c;
    return count;
}

static void sample_line(struct sample *s, size_t *tabs, const char *line, size_t n) {
    if (s->lines == 0)
        *tabs = count_char(line, n, '\t');
    s->tabs_even += count_char(line, n, '\t') == *tabs;
    for (size_t k = 0; k < 4; k++) {
        size_t fields = count_fields(line, n, SEPARATORS[k]);
        if (s->lines == 0)
            s->header[k] = fields;
        s->same[k] += fields == s->header[k];
    }
    s->lines++;
}

static bw_status read_sample(bw_sheet *t, struct sample *s, bw_err *err) {
    size_t tabs = 0;
    bw_status st = bw_textfile_rewind(t->file, err);
    for (long i = 0; st == BW_OK && i < t->skip + SAMPLE_LINES; i++) {
        const char *line;
        size_t n;
        st = bw_textfile_line(t->file, &line, &n, err);
        if (st != BW_OK || n == 0)
            break;
        if (i < t->skip)
            continue;
        if (i == t->skip && n > 5 && strncasecmp(line, "sep=", 4) == 0) {
            t->separator = line[4];
            s->sep_line = true;
        } else {
            sample_line(s, &tabs, line, n);
        }
    }
    return st;
}

/* More fields in the header win when both fit the lines: quoted text holds few separators. */
static char judge_separator(const struct sample *s) {
    size_t best = 0;
    for (size_t k = 1; k < 4; k++) {
        bool fits = s->header[k] > 1 && s->header[k] > s->header[best];
        bool better = s->header[best] == 1 || s->same[k] >= s->same[best];
        if (fits && better)
            best = k;
    }
    return SEPARATORS[best];
}

static void note_separator(bw_sheet *t) {
    if (t->separator == ',')
        return;
    bw_findings_add(t->findings, &(bw_spot){.severity = BW_NOTE, .rule = "separator"},
                    "columns are separated by %s",
                    t->separator == '\t'  ? "tabs"
                    : t->separator == ';' ? "semicolons"
                                          : "another mark than the comma");
}

bw_status bw_csv_detect(bw_sheet *t, char separator, bw_err *err) {
    struct sample s = {0};
    bw_status st = read_sample(t, &s, err);
    if (st != BW_OK)
        return st;
    if (s.sep_line)
        t->skip++;
    if (separator)
        t->separator = separator;
    else if (!t->separator)
        t->separator = judge_separator(&s);
    t->quoting = t->separator != '\t' || s.tabs_even != s.lines;
    note_separator(t);
    return BW_OK;
}

bw_status bw_csv_start(bw_sheet *t, bw_err *err) {
    bw_status st = bw_textfile_rewind(t->file, err);
    if (t->parsing)
        csv_free(&t->parser);
    t->parsing = csv_init(&t->parser, CSV_APPEND_NULL) == 0;
    if (!t->parsing)
        return bw_fail_memory(err);
    csv_set_delim(&t->parser, (unsigned char)t->separator);
    if (!t->quoting)
        csv_set_quote(&t->parser, '\0'); /* no line holds a NUL: nothing is a quote */
    t->ended = false;
    t->first_line = 0;
    for (long i = 0; st == BW_OK && i < t->skip; i++) {
        const char *line;
        size_t n;
        st = bw_textfile_line(t->file, &line, &n, err);
    }
    bw_row_start(t);
    return st;
}

static void on_field(void *text, size_t n, void *data) {
    bw_row_add(data, text, n);
}

static void on_row(int end, void *data) {
    (void)end;
    ((bw_sheet *)data)->complete = true;
}

static void unclosed_quote(bw_sheet *t) {
    bw_findings_add(t->findings,
                    &(bw_spot){.severity = BW_ERROR,
                               .rule = "unclosed_quote",
                               .line = t->first_line,
                               .fix = "close the quote, or double a quote that is meant as text"},
                    "a quoted field that begins in this row never ends");
    t->ended = true;
}

/* The end of the file: what is left may still be a row. */
static void finish_file(bw_sheet *t) {
    bool open = t->parser.quoted && t->parser.pstate == INSIDE_FIELD;
    csv_fini(&t->parser, on_field, on_row, t);
    t->ended = true;
    if (open) {
        unclosed_quote(t);
        t->complete = false;
    }
}

static bool only_line_end(const char *line, size_t n) {
    return n <= 2 && (line[0] == '\n' || line[0] == '\r');
}

/* Feeds one line to the parser. */
static bw_status feed(bw_sheet *t, bw_err *err) {
    const char *line;
    size_t n;
    bw_status st = bw_sheet_line(t, &line, &n, err);
    if (st != BW_OK)
        return st;
    if (n == 0) {
        finish_file(t);
        return BW_OK;
    }
    if (!t->first_line && !only_line_end(line, n)) {
        t->first_line = bw_textfile_number(t->file);
        t->depth = 0;
    }
    if (++t->depth > ROW_LINES_MAX && t->first_line) {
        unclosed_quote(t);
        return BW_OK;
    }
    if (csv_parse(&t->parser, line, n, on_field, on_row, t) != n)
        return bw_fail_memory(err);
    return BW_OK;
}

bw_status bw_csv_next(bw_sheet *t, const bw_row **row, bw_err *err) {
    *row = NULL;
    bw_row_start(t);
    while (!t->complete && !t->ended) {
        bw_status st = feed(t, err);
        if (st == BW_OK && t->failed)
            st = bw_fail_memory(err);
        if (st != BW_OK)
            return st;
    }
    if (t->complete) {
        *row = bw_row_finish(t, t->first_line);
        t->first_line = 0;
    }
    return BW_OK;
}
