/* sql/import/guess.c - tries each kind of sql/import/kinds.h on the names and contents of the columns, and the
 * modelling table; the most telling one wins. */
#include "sql/import/guess_internal.h"

#include "sql/import/columns.h"
#include "sql/import/kinds.h"

#include <stdlib.h>
#include <string.h>

#define SAMPLE    20000
#define LONG_TEXT 15 /* bytes a cell, on average: a text, not a code */

static bool holds(const bw_field *field, const bw_column_profile *c) {
    size_t seen = c->cells - c->missing;
    switch (field->type) {
    case BW_TYPE_DAY:
    case BW_TYPE_TIME:
        return bw_profile_is_date(c);
    case BW_TYPE_REAL:
    case BW_TYPE_AMOUNT:
    case BW_TYPE_SHARE:
    case BW_TYPE_RATING:
        return bw_profile_is_number(c);
    case BW_TYPE_TEXT:
        return strcmp(field->name, "text") != 0 || (seen > 0 && c->text_bytes >= LONG_TEXT * seen);
    default:
        return true;
    }
}

/* Fields of the kind that the file has in name and content; 0 when a required one is missing. */
static size_t fit_kind(const bw_sheet *t, const bw_profile *p, const bw_kind *kind, const char *set,
                       bw_columns *columns, bw_err *err) {
    bw_findings ignored = {0};
    size_t fits = 0, required = 0;
    bw_status st = bw_columns_find(t, kind, NULL, set, &ignored, columns, err);
    bool missing = ignored.errors > 0;
    bw_findings_free(&ignored);
    if (st != BW_OK || missing)
        return 0;
    for (size_t f = 0; kind->fields[f].name; f++) {
        int c = columns->column[f];
        bool good = columns->constant[f] || (c >= 0 && holds(&kind->fields[f], &p->columns[c]));
        if (kind->fields[f].flags & BW_FIELD_REQUIRED && !good)
            return 0;
        fits += good;
        required += kind->fields[f].flags & BW_FIELD_REQUIRED && good;
        if (c >= 0 && !good)
            columns->column[f] = -1;
    }
    return fits + required; /* a required field says more */
}

static bool has_field(const bw_kind *kind, const bw_columns *c, const char *name) {
    return c->column[bw_kind_field(kind, name)] >= 0;
}

/* An outcome without anything that was sold is a calendar, a test without its effect a list. */
static bool says_something(const bw_kind *kind, const bw_columns *c) {
    if (strcmp(kind->name, "outcome") == 0)
        return has_field(kind, c, "revenue") || has_field(kind, c, "orders") ||
               has_field(kind, c, "units");
    return strcmp(kind->name, "experiment") != 0 || has_field(kind, c, "effect");
}

static cJSON *kind_mapping(const bw_sheet *t, const bw_kind *kind, const bw_columns *c,
                           bw_buf *reasons) {
    cJSON *root = cJSON_CreateObject();
    cJSON *map = root ? cJSON_AddObjectToObject(root, "map") : NULL;
    bool good = map != NULL;
    for (size_t f = 0; good && kind->fields[f].name; f++)
        if (c->column[f] >= 0) {
            const char *column = bw_sheet_column(t, (size_t)c->column[f]);
            good = cJSON_AddStringToObject(map, kind->fields[f].name, column) != NULL;
            bw_buf_addf(reasons, "  %-28s %s\n", column, kind->fields[f].name);
        }
    cJSON *set = NULL;
    for (size_t f = 0; good && kind->fields[f].name; f++)
        if (c->constant[f]) {
            set = set ? set : cJSON_AddObjectToObject(root, "set");
            good = set && cJSON_AddStringToObject(set, kind->fields[f].name, c->constant[f]);
            bw_buf_addf(reasons, "  %-28s %s, the same for all rows: correct it\n", "(no column)",
                        kind->fields[f].name);
        }
    if (good)
        return root;
    cJSON_Delete(root);
    return NULL;
}

struct best {
    const bw_kind *kind;
    bw_columns columns;
    size_t score;
};

static void try_kind(const bw_sheet *t, const bw_profile *p, const bw_kind *kind, const char *set,
                     struct best *best, bw_err *err) {
    bw_columns c = {.column = {0}};
    size_t score = fit_kind(t, p, kind, set, &c, err);
    if (score > best->score && says_something(kind, &c)) {
        bw_columns_free(&best->columns);
        *best = (struct best){kind, c, score};
    } else {
        bw_columns_free(&c);
    }
}

