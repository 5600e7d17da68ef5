/* analyze/mix/load.c - periods, outcome and media of the mix model; see load.h. */
#include "analyze/mix/load_internal.h"

#include "common/sha256.h"

#include <stdio.h>

/* ---- small helpers ---- */

int bw_load_week_start(sqlite3 *db) {
    char *text = bw_db_setting(db, "week_start", "1");
    int day = text ? atoi(text) : 1;
    free(text);
    return day >= 0 && day <= 6 ? day : 1;
}

size_t load_index(char *const *names, size_t n, const char *name) {
    for (size_t i = 0; i < n; i++)
        if (strcmp(names[i], name) == 0)
            return i;
    return n;
}

bw_status load_add_name(name_list *l, const char *name, bw_err *err) {
    char **more = realloc(l->name, (l->n + 1) * sizeof *more);
    if (!more)
        return bw_fail_memory(err);
    l->name = more;
    if (!(l->name[l->n] = strdup(name)))
        return bw_fail_memory(err);
    l->n++;
    return BW_OK;
}

void load_free_names(name_list *l) {
    for (size_t i = 0; i < l->n; i++)
        free(l->name[i]);
    free(l->name);
    *l = (name_list){0};
}

bw_status load_each(sqlite3 *db, const char *sql, load_row *row, void *context, bw_err *err) {
    sqlite3_stmt *s;
    bw_status st = bw_db_prepare(db, sql, &s, err);
    bool more = true;
    while (st == BW_OK) {
        st = bw_db_step(s, &more, err);
        if (st != BW_OK || !more)
            break;
        st = row(context, s, err);
    }
    sqlite3_finalize(s);
    return st;
}

bool load_left_out(const calendar *cal, const char *name) {
    size_t len = strlen(name);
    for (const char *at = cal->o->without; at && *at;
         at = strchr(at, ',') ? strchr(at, ',') + 1 : NULL)
        if (strncmp(at, name, len) == 0 && (at[len] == ',' || at[len] == '\0'))
            return true;
    return false;
}

bool load_period(const calendar *cal, const char *day, size_t *t) {
    long number = bw_iso_number(day);
    if (number == BW_NO_DAY || number < cal->first)
        return false;
    *t = (size_t)((number - cal->first) / cal->period_days);
    return *t < cal->n_time;
}

size_t load_geo(const calendar *cal, const char *geo) {
    return cal->by_geo ? load_index(cal->geo, cal->n_geo, geo) : 0;
}

static const char *text_at(sqlite3_stmt *s, int i) {
    const unsigned char *text = sqlite3_column_text(s, i);
    return text ? (const char *)text : "";
}

/* ---- the calendar ---- */

/* The column of the outcome to explain: the setting's, or the first that has values. */
static const char *outcome_column(sqlite3 *db) {
    static const char *const names[] = {"revenue", "orders", "units"};
    char *kind = bw_db_setting(db, "outcome_kind", "revenue");
    const char *wanted = kind && strcmp(kind, "units") == 0 ? "units"
                         : kind && (strcmp(kind, "orders") == 0 || strcmp(kind, "conversions") == 0)
                             ? "orders"
                             : "revenue";
    free(kind);
    for (int i = -1; i < 3; i++) {
        char sql[80];
        const char *name = i < 0 ? wanted : names[i];
        snprintf(sql, sizeof sql, "SELECT count(%s) FROM outcome", name);
        if (bw_db_number(db, sql, 0) > 0)
            return name;
    }
    return wanted;
}

typedef struct {
    long first, last, before; /* first and last day; the day before in the walk */
    size_t days, steps;       /* days with an outcome; of them next to the one before */
} span;

static bw_status span_row(void *context, sqlite3_stmt *s, bw_err *err) {
    span *sp = context;
    long day = bw_iso_number(text_at(s, 0));
    if (day == BW_NO_DAY)
        return bw_fail(err, BW_EDATA, "outcome: '%s' is not a day; import it again", text_at(s, 0));
    if (sp->days == 0)
        sp->first = day;
    sp->steps += sp->days > 0 && day - sp->before == 1;
    sp->before = sp->last = day;
    sp->days++;
    return BW_OK;
}

