/* sql/query.c - an authorizer for what may be asked, and near names for what does not exist. */
#include "sql/query.h"

#include "common/buf.h"
#include "sql/db.h"
#include "sql/import/kinds.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#define NEAR_MAX 4 /* names that an error offers */

bw_query_plotter *bw_query_plot = NULL;

/* ---- what is allowed ---- */

/* Pragmas that only tell; most of the others can change the database or the program. */
static bool harmless_pragma(const char *name) {
    static const char *const FINE[] = {
        "table_info",    "table_xinfo",      "table_list",    "index_list",      "index_info",
        "index_xinfo",   "foreign_key_list", "function_list", "compile_options", "collation_list",
        "database_list", "integrity_check",  "quick_check",   "user_version",    "application_id",
        "page_count",    "page_size",        "encoding",      "freelist_count"};
    for (size_t i = 0; i < sizeof FINE / sizeof *FINE; i++)
        if (strcmp(name, FINE[i]) == 0)
            return true;
    return false;
}

struct permit {
    bool write;
    int denied; /* the action that was refused, 0 none */
};

static bool allowed(const struct permit *p, int action, const char *a, const char *b) {
    switch (action) {
    case SQLITE_ATTACH:
    case SQLITE_DETACH:
        return false;
    case SQLITE_PRAGMA:
        return p->write || harmless_pragma(a);
    case SQLITE_FUNCTION:
        return !b || strcmp(b, "load_extension") != 0;
    case SQLITE_SELECT:
    case SQLITE_READ:
    case SQLITE_RECURSIVE:
        return true;
    default:
        return p->write;
    }
}

/* sqlite3_set_authorizer's callback; user is a struct permit. */
static int authorize(void *user, int action, const char *a, const char *b, const char *c,
                     const char *d) {
    struct permit *p = user;
    (void)c;
    (void)d;
    if (allowed(p, action, a, b))
        return SQLITE_OK;
    p->denied = action;
    return SQLITE_DENY;
}

static bw_status refused(int action, bw_err *err) {
    if (action == SQLITE_ATTACH || action == SQLITE_DETACH)
        return bw_fail(err, BW_EARG, "a query sees one database; name another one with --db FILE");
    if (action == SQLITE_FUNCTION)
        return bw_fail(err, BW_EARG, "a query may not load extensions");
    return bw_fail(err, BW_EARG,
                   "the query would change something; add --write when that is meant");
}

/* ---- near names ---- */

struct near {
    char name[NEAR_MAX][80];
    size_t distance[NEAR_MAX];
    size_t n;
};

/* Keeps the nearest, best first. */
static void consider(struct near *n, const char *wanted, const char *candidate) {
    size_t d = bw_name_distance(wanted, candidate);
    if (strlen(candidate) >= 3 && (strstr(candidate, wanted) || strstr(wanted, candidate)))
        d = d > 2 ? 2 : d;
    if (d > strlen(wanted) / 2 + 1)
        return;
    for (size_t i = 0; i < n->n; i++)
        if (strcmp(n->name[i], candidate) == 0)
            return;
    size_t at = n->n < NEAR_MAX ? n->n++ : NEAR_MAX;
    while (at > 0 && d < n->distance[at - 1]) {
        if (at < NEAR_MAX) {
            memcpy(n->name[at], n->name[at - 1], sizeof n->name[at]);
            n->distance[at] = n->distance[at - 1];
        }
        at--;
    }
    if (at < NEAR_MAX) {
        snprintf(n->name[at], sizeof n->name[at], "%s", candidate);
        n->distance[at] = d;
    }
}

static void look_through(sqlite3 *db, const char *sql, const char *wanted, struct near *n) {
    sqlite3_stmt *s = NULL;
    if (sqlite3_prepare_v2(db, sql, -1, &s, NULL) != SQLITE_OK)
        return;
    while (sqlite3_step(s) == SQLITE_ROW)
        consider(n, wanted, (const char *)sqlite3_column_text(s, 0));
    sqlite3_finalize(s);
}

