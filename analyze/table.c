/* analyze/table.c - CSV into memory by libcsv, gzip by zlib (which reads plain files as well).
 *
 * All cell texts lie one after another in one arena, each with its NUL; offset[] points at them, row
 * by row. Growing the arena moves it, so offsets and not pointers are kept. Spaces around a cell belong
 * to no value: they are dropped. Days are read in table_days.c. */
#include "analyze/table.h"
#include "analyze/table_internal.h"

#include <csv.h>
#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <zlib.h>

#define READ_BYTES  (1u << 16)
#define COLUMNS_MAX 2000u
#define SHOWN_NAMES 40u /* columns listed in an error */
#define SHOWN_BYTES 60  /* of a bad value */

struct bw_table {
    char *path;
    char *arena;
    size_t used, cap;
    size_t *offset; /* [rows + 1 header][columns] */
    size_t n_offsets, cap_offsets;
    size_t columns, rows;
    /* while reading */
    size_t in_row, lines;
    bw_status st;
    bw_err *err;
};

static bool grow(void *memory, size_t *cap, size_t need, size_t size) {
    void **p = memory;
    size_t want = *cap ? *cap : 4096, bytes;
    while (want < need)
        want *= 2;
    if (!bw_size_mul(want, size, &bytes))
        return false;
    void *more = want > *cap ? realloc(*p, bytes) : *p;
    if (!more)
        return false;
    *p = more;
    *cap = want;
    return true;
}

static void add_cell(void *cell, size_t n, void *arg) {
    bw_table *t = arg;
    const char *text = cell;
    if (t->st != BW_OK)
        return;
    for (; n && isspace((unsigned char)*text); n--)
        text++;
    while (n && isspace((unsigned char)text[n - 1]))
        n--;
    if (t->columns && t->in_row == t->columns) {
        t->st =
            bw_fail(t->err, BW_EFORMAT, "%s: line %zu has more than the %zu cells of the header",
                    t->path, t->lines + 1, t->columns);
        return;
    }
    if (!t->columns && t->in_row >= COLUMNS_MAX) {
        t->st = bw_fail(t->err, BW_EFORMAT, "%s: more than %u columns", t->path, COLUMNS_MAX);
        return;
    }
    if (!grow(&t->arena, &t->cap, t->used + n + 1, 1) ||
        !grow(&t->offset, &t->cap_offsets, t->n_offsets + 1, sizeof *t->offset)) {
        t->st = bw_fail_memory(t->err);
        return;
    }
    t->offset[t->n_offsets++] = t->used;
    if (n)
        memcpy(t->arena + t->used, text, n);
    t->arena[t->used + n] = '\0';
    t->used += n + 1;
    t->in_row++;
}

static void end_row(int c, void *arg) {
    (void)c;
    bw_table *t = arg;
    if (t->st != BW_OK)
        return;
    t->lines++;
    if (!t->columns)
        t->columns = t->in_row;
    else if (t->in_row != t->columns)
        t->st = bw_fail(t->err, BW_EFORMAT, "%s: line %zu has %zu cells, the header has %zu",
                        t->path, t->lines, t->in_row, t->columns);
    else
        t->rows++;
    t->in_row = 0;
}

/* What stands between the cells of the header: a comma, or ';' or a tab where there is no comma. */
static unsigned char delimiter(const unsigned char *block, size_t n) {
    size_t semicolons = 0, tabs = 0;
    bool quoted = false;
    for (size_t i = 0; i < n && (quoted || block[i] != '\n'); i++) {
        quoted ^= block[i] == '"';
        if (!quoted && block[i] == ',')
            return CSV_COMMA;
        semicolons += !quoted && block[i] == ';';
        tabs += !quoted && block[i] == CSV_TAB;
    }
    return semicolons ? ';' : tabs ? CSV_TAB : CSV_COMMA;
}

