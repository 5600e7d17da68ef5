/* analyze/mix/load_event.c - events and holidays as columns: the part of each period's days that they
 * cover. A holiday that comes again also has the week before it and the week before that, for people
 * shop ahead of it; promotions share one column for the two weeks after them, when what was brought
 * forward is missing. */
#include "analyze/mix/load_internal.h"

#include <ctype.h>
#include <stdio.h>

#define ROWS_PER_EVENT  8 /* the rarest events are left out when there are more than rows / this */
#define AFTER_PROMOTION "after promotions"
#define NAME_ROOM       96

typedef struct {
    char name[NAME_ROOM];
    size_t times; /* how often it begins in the data */
    bool holiday, promotion;
    double *days; /* [3, n_time] itself, 7 to 1 days before, 14 to 8 days before */
} event;

typedef struct {
    const calendar *cal;
    event *event;
    size_t n;
    double *after; /* [n_time] the fourteen days after a promotion */
} reader;

static const char *column_text(sqlite3_stmt *s, int i) {
    const unsigned char *text = sqlite3_column_text(s, i);
    return text ? (const char *)text : "";
}

/* The name without a year at its end: "Black Friday 2024" is "Black Friday". */
static void bare_name(const char *name, char out[NAME_ROOM]) {
    snprintf(out, NAME_ROOM, "%s", name);
    size_t whole = strlen(out), n = whole;
    while (n > 0 && isdigit((unsigned char)out[n - 1]))
        n--;
    if (whole - n != 4)
        return;
    while (n > 0 && strchr(" -_'", out[n - 1]))
        n--;
    if (n > 0)
        out[n] = '\0';
}

static event *find_or_add(reader *r, const char *name) {
    for (size_t i = 0; i < r->n; i++)
        if (strcmp(r->event[i].name, name) == 0)
            return &r->event[i];
    event *more = realloc(r->event, (r->n + 1) * sizeof *more);
    if (!more)
        return NULL;
    r->event = more;
    event *e = &r->event[r->n];
    *e = (event){.days = calloc(3 * r->cal->n_time, sizeof(double))};
    if (!e->days)
        return NULL;
    snprintf(e->name, sizeof e->name, "%s", name);
    r->n++;
    return e;
}

/* Adds the days from..to to a column; true when any of them is in the data. */
static bool cover(const calendar *cal, double *column, long from, long to) {
    bool any = false;
    for (long day = from < cal->first ? cal->first : from; day <= to; day++) {
        size_t t = (size_t)((day - cal->first) / cal->period_days);
        if (t >= cal->n_time)
            break;
        column[t] = fmin(1.0, column[t] + 1.0 / cal->period_days);
        any = true;
    }
    return any;
}

static bw_status event_row(void *context, sqlite3_stmt *s, bw_err *err) {
    reader *r = context;
    char name[NAME_ROOM];
    bare_name(column_text(s, 0), name);
    long from = bw_iso_number(column_text(s, 1)), to = bw_iso_number(column_text(s, 2));
    if (load_left_out(r->cal, name) || from == BW_NO_DAY)
        return BW_OK;
    to = to == BW_NO_DAY || to < from ? from : to;
    event *e = find_or_add(r, name);
    if (!e)
        return bw_fail_memory(err);
    size_t T = r->cal->n_time;
    e->holiday = e->holiday || strcmp(column_text(s, 3), "holiday") == 0;
    e->promotion = e->promotion || strcmp(column_text(s, 3), "promotion") == 0;
    e->times += cover(r->cal, e->days, from, to);
    cover(r->cal, e->days + T, from - 7, from - 1);
    cover(r->cal, e->days + 2 * T, from - 14, from - 8);
    if (e->promotion)
        cover(r->cal, r->after, to + 1, to + 14);
    return BW_OK;
}

static double presence(const reader *r, const event *e) {
    double sum = 0;
    for (size_t t = 0; t < r->cal->n_time; t++)
        sum += e->days[t];
    return sum;
}

static void drop(reader *r, size_t i) {
    free(r->event[i].days);
    memmove(r->event + i, r->event + i + 1, (r->n - i - 1) * sizeof *r->event);
    r->n--;
}

static bool same_periods(const reader *r, const event *a, const event *b) {
    for (size_t t = 0; t < r->cal->n_time; t++)
        if ((a->days[t] > 0) != (b->days[t] > 0))
            return false;
    return true;
}

