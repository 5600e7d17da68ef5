/* analyze/price/price_load.c - the SQL behind price and promotion. */
#include "analyze/price/price_load.h"

#include "analyze/table.h"
#include "sql/db.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define YEAR 365.25

const char BW_PRICE_INPUT[] =
    "SELECT day, product, total(units), total(revenue), avg(price), avg(discount), count(*) FROM "
    "outcome "
    "GROUP BY day, product "
    "UNION ALL SELECT name || day, end_day, kind, 0, 0, 0, 0 FROM event "
    "UNION ALL SELECT series, day, value, 0, 0, 0, 0 FROM context WHERE series LIKE '%price%' "
    "UNION ALL SELECT key, value, 0, 0, 0, 0, 0 FROM setting WHERE key IN ('margin', 'week_start')";

static const char ROWS[] =
    "WITH ws AS (SELECT coalesce((SELECT CAST(value AS INTEGER) FROM setting WHERE key = "
    "'week_start'), 1) AS w) "
    "SELECT date(day, '-' || ((strftime('%w', day) - w + 7) % 7) || ' days') AS week, product, "
    "sum(units), "
    " sum(units * coalesce(price, revenue / units)) / sum(units) AS price "
    "FROM outcome, ws WHERE product <> '' AND units > 0 AND coalesce(price, revenue / units) > 0 "
    "GROUP BY week, product HAVING price > 0 ORDER BY week, product";

static size_t product_code(bw_price_rows *r, const char *name) {
    for (size_t p = 0; p < r->products; p++)
        if (strcmp(r->name[p], name) == 0)
            return p;
    char **more = realloc(r->name, (r->products + 1) * sizeof *more);
    if (!more)
        return SIZE_MAX;
    r->name = more;
    r->name[r->products] = strdup(name);
    return r->name[r->products] ? r->products++ : SIZE_MAX;
}

static bw_status grow(bw_price_rows *r, size_t *cap, bw_err *err) {
    if (r->n < *cap)
        return BW_OK;
    *cap = *cap ? 2 * *cap : 1024;
    void *p[] = {
        realloc(r->units, *cap * sizeof *r->units), realloc(r->price, *cap * sizeof *r->price),
        realloc(r->control, 3 * *cap * sizeof *r->control),
        realloc(r->product, *cap * sizeof *r->product), realloc(r->week, *cap * sizeof *r->week)};
    r->units = p[0] ? p[0] : r->units;
    r->price = p[1] ? p[1] : r->price;
    r->control = p[2] ? p[2] : r->control;
    r->product = p[3] ? p[3] : r->product;
    r->week = p[4] ? p[4] : r->week;
    return p[0] && p[1] && p[2] && p[3] && p[4] ? BW_OK : bw_fail_memory(err);
}

static bw_status add_row(bw_price_rows *r, sqlite3_stmt *s, size_t *cap, bw_err *err) {
    const char *week = (const char *)sqlite3_column_text(s, 0);
    double day, first;
    if (!week || !bw_day_parse(week, &day))
        return BW_OK;
    if (!r->n)
        memcpy(r->first, week, sizeof r->first);
    r->weeks += strcmp(r->last, week) != 0;
    memcpy(r->last, week, sizeof r->last);
    bw_day_parse(r->first, &first);
    bw_status st = grow(r, cap, err);
    size_t code = st == BW_OK ? product_code(r, (const char *)sqlite3_column_text(s, 1)) : 0;
    if (st == BW_OK && code == SIZE_MAX)
        st = bw_fail_memory(err);
    if (st != BW_OK)
        return st;
    r->units[r->n] = sqlite3_column_double(s, 2);
    r->price[r->n] = sqlite3_column_double(s, 3);
    r->product[r->n] = code;
    r->week[r->n] = r->weeks - 1;
    double *c = r->control + 3 * r->n, turn = 2 * M_PI * day / YEAR;
    c[0] = (day - first) / YEAR;
    c[1] = sin(turn);
    c[2] = cos(turn);
    r->n++;
    return BW_OK;
}