/* Daily data are gathered into whole weeks; data with a row a week are weeks already. */
static bw_status set_periods(calendar *cal, const span *sp, bw_err *err) {
    bool daily_rows = sp->days > 1 && 2 * sp->steps > sp->days;
    if (cal->o->daily && !daily_rows)
        return bw_fail(err, BW_EDATA,
                       "a daily model needs an outcome every day; there are %zu days in %ld",
                       sp->days, sp->last - sp->first + 1);
    cal->period_days = cal->o->daily ? 1 : 7;
    if (cal->o->daily) {
        cal->first = sp->first;
        cal->n_time = (size_t)(sp->last - sp->first + 1);
        return BW_OK;
    }
    long first = bw_iso_week(sp->first, cal->week_start),
         last = bw_iso_week(sp->last, cal->week_start);
    if (daily_rows && first < sp->first)
        first += 7;
    if (daily_rows && last + 6 > sp->last)
        last -= 7;
    if (last < first)
        return bw_fail(err, BW_EDATA, "the outcome covers less than one whole week: %ld days",
                       sp->last - sp->first + 1);
    cal->first = first;
    cal->n_time = (size_t)((last - first) / 7 + 1);
    return BW_OK;
}

/* An option's day, written anew so that nothing else gets into a query; fallback when not given. */
static bw_status option_day(const char *given, const char *fallback, char out[11], bw_err *err) {
    long day = bw_iso_number(given ? given : fallback);
    if (day == BW_NO_DAY)
        return bw_fail(err, BW_EARG, "'%s' is not a day; write it as 2025-03-31", given);
    bw_iso_text(day, out);
    return BW_OK;
}

static bw_status read_calendar(calendar *cal, const char *column, bw_err *err) {
    char sql[256], first[11], last[11];
    bw_status st = option_day(cal->o->first_day, "0001-01-01", first, err);
    if (st == BW_OK)
        st = option_day(cal->o->last_day, "9999-12-31", last, err);
    if (st != BW_OK)
        return st;
    snprintf(
        sql, sizeof sql,
        "SELECT day FROM outcome WHERE %s IS NOT NULL AND day BETWEEN '%s' AND '%s' GROUP BY day",
        column, first, last);
    span sp = {0};
    st = load_each(cal->db, sql, span_row, &sp, err);
    if (st != BW_OK)
        return st;
    if (sp.days == 0)
        return bw_fail(err, BW_EDATA,
                       "there is no outcome to explain; import one: "
                       "'bellwether import outcome FILE'");
    return set_periods(cal, &sp, err);
}

static bw_status geo_row(void *context, sqlite3_stmt *s, bw_err *err) {
    return load_add_name(context, text_at(s, 0), err);
}

/* Over geos only when outcome and spend both have them: a national spend cannot be told apart. */
static bw_status read_geos(calendar *cal, name_list *geos, bw_err *err) {
    bw_status st =
        load_each(cal->db, "SELECT geo FROM outcome GROUP BY geo ORDER BY geo", geo_row, geos, err);
    if (st != BW_OK)
        return st;
    double with = bw_db_number(cal->db, "SELECT sum(cost) FROM spend WHERE geo <> ''", 0);
    double all = bw_db_number(cal->db, "SELECT sum(cost) FROM spend", 0);
    cal->by_geo =
        !cal->o->national && geos->n > 1 && geos->name[0][0] != '\0' && with >= 0.999 * all;
    if (geos->n > 1 && !cal->by_geo && !cal->o->national && cal->notes)
        bw_buf_add(cal->notes, "spend is not given by geo: the geos' outcomes are added up\n");
    if (!cal->by_geo) {
        load_free_names(geos);
        st = load_add_name(geos, "", err);
    }
    cal->geo = geos->name;
    cal->n_geo = geos->n;
    return st;
}

/* ---- outcome ---- */

typedef struct {
    const calendar *cal;
    bw_mmm_data *d;
    size_t *days;
} outcome_reader;

