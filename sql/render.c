/* sql/render.c - csv, json and markdown as the rows come; the table is in render_table.c. */
#include "sql/render.h"

#include "sql/db.h"
#include "sql/safetext.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

bool bw_format_find(const char *name, bw_format *out) {
    static const struct {
        const char *name;
        bw_format format;
    } FORMATS[] = {{"table", BW_FORMAT_TABLE},
                   {"csv", BW_FORMAT_CSV},
                   {"json", BW_FORMAT_JSON},
                   {"markdown", BW_FORMAT_MARKDOWN},
                   {"md", BW_FORMAT_MARKDOWN}};
    for (size_t i = 0; i < sizeof FORMATS / sizeof *FORMATS; i++)
        if (strcmp(name, FORMATS[i].name) == 0) {
            *out = FORMATS[i].format;
            return true;
        }
    return false;
}

/* The value as text: real numbers so that they read back equal. Borrowed until the next call. */
static const char *value_text(sqlite3_stmt *s, int i, bw_buf *b) {
    bw_buf_clear(b);
    if (sqlite3_column_type(s, i) == SQLITE_FLOAT) {
        double v = sqlite3_column_double(s, i);
        char text[32];
        snprintf(text, sizeof text, "%.15g", v);
        if (strtod(text, NULL) != v)
            snprintf(text, sizeof text, "%.17g", v);
        bw_buf_add(b, text);
    } else if (sqlite3_column_type(s, i) == SQLITE_BLOB) {
        const unsigned char *p = sqlite3_column_blob(s, i);
        for (int k = 0; k < sqlite3_column_bytes(s, i); k++)
            bw_buf_addf(b, "%02x", p[k]);
    } else {
        bw_buf_add(b, (const char *)sqlite3_column_text(s, i));
    }
    return b->text ? b->text : "";
}

static void csv_cell(const char *text, bool terminal, bw_buf *b, FILE *to) {
    if (terminal) {
        bw_buf_clear(b);
        bw_buf_add_safe(b, text);
        text = b->text ? b->text : "";
    }
    if (!strpbrk(text, ",\"\r\n")) {
        fputs(text, to);
        return;
    }
    fputc('"', to);
    for (; *text; text++) {
        if (*text == '"')
            fputc('"', to);
        fputc(*text, to);
    }
    fputc('"', to);
}

static void json_string(const char *text, FILE *to) {
    fputc('"', to);
    while (*text) {
        const char *from = text;
        int32_t c = bw_text_next(&text);
        if (c == '"' || c == '\\')
            fprintf(to, "\\%c", (int)c);
        else if (c == '\n')
            fputs("\\n", to);
        else if (c < 0)
            fputs("\\ufffd", to);
        else if (bw_text_commands(c))
            fprintf(to, "\\u%04x", (unsigned)c);
        else
            fwrite(from, 1, (size_t)(text - from), to);
    }
    fputc('"', to);
}

static void markdown_cell(const char *text, bw_buf *b, FILE *to) {
    bw_buf_clear(b);
    bw_buf_add_safe(b, text);
    for (const char *p = b->text ? b->text : ""; *p; p++) {
        if (strchr("|\\`*_<>[]", *p))
            fputc('\\', to);
        fputc(*p, to);
    }
}

struct stream {
    sqlite3_stmt *s;
    bool terminal;
    FILE *to;
    bw_buf value, safe;
    size_t rows;
    int n;
};

static void csv_header(struct stream *o) {
    for (int i = 0; i < o->n; i++) {
        csv_cell(sqlite3_column_name(o->s, i), o->terminal, &o->safe, o->to);
        fputs(i + 1 < o->n ? "," : "\n", o->to);
    }
}

static void csv_row(struct stream *o) {
    for (int i = 0; i < o->n; i++) {
        csv_cell(value_text(o->s, i, &o->value), o->terminal, &o->safe, o->to);
        fputs(i + 1 < o->n ? "," : "\n", o->to);
    }
}

static void json_row(struct stream *o) {
    fputs(o->rows ? ",\n {" : "[\n {", o->to);
    for (int i = 0; i < o->n; i++) {
        int type = sqlite3_column_type(o->s, i);
        json_string(sqlite3_column_name(o->s, i), o->to);
        fputs(": ", o->to);
        const char *text = value_text(o->s, i, &o->value);
        bool finite = type != SQLITE_FLOAT || isfinite(sqlite3_column_double(o->s, i));
        if (type == SQLITE_NULL || !finite)
            fputs("null", o->to);
        else if (type == SQLITE_INTEGER || type == SQLITE_FLOAT)
            fputs(text, o->to);
        else
            json_string(text, o->to);
        fputs(i + 1 < o->n ? ", " : "}", o->to);
    }
}

static void markdown_header(struct stream *o) {
    for (int i = 0; i < o->n; i++) {
        fputs("| ", o->to);
        markdown_cell(sqlite3_column_name(o->s, i), &o->safe, o->to);
        fputs(i + 1 < o->n ? " " : " |\n", o->to);
    }
}

/* The rule under the header sets numbers to the right; it waits for the first row to know them. */
static void markdown_rule(struct stream *o, bool row) {
    for (int i = 0; i < o->n; i++) {
        int type = row ? sqlite3_column_type(o->s, i) : SQLITE_NULL;
        fputs(type == SQLITE_INTEGER || type == SQLITE_FLOAT ? "| ---: " : "| --- ", o->to);
    }
    fputs("|\n", o->to);
}

static void markdown_row(struct stream *o) {
    for (int i = 0; i < o->n; i++) {
        fputs("| ", o->to);
        markdown_cell(value_text(o->s, i, &o->value), &o->safe, o->to);
        fputs(i + 1 < o->n ? " " : " |\n", o->to);
    }
}

static void put_header(struct stream *o, bw_format format) {
    if (format == BW_FORMAT_CSV)
        csv_header(o);
    else if (format == BW_FORMAT_MARKDOWN)
        markdown_header(o);
}

static void put_row(struct stream *o, bw_format format) {
    if (format == BW_FORMAT_MARKDOWN && o->rows == 0)
        markdown_rule(o, true);
    if (format == BW_FORMAT_CSV)
        csv_row(o);
    else if (format == BW_FORMAT_JSON)
        json_row(o);
    else
        markdown_row(o);
    o->rows++;
}

static void put_end(struct stream *o, bw_format format) {
    if (format == BW_FORMAT_JSON)
        fputs(o->rows ? "\n]\n" : "[]\n", o->to);
    else if (format == BW_FORMAT_MARKDOWN && o->rows == 0)
        markdown_rule(o, false);
}

bw_status bw_render(sqlite3_stmt *s, bw_format format, bool terminal, FILE *to, bw_err *err) {
    if (format == BW_FORMAT_TABLE)
        return bw_render_table(s, to, err);
    struct stream o = {.s = s, .terminal = terminal, .to = to, .n = sqlite3_column_count(s)};
    bool row = true;
    bw_status st = BW_OK;
    put_header(&o, format);
    while (st == BW_OK && row) {
        st = bw_db_step(s, &row, err);
        if (st == BW_OK && row)
            put_row(&o, format);
    }
    if (st == BW_OK)
        put_end(&o, format);
    if (st == BW_OK && (!bw_buf_ok(&o.value) || !bw_buf_ok(&o.safe)))
        st = bw_fail_memory(err);
    bw_buf_free(&o.value);
    bw_buf_free(&o.safe);
    return st;
}
