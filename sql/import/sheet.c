/* sql/import/sheet.c - opens the file, tells CSV from JSON lines by its first character, keeps the row
 * under construction, and hands each line to the reader in csv.c or jsonl.c. */
#include "sql/import/sheet_internal.h"

#include "sql/import/encoding.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

void bw_row_start(bw_sheet *t) {
    bw_buf_clear(&t->text);
    t->n = 0;
    t->complete = false;
}

static bool grow_row(bw_sheet *t) {
    size_t cap = t->cap ? 2 * t->cap : 32;
    size_t *offsets = realloc(t->offsets, cap * sizeof *offsets);
    if (offsets)
        t->offsets = offsets;
    bw_cell *cells = realloc(t->cells, cap * sizeof *cells);
    if (cells)
        t->cells = cells;
    if (offsets && cells)
        t->cap = cap;
    return offsets && cells;
}

void bw_row_add(bw_sheet *t, const char *text, size_t n) {
    if (t->n == t->cap && !grow_row(t)) {
        t->failed = true;
        return;
    }
    t->offsets[t->n] = t->text.len;
    t->cells[t->n++].len = n;
    bw_buf_add_n(&t->text, text, n);
    bw_buf_add_n(&t->text, "", 1);
    t->failed |= !bw_buf_ok(&t->text);
}

const bw_row *bw_row_finish(bw_sheet *t, long line) {
    for (size_t i = 0; i < t->n; i++)
        t->cells[i].text = t->text.text + t->offsets[i];
    t->row = (bw_row){line, t->n, t->cells};
    return &t->row;
}

bool bw_names_add(bw_sheet *t, const char *name, size_t n) {
    char **more = realloc(t->names, (t->n_names + 1) * sizeof *more);
    char *copy = strndup(name, n);
    if (more)
        t->names = more;
    if (!more || !copy) {
        free(copy);
        return false;
    }
    t->names[t->n_names++] = copy;
    return true;
}

bw_status bw_sheet_line(bw_sheet *t, const char **line, size_t *n, bw_err *err) {
    for (;;) {
        bw_status st = bw_textfile_line(t->file, line, n, err);
        size_t bad;
        if (st != BW_OK || *n == 0 || bw_utf8_valid(*line, *n, &bad))
            return st;
        char byte[8];
        snprintf(byte, sizeof byte, "0x%02x", (unsigned char)(*line)[bad]);
        bw_findings_add(t->findings,
                        &(bw_spot){.severity = BW_ERROR,
                                   .rule = "invalid_utf8",
                                   .line = bw_textfile_number(t->file),
                                   .value = byte,
                                   .fix = "save the file as UTF-8, or name its encoding, e.g. "
                                          "--encoding GBK or --encoding WINDOWS-1252"},
                        "byte %zu of the line is not UTF-8", bad + 1);
        if (bw_findings_full(t->findings)) {
            *n = 0;
            return BW_OK;
        }
    }
}

static bool is_number(const char *text) {
    char *end;
    strtod(text, &end);
    return *text && *end == '\0';
}

/* A first row of numbers is data: the names are missing. */
static void check_names(bw_sheet *t) {
    size_t numbers = 0;
    for (size_t i = 0; i < t->n_names; i++)
        numbers += is_number(t->names[i]);
    if (numbers * 2 > t->n_names)
        bw_findings_add(t->findings,
                        &(bw_spot){.severity = BW_ERROR,
                                   .rule = "no_header",
                                   .line = t->skip + 1,
                                   .value = t->names[0],
                                   .fix = "add a first line that names the columns"},
                        "the first line holds numbers, not names of columns");
}

static bw_status csv_header(bw_sheet *t, bw_err *err) {
    const bw_row *row;
    bw_status st = bw_csv_next(t, &row, err);
    if (st != BW_OK || !row)
        return st;
    for (size_t i = 0; i < row->n; i++)
        if (!bw_names_add(t, row->cells[i].text, row->cells[i].len))
            return bw_fail_memory(err);
    while (t->n_names > 1 && t->names[t->n_names - 1][0] == '\0')
        free(t->names[--t->n_names]); /* a separator at the end of every line */
    check_names(t);
    return BW_OK;
}

