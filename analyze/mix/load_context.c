/* analyze/mix/load_context.c - what else moves the outcome: price, discount, context series, the mood of
 * reviews. */
#include "analyze/mix/load_internal.h"

#include <stdio.h>

#define COVERED    0.7  /* a series known in fewer of the periods is left out */
#define VARIES     1e-3 /* and one whose sd is below this part of its mean */
#define MOOD_DECAY 0.7  /* weight of the reviews of a week earlier, see sentiment */

static const char *column_text(sqlite3_stmt *s, int i) {
    const unsigned char *text = sqlite3_column_text(s, i);
    return text ? (const char *)text : "";
}

/* ---- controls ---- */

/* The sign an effect must have as asked; free else: a price that seems to help is a finding about the
 * data, and hiding it by a constraint would push it into the channels. */
static signed char sign_of(const calendar *cal, const char *name) {
    size_t len = strlen(name);
    for (const char *at = cal->o->signs; at && *at;
         at = strchr(at, ',') ? strchr(at, ',') + 1 : NULL)
        if (strncmp(at, name, len) == 0 && at[len] == '=')
            return at[len + 1] == '+' ? 1 : at[len + 1] == '-' ? -1 : 0;
    return 0;
}

static bw_status add_series(const calendar *cal, context_arrays *ctx, const char *name,
                            double **value, bw_err *err) {
    size_t GT = cal->n_geo * cal->n_time;
    control_series *more = realloc(ctx->series, (ctx->n + 1) * sizeof *more);
    if (!more)
        return bw_fail_memory(err);
    ctx->series = more;
    control_series *c = &ctx->series[ctx->n];
    *c = (control_series){strdup(name), sign_of(cal, name), calloc(GT, sizeof(double))};
    ctx->n++;
    *value = c->value;
    return c->name && c->value ? BW_OK : bw_fail_memory(err);
}

/* Unknown values take the last known one before them, the first ones the first known. Returns the
 * share that was known. */
static double fill_gaps(double *v, size_t n) {
    size_t known = 0, first = 0;
    while (first < n && !isfinite(v[first]))
        first++;
    for (size_t t = 0; t < n; t++) {
        known += isfinite(v[t]) ? 1 : 0;
        if (!isfinite(v[t]) && first < n)
            v[t] = t < first ? v[first] : v[t - 1];
    }
    return n ? (double)known / (double)n : 0.0;
}

static bool varies(const double *v, size_t n) {
    double sum = 0, squares = 0;
    for (size_t i = 0; i < n; i++)
        sum += v[i];
    double mean = sum / (double)n;
    for (size_t i = 0; i < n; i++)
        squares += (v[i] - mean) * (v[i] - mean);
    return sqrt(squares / (double)n) > VARIES * fabs(mean) && squares > 0;
}

/* Fills gaps; drops the newest series again when it says too little. */
static void keep_if_useful(const calendar *cal, context_arrays *ctx) {
    control_series *c = &ctx->series[ctx->n - 1];
    double covered = 1;
    for (size_t g = 0; g < cal->n_geo; g++)
        covered = fmin(covered, fill_gaps(c->value + g * cal->n_time, cal->n_time));
    bool enough = covered >= COVERED, moves = enough && varies(c->value, cal->n_geo * cal->n_time);
    if (moves && !load_left_out(cal, c->name))
        return;
    if (!enough && cal->notes && covered > 0)
        bw_buf_addf(cal->notes, "%s is known in %.0f %% of the periods only and is left out\n",
                    c->name, 100 * covered);
    free(c->name);
    free(c->value);
    ctx->n--;
}

typedef struct {
    const calendar *cal;
    double *sum, *weight;
} mean_reader;

/* Columns: day, geo, value, weight. A value without geo holds for all geos. */
static bw_status mean_row(void *context, sqlite3_stmt *s, bw_err *err) {
    (void)err;
    mean_reader *r = context;
    size_t t, T = r->cal->n_time, G = r->cal->n_geo;
    const char *geo = column_text(s, 1);
    size_t g = load_geo(r->cal, geo), from = *geo ? g : 0, to = *geo ? g + 1 : G;
    if (!load_period(r->cal, column_text(s, 0), &t) || from >= G)
        return BW_OK;
    double value = sqlite3_column_double(s, 2), weight = sqlite3_column_double(s, 3);
    for (size_t i = from; i < to; i++) {
        r->sum[i * T + t] += value * weight;
        r->weight[i * T + t] += weight;
    }
    return BW_OK;
}