#define ALL_TABLES \
    "SELECT name FROM sqlite_schema WHERE type IN ('table', 'view') AND name NOT LIKE 'sqlite_%'"
#define ALL_COLUMNS                                                             \
    "SELECT DISTINCT c.name FROM sqlite_schema t, pragma_table_info(t.name) c " \
    "WHERE t.type IN ('table', 'view') ORDER BY t.type DESC"
#define ALL_FUNCTIONS "SELECT DISTINCT name FROM pragma_function_list WHERE name GLOB '[a-z]*'"

static bool starts(const char *text, const char *prefix, const char **rest) {
    size_t n = strlen(prefix);
    if (strncmp(text, prefix, n) != 0)
        return false;
    *rest = text + n;
    return true;
}

/* The part of the query around the place of the error, on one line. */
static void quote_place(bw_buf *b, const char *sql, int offset) {
    if (offset < 0 || (size_t)offset > strlen(sql))
        return;
    int from = offset > 20 ? offset - 20 : 0;
    while (from > 0 && ((unsigned char)sql[from] & 0xC0) == 0x80)
        from--;
    bw_buf_add(b, ", near '");
    for (int i = from; sql[i] && i < offset + 20; i++)
        bw_buf_add_n(b, isspace((unsigned char)sql[i]) ? " " : sql + i, 1);
    bw_buf_add(b, "'");
}

static bw_status explain(sqlite3 *db, const char *sql, int denied, bw_err *err) {
    char said[512];
    snprintf(said, sizeof said, "%s", sqlite3_errmsg(db));
    int code = sqlite3_errcode(db), offset = sqlite3_error_offset(db);
    const char *name = NULL;
    struct near near = {.n = 0};
    sqlite3_set_authorizer(db, NULL, NULL);
    if (starts(said, "no such table: ", &name))
        look_through(db, ALL_TABLES, name, &near);
    else if (starts(said, "no such column: ", &name))
        look_through(db, ALL_COLUMNS, strrchr(name, '.') ? strrchr(name, '.') + 1 : name, &near);
    else if (starts(said, "no such function: ", &name))
        look_through(db, ALL_FUNCTIONS, name, &near);
    else if (denied)
        return refused(denied, err);
    else if (code != SQLITE_ERROR)
        return bw_db_fail(db, "query", err);
    bw_buf b = {0};
    bw_buf_add(&b, said);
    if (!name)
        quote_place(&b, sql, offset);
    for (size_t i = 0; i < near.n; i++)
        bw_buf_addf(&b, "%s%s", i ? ", " : "; near names: ", near.name[i]);
    if (name)
        bw_buf_add(&b, "; 'bellwether sql --schema' lists them all");
    bw_status st = bw_fail(err, BW_EARG, "%s", b.text ? b.text : said);
    bw_buf_free(&b);
    return st;
}

static bool only_blank(const char *sql) {
    while (isspace((unsigned char)*sql) || *sql == ';')
        sql++;
    return *sql == '\0';
}

/* SQLite declares its table-valued functions on first use by statements that look like writes to the
 * authorizer; used once before, they no longer do. */
static void declare_json_tables(sqlite3 *db) {
    sqlite3_exec(db, "SELECT 1 FROM json_each('[]'), json_tree('[]')", NULL, NULL, NULL);
}

bw_status bw_query_prepare(sqlite3 *db, const char *sql, bool write, sqlite3_stmt **out,
                           const char **rest, bw_err *err) {
    *out = NULL;
    const char *tail = sql;
    struct permit permit = {write, 0};
    declare_json_tables(db);
    sqlite3_set_authorizer(db, authorize, &permit);
    int rc = sqlite3_prepare_v2(db, sql, -1, out, &tail);
    bw_status st = rc == SQLITE_OK ? BW_OK : explain(db, sql, permit.denied, err);
    sqlite3_set_authorizer(db, NULL, NULL);
    if (rest)
        *rest = tail;
    if (st == BW_OK && !rest && !only_blank(tail))
        st = bw_fail(err, BW_EARG, "one statement at a time; what follows is '%.40s'", tail);
    if (st == BW_OK && *out && !write && !sqlite3_stmt_readonly(*out))
        st = bw_fail(err, BW_EARG,
                     "the query would change the database; add --write when that is meant");
    if (st != BW_OK) {
        sqlite3_finalize(*out);
        *out = NULL;
    }
    return st;
}