static bw_status outcome_row(void *context, sqlite3_stmt *s, bw_err *err) {
    (void)err;
    outcome_reader *r = context;
    size_t t, g = load_geo(r->cal, text_at(s, 1)), T = r->cal->n_time;
    if (g >= r->cal->n_geo || !load_period(r->cal, text_at(s, 0), &t))
        return BW_OK;
    double *y = &r->d->outcome[g * T + t];
    *y = (isfinite(*y) ? *y : 0.0) + sqlite3_column_double(s, 2);
    r->days[g * T + t]++;
    return BW_OK;
}

/* A week of daily data with days missing is not known, it is not small. */
static bw_status read_outcome(const calendar *cal, const char *column, bw_mmm_data *d,
                              bw_err *err) {
    size_t GT = cal->n_geo * cal->n_time, top = 0, missing = 0;
    outcome_reader r = {cal, d, calloc(GT + 1, sizeof(size_t))};
    if (!r.days)
        return bw_fail_memory(err);
    for (size_t i = 0; i < GT; i++)
        d->outcome[i] = NAN;
    char sql[160];
    snprintf(sql, sizeof sql,
             "SELECT day, %s AS g, sum(%s) FROM outcome WHERE %s IS NOT NULL GROUP BY day, g",
             cal->by_geo ? "geo" : "''", column, column);
    bw_status st = load_each(cal->db, sql, outcome_row, &r, err);
    for (size_t i = 0; i < GT; i++)
        top = r.days[i] > top ? r.days[i] : top;
    for (size_t i = 0; i < GT; i++)
        if (r.days[i] < top) {
            d->outcome[i] = NAN;
            missing++;
        }
    free(r.days);
    if (missing && cal->notes)
        bw_buf_addf(cal->notes, "%zu of %zu periods have no complete outcome and are left out\n",
                    missing, GT);
    return st;
}

/* ---- media ---- */

typedef struct {
    const calendar *cal;
    name_list paid, organic;
} channel_reader;

static bw_status channel_row(void *context, sqlite3_stmt *s, bw_err *err) {
    channel_reader *r = context;
    const char *name = text_at(s, 0);
    if (load_left_out(r->cal, name))
        return BW_OK;
    if (sqlite3_column_double(s, 1) > 0)
        return load_add_name(&r->paid, name, err);
    if (sqlite3_column_double(s, 2) > 0)
        return load_add_name(&r->organic, name, err);
    if (r->cal->notes)
        bw_buf_addf(r->cal->notes, "channel %s: nothing was spent in this time, it is left out\n",
                    name);
    return BW_OK;
}

static void calendar_range(const calendar *cal, char first[11], char last[11]) {
    bw_iso_text(cal->first, first);
    bw_iso_text(cal->first + (long)cal->n_time * cal->period_days - 1, last);
}

static bw_status read_channels(const calendar *cal, channel_reader *r, bw_err *err) {
    char sql[320], first[11], last[11];
    calendar_range(cal, first, last);
    snprintf(sql, sizeof sql,
             "SELECT channel, sum(cost), sum(coalesce(impressions, clicks, 0)) FROM spend "
             "WHERE day BETWEEN '%s' AND '%s' GROUP BY channel ORDER BY sum(cost) DESC, channel",
             first, last);
    return load_each(cal->db, sql, channel_row, r, err);
}

typedef struct {
    const calendar *cal;
    bw_mmm_data *d;
    double *exposure;
} spend_reader;

static bw_status spend_row(void *context, sqlite3_stmt *s, bw_err *err) {
    (void)err;
    spend_reader *r = context;
    size_t t, T = r->cal->n_time, G = r->cal->n_geo;
    size_t c = load_index(r->d->channel, r->d->n_channel, text_at(s, 1)),
           g = load_geo(r->cal, text_at(s, 2));
    if (c >= r->d->n_channel || g >= G || !load_period(r->cal, text_at(s, 0), &t))
        return BW_OK;
    r->d->spend[(c * G + g) * T + t] += sqlite3_column_double(s, 3);
    r->exposure[(c * G + g) * T + t] += sqlite3_column_double(s, 4);
    return BW_OK;
}