/* The weighted mean of a query's values in each period and geo, NAN where there is none. */
static bw_status read_mean(const calendar *cal, const char *sql, double *value, bw_err *err) {
    size_t GT = cal->n_geo * cal->n_time;
    mean_reader r = {cal, value, calloc(GT, sizeof(double))};
    if (!r.weight)
        return bw_fail_memory(err);
    bw_status st = load_each(cal->db, sql, mean_row, &r, err);
    for (size_t i = 0; i < GT; i++)
        value[i] = r.weight[i] > 0 ? value[i] / r.weight[i] : NAN;
    free(r.weight);
    return st;
}

static bw_status add_mean(const calendar *cal, context_arrays *ctx, const char *name,
                          const char *sql, bw_err *err) {
    double *value;
    bw_status st = add_series(cal, ctx, name, &value, err);
    if (st == BW_OK)
        st = read_mean(cal, sql, value, err);
    if (st == BW_OK)
        keep_if_useful(cal, ctx);
    return st;
}

static bw_status name_row(void *context, sqlite3_stmt *s, bw_err *err) {
    return load_add_name(context, column_text(s, 0), err);
}

static bw_status add_context_series(const calendar *cal, context_arrays *ctx, bw_err *err) {
    name_list names = {0};
    bw_status st = load_each(cal->db, "SELECT DISTINCT series FROM context ORDER BY series",
                             name_row, &names, err);
    for (size_t i = 0; i < names.n && st == BW_OK; i++) {
        char *sql = sqlite3_mprintf("SELECT day, geo, value, 1 FROM context WHERE series = %Q",
                                    names.name[i]);
        st = sql ? add_mean(cal, ctx, names.name[i], sql, err) : bw_fail_memory(err);
        sqlite3_free(sql);
    }
    load_free_names(&names);
    return st;
}

/* Mood before the period: reviews of all earlier weeks, each week MOOD_DECAY of the next one's weight,
 * so that a week with few reviews hardly moves it. NAN before the first review. */
static void lag_mood(const double *mean, const double *count, double *out, size_t n, size_t lag) {
    double sum = 0, weight = 0;
    for (size_t t = 0; t < n; t++) {
        if (t >= lag && isfinite(mean[t - lag])) {
            sum += mean[t - lag] * count[t - lag];
            weight += count[t - lag];
        }
        out[t] = weight > 0 ? sum / weight : NAN;
        if ((t + 1) % lag == 0) {
            sum *= MOOD_DECAY;
            weight *= MOOD_DECAY;
        }
    }
}

#define MOOD_SQL                                                                      \
    "SELECT r.day, '', s.positive - s.negative, 1 FROM review r JOIN review_score s " \
    "ON s.review = r.id WHERE r.day IS NOT NULL"

static bw_status add_sentiment(const calendar *cal, context_arrays *ctx, bw_err *err) {
    size_t T = cal->n_time;
    if (bw_db_number(cal->db, "SELECT count(*) FROM review_score", 0) < 10)
        return BW_OK;
    double *mean = calloc(2 * T, sizeof *mean), *value;
    if (!mean)
        return bw_fail_memory(err);
    calendar one = *cal; /* reviews know no geo */
    one.n_geo = 1;
    one.by_geo = false;
    mean_reader r = {&one, mean, mean + T};
    bw_status st = load_each(cal->db, MOOD_SQL, mean_row, &r, err);
    for (size_t t = 0; t < T; t++)
        mean[t] = r.weight[t] > 0 ? mean[t] / r.weight[t] : NAN;
    if (st == BW_OK)
        st = add_series(cal, ctx, "sentiment", &value, err);
    if (st == BW_OK) {
        lag_mood(mean, r.weight, value, T, (size_t)(7 / cal->period_days));
        for (size_t g = 1; g < cal->n_geo; g++)
            memcpy(value + g * T, value, T * sizeof *value);
        keep_if_useful(cal, ctx);
    }
    free(mean);
    return st;
}

bw_status load_context(const calendar *cal, context_arrays *ctx, bw_err *err) {
    bw_status st = add_mean(cal, ctx, "price",
                            "SELECT day, geo, price, coalesce(units, 1) FROM outcome "
                            "WHERE price IS NOT NULL",
                            err);
    if (st == BW_OK)
        st = add_mean(cal, ctx, "discount",
                      "SELECT day, geo, discount, coalesce(units, 1) FROM outcome "
                      "WHERE discount IS NOT NULL",
                      err);
    if (st == BW_OK)
        st = add_context_series(cal, ctx, err);
    if (st == BW_OK)
        st = add_sentiment(cal, ctx, err);
    return st == BW_OK ? load_events(cal, ctx, err) : st;
}

void load_context_free(context_arrays *c) {
    for (size_t i = 0; i < c->n; i++) {
        free(c->series[i].name);
        free(c->series[i].value);
    }
    free(c->series);
    load_free_names(&c->events);
    free(c->column);
    free(c->column_event);
    *c = (context_arrays){0};
}