/* "[" alone or before an object: a JSON array, not the column "[day]". */
static bool is_json_array(const char *line, size_t n) {
    size_t i = 1;
    while (i < n && isspace((unsigned char)line[i]))
        i++;
    return n > 0 && line[0] == '[' && (i == n || line[i] == '{');
}

static bw_status read_header(bw_sheet *t, const char *path, const bw_sheet_options *options,
                             bw_err *err) {
    const char *line = "";
    size_t n = 1, i = 0;
    bw_status st = BW_OK;
    for (long skipped = 0; st == BW_OK && n > 0 && skipped <= t->skip; skipped++)
        st = bw_textfile_line(t->file, &line, &n, err);
    if (st != BW_OK)
        return st;
    while (i < n && isspace((unsigned char)line[i]))
        i++;
    if (is_json_array(line + i, n - i))
        return bw_fail(
            err, BW_EFORMAT,
            "%s: a JSON array; one object a line is wanted, as \"jq -c '.[]'\" writes them", path);
    if (i < n && line[i] == '{' && options->separator == 0) {
        t->separator = '{';
        st = bw_jsonl_header(t, err);
        return st == BW_OK ? bw_sheet_rewind(t, err) : st;
    }
    st = bw_csv_detect(t, options->separator, err);
    if (st == BW_OK)
        st = bw_csv_start(t, err);
    return st == BW_OK ? csv_header(t, err) : st;
}

bw_status bw_sheet_open(const char *path, const bw_sheet_options *options, bw_findings *findings,
                        bw_sheet **out, bw_err *err) {
    *out = NULL;
    bw_sheet *t = calloc(1, sizeof *t);
    if (!t)
        return bw_fail_memory(err);
    t->findings = findings;
    t->skip = options->skip;
    bw_status st = bw_textfile_open(path, options->encoding, findings, &t->file, err);
    if (st == BW_OK)
        st = read_header(t, path, options, err);
    if (st == BW_OK && t->n_names == 0)
        st = bw_fail(err, BW_EFORMAT,
                     t->separator == '{' ? "%s: no line holds a JSON object"
                                         : "%s: the file is empty; export it again",
                     path);
    if (st != BW_OK) {
        bw_sheet_close(t);
        return st;
    }
    *out = t;
    return BW_OK;
}

bw_status bw_sheet_rewind(bw_sheet *t, bw_err *err) {
    const bw_row *header;
    t->ended = false;
    t->first_line = 0;
    if (t->separator == '{')
        return bw_textfile_rewind(t->file, err);
    bw_status st = bw_csv_start(t, err);
    return st == BW_OK ? bw_csv_next(t, &header, err) : st;
}

bw_status bw_sheet_next(bw_sheet *t, const bw_row **row, bw_err *err) {
    return t->separator == '{' ? bw_jsonl_next(t, row, err) : bw_csv_next(t, row, err);
}

bw_findings *bw_sheet_report_to(bw_sheet *t, bw_findings *f) {
    bw_findings *before = t->findings;
    t->findings = f;
    return before;
}

size_t bw_sheet_columns(const bw_sheet *t) {
    return t->n_names;
}

const char *bw_sheet_column(const bw_sheet *t, size_t i) {
    return t->names[i];
}

char bw_sheet_separator(const bw_sheet *t) {
    return t->separator;
}

size_t bw_sheet_size(const bw_sheet *t) {
    return bw_textfile_size(t->file);
}

size_t bw_sheet_done(const bw_sheet *t) {
    return bw_textfile_done(t->file);
}

void bw_sheet_close(bw_sheet *t) {
    if (!t)
        return;
    if (t->parsing)
        csv_free(&t->parser);
    for (size_t i = 0; i < t->n_names; i++)
        free(t->names[i]);
    free(t->names);
    free(t->offsets);
    free(t->cells);
    bw_buf_free(&t->text);
    bw_textfile_close(t->file);
    free(t);
}