/* Exposure drives an organic channel, and a paid one on request when every spend has some. */
static void choose_media(const calendar *cal, bw_mmm_data *d, const double *exposure) {
    size_t GT = cal->n_geo * cal->n_time;
    for (size_t c = 0; c < d->n_channel; c++) {
        const double *spend = d->spend + c * GT, *seen = exposure + c * GT;
        bool complete = true;
        for (size_t i = 0; i < GT; i++)
            complete = complete && (spend[i] <= 0 || seen[i] > 0);
        memcpy(d->media + c * GT, !d->paid[c] || (cal->o->exposure && complete) ? seen : spend,
               GT * sizeof(double));
        for (size_t i = 0; i < GT; i++)
            d->media[c * GT + i] = fmax(d->media[c * GT + i], 0.0);
    }
}

static bw_status read_media(const calendar *cal, bw_mmm_data *d, bw_err *err) {
    spend_reader r = {cal, d, calloc(d->n_channel * cal->n_geo * cal->n_time + 1, sizeof(double))};
    if (!r.exposure)
        return bw_fail_memory(err);
    bw_status st = load_each(
        cal->db,
        cal->by_geo ? "SELECT day, channel, geo, sum(cost), sum(coalesce(impressions, clicks, 0)) "
                      "FROM spend GROUP BY day, channel, geo"
                    : "SELECT day, channel, '', sum(cost), sum(coalesce(impressions, clicks, 0)) "
                      "FROM spend GROUP BY day, channel",
        spend_row, &r, err);
    choose_media(cal, d, r.exposure);
    free(r.exposure);
    return st;
}

typedef struct {
    const calendar *cal;
    double *population;
    size_t found;
} population_reader;

static bw_status population_row(void *context, sqlite3_stmt *s, bw_err *err) {
    (void)err;
    population_reader *r = context;
    size_t g = load_index(r->cal->geo, r->cal->n_geo, text_at(s, 0));
    if (g < r->cal->n_geo && sqlite3_column_double(s, 1) > 0) {
        r->population[g] = sqlite3_column_double(s, 1);
        r->found++;
    }
    return BW_OK;
}

static bw_status read_population(const calendar *cal, bw_mmm_data *d, bw_err *err) {
    if (!cal->by_geo)
        return BW_OK;
    population_reader r = {cal, calloc(cal->n_geo, sizeof(double)), 0};
    if (!r.population)
        return bw_fail_memory(err);
    bw_status st = load_each(cal->db, "SELECT name, population FROM geo", population_row, &r, err);
    if (r.found == cal->n_geo)
        d->population = r.population;
    else
        free(r.population);
    return st;
}

/* ---- all together ---- */

/* The names move from the lists to the data. */
static bw_status move_names(bw_mmm_data *d, const calendar *cal, channel_reader *r,
                            context_arrays *ctx, bw_err *err) {
    size_t GT = d->n_geo * d->n_time;
    for (size_t c = 0; c < d->n_channel; c++) {
        d->paid[c] = c < r->paid.n;
        d->channel[c] = strdup(c < r->paid.n ? r->paid.name[c] : r->organic.name[c - r->paid.n]);
        if (!d->channel[c])
            return bw_fail_memory(err);
    }
    for (size_t g = 0; g < d->n_geo; g++)
        if (!(d->geo[g] = strdup(cal->geo[g])))
            return bw_fail_memory(err);
    for (size_t k = 0; k < d->n_control; k++) {
        if (!(d->control_name[k] = strdup(ctx->series[k].name)))
            return bw_fail_memory(err);
        d->sign[k] = ctx->series[k].sign;
        memcpy(d->control + k * GT, ctx->series[k].value, GT * sizeof(double));
    }
    for (size_t e = 0; e < d->n_event; e++)
        if (!(d->event_name[e] = strdup(ctx->events.name[e])))
            return bw_fail_memory(err);
    if (d->n_event_column) {
        memcpy(d->event, ctx->column, d->n_event_column * d->n_time * sizeof(double));
        memcpy(d->event_part, ctx->column_event, d->n_event_column * sizeof *d->event_part);
    }
    for (size_t t = 0; t < d->n_time; t++)
        bw_iso_text(cal->first + (long)t * cal->period_days, d->period[t]);
    return BW_OK;
}