bw_status bw_price_rows_load(sqlite3 *db, bw_price_rows *out, bw_notes *notes, bw_err *err) {
    *out = (bw_price_rows){0};
    sqlite3_stmt *s;
    size_t cap = 0;
    bw_status st = bw_db_prepare(db, ROWS, &s, err);
    bool row = true;
    while (st == BW_OK && row) {
        st = bw_db_step(s, &row, err);
        if (st == BW_OK && row)
            st = add_row(out, s, &cap, err);
    }
    sqlite3_finalize(s);
    if (st == BW_OK && out->n == 0)
        st =
            bw_fail(err, BW_EDATA,
                    "no sales by product with units and a price; import them with columns product, "
                    "units and price");
    double idle =
        bw_db_number(db, "SELECT count(*) FROM outcome WHERE product <> '' AND NOT units > 0", 0);
    if (st == BW_OK && idle > 0)
        bw_note(notes, "%.0f rows without units are left out: nothing sold has no logarithm", idle);
    if (st != BW_OK)
        bw_price_rows_free(out);
    return st;
}

void bw_price_rows_free(bw_price_rows *r) {
    for (size_t p = 0; p < r->products; p++)
        free(r->name[p]);
    free(r->name);
    free(r->units);
    free(r->price);
    free(r->control);
    free(r->product);
    free(r->week);
    *r = (bw_price_rows){0};
}

static bw_status load_days(sqlite3 *db, bw_daily *out, bw_err *err) {
    sqlite3_stmt *s;
    bw_status st = bw_db_prepare(
        db,
        "SELECT day, total(revenue), julianday(max(day) OVER ()) - julianday(min(day) OVER ()) + 1 "
        "FROM outcome "
        "WHERE revenue IS NOT NULL AND date(day) IS NOT NULL GROUP BY day ORDER BY day",
        &s, err);
    bool row = true;
    while (st == BW_OK && row) {
        st = bw_db_step(s, &row, err);
        double day;
        if (st != BW_OK || !row || !bw_day_parse((const char *)sqlite3_column_text(s, 0), &day))
            continue;
        if (!out->y) {
            out->first = day;
            out->n = (size_t)sqlite3_column_double(s, 2);
            out->y = malloc(out->n * sizeof *out->y);
            for (size_t t = 0; out->y && t < out->n; t++)
                out->y[t] = NAN;
        }
        if (!out->y)
            st = bw_fail_memory(err);
        else if (day >= out->first && day < out->first + (double)out->n)
            out->y[(size_t)(day - out->first)] = sqlite3_column_double(s, 1);
    }
    sqlite3_finalize(s);
    return st == BW_OK && !out->y ? bw_fail(err, BW_EDATA, "there are no sales") : st;
}

static bw_status load_events(sqlite3 *db, bool promotions, bw_span **out, size_t *n, bw_err *err) {
    sqlite3_stmt *s;
    size_t most = (size_t)bw_db_number(db, "SELECT count(*) FROM event", 0);
    *out = calloc(most + 1, sizeof **out);
    if (!*out)
        return bw_fail_memory(err);
    bw_status st = bw_db_prepare(
        db,
        "SELECT name, day, end_day FROM event WHERE (kind = 'promotion') = ?1 AND (?1 OR kind IN "
        "('holiday', 'launch', 'operations')) ORDER BY day, name",
        &s, err);
    bool row = true;
    if (st == BW_OK)
        sqlite3_bind_int(s, 1, promotions);
    while (st == BW_OK && row && *n < most) {
        st = bw_db_step(s, &row, err);
        bw_span *e = &(*out)[*n];
        if (st != BW_OK || !row ||
            !bw_day_parse((const char *)sqlite3_column_text(s, 1), &e->first) ||
            !bw_day_parse((const char *)sqlite3_column_text(s, 2), &e->last))
            continue;
        e->name = strdup((const char *)sqlite3_column_text(s, 0));
        *n += e->name != NULL;
        st = e->name ? BW_OK : bw_fail_memory(err);
    }
    sqlite3_finalize(s);
    return st;
}

bw_status bw_daily_load(sqlite3 *db, bw_daily *out, bw_err *err) {
    *out = (bw_daily){0};
    bw_status st = load_days(db, out, err);
    if (st == BW_OK)
        st = load_events(db, true, &out->promotion, &out->promotions, err);
    if (st == BW_OK)
        st = load_events(db, false, &out->event, &out->events, err);
    if (st != BW_OK)
        bw_daily_free(out);
    return st;
}

static void free_spans(bw_span *s, size_t n) {
    for (size_t i = 0; i < n; i++)
        free((char *)s[i].name);
    free(s);
}

void bw_daily_free(bw_daily *d) {
    free(d->y);
    free_spans(d->promotion, d->promotions);
    free_spans(d->event, d->events);
    *d = (bw_daily){0};
}
