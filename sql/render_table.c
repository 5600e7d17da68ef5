/* sql/render_table.c - the aligned table: all rows in memory, widths by what they show. */
#include "sql/render.h"
#include "sql/safetext.h"

#include <math.h>
#include <stdlib.h>

struct column {
    bool number;
    int decimals;
    size_t width;
};

/* Decimals that say something beside numbers of that size. */
static int useful_decimals(double largest) {
    return largest >= 100 ? 2 : largest >= 1 ? 4 : 6;
}

static void shape_column(const bw_query_result *r, size_t i, struct column *c) {
    double largest = 0;
    bool real = false;
    c->number = r->n_rows > 0;
    for (size_t k = 0; k < r->n_rows; k++) {
        const bw_query_cell *cell = &r->cells[k * r->n_columns + i];
        c->number &= cell->type != BW_CELL_TEXT && cell->type != BW_CELL_BLOB;
        real |= cell->type == BW_CELL_REAL;
        largest = fmax(largest, fabs(cell->number));
    }
    if (!c->number || !real)
        return;
    int most = useful_decimals(largest);
    for (size_t k = 0; k < r->n_rows; k++) { /* as many as the value with the most needs */
        double v = r->cells[k * r->n_columns + i].number, scale = 1;
        for (int d = 0; d < most; d++, scale *= 10)
            if (d >= c->decimals &&
                fabs(v * scale - nearbyint(v * scale)) > 1e-9 * fmax(1, fabs(v * scale)))
                c->decimals = d + 1;
    }
}

static void cell_text(const bw_query_cell *cell, const struct column *c, bw_buf *b) {
    bw_buf_clear(b);
    if (cell->type == BW_CELL_REAL && c->number)
        bw_buf_addf(b, "%.*f", c->decimals, cell->number);
    else if (cell->text)
        bw_buf_add_safe(b, cell->text);
    if (b->text)
        bw_text_cut(b->text, BW_TEXT_WIDTH);
}

static void put_spaces(FILE *to, size_t n) {
    for (size_t i = 0; i < n; i++)
        fputc(' ', to);
}

static void put_padded(FILE *to, const char *text, const struct column *c, bool last) {
    size_t width = bw_text_width(text), pad = c->width > width ? c->width - width : 0;
    if (c->number)
        put_spaces(to, pad);
    fputs(text, to);
    if (!c->number && !last)
        put_spaces(to, pad);
}

static void measure(const bw_query_result *r, struct column *columns, bw_buf *b) {
    for (size_t i = 0; i < r->n_columns; i++) {
        shape_column(r, i, &columns[i]);
        bw_buf_clear(b);
        bw_buf_add_safe(b, r->names[i]);
        columns[i].width = bw_text_width(b->text ? b->text : "");
        for (size_t k = 0; k < r->n_rows; k++) {
            cell_text(&r->cells[k * r->n_columns + i], &columns[i], b);
            size_t width = bw_text_width(b->text ? b->text : "");
            columns[i].width = width > columns[i].width ? width : columns[i].width;
        }
    }
}

static void write_table(const bw_query_result *r, const struct column *columns, bw_buf *b,
                        FILE *to) {
    for (size_t i = 0; i < r->n_columns; i++) {
        bw_buf_clear(b);
        bw_buf_add_safe(b, r->names[i]);
        put_padded(to, b->text ? b->text : "", &columns[i], i + 1 == r->n_columns);
        fputs(i + 1 < r->n_columns ? "  " : "\n", to);
    }
    for (size_t i = 0; i < r->n_columns; i++) {
        for (size_t k = 0; k < columns[i].width; k++)
            fputs("─", to);
        fputs(i + 1 < r->n_columns ? "  " : "\n", to);
    }
    for (size_t k = 0; k < r->n_rows; k++)
        for (size_t i = 0; i < r->n_columns; i++) {
            cell_text(&r->cells[k * r->n_columns + i], &columns[i], b);
            put_padded(to, b->text ? b->text : "", &columns[i], i + 1 == r->n_columns);
            fputs(i + 1 < r->n_columns ? "  " : "\n", to);
        }
}

bw_status bw_render_table(sqlite3_stmt *s, FILE *to, bw_err *err) {
    bw_query_result *r;
    bw_status st = bw_query_collect(s, &r, err);
    if (st != BW_OK)
        return st;
    struct column *columns = calloc(r->n_columns + 1, sizeof *columns);
    bw_buf b = {0};
    if (columns) {
        measure(r, columns, &b);
        write_table(r, columns, &b, to);
    }
    st = columns && bw_buf_ok(&b) ? BW_OK : bw_fail_memory(err);
    bw_buf_free(&b);
    free(columns);
    bw_query_free(r);
    return st;
}
