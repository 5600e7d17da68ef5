/* sql/import/columns.c - by --map first, then by exact name, then by the other names in sql/import/kinds.c. */
#include "sql/import/columns.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define NAME_SHOWN 80 /* bytes of a column's name in a list */

int bw_column_find(const bw_sheet *t, const char *name) {
    for (size_t i = 0; i < bw_sheet_columns(t); i++)
        if (strcmp(bw_sheet_column(t, i), name) == 0)
            return (int)i;
    for (size_t i = 0; i < bw_sheet_columns(t); i++)
        if (strcasecmp(bw_sheet_column(t, i), name) == 0)
            return (int)i;
    return -1;
}

const char *bw_column_near(const bw_sheet *t, const char *name) {
    const char *best = NULL;
    size_t least = strlen(name) / 2 + 1;
    for (size_t i = 0; i < bw_sheet_columns(t); i++) {
        size_t d = bw_name_distance(name, bw_sheet_column(t, i));
        if (d < least) {
            least = d;
            best = bw_sheet_column(t, i);
        }
    }
    return best;
}

/* Names stand in messages: one that is far too long is cut, between two characters. */
static void list_name(bw_buf *out, const char *name) {
    size_t n = strlen(name), cut = n;
    if (n > NAME_SHOWN)
        for (cut = NAME_SHOWN; cut > 0 && ((unsigned char)name[cut] & 0xC0) == 0x80;)
            cut--;
    bw_buf_addf(out, "%s%.*s%s", out->len ? ", " : "", (int)cut, name, cut < n ? "…" : "");
}

void bw_columns_list(const bw_sheet *t, bw_buf *out) {
    bw_buf names = {0};
    for (size_t i = 0; i < bw_sheet_columns(t); i++)
        list_name(&names, bw_sheet_column(t, i));
    bw_buf_add(out, names.text ? names.text : "");
    bw_buf_free(&names);
}

int bw_pair_next(const char **list, char *buf, size_t size, char **key, char **value) {
    const char *p = *list;
    size_t n = 0;
    char *equals = NULL;
    if (*p == '\0')
        return 0;
    for (; *p && *p != ','; p++) {
        if (*p == '\\' && (p[1] == ',' || p[1] == '\\'))
            p++;
        if (n + 2 > size)
            return -1;
        if (*p == '=' && !equals)
            equals = buf + n;
        buf[n++] = *p;
    }
    buf[n] = '\0';
    *list = *p ? p + 1 : p;
    if (!equals)
        return -1;
    *equals = '\0';
    *key = buf;
    *value = equals + 1;
    return 1;
}

static bw_status unknown_field(const bw_kind *kind, const char *what, const char *name,
                               bw_err *err) {
    bw_buf names = {0};
    for (size_t i = 0; kind->fields[i].name; i++)
        bw_buf_addf(&names, "%s%s", i ? ", " : "", kind->fields[i].name);
    bw_status st = bw_fail(err, BW_EUSAGE, "--%s: '%s' is no field of %s; fields are %s", what,
                           name, kind->name, names.text);
    bw_buf_free(&names);
    return st;
}

static void no_such_column(const bw_sheet *t, const char *name, const char *option,
                           bw_findings *findings) {
    const char *near = bw_column_near(t, name);
    bw_buf fix = {0};
    if (near)
        bw_buf_addf(&fix, "the nearest is '%s'; ", near);
    bw_buf_add(&fix, "columns are ");
    bw_columns_list(t, &fix);
    bw_findings_add(findings,
                    &(bw_spot){.severity = BW_ERROR,
                               .rule = "missing_column",
                               .line = 1,
                               .column = name,
                               .fix = fix.text},
                    "%s names a column that the file does not have", option);
    bw_buf_free(&fix);
}

static bw_status apply_map(const bw_sheet *t, const bw_kind *kind, const char *map,
                           bw_findings *findings, bw_columns *out, bw_err *err) {
    char buf[512], *field, *column;
    int more;
    while (map && (more = bw_pair_next(&map, buf, sizeof buf, &field, &column)) != 0) {
        if (more < 0)
            return bw_fail(err, BW_EUSAGE, "--map: field=column,field=column,... is wanted");
        int f = bw_kind_field(kind, field);
        if (f < 0)
            return unknown_field(kind, "map", field, err);
        out->column[f] = bw_column_find(t, column);
        if (out->column[f] < 0)
            no_such_column(t, column, "--map", findings);
    }
    return BW_OK;
}

static bw_status apply_set(const bw_kind *kind, const char *set, bw_columns *out, bw_err *err) {
    char buf[512], *field, *value;
    int more;
    while (set && (more = bw_pair_next(&set, buf, sizeof buf, &field, &value)) != 0) {
        if (more < 0)
            return bw_fail(err, BW_EUSAGE, "--set: field=value,field=value,... is wanted");
        int f = bw_kind_field(kind, field);
        if (f < 0)
            return unknown_field(kind, "set", field, err);
        free(out->constant[f]);
        out->constant[f] = strdup(value);
        if (!out->constant[f])
            return bw_fail_memory(err);
    }
    return BW_OK;
}