/* Two events that always come together cannot be told apart: the longer one stands for both. */
static void merge_twins(reader *r) {
    for (size_t i = 0; i < r->n; i++)
        for (size_t j = r->n; j-- > i + 1;) {
            event *a = &r->event[i], *b = &r->event[j];
            if (!same_periods(r, a, b))
                continue;
            if (presence(r, b) > presence(r, a)) {
                event shorter = *a;
                *a = *b;
                *b = shorter;
            }
            a->holiday = a->holiday || b->holiday;
            a->promotion = a->promotion || b->promotion;
            if (r->cal->notes)
                bw_buf_addf(r->cal->notes, "%s always comes with %s: their effect is told as one\n",
                            b->name, a->name);
            drop(r, j);
        }
}

/* The days before a holiday count only where no other event takes place: what cannot be told apart
 * goes to what happens, not to what is to come. */
static void clear_taken(const reader *r, size_t i) {
    size_t T = r->cal->n_time;
    for (size_t t = 0; t < T; t++) {
        bool taken = false;
        for (size_t j = 0; j < r->n && !taken; j++)
            taken = j != i && r->event[j].days[t] > 0;
        if (taken)
            r->event[i].days[T + t] = r->event[i].days[2 * T + t] = 0;
    }
}

/* Events outside the time go without a word; when there are too many for the rows, the rarest go. */
static void thin(reader *r) {
    size_t dropped = 0, most = r->cal->n_time / ROWS_PER_EVENT + 1;
    for (size_t i = r->n; i-- > 0;)
        if (r->event[i].times == 0)
            drop(r, i);
    merge_twins(r);
    while (r->n > most) {
        size_t rarest = 0;
        for (size_t i = 1; i < r->n; i++)
            if (presence(r, &r->event[i]) <= presence(r, &r->event[rarest]))
                rarest = i;
        drop(r, rarest);
        dropped++;
    }
    if (dropped && r->cal->notes)
        bw_buf_addf(r->cal->notes, "%zu rare %s left out: %zu periods carry %zu of them\n", dropped,
                    dropped == 1 ? "event is" : "events are", r->cal->n_time, most);
}

static bool any_day(const double *v, size_t T) {
    for (size_t t = 0; t < T; t++)
        if (v[t] > 0)
            return true;
    return false;
}

static void put_column(context_arrays *ctx, size_t T, size_t event_index, const double *v) {
    memcpy(ctx->column + ctx->n_column * T, v, T * sizeof *v);
    ctx->column_event[ctx->n_column++] = event_index;
}

static bw_status hand_over(const reader *r, context_arrays *ctx, bw_err *err) {
    size_t T = r->cal->n_time;
    ctx->column = calloc((3 * r->n + 1) * T, sizeof *ctx->column);
    ctx->column_event = calloc(3 * r->n + 1, sizeof *ctx->column_event);
    bw_status st = ctx->column && ctx->column_event ? BW_OK : bw_fail_memory(err);
    bool promotions = false;
    for (size_t i = 0; i < r->n && st == BW_OK; i++) {
        const event *e = &r->event[i];
        st = load_add_name(&ctx->events, e->name, err);
        put_column(ctx, T, i, e->days);
        clear_taken(r, i);
        for (size_t before = 1; before < 3 && e->holiday && e->times > 1; before++)
            if (any_day(e->days + before * T, T))
                put_column(ctx, T, i, e->days + before * T);
        promotions = promotions || e->promotion;
    }
    if (st == BW_OK && promotions && any_day(r->after, T)) {
        st = load_add_name(&ctx->events, AFTER_PROMOTION, err);
        put_column(ctx, T, r->n, r->after);
    }
    return st;
}

bw_status load_events(const calendar *cal, context_arrays *ctx, bw_err *err) {
    reader r = {.cal = cal, .after = calloc(cal->n_time, sizeof(double))};
    bw_status st =
        r.after
            ? load_each(cal->db, "SELECT name, day, end_day, kind FROM event ORDER BY name, day",
                        event_row, &r, err)
            : bw_fail_memory(err);
    if (st == BW_OK) {
        thin(&r);
        st = hand_over(&r, ctx, err);
    }
    while (r.n)
        drop(&r, r.n - 1);
    free(r.event);
    free(r.after);
    return st;
}