static void try_kinds(const bw_sheet *t, const bw_profile *p, struct best *best, bw_err *err) {
    for (const bw_kind *k = BW_KINDS; k->name; k++)
        try_kind(t, p, k, NULL, best, err);
    if (!best->kind) /* the export of one platform names no channel */
        try_kind(t, p, bw_kind_find("spend"), "channel=paid", best, err);
}

static bw_status nothing_fits(const char *path, const bw_sheet *t, const bw_profile *p,
                              bw_err *err) {
    bool dates = false, texts = false;
    bw_buf names = {0};
    for (size_t i = 0; i < bw_sheet_columns(t); i++) {
        dates |= bw_profile_is_date(&p->columns[i]);
        texts |= !bw_profile_is_number(&p->columns[i]) &&
                 p->columns[i].text_bytes > LONG_TEXT * p->columns[i].cells;
    }
    bw_columns_list(t, &names);
    bw_status st = bw_fail(
        err, BW_EDATA,
        "%s: no kind of import fits: %s. 'bellwether import --help' tells how to name the columns, "
        "which are %s",
        path,
        dates   ? "it has dates, but no column beside them whose name is known"
        : texts ? "it has texts, but no column whose name is known"
                : "it has neither dates nor texts",
        names.text ? names.text : "");
    bw_buf_free(&names);
    return st;
}

static size_t mapped(const bw_columns *c) {
    size_t n = 0;
    for (size_t f = 0; f < BW_FIELDS_MAX; f++)
        n += c->column[f] >= 0;
    return n;
}

/* Media columns, or an outcome with more than its kind can hold, make a modelling table. */
static bool take_wide(const cJSON *wide, size_t roles, size_t media, const struct best *best) {
    if (!wide || roles == 0)
        return false;
    if (!best->kind)
        return media > 0 || roles >= 2;
    if (strcmp(best->kind->name, "outcome") == 0)
        return media > 0 || roles + 1 >= mapped(&best->columns) + 2;
    return media >= 2 && strcmp(best->kind->name, "spend") != 0;
}

static bw_status choose(const char *path, const bw_sheet *t, const bw_profile *p, bw_guess *out,
                        bw_err *err) {
    struct best best = {.score = 0};
    bw_buf wide_reasons = {0};
    cJSON *wide = NULL, *root;
    size_t roles = 0, media = 0;
    try_kinds(t, p, &best, err);
    bw_status st = bw_guess_wide(t, p, &wide_reasons, &wide, &roles, &media, err);
    if (st == BW_OK && !take_wide(wide, roles, media, &best) && !best.kind)
        st = nothing_fits(path, t, p, err);
    if (st == BW_OK) {
        bool is_wide = take_wide(wide, roles, media, &best);
        out->kind = is_wide ? "wide" : best.kind->name;
        root = is_wide ? wide : kind_mapping(t, best.kind, &best.columns, &out->reasons);
        if (is_wide)
            bw_buf_add(&out->reasons, wide_reasons.text);
        out->mapping = root ? cJSON_Print(root) : NULL;
        if (!is_wide)
            cJSON_Delete(root);
        st = out->mapping && bw_buf_ok(&out->reasons) ? BW_OK : bw_fail_memory(err);
    }
    cJSON_Delete(wide);
    bw_columns_free(&best.columns);
    bw_buf_free(&wide_reasons);
    return st;
}

bw_status bw_guess_file(const char *path, const bw_sheet_options *reading, bw_guess *out,
                        bw_err *err) {
    bw_sheet *t = NULL;
    bw_profile p = {0};
    bw_findings ignored = {0};
    bw_status st = bw_sheet_open(path, reading, &ignored, &t, err);
    if (st == BW_OK)
        st = bw_profile_run(t, SAMPLE, 0, BW_ORDER_UNKNOWN, &p, err);
    if (st == BW_OK && p.rows == 0)
        st = bw_fail(err, BW_EDATA, "%s: the file has a header and no rows", path);
    if (st == BW_OK)
        st = choose(path, t, &p, out, err);
    bw_profile_free(&p);
    bw_sheet_close(t);
    bw_findings_free(&ignored);
    return st;
}

void bw_guess_free(bw_guess *g) {
    cJSON_free(g->mapping);
    bw_buf_free(&g->reasons);
    *g = (bw_guess){0};
}
