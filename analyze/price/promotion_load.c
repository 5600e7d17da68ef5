/* analyze/price/promotion_load.c - the SQL behind promotions: sales by day, and which products they were for.
 *
 * Nobody records for what a promotion was: its products are those that were clearly cheaper while it ran
 * than in the four weeks before it. What competes with them are the other products of their categories, or
 * all others where no product has a category. */
#include "analyze/price/promotion_load.h"

#include "analyze/table.h"
#include "sql/db.h"

#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define SETS_MOST 12u /* two models each */

/* Discounts decide where the shop records them, else prices. By 2 % of the price at least. */
static const char CHEAPER[] =
    "WITH p AS (SELECT day, end_day, name FROM event WHERE kind = 'promotion'), "
    "told AS (SELECT total(discount) > 0 AS discounts FROM outcome WHERE product <> ''), "
    "s AS (SELECT day, product, avg(discount) AS discount, avg(price) AS price, "
    " EXISTS (SELECT 1 FROM p WHERE o.day BETWEEN p.day AND p.end_day) AS busy "
    " FROM outcome o WHERE product <> '' GROUP BY day, product), "
    "c AS (SELECT p.name, p.day, s.product, "
    " coalesce(avg(s.discount) FILTER (WHERE s.day >= p.day), 0) AS off, "
    " coalesce(avg(s.discount) FILTER (WHERE s.day < p.day AND NOT s.busy), 0) AS off_before, "
    " avg(s.price) FILTER (WHERE s.day >= p.day) AS price, "
    " avg(s.price) FILTER (WHERE s.day < p.day AND NOT s.busy) AS price_before "
    " FROM p JOIN s ON s.day BETWEEN date(p.day, '-28 days') AND p.end_day GROUP BY 1, 2, 3) "
    "SELECT c.name, c.day, json_group_array(c.product) FILTER (WHERE CASE WHEN told.discounts THEN "
    " c.off > c.off_before + 0.02 ELSE c.price < 0.98 * c.price_before END) "
    "FROM (SELECT * FROM c ORDER BY product) c, told GROUP BY c.day, c.name ORDER BY c.day, c.name";

/* Filled in: a JSON array of products. */
static const char SET[] =
    "WITH own AS (SELECT value AS name FROM json_each(?1)), "
    "rival AS (SELECT DISTINCT o.product AS name FROM outcome o LEFT JOIN product p ON p.name = "
    " o.product WHERE o.product <> '' AND o.product NOT IN (SELECT name FROM own) AND "
    " (p.category IN (SELECT category FROM product WHERE name IN (SELECT name FROM own)) OR "
    "  NOT EXISTS (SELECT 1 FROM product WHERE name IN (SELECT name FROM own)))) "
    "SELECT day, total(revenue) FILTER (WHERE product IN (SELECT name FROM own)), "
    " total(revenue) FILTER (WHERE product IN (SELECT name FROM rival)), "
    " (SELECT count(*) FROM rival) FROM outcome WHERE product <> '' AND revenue IS NOT NULL "
    "GROUP BY day";

