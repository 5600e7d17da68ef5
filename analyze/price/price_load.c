/* analyze/price/price_load.c - the SQL behind prices: units and price by product and week. */
#include "analyze/price/price_load.h"

#include "analyze/table.h"
#include "sql/db.h"

#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define YEAR 365.25

const char BW_PRICE_INPUT[] =
    "SELECT day, product, total(units), total(revenue), avg(price), avg(discount), count(*) FROM "
    "outcome "
    "GROUP BY day, product "
    "UNION ALL SELECT name || day, end_day, kind, 0, 0, 0, 0 FROM event "
    "UNION ALL SELECT series, day, value, 0, 0, 0, 0 FROM context WHERE series LIKE '%price%' "
    "UNION ALL SELECT name, category, 0, 0, 0, 0, 0 FROM product "
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