static bw_status parse(bw_table *t, gzFile f, struct csv_parser *p) {
    static const unsigned char MARK[] = {0xef, 0xbb, 0xbf};
    unsigned char block[READ_BYTES];
    bool first = true;
    for (;;) {
        int n = gzread(f, block, sizeof block);
        if (n < 0) {
            int code;
            return bw_fail(t->err, BW_EIO, "%s: %s", t->path, gzerror(f, &code));
        }
        if (n == 0)
            break;
        size_t skip = first && n >= 3 && memcmp(block, MARK, sizeof MARK) == 0 ? sizeof MARK : 0;
        if (first)
            csv_set_delim(p, delimiter(block + skip, (size_t)n - skip));
        first = false;
        size_t len = (size_t)n - skip;
        if (csv_parse(p, block + skip, len, add_cell, end_row, t) != len)
            return bw_fail(t->err, BW_EFORMAT, "%s: line %zu: %s", t->path, t->lines + 1,
                           csv_strerror(csv_error(p)));
        if (t->st != BW_OK)
            return t->st;
    }
    if (csv_fini(p, add_cell, end_row, t) != 0)
        return bw_fail(t->err, BW_EFORMAT, "%s: line %zu: a quoted cell does not end", t->path,
                       t->lines + 1);
    return t->st;
}

static bw_status read_file(bw_table *t) {
    errno = 0;
    gzFile f = gzopen(t->path, "rb");
    if (!f)
        return bw_fail(t->err, BW_EIO, "%s: %s", t->path,
                       errno ? strerror(errno) : "cannot be opened");
    struct csv_parser p;
    bw_status st = BW_OK;
    if (csv_init(&p, CSV_STRICT | CSV_STRICT_FINI | CSV_APPEND_NULL) != 0)
        st = bw_fail_memory(t->err);
    if (st == BW_OK) {
        st = parse(t, f, &p);
        csv_free(&p);
    }
    gzclose(f);
    if (st == BW_OK && t->rows == 0)
        st = bw_fail(t->err, BW_EDATA, "%s: no rows below the header", t->path);
    return st;
}

bw_status bw_table_load(const char *path, bw_table **out, bw_err *err) {
    *out = NULL;
    bw_table *t = calloc(1, sizeof *t);
    if (!t)
        return bw_fail_memory(err);
    t->err = err;
    t->path = strdup(path);
    bw_status st = t->path ? read_file(t) : bw_fail_memory(err);
    if (st != BW_OK) {
        bw_table_free(t);
        return st;
    }
    t->err = NULL;
    *out = t;
    return BW_OK;
}

void bw_table_free(bw_table *t) {
    if (!t)
        return;
    free(t->path);
    free(t->arena);
    free(t->offset);
    free(t);
}

size_t bw_table_rows(const bw_table *t) {
    return t->rows;
}

size_t bw_table_columns(const bw_table *t) {
    return t->columns;
}

const char *bw_table_name(const bw_table *t, size_t column) {
    return t->arena + t->offset[column];
}

const char *bw_table_text(const bw_table *t, size_t row, size_t column) {
    return t->arena + t->offset[(row + 1) * t->columns + column];
}

bw_status bw_table_find(const bw_table *t, const char *name, size_t *column, bw_err *err) {
    for (size_t c = 0; c < t->columns; c++)
        if (strcmp(bw_table_name(t, c), name) == 0) {
            *column = c;
            return BW_OK;
        }
    char list[1200] = "";
    for (size_t c = 0; c < t->columns && c < SHOWN_NAMES; c++) {
        size_t used = strlen(list);
        snprintf(list + used, sizeof list - used, "%s%s", c ? ", " : "", bw_table_name(t, c));
    }
    return bw_fail(err, BW_EARG, "%s: no column '%s'; the columns are %s", t->path, name, list);
}

/* How other programs write a value that is not known. */
static bool is_missing(const char *text) {
    static const char *const WORDS[] = {"", "NA", "N/A", "NaN", "null", "."};
    for (size_t i = 0; i < sizeof WORDS / sizeof *WORDS; i++)
        if (strcasecmp(text, WORDS[i]) == 0)
            return true;
    return false;
}

bool table_number(const char *text, double *x) {
    *x = NAN;
    if (is_missing(text))
        return true;
    char *end;
    *x = strtod(text, &end);
    if (end != text)
        return !*end && isfinite(*x);
    if (!strcasecmp(text, "true") || !strcasecmp(text, "yes"))
        *x = 1;
    else if (!strcasecmp(text, "false") || !strcasecmp(text, "no"))
        *x = 0;
    else
        return false;
    return true;
}

