/* sql/schema_doc.c - reads the embedded schema: the comment above a CREATE says what a row is, a
 * comment behind a column what the column is. Names of columns come from a database made of the
 * same files, so they cannot be out of date. */
#include "sql/schema_doc.h"

#include "common/embed.h"
#include "sql/db.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LINE_WIDTH 96

struct doc {
    sqlite3 *db;
    const char *part;
    bw_buf *out;
    size_t found;
    bw_buf comment; /* above the next CREATE */
};

static const char *trim(const char *p) {
    while (*p == ' ' || *p == '\t')
        p++;
    return p;
}

/* Appends words, broken into lines that begin with the indent. */
static void wrap(bw_buf *out, const char *text, size_t indent) {
    size_t column = 0;
    while (*(text = trim(text))) {
        size_t n = strcspn(text, " ");
        if (column + n + 1 > LINE_WIDTH || column == 0) {
            bw_buf_addf(out, "%s%*s", column ? "\n" : "", (int)indent, "");
            column = indent;
        } else {
            bw_buf_add(out, " ");
            column++;
        }
        bw_buf_add_n(out, text, n);
        column += n;
        text += n;
    }
    bw_buf_add(out, "\n");
}

static bw_status add_columns(struct doc *d, const char *name, bw_err *err) {
    sqlite3_stmt *s;
    bw_buf line = {0};
    bool row = true;
    bw_status st =
        bw_db_prepare(d->db, "SELECT name, lower(type) FROM pragma_table_info(?)", &s, err);
    if (st == BW_OK)
        sqlite3_bind_text(s, 1, name, -1, SQLITE_STATIC);
    while (st == BW_OK && row) {
        st = bw_db_step(s, &row, err);
        if (st == BW_OK && row)
            bw_buf_addf(&line, "%s%s", line.len ? ", " : "",
                        (const char *)sqlite3_column_text(s, 0));
    }
    sqlite3_finalize(s);
    if (line.text)
        wrap(d->out, line.text, 4);
    bw_buf_free(&line);
    return st;
}

/* The last column defined on a line such as "day TEXT NOT NULL, cost REAL, -- money". */
static void last_column(const char *line, const char *comment, char *out, size_t size) {
    int depth = 0;
    const char *from = trim(line), *end = comment;
    while (end > from && (end[-1] == ' ' || end[-1] == ','))
        end--;
    const char *start = from;
    for (const char *p = from; p < end; p++) {
        depth += *p == '(' ? 1 : *p == ')' ? -1 : 0;
        if (*p == ',' && depth == 0)
            start = trim(p + 1);
    }
    size_t n = 0;
    while (start + n < end && (isalnum((unsigned char)start[n]) || start[n] == '_') && n + 1 < size)
        n++;
    memcpy(out, start, n);
    out[n] = '\0';
}

/* A line inside CREATE TABLE that explains a column. */
static void add_note(struct doc *d, const char *line) {
    const char *comment = strstr(line, "-- ");
    char column[64];
    if (!comment)
        return;
    last_column(line, comment, column, sizeof column);
    bw_buf note = {0};
    bw_buf_addf(&note, "%s: %s", column, comment + 3);
    wrap(d->out, note.text ? note.text : "", 8);
    bw_buf_free(&note);
}

static bw_status begin(struct doc *d, const char *line, const char *word, bool *inside,
                       bw_err *err) {
    char name[64];
    const char *p = trim(line + strlen(word));
    size_t n = strcspn(p, " (");
    snprintf(name, sizeof name, "%.*s", (int)n, p);
    *inside = strstr(name, d->part) != NULL;
    if (!*inside)
        return BW_OK;
    d->found++;
    bw_buf_addf(d->out, "\n%s\n", name);
    if (d->comment.len)
        wrap(d->out, d->comment.text, 4);
    return add_columns(d, name, err);
}

static bw_status add_line(struct doc *d, const char *line, bool *inside, bw_err *err) {
    static const char *const CREATES[] = {"CREATE TABLE ", "CREATE VIEW "};
    for (int i = 0; i < 2; i++)
        if (strncmp(line, CREATES[i], strlen(CREATES[i])) == 0) {
            bw_status st = begin(d, line, CREATES[i], inside, err);
            bw_buf_clear(&d->comment);
            if (*inside && i == 0)
                add_note(d, line);
            *inside &= i == 0 && !strchr(line, ';');
            return st;
        }
    if (*inside)
        add_note(d, line);
    if (*line == ')' || strchr(line, ';'))
        *inside = false;
    if (strncmp(line, "-- ", 3) == 0)
        bw_buf_addf(&d->comment, "%s ", line + 3);
    else
        bw_buf_clear(&d->comment);
    return BW_OK;
}

static bw_status add_file(struct doc *d, const char *path, bw_err *err) {
    char *copy = strdup(bw_embed(path, NULL)), *save = copy, *line;
    bool inside = false;
    bw_status st = copy ? BW_OK : bw_fail_memory(err);
    while (st == BW_OK && (line = strsep(&save, "\n")))
        st = add_line(d, line, &inside, err);
    free(copy);
    return st;
}

bw_status bw_schema_doc(const char *part, bw_buf *out, size_t *found, bw_err *err) {
    struct doc d = {.part = part, .out = out};
    bw_status st = bw_db_open(":memory:", BW_DB_CREATE, &d.db, err);
    bw_buf_add(out, "Views, for people:\n");
    if (st == BW_OK)
        st = add_file(&d, "sql/schema/views.sql", err);
    bw_buf_add(out, "\nTables, as the data come in and as the commands leave their results:\n");
    for (size_t i = 0; st == BW_OK && bw_embed_name(i); i++)
        if (strncmp(bw_embed_name(i), "sql/schema/0", 12) == 0)
            st = add_file(&d, bw_embed_name(i), err);
    bw_db_close(d.db);
    bw_buf_free(&d.comment);
    *found = d.found;
    return st == BW_OK && !bw_buf_ok(out) ? bw_fail_memory(err) : st;
}
