/* sql/import/findings.c - a growing list with a count for each rule. */
#include "sql/import/findings.h"

#include "common/buf.h"
#include "sql/db.h"
#include "sql/safetext.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#define VALUE_MAX 60 /* bytes of a value that are quoted */

/* A short printable copy: control characters become \xNN, a long value is cut on a character. */
static char *quotable(const char *text, size_t n) {
    bw_buf b = {0};
    size_t take = n > VALUE_MAX ? VALUE_MAX : n;
    while (take < n && take > 0 && ((unsigned char)text[take] & 0xC0) == 0x80)
        take--;
    bw_buf_add(&b, "");
    for (size_t i = 0; i < take; i++) {
        unsigned char c = (unsigned char)text[i];
        if (c < 0x20 || c == 0x7F)
            bw_buf_addf(&b, "\\x%02x", c);
        else
            bw_buf_add_n(&b, text + i, 1);
    }
    if (take < n)
        bw_buf_add(&b, "…");
    return bw_buf_take(&b);
}

static char *copy(const char *text) {
    return text ? strdup(text) : NULL;
}

/* How often the rule has been added with this one. */
static size_t count_rule(bw_findings *f, const bw_spot *spot) {
    for (size_t i = 0; i < sizeof f->rules / sizeof *f->rules; i++) {
        struct bw_rule_count *r = &f->rules[i];
        if (!r->rule) {
            r->rule = spot->rule;
            r->severity = spot->severity;
        }
        if (r->severity == spot->severity && strcmp(r->rule, spot->rule) == 0)
            return ++r->n;
    }
    return 1;
}

static bool grow(bw_findings *f) {
    if (f->n < f->cap)
        return true;
    size_t cap = f->cap ? 2 * f->cap : 16;
    bw_finding *more = realloc(f->list, cap * sizeof *more);
    if (!more) {
        f->failed = true;
        return false;
    }
    f->list = more;
    f->cap = cap;
    return true;
}

void bw_findings_add(bw_findings *f, const bw_spot *spot, const char *format, ...) {
    f->errors += spot->severity == BW_ERROR;
    f->warnings += spot->severity == BW_WARNING;
    if (count_rule(f, spot) > BW_FINDINGS_SHOWN || !grow(f))
        return;
    char *message = NULL;
    va_list args;
    va_start(args, format);
    if (vasprintf(&message, format, args) < 0)
        message = NULL;
    va_end(args);
    char *value = NULL;
    if (spot->value)
        value = quotable(spot->value, spot->value_len ? spot->value_len : strlen(spot->value));
    f->list[f->n++] = (bw_finding){spot->severity, spot->rule, spot->line,     copy(spot->column),
                                   value,          message,    copy(spot->fix)};
    f->failed |= message == NULL || (spot->value && !value);
}

bool bw_findings_full(const bw_findings *f) {
    return f->errors >= BW_ERRORS_MAX || f->failed;
}

/* Names of columns come from the file too: the whole line is made safe for a terminal. */
static void print_one(const bw_finding *d, const char *file, FILE *to) {
    static const char *const WORD[] = {"note", "warning", "error"};
    bw_buf line = {0}, safe = {0};
    bw_buf_add(&line, file);
    if (d->line > 0)
        bw_buf_addf(&line, ":%ld", d->line);
    bw_buf_addf(&line, ": %s: ", WORD[d->severity]);
    if (d->column)
        bw_buf_addf(&line, "column '%s': ", d->column);
    if (d->value)
        bw_buf_addf(&line, "'%s': ", d->value);
    bw_buf_add(&line, d->message);
    if (d->fix)
        bw_buf_addf(&line, "; %s", d->fix);
    bw_buf_add_safe(&safe, line.text ? line.text : "");
    fprintf(to, "%s\n", safe.text ? safe.text : "");
    bw_buf_free(&line);
    bw_buf_free(&safe);
}

/* The rule's count, and how many of it were printed so far. */
static struct bw_rule_count *rule_of(bw_findings *f, const bw_finding *d) {
    for (size_t i = 0; i < sizeof f->rules / sizeof *f->rules && f->rules[i].rule; i++)
        if (f->rules[i].severity == d->severity && strcmp(f->rules[i].rule, d->rule) == 0)
            return &f->rules[i];
    return NULL;
}

void bw_findings_print(const bw_findings *f, const char *file, FILE *to) {
    for (int severity = BW_NOTE; severity <= BW_ERROR; severity++) {
        bw_findings left = *f; /* n of a rule counts down to what is still unsaid */
        size_t most = severity == BW_ERROR ? BW_FINDINGS_SHOWN : BW_WARNINGS_PRINTED;
        for (size_t i = 0; i < f->n; i++) {
            struct bw_rule_count *r = rule_of(&left, &f->list[i]);
            const struct bw_rule_count *all = rule_of((bw_findings *)f, &f->list[i]);
            if ((int)f->list[i].severity != severity || !r || all->n - r->n >= most)
                continue;
            print_one(&f->list[i], file, to);
            r->n--;
            if (all->n - r->n == most && r->n)
                fprintf(to, "%s: ... and %zu more of this kind\n", file, r->n);
        }
    }
}

bw_status bw_findings_store(const bw_findings *f, sqlite3 *db, sqlite3_int64 import, bw_err *err) {
    sqlite3_stmt *s;
    bw_status st = bw_db_prepare(db,
                                 "INSERT INTO import_finding(import, severity, rule, line, "
                                 "column_name, value, message, fix) VALUES (?,?,?,?,?,?,?,?)",
                                 &s, err);
    for (size_t i = 0; st == BW_OK && i < f->n; i++) {
        const bw_finding *d = &f->list[i];
        if (d->severity == BW_ERROR)
            continue;
        sqlite3_bind_int64(s, 1, import);
        sqlite3_bind_text(s, 2, d->severity == BW_NOTE ? "info" : "warning", -1, SQLITE_STATIC);
        sqlite3_bind_text(s, 3, d->rule, -1, SQLITE_STATIC);
        if (d->line > 0)
            sqlite3_bind_int64(s, 4, d->line);
        else
            sqlite3_bind_null(s, 4);
        sqlite3_bind_text(s, 5, d->column, -1, SQLITE_STATIC);
        sqlite3_bind_text(s, 6, d->value, -1, SQLITE_STATIC);
        sqlite3_bind_text(s, 7, d->message, -1, SQLITE_STATIC);
        sqlite3_bind_text(s, 8, d->fix, -1, SQLITE_STATIC);
        st = bw_db_run(s, err);
    }
    sqlite3_finalize(s);
    return st;
}

void bw_findings_free(bw_findings *f) {
    for (size_t i = 0; i < f->n; i++) {
        free(f->list[i].column);
        free(f->list[i].value);
        free(f->list[i].message);
        free(f->list[i].fix);
    }
    free(f->list);
    *f = (bw_findings){0};
}