/* ---- results in memory ---- */

static char *blob_text(sqlite3_stmt *s, int i) {
    char *text = NULL;
    return asprintf(&text, "(blob, %d bytes)", sqlite3_column_bytes(s, i)) < 0 ? NULL : text;
}

static bool read_cell(sqlite3_stmt *s, int i, bw_query_cell *c) {
    *c = (bw_query_cell){BW_CELL_NULL, 0, NULL};
    switch (sqlite3_column_type(s, i)) {
    case SQLITE_NULL:
        return true;
    case SQLITE_INTEGER:
        c->type = BW_CELL_INTEGER;
        break;
    case SQLITE_FLOAT:
        c->type = BW_CELL_REAL;
        break;
    case SQLITE_BLOB:
        c->type = BW_CELL_BLOB;
        c->text = blob_text(s, i);
        return c->text != NULL;
    default:
        c->type = BW_CELL_TEXT;
    }
    if (c->type != BW_CELL_TEXT)
        c->number = sqlite3_column_double(s, i);
    const char *text = (const char *)sqlite3_column_text(s, i);
    c->text = text ? strdup(text) : NULL;
    return c->text != NULL;
}

static bool add_row(bw_query_result *r, size_t *cap, sqlite3_stmt *s) {
    if (r->n_rows == *cap) {
        size_t more = *cap ? 2 * *cap : 64, bytes;
        if (!bw_size_mul(more, r->n_columns * sizeof *r->cells, &bytes))
            return false;
        bw_query_cell *cells = realloc(r->cells, bytes);
        if (!cells)
            return false;
        r->cells = cells;
        *cap = more;
    }
    bw_query_cell *row = r->cells + r->n_rows * r->n_columns;
    memset(row, 0, r->n_columns * sizeof *row);
    r->n_rows++;
    for (size_t i = 0; i < r->n_columns; i++)
        if (!read_cell(s, (int)i, &row[i]))
            return false;
    return true;
}

static bw_status read_names(sqlite3_stmt *s, bw_query_result *r, bw_err *err) {
    r->n_columns = (size_t)sqlite3_column_count(s);
    r->names = calloc(r->n_columns + 1, sizeof *r->names);
    if (!r->names)
        return bw_fail_memory(err);
    for (size_t i = 0; i < r->n_columns; i++) {
        r->names[i] = strdup(sqlite3_column_name(s, (int)i));
        if (!r->names[i])
            return bw_fail_memory(err);
    }
    return BW_OK;
}

bw_status bw_query_collect(sqlite3_stmt *s, bw_query_result **out, bw_err *err) {
    *out = NULL;
    bw_query_result *r = calloc(1, sizeof *r);
    if (!r)
        return bw_fail_memory(err);
    size_t cap = 0;
    bool row = true;
    bw_status st = read_names(s, r, err);
    while (st == BW_OK && row) {
        st = bw_db_step(s, &row, err);
        if (st == BW_OK && row && !add_row(r, &cap, s))
            st = bw_fail_memory(err);
    }
    if (st != BW_OK) {
        bw_query_free(r);
        return st;
    }
    *out = r;
    return BW_OK;
}

void bw_query_free(bw_query_result *r) {
    if (!r)
        return;
    for (size_t i = 0; i < r->n_columns && r->names; i++)
        free(r->names[i]);
    for (size_t i = 0; i < r->n_rows * r->n_columns; i++)
        free(r->cells[i].text);
    free(r->names);
    free(r->cells);
    free(r);
}