static bw_status fill(const calendar *cal, const char *column, channel_reader *r,
                      context_arrays *ctx, bw_mmm_data *d, bw_err *err) {
    *d = (bw_mmm_data){.n_time = cal->n_time,
                       .n_geo = cal->n_geo,
                       .period_days = cal->period_days,
                       .counted = strcmp(column, "revenue") == 0 ? NULL : column,
                       .n_channel = r->paid.n + r->organic.n,
                       .n_control = ctx->n,
                       .n_event = ctx->events.n,
                       .n_event_column = ctx->n_column};
    bw_status st = bw_mmm_data_alloc(d, err);
    if (st == BW_OK)
        st = move_names(d, cal, r, ctx, err);
    if (st == BW_OK)
        st = read_outcome(cal, column, d, err);
    if (st == BW_OK)
        st = read_media(cal, d, err);
    if (st == BW_OK)
        st = read_population(cal, d, err);
    return st == BW_OK ? load_lift(cal, d, err) : st;
}

bw_status bw_load_mmm(sqlite3 *db, const bw_load_options *o, bw_mmm_data *d, bw_buf *notes,
                      bw_err *err) {
    *d = (bw_mmm_data){0};
    calendar cal = {.db = db, .o = o, .notes = notes, .week_start = bw_load_week_start(db)};
    const char *column = outcome_column(db);
    name_list geos = {0};
    channel_reader r = {.cal = &cal};
    context_arrays ctx = {0};
    bw_status st = read_calendar(&cal, column, err);
    if (st == BW_OK)
        st = read_geos(&cal, &geos, err);
    if (st == BW_OK)
        st = read_channels(&cal, &r, err);
    if (st == BW_OK && r.paid.n + r.organic.n == 0)
        st = bw_fail(err, BW_EDATA,
                     "there is no channel with spend in the time of the outcome; import it: "
                     "'bellwether import spend FILE'");
    if (st == BW_OK)
        st = load_context(&cal, &ctx, err);
    if (st == BW_OK)
        st = fill(&cal, column, &r, &ctx, d, err);
    if (st != BW_OK)
        bw_mmm_data_free(d);
    load_free_names(&geos);
    load_free_names(&r.paid);
    load_free_names(&r.organic);
    load_context_free(&ctx);
    return st;
}

static void add_names(bw_sha256 *sum, char *const *names, size_t n) {
    for (size_t i = 0; i < n; i++)
        bw_sha256_add(sum, names[i], strlen(names[i]) + 1);
}

void bw_load_fingerprint(const bw_mmm_data *d, char out[17]) {
    size_t GT = d->n_geo * d->n_time;
    bw_sha256 sum;
    bw_sha256_start(&sum);
    bw_sha256_add(&sum, d->period, d->n_time * sizeof *d->period);
    add_names(&sum, d->channel, d->n_channel);
    add_names(&sum, d->control_name, d->n_control);
    add_names(&sum, d->event_name, d->n_event);
    add_names(&sum, d->geo, d->n_geo);
    bw_sha256_add(&sum, d->outcome, GT * sizeof(double));
    bw_sha256_add(&sum, d->spend, d->n_channel * GT * sizeof(double));
    bw_sha256_add(&sum, d->media, d->n_channel * GT * sizeof(double));
    bw_sha256_add(&sum, d->control, d->n_control * GT * sizeof(double));
    bw_sha256_add(&sum, d->sign, d->n_control);
    bw_sha256_add(&sum, d->event, d->n_event_column * d->n_time * sizeof(double));
    for (size_t i = 0; i < d->n_lift; i++) {
        const bw_lift_test *l = &d->lift[i];
        const double values[] = {(double)l->channel, (double)l->geo,  (double)l->first,
                                 (double)l->last,    l->spend_change, l->effect,
                                 l->effect_sd};
        bw_sha256_add(&sum, values, sizeof values);
    }
    if (d->population)
        bw_sha256_add(&sum, d->population, d->n_geo * sizeof(double));
    char hex[65];
    bw_sha256_hex(&sum, hex);
    memcpy(out, hex, 16);
    out[16] = '\0';
}
