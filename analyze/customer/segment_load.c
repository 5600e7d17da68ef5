/* analyze/customer/segment_load.c - purchases to recency, frequency, age and value. */
#include "analyze/customer/segment_load.h"

#include "analyze/customer/persona.h"

#include "analyze/table.h"
#include "sql/db.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

const char BW_CUSTOMERS_INPUT[] =
    "SELECT day, count(*), total(revenue), count(DISTINCT customer) FROM purchase GROUP BY day "
    "UNION ALL " BW_PERSONA_INPUT;

static const char CUSTOMERS[] =
    "WITH d AS (SELECT customer, day, sum(revenue) AS v FROM purchase WHERE date(day) IS NOT NULL "
    "GROUP BY 1, 2), "
    "w AS (SELECT customer, day, v, row_number() OVER (PARTITION BY customer ORDER BY day) AS k "
    "FROM d), "
    "e AS (SELECT max(day) AS last, min(day) AS first FROM d) "
    "SELECT customer, count(*) - 1, (julianday(max(day)) - julianday(min(day))) / 7, "
    " (julianday(last) - julianday(min(day))) / 7, sum(CASE WHEN k > 1 THEN v END) / (count(*) - "
    "1), sum(v), "
    " julianday(first) - julianday('1970-01-01'), julianday(last) - julianday('1970-01-01') "
    "FROM w, e GROUP BY customer ORDER BY customer";

void bw_customers_free(bw_customers *c) {
    for (size_t i = 0; i < c->n; i++)
        free(c->id[i]);
    free(c->id);
    free(c->c);
    free(c->money);
    free(c->held_out);
    *c = (bw_customers){0};
}

static bw_status add(bw_customers *out, const char *id, bw_customer c, double money,
                     double held_out, bw_err *err) {
    if (out->n == out->cap) {
        out->cap = out->cap ? 2 * out->cap : 1024;
        void *p[] = {realloc(out->id, out->cap * sizeof *out->id),
                     realloc(out->c, out->cap * sizeof *out->c),
                     realloc(out->money, out->cap * sizeof *out->money),
                     realloc(out->held_out, out->cap * sizeof *out->held_out)};
        out->id = p[0] ? p[0] : out->id;
        out->c = p[1] ? p[1] : out->c;
        out->money = p[2] ? p[2] : out->money;
        out->held_out = p[3] ? p[3] : out->held_out;
        if (!p[0] || !p[1] || !p[2] || !p[3])
            return bw_fail_memory(err);
    }
    out->id[out->n] = strdup(id);
    if (!out->id[out->n])
        return bw_fail_memory(err);
    out->c[out->n] = c;
    out->money[out->n] = money;
    out->held_out[out->n++] = held_out;
    return BW_OK;
}

bw_status bw_customers_from_db(sqlite3 *db, bw_customers *out, bw_err *err) {
    *out = (bw_customers){0};
    sqlite3_stmt *s;
    bw_status st = bw_db_prepare(db, CUSTOMERS, &s, err);
    bool row = true;
    while (st == BW_OK && row) {
        st = bw_db_step(s, &row, err);
        if (st != BW_OK || !row)
            break;
        bw_customer c = {sqlite3_column_double(s, 1), sqlite3_column_double(s, 2),
                         sqlite3_column_double(s, 3), sqlite3_column_double(s, 4)};
        out->first = sqlite3_column_double(s, 6);
        out->last = sqlite3_column_double(s, 7);
        st = add(out, (const char *)sqlite3_column_text(s, 0), c, sqlite3_column_double(s, 5), 0,
                 err);
    }
    sqlite3_finalize(s);
    if (st == BW_OK && !out->n)
        st = bw_fail(err, BW_EDATA,
                     "there are no purchases; 'bellwether import purchase FILE' brings them in");
    if (st != BW_OK)
        bw_customers_free(out);
    return st;
}

struct purchase {
    size_t customer;
    double day, money;
};