static bool taken(const bw_columns *c, size_t n, int column) {
    for (size_t i = 0; i < n; i++)
        if (c->column[i] == column)
            return true;
    return false;
}

/* The first column that fits at least so well and is not another field's. */
static int best_column(const bw_sheet *t, const bw_columns *c, size_t n, const bw_field *field,
                       int level) {
    for (size_t i = 0; i < bw_sheet_columns(t); i++)
        if (bw_field_fits(field, bw_sheet_column(t, i)) >= level && !taken(c, n, (int)i))
            return (int)i;
    return -1;
}

static void fit_names(const bw_sheet *t, const bw_kind *kind, bw_columns *out) {
    size_t n = bw_kind_fields(kind);
    for (int level = 2; level >= 1; level--)
        for (size_t f = 0; f < n; f++)
            if (out->column[f] < 0 && !out->constant[f])
                out->column[f] = best_column(t, out, n, &kind->fields[f], level);
}

/* Which column was meant? The nearest to the field's own name or to any other name for it. */
static const char *nearest_unused(const bw_sheet *t, const bw_columns *c, size_t n,
                                  const bw_field *field) {
    const char *best = NULL;
    size_t least = 4;
    char names[1024], *save, given[128];
    snprintf(names, sizeof names, "%s %s", field->name, field->also ? field->also : "");
    for (char *w = strtok_r(names, " ", &save); w; w = strtok_r(NULL, " ", &save))
        for (size_t i = 0; i < bw_sheet_columns(t); i++) {
            bw_name_simplify(bw_sheet_column(t, i), given, sizeof given);
            size_t d = bw_name_distance(w, given);
            if (d < least && 2 * d < strlen(w) && !taken(c, n, (int)i)) {
                least = d;
                best = bw_sheet_column(t, i);
            }
        }
    return best;
}

static void missing_field(const bw_sheet *t, const bw_kind *kind, const bw_columns *c, size_t f,
                          bw_findings *findings) {
    const bw_field *field = &kind->fields[f];
    const char *near = nearest_unused(t, c, bw_kind_fields(kind), field);
    bw_buf fix = {0};
    if (near)
        bw_buf_addf(&fix, "is it '%s'? then add --map %s='%s'; ", near, field->name, near);
    else
        bw_buf_addf(
            &fix,
            "name it with --map %s=COLUMN, or give one value for all rows with --set %s=VALUE; ",
            field->name, field->name);
    bw_buf_add(&fix, "columns are ");
    bw_columns_list(t, &fix);
    bw_findings_add(
        findings,
        &(bw_spot){.severity = BW_ERROR, .rule = "missing_column", .line = 1, .fix = fix.text},
        "no column for '%s'", field->name);
    bw_buf_free(&fix);
}

static void note_unused(const bw_sheet *t, const bw_columns *c, size_t n, bw_findings *findings) {
    bw_buf names = {0};
    for (size_t i = 0; i < bw_sheet_columns(t); i++)
        if (!taken(c, n, (int)i))
            list_name(&names, bw_sheet_column(t, i));
    if (names.len)
        bw_findings_add(findings, &(bw_spot){.severity = BW_NOTE, .rule = "unused_column"},
                        "columns that were not used: %s", names.text);
    bw_buf_free(&names);
}

/* Of two columns with one name the first is read, which may be the wrong one. */
static void warn_twice(const bw_sheet *t, const bw_columns *c, size_t n, bw_findings *findings) {
    for (size_t i = 0; i < bw_sheet_columns(t); i++) {
        int first = bw_column_find(t, bw_sheet_column(t, i));
        if (first < (int)i && *bw_sheet_column(t, i) && taken(c, n, first))
            bw_findings_add(findings,
                            &(bw_spot){.severity = BW_WARNING,
                                       .rule = "column_twice",
                                       .line = 1,
                                       .column = bw_sheet_column(t, i),
                                       .fix = "rename or remove the one that is not meant"},
                            "stands in the header more than once, and the first is read");
    }
}

bw_status bw_columns_find(const bw_sheet *t, const bw_kind *kind, const char *map, const char *set,
                          bw_findings *findings, bw_columns *out, bw_err *err) {
    for (size_t i = 0; i < BW_FIELDS_MAX; i++)
        out->column[i] = -1;
    bw_status st = apply_map(t, kind, map, findings, out, err);
    if (st == BW_OK)
        st = apply_set(kind, set, out, err);
    if (st != BW_OK)
        return st;
    fit_names(t, kind, out);
    for (size_t f = 0; kind->fields[f].name; f++)
        if (kind->fields[f].flags & BW_FIELD_REQUIRED && out->column[f] < 0 && !out->constant[f])
            missing_field(t, kind, out, f, findings);
    warn_twice(t, out, bw_kind_fields(kind), findings);
    note_unused(t, out, bw_kind_fields(kind), findings);
    return BW_OK;
}

void bw_columns_free(bw_columns *c) {
    for (size_t i = 0; i < BW_FIELDS_MAX; i++)
        free(c->constant[i]);
    *c = (bw_columns){0};
}
