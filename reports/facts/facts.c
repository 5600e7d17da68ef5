/* reports/facts/facts.c - running a fact's query and keeping the answer. */
#include "reports/facts/facts.h"

#include "sql/db.h"

#include <ctype.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

struct bw_facts {
    bw_arena *arena;
    sqlite3 *db;
    bw_fact **items;
    size_t n;
    int used;
};

bw_facts *bw_facts_new(bw_arena *a, sqlite3 *db) {
    bw_facts *f = bw_arena_get(a, sizeof *f);
    *f = (bw_facts){.arena = a, .db = db};
    return f;
}

const bw_fact *bw_fact_at(const bw_facts *f, size_t i) {
    return i < f->n ? f->items[i] : NULL;
}

size_t bw_facts_count(const bw_facts *f) {
    return f->n;
}

const bw_fact *bw_fact_find(const bw_facts *f, const char *measure, const char *subject) {
    for (size_t i = 0; i < f->n; i++)
        if (strcmp(f->items[i]->measure, measure) == 0 &&
            strcmp(f->items[i]->subject, subject) == 0)
            return f->items[i];
    return NULL;
}

int bw_fact_use(bw_facts *f, const bw_fact *fact) {
    for (size_t i = 0; i < f->n; i++)
        if (f->items[i] == fact && fact->number == 0)
            f->items[i]->number = ++f->used;
    return fact->number;
}

bw_number bw_fact_style(const bw_fact *fact) {
    bw_number style = bw_number_style(fact->value, fact->lo, fact->hi, fact->unit);
    if (fact->unit == BW_MONEY && !isfinite(fact->lo) && fabs(fact->reference) >= 10) {
        /* A difference is not known better than what it is a difference of. */
        int place = (int)floor(log10(fabs(fact->reference))) - 3;
        style.place = style.place > place ? style.place : place;
    }
    return style;
}

/* Letters, digits, dot, hyphen and underscore stay; every other byte becomes ~XX, so that ids differ where
 * subjects do and never need quoting. */
static void add_id_part(bw_buf *b, const char *text) {
    for (const unsigned char *p = (const unsigned char *)text; *p; p++) {
        if (*p < 128 && (isalnum(*p) || *p == '.' || *p == '_' || *p == '-'))
            bw_buf_add_n(b, (const char *)p, 1);
        else
            bw_buf_addf(b, "~%02x", *p);
    }
}

static const char *make_id(bw_arena *a, const bw_fact *fact) {
    bw_buf b = {0};
    add_id_part(&b, fact->measure);
    if (*fact->subject || *fact->at) {
        bw_buf_add(&b, "/");
        add_id_part(&b, fact->subject);
    }
    if (*fact->at) {
        bw_buf_add(&b, "/");
        add_id_part(&b, fact->at);
    }
    const char *id = bw_arena_text(a, b.text);
    bw_buf_free(&b);
    return id;
}

static void read_columns(bw_fact *fact, sqlite3_stmt *s) {
    const struct {
        const char *name;
        double *into;
    } COLUMNS[] = {{"value", &fact->value}, {"lo", &fact->lo},
                   {"hi", &fact->hi},       {"lo50", &fact->lo50},
                   {"hi50", &fact->hi50},   {"probability", &fact->probability},
                   {"n", &fact->n},         {"reference", &fact->reference}};
    for (size_t k = 0; k < sizeof COLUMNS / sizeof *COLUMNS; k++) {
        *COLUMNS[k].into = NAN;
        for (int i = 0; i < sqlite3_column_count(s); i++)
            if (strcmp(sqlite3_column_name(s, i), COLUMNS[k].name) == 0 &&
                sqlite3_column_type(s, i) != SQLITE_NULL)
                *COLUMNS[k].into = sqlite3_column_double(s, i);
    }
    if (!(fact->lo <= fact->hi))
        fact->lo = fact->hi = NAN;
}

static void keep(bw_facts *f, const bw_fact *fact, const bw_fact **out) {
    bw_fact *copy = bw_arena_get(f->arena, sizeof *copy);
    *copy = *fact;
    copy->id = make_id(f->arena, fact);
    f->items = bw_arena_grow(f->arena, f->items, f->n, sizeof *f->items);
    f->items[f->n++] = copy;
    if (out)
        *out = copy;
}

bw_status bw_fact_add(bw_facts *f, bw_fact_name name, const bw_fact **out, bw_err *err,
                      const char *sql, ...) {
    if (out)
        *out = NULL;
    va_list args;
    va_start(args, sql);
    char *query = sqlite3_vmprintf(sql, args);
    va_end(args);
    if (!query)
        return bw_fail_memory(err);
    const char *unit = bw_arena_text(f->arena, name.unit ? name.unit : "number");
    bw_fact fact = {.measure = bw_arena_text(f->arena, name.measure),
                    .subject = bw_arena_text(f->arena, name.subject),
                    .at = bw_arena_text(f->arena, name.at),
                    .unit = bw_unit_named(unit),
                    .unit_name = unit,
                    .sql = bw_arena_text(f->arena, query)};
    sqlite3_free(query);
    sqlite3_stmt *s;
    bool row = false;
    bw_status st = bw_db_prepare(f->db, fact.sql, &s, err);
    if (st == BW_OK)
        st = bw_db_step(s, &row, err);
    if (st == BW_OK && row) {
        read_columns(&fact, s);
        if (isfinite(fact.value))
            keep(f, &fact, out);
    }
    sqlite3_finalize(s);
    return st == BW_OK && !bw_arena_ok(f->arena) ? bw_fail_memory(err) : st;
}