static int by_customer_and_day(const void *a, const void *b) {
    const struct purchase *x = a, *y = b;
    if (x->customer != y->customer)
        return (x->customer > y->customer) - (x->customer < y->customer);
    return (x->day > y->day) - (x->day < y->day);
}

/* One customer's purchases, sorted by day; those after `end` are counted as held out. */
static bw_status add_customer(bw_customers *out, const char *id, const struct purchase *p, size_t n,
                              double end, bw_err *err) {
    double first = p[0].day, last = first, days = 0, value = 0, money = 0, held_out = 0,
           seen = -INFINITY;
    if (first > end)
        return BW_OK; /* he came only in the time that is held out */
    for (size_t i = 0; i < n; i++) {
        bool new_day = p[i].day != seen;
        seen = p[i].day;
        if (p[i].day > end) {
            held_out += new_day;
            continue;
        }
        days += new_day;
        money += p[i].money;
        value += p[i].day > first ? p[i].money : 0;
        last = p[i].day;
    }
    bw_customer c = {days - 1, (last - first) / 7, (end - first) / 7,
                     days > 1 ? value / (days - 1) : 0};
    return add(out, id, c, money, held_out, err);
}

bw_status bw_customers_from_csv(const char *file, const char *customer, const char *day,
                                const char *revenue, double test_weeks, bw_customers *out,
                                bw_err *err) {
    *out = (bw_customers){.first = INFINITY, .last = -INFINITY};
    bw_table *t;
    bw_groups g = {0};
    double *when = NULL, *money = NULL;
    struct purchase *p = NULL;
    bw_status st = bw_table_load(file, &t, err);
    size_t n = st == BW_OK ? bw_table_rows(t) : 0;
    if (st == BW_OK)
        st = bw_table_groups(t, customer, &g, err);
    if (st == BW_OK)
        st = bw_table_days(t, day, &when, err);
    if (st == BW_OK)
        st = bw_table_full_numbers(t, revenue, &money, err);
    if (st == BW_OK && !(p = malloc(n * sizeof *p)))
        st = bw_fail_memory(err);
    for (size_t i = 0; st == BW_OK && i < n; i++) {
        p[i] = (struct purchase){g.code[i], when[i], money[i]};
        out->first = fmin(out->first, when[i]);
        out->last = fmax(out->last, when[i]);
    }
    if (st == BW_OK)
        qsort(p, n, sizeof *p, by_customer_and_day);
    out->last -= 7 * test_weeks;
    for (size_t i = 0; st == BW_OK && i < n; i += g.count[p[i].customer])
        st =
            add_customer(out, g.name[p[i].customer], p + i, g.count[p[i].customer], out->last, err);
    free(p);
    free(when);
    free(money);
    bw_groups_free(&g);
    bw_table_free(t);
    if (st != BW_OK)
        bw_customers_free(out);
    return st;
}

bw_status bw_customers_from_summary(const char *file, const char *customer, const char *frequency,
                                    const char *recency, const char *age, const char *value,
                                    bw_customers *out, bw_err *err) {
    *out = (bw_customers){.first = NAN, .last = NAN};
    bw_table *t;
    double *x[4] = {NULL};
    const char *names[] = {frequency, recency, age, value};
    size_t id = 0;
    bw_status st = bw_table_load(file, &t, err);
    if (st == BW_OK && customer)
        st = bw_table_find(t, customer, &id, err);
    for (size_t k = 0; st == BW_OK && k < 4; k++)
        if (names[k])
            st = bw_table_full_numbers(t, names[k], &x[k], err);
    for (size_t i = 0; st == BW_OK && i < bw_table_rows(t); i++) {
        double v = x[3] ? x[3][i] : 0;
        bw_customer c = {x[0][i], x[1][i], x[2][i], v};
        st = add(out, bw_table_text(t, i, id), c, v * (x[0][i] + 1), 0, err);
    }
    for (size_t k = 0; k < 4; k++)
        free(x[k]);
    bw_table_free(t);
    if (st != BW_OK)
        bw_customers_free(out);
    return st;
}