static double *days_new(size_t n) {
    double *y = malloc(n * sizeof *y);
    for (size_t t = 0; y && t < n; t++)
        y[t] = NAN;
    return y;
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
            out->y = days_new(out->n);
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

/* The two series of a set; *rivals: products that compete with it. */
static bw_status load_set(sqlite3 *db, const char *products, const bw_daily *out, bw_promoted *set,
                          bool *rivals, bw_err *err) {
    sqlite3_stmt *s;
    bw_status st = bw_db_prepare(db, SET, &s, err);
    if (st != BW_OK)
        return st;
    sqlite3_bind_text(s, 1, products, -1, SQLITE_STATIC);
    set->own = days_new(out->n);
    set->others = days_new(out->n);
    if (!set->own || !set->others)
        st = bw_fail_memory(err);
    bool row = true;
    while (st == BW_OK && row) {
        st = bw_db_step(s, &row, err);
        double day;
        if (st != BW_OK || !row || !bw_day_parse((const char *)sqlite3_column_text(s, 0), &day) ||
            day < out->first || day >= out->first + (double)out->n)
            continue;
        size_t t = (size_t)(day - out->first);
        set->own[t] = sqlite3_column_double(s, 1);
        set->others[t] = sqlite3_column_double(s, 2);
        *rivals = sqlite3_column_double(s, 3) > 0;
    }
    sqlite3_finalize(s);
    return st;
}

static size_t find_set(char *const *products, size_t n, const char *wanted) {
    size_t k = 0;
    while (k < n && strcmp(products[k], wanted) != 0)
        k++;
    return k;
}

/* Gives promotion i the set of these products, which is loaded when it is new. */
static bw_status give_set(sqlite3 *db, bw_daily *out, char **products, size_t i, const char *wanted,
                          bw_err *err) {
    size_t k = find_set(products, out->sets, wanted);
    if (k == SETS_MOST) {
        out->why[i] = BW_APART_MANY;
        return BW_OK;
    }
    bool rivals = true;
    if (k == out->sets) {
        bw_status st = load_set(db, wanted, out, &out->set[k], &rivals, err);
        if (st == BW_OK && rivals && !(products[out->sets++] = strdup(wanted)))
            st = bw_fail_memory(err);
        if (st != BW_OK)
            return st;
    }
    out->set_of[i] = rivals ? k : SIZE_MAX;
    out->why[i] = rivals ? BW_APART_TOLD : BW_APART_ALL;
    if (!rivals) {
        free(out->set[k].own);
        free(out->set[k].others);
        out->set[k] = (bw_promoted){0};
    }
    return BW_OK;
}

static size_t find_promotion(const bw_daily *d, const char *name, double first) {
    size_t i = 0;
    while (i < d->promotions &&
           (d->promotion[i].first != first || strcmp(d->promotion[i].name, name) != 0))
        i++;
    return i;
}

static bw_status read_sets(sqlite3 *db, bw_daily *out, char **products, bw_err *err) {
    sqlite3_stmt *s;
    bw_status st = bw_db_prepare(db, CHEAPER, &s, err);
    bool row = true;
    while (st == BW_OK && row) {
        st = bw_db_step(s, &row, err);
        double day;
        if (st != BW_OK || !row || !bw_day_parse((const char *)sqlite3_column_text(s, 1), &day))
            continue;
        size_t i = find_promotion(out, (const char *)sqlite3_column_text(s, 0), day);
        const char *list = (const char *)sqlite3_column_text(s, 2);
        if (i == out->promotions)
            continue;
        if (!list || strcmp(list, "[]") == 0)
            out->why[i] = BW_APART_NOTHING;
        else
            st = give_set(db, out, products, i, list, err);
    }
    sqlite3_finalize(s);
    return st;
}

static bw_status load_sets(sqlite3 *db, bw_daily *out, bw_err *err) {
    char *products[SETS_MOST] = {NULL};
    out->set = calloc(SETS_MOST + 1, sizeof *out->set);
    out->set_of = malloc((out->promotions + 1) * sizeof *out->set_of);
    out->why = calloc(out->promotions + 1, sizeof *out->why);
    if (!out->set || !out->set_of || !out->why)
        return bw_fail_memory(err);
    for (size_t i = 0; i < out->promotions; i++)
        out->set_of[i] = SIZE_MAX;
    bw_status st = out->promotions ? read_sets(db, out, products, err) : BW_OK;
    for (size_t k = 0; k < SETS_MOST; k++)
        free(products[k]);
    for (size_t i = 0; i < out->promotions; i++)
        if (out->set_of[i] == SIZE_MAX)
            out->set_of[i] = out->sets;
    return st;
}

bw_status bw_daily_load(sqlite3 *db, bw_daily *out, bw_err *err) {
    *out = (bw_daily){0};
    bw_status st = load_days(db, out, err);
    if (st == BW_OK)
        st = load_events(db, true, &out->promotion, &out->promotions, err);
    if (st == BW_OK)
        st = load_events(db, false, &out->event, &out->events, err);
    if (st == BW_OK)
        st = load_sets(db, out, err);
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
    for (size_t k = 0; d->set && k <= SETS_MOST; k++) {
        free(d->set[k].own);
        free(d->set[k].others);
    }
    free(d->set);
    free(d->set_of);
    free(d->why);
    *d = (bw_daily){0};
}