bw_status table_bad_cell(const bw_table *t, size_t row, size_t column, const char *wanted,
                         bw_err *err) {
    const char *text = bw_table_text(t, row, column);
    if (!*text)
        return bw_fail(
            err, BW_EFORMAT,
            "%s: line %zu, column %s is empty, wanted %s; fill it in or leave the row out", t->path,
            row + 2, bw_table_name(t, column), wanted);
    return bw_fail(err, BW_EFORMAT, "%s: line %zu, column %s: '%.*s' is not %s", t->path, row + 2,
                   bw_table_name(t, column), SHOWN_BYTES, text, wanted);
}

bw_status bw_table_numbers(const bw_table *t, const char *name, double **out, bw_err *err) {
    *out = NULL;
    size_t c = 0;
    bw_status st = bw_table_find(t, name, &c, err);
    if (st != BW_OK)
        return st;
    double *x = malloc(t->rows * sizeof *x);
    if (!x)
        return bw_fail_memory(err);
    for (size_t r = 0; st == BW_OK && r < t->rows; r++)
        if (!table_number(bw_table_text(t, r, c), &x[r]))
            st = table_bad_cell(t, r, c, "a number", err);
    if (st != BW_OK) {
        free(x);
        return st;
    }
    *out = x;
    return BW_OK;
}

bw_status bw_table_full_numbers(const bw_table *t, const char *name, double **out, bw_err *err) {
    bw_status st = bw_table_numbers(t, name, out, err);
    for (size_t r = 0; st == BW_OK && r < t->rows; r++)
        if (isnan((*out)[r])) {
            size_t c = 0;
            bw_table_find(t, name, &c, NULL);
            st = table_bad_cell(t, r, c, "a number", err);
            free(*out);
            *out = NULL;
        }
    return st;
}

typedef struct {
    const char *text;
    size_t row;
} cell;

static int compare_cells(const void *a, const void *b) {
    const cell *x = a, *y = b;
    int order = strcmp(x->text, y->text);
    return order ? order : (x->row > y->row) - (x->row < y->row);
}

bw_status bw_table_groups(const bw_table *t, const char *name, bw_groups *out, bw_err *err) {
    *out = (bw_groups){0};
    size_t c = 0;
    bw_status st = bw_table_find(t, name, &c, err);
    if (st != BW_OK)
        return st;
    cell *cells = malloc(t->rows * sizeof *cells);
    out->code = malloc(t->rows * sizeof *out->code);
    out->name = malloc(t->rows * sizeof *out->name);
    out->count = calloc(t->rows, sizeof *out->count);
    if (!cells || !out->code || !out->name || !out->count) {
        free(cells);
        bw_groups_free(out);
        return bw_fail_memory(err);
    }
    for (size_t r = 0; r < t->rows; r++)
        cells[r] = (cell){bw_table_text(t, r, c), r};
    qsort(cells, t->rows, sizeof *cells, compare_cells);
    for (size_t i = 0; i < t->rows; i++) {
        if (i == 0 || strcmp(cells[i].text, cells[i - 1].text) != 0)
            out->name[out->n++] = cells[i].text;
        out->code[cells[i].row] = out->n - 1;
        out->count[out->n - 1]++;
    }
    free(cells);
    return BW_OK;
}

void bw_groups_free(bw_groups *g) {
    free(g->code);
    free(g->name);
    free(g->count);
    *g = (bw_groups){0};
}

size_t bw_groups_find(const bw_groups *g, const char *name) {
    for (size_t i = 0; i < g->n; i++)
        if (strcmp(g->name[i], name) == 0)
            return i;
    return g->n;
}

bw_status bw_split_names(const char *list, const char **names, size_t max, size_t *n, char **copy,
                         bw_err *err) {
    *n = 0;
    *copy = NULL;
    if (!list)
        return BW_OK;
    *copy = strdup(list);
    if (!*copy)
        return bw_fail_memory(err);
    char *rest = *copy, *part;
    while ((part = strsep(&rest, ","))) {
        while (isspace((unsigned char)*part))
            part++;
        size_t len = strlen(part);
        while (len && isspace((unsigned char)part[len - 1]))
            part[--len] = '\0';
        if (!len || *n == max) {
            free(*copy);
            *copy = NULL;
            return bw_fail(err, BW_EUSAGE,
                           len ? "'%s': more than %zu names" : "'%s': a name is empty", list, max);
        }
        names[(*n)++] = part;
    }
    return BW_OK;
}
