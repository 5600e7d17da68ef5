/* demo/messages.c - campaign messages: who got them when, what they said, and what came of it.
 *
 * Orders per delivered message = a channel's usual rate x index of the hour (day of week x hour)
 * x content x promotion x what is left after fatigue x a lognormal scatter; opens and clicks are the
 * way there. Times are chosen as marketers choose them: mostly mornings of working days, so that the
 * best hours are rarely tried and there is something to find. */
#include "demo/shop.h"
#include "demo/text.h"

#include "sql/db.h"

#include <gsl/gsl_randist.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SCATTER      0.22 /* sd of the log of a message's rate */
#define FATIGUE      0.30 /* share of orders lost when the audience heard from us the day before */
#define FATIGUE_HALF 2.5  /* days after which half of that loss is gone */
#define PROMO_LIFT   0.30

/* How a channel's audience lives: hours used, weekday effects (log), two bumps over the day. */
static const struct slots {
    int cast; /* index of the channel */
    double share, delivered, rate, open, click;
    int first_hour, last_hour, usual_hour;
    double day[7], peak1, size1, peak2, size2;
} SLOTS[] = {
    {3,
     0.58,
     11000,
     0.0016,
     0.24,
     0.14,
     6,
     22,
     9,
     {0.02, 0.10, 0.05, 0.02, -0.10, -0.15, 0.12},
     8,
     0.15,
     20,
     0.50},
    {1,
     0.22,
     26000,
     0.00040,
     0.11,
     0.09,
     7,
     23,
     12,
     {-0.05, -0.02, 0.05, 0.16, 0.02, -0.06, 0.06},
     12,
     0.10,
     19,
     0.42},
    {2,
     0.20,
     34000,
     0.00026,
     0.16,
     0.05,
     10,
     23,
     17,
     {-0.10, -0.08, -0.02, 0.0, 0.08, 0.14, 0.18},
     13,
     0.08,
     21,
     0.55},
};
#define N_SLOTS 3

static double slot_raw(const struct slots *k, int weekday, int hour) {
    double a = (hour + 0.5 - k->peak1) / 1.8, b = (hour + 0.5 - k->peak2) / 1.6;
    return exp(k->day[weekday] + k->size1 * exp(-a * a / 2) + k->size2 * exp(-b * b / 2));
}

/* Relative to the plain mean over the hours used. */
static double slot_index(const struct slots *k, int weekday, int hour) {
    double sum = 0;
    int n = 0;
    for (int d = 0; d < 7; d++)
        for (int h = k->first_hour; h <= k->last_hour; h++, n++)
            sum += slot_raw(k, d, h);
    return slot_raw(k, weekday, hour) / (sum / n);
}

enum { QUESTION, NUMBER, EMOJI, URGENCY, PERSONAL, N_FEATURES };
static const struct {
    const char *name;
    double chance, lift;
} FEATURES[N_FEATURES] = {{"question", 0.35, 0.09},
                          {"number", 0.45, 0.11},
                          {"emoji", 0.40, 0.05},
                          {"urgency", 0.30, -0.08},
                          {"personal", 0.35, 0.15}};

static const struct {
    const char *en, *zh;
    double size;
} AUDIENCES[] = {{"new", "新客", 0.8},
                 {"regular", "老客", 1.3},
                 {"lapsed", "沉睡客", 0.9},
                 {"vip", "会员", 0.4}};
#define N_AUDIENCES 4

struct sending {
    int day, hour, minute, slots, audience, serial;
    bool zh, has[N_FEATURES];
};

struct mailer {
    struct shop *s;
    gsl_rng *r;
    struct grammar *en, *zh;
    sqlite3_stmt *q;
    double basket;
    int last_day[2][N_AUDIENCES]; /* on which an audience last heard from us */
};

static int draw_hour(const struct slots *k, gsl_rng *r) {
    if (gsl_rng_uniform(r) < 0.45) {
        int h = k->usual_hour + (int)round(gsl_ran_gaussian(r, 1.2));
        if (h >= k->first_hour && h <= k->last_hour)
            return h;
    }
    return k->first_hour +
           (int)gsl_rng_uniform_int(r, (unsigned long)(k->last_hour - k->first_hour + 1));
}

static const double SENDING_DAY[7] = {0.17, 0.20, 0.18, 0.20, 0.13, 0.05, 0.07};

/* The channel that a kind of sending belongs to; a shop with few channels has fewer. */
static const struct channel *channel_of(const struct shop *s, int slots) {
    int cast = SLOTS[slots].cast;
    return &s->channel[cast < s->n_channels ? cast : 0];
}

/* After all draws, so that what went out before the habit stays as it was. */
static void follow_habits(const struct shop *s, struct sending *m) {
    for (int i = 0; i < s->n_habits; i++) {
        const struct habit *h = &s->habit[i];
        if (h->kind == ANSWER || m->day < h->from ||
            strcmp(h->subject, channel_of(s, m->slots)->name) != 0)
            continue;
        if (h->kind == SEND_AT) {
            m->day += h->weekday - m->day % 7;
            m->hour = h->hour + m->hour % h->hours;
        }
        for (int f = 0; h->kind == WRITE_WITH && f < N_FEATURES; f++)
            if (strcmp(FEATURES[f].name, h->feature) == 0)
                m->has[f] = m->serial % 4 != 0;
    }
}

static struct sending draw_sending(const struct shop *s, int serial, gsl_rng *r) {
    struct sending m = {.serial = serial};
    int week = (int)((double)serial * s->weeks / s->o.messages);
    double u = gsl_rng_uniform(r);
    while (m.day < 6 && (u -= SENDING_DAY[m.day]) >= 0)
        m.day++;
    m.day += 7 * week;
    u = gsl_rng_uniform(r);
    m.slots = u < SLOTS[0].share ? 0 : u < SLOTS[0].share + SLOTS[1].share ? 1 : 2;
    m.hour = draw_hour(&SLOTS[m.slots], r);
    m.minute = 5 * (int)gsl_rng_uniform_int(r, 12);
    m.audience = (int)gsl_rng_uniform_int(r, N_AUDIENCES);
    m.zh = s->o.chinese || gsl_rng_uniform(r) < 0.38;
    for (int f = 0; f < N_FEATURES; f++)
        m.has[f] = gsl_rng_uniform(r) < FEATURES[f].chance;
    follow_habits(s, &m);
    return m;
}

static int by_time(const void *a, const void *b) {
    const struct sending *x = a, *y = b;
    int p[] = {x->day - y->day, x->hour - y->hour, x->minute - y->minute, x->serial - y->serial};
    for (int i = 0; i < 4; i++)
        if (p[i])
            return p[i];
    return 0;
}

/* The promotion that runs that day, or NULL. */
static const struct event *promotion_on(const struct shop *s, int day) {
    for (int i = 0; i < s->n_events && !s->o.no_outcome; i++)
        if (s->event[i].discount > 0 && day >= s->event[i].first && day <= s->event[i].last)
            return &s->event[i];
    return NULL;
}

/* A text that has the features and no other: only the rule 'number' holds digits, only 'question' a
 * question mark, only 'urgency' words of haste. */
static bw_status write_text(struct mailer *w, struct sending *m, bw_buf *out, bw_err *err) {
    struct grammar *g = m->zh ? w->zh : w->en;
    const struct event *promo = promotion_on(w->s, m->day);
    char off[16] = "";
    if (promo && gsl_rng_uniform(w->r) < 0.6) {
        snprintf(off, sizeof off, "%.0f",
                 m->zh ? 100 - 100 * promo->discount : 100 * promo->discount);
        m->has[NUMBER] = true;
    }
    grammar_bind(g, "off", off);
    const struct {
        bool wanted;
        const char *rule;
    } parts[] = {{m->has[PERSONAL], "personal"},
                 {m->has[QUESTION], "question"},
                 {true, "body"},
                 {m->has[NUMBER], *off ? "promotion" : "number"},
                 {true, m->has[URGENCY] ? "urgency" : "call"},
                 {m->has[EMOJI], "emoji"}};
    bw_status st = BW_OK;
    for (size_t i = 0; st == BW_OK && i < sizeof parts / sizeof *parts; i++) {
        if (!parts[i].wanted)
            continue;
        if (out->len && !m->zh)
            bw_buf_add(out, " ");
        st = grammar_add(g, parts[i].rule, out, err);
    }
    return st;
}

static double content_factor(const struct sending *m) {
    double x = 1;
    for (int f = 0; f < N_FEATURES; f++)
        x *= m->has[f] ? 1 + FEATURES[f].lift : 1;
    return x;
}

/* What is left of the orders, by the days since this audience last heard from us. */
static double rested(struct mailer *w, const struct sending *m) {
    int *last = &w->last_day[m->zh][m->audience];
    int gap = m->day - *last;
    *last = m->day;
    return 1 - FATIGUE * pow(0.5, (fmax(gap, 1) - 1) / FATIGUE_HALF);
}

static bw_status put_message(struct mailer *w, struct sending *m, const char *text, bw_err *err) {
    const struct slots *k = &SLOTS[m->slots];
    const struct channel *c = channel_of(w->s, m->slots);
    double lift = slot_index(k, m->day % 7, m->hour) * content_factor(m) * rested(w, m) *
                  (promotion_on(w->s, m->day) ? 1 + PROMO_LIFT : 1) *
                  exp(gsl_ran_gaussian(w->r, SCATTER));
    unsigned delivered = (unsigned)(k->delivered * AUDIENCES[m->audience].size * (m->zh ? 0.7 : 1) *
                                    exp(gsl_ran_gaussian(w->r, 0.18)));
    unsigned opens = gsl_ran_binomial(w->r, fmin(k->open * sqrt(lift), 0.9), delivered);
    unsigned clicks = gsl_ran_binomial(w->r, fmin(k->click * sqrt(lift), 0.9), opens);
    unsigned orders = gsl_ran_binomial(w->r, k->rate / (k->open * k->click), clicks);
    double revenue = orders ? gsl_ran_gamma(w->r, 2.5 * orders, w->basket / 2.5) : 0;
    char id[24], day[11], at[24], campaign[NAME_SIZE + 24];
    snprintf(id, sizeof id, "M%05d", m->serial + 1);
    shop_day_text(w->s, m->day, day);
    snprintf(at, sizeof at, "%s %02d:%02d", day, m->hour, m->minute);
    campaign_name(w->s, c, m->serial % 3 ? 0 : campaign_on(w->s, m->day), campaign,
                  sizeof campaign);
    const char *audience = m->zh ? AUDIENCES[m->audience].zh : AUDIENCES[m->audience].en;
    return row_put(w->q, err, "ssssssiiiid", id, campaign, c->name, at, audience, text,
                   (int)delivered, (int)opens, (int)clicks, (int)orders,
                   round(revenue * 100) / 100);
}

static bw_status send_all(struct mailer *w, struct sending *list, bw_err *err) {
    bw_status st = BW_OK;
    bw_buf text = {0};
    for (int i = 0; st == BW_OK && i < w->s->o.messages; i++) {
        bw_buf_clear(&text);
        st = write_text(w, &list[i], &text, err);
        if (st == BW_OK)
            st = put_message(w, &list[i], text.text, err);
    }
    bw_buf_free(&text);
    return st;
}

static bw_status timing_truth(const struct shop *s, const struct slots *k, sqlite3 *db,
                              bw_err *err) {
    if (k->cast >= s->n_channels)
        return BW_OK;
    const char *channel = s->channel[k->cast].name;
    double best = 0;
    bw_status st = BW_OK;
    for (int d = 0; d < 7; d++)
        for (int h = k->first_hour; st == BW_OK && h <= k->last_hour; h++) {
            char at[16];
            snprintf(at, sizeof at, "%d-%02d", d, h % 100);
            best = fmax(best, slot_index(k, d, h));
            st = truth_put(db, "timing", channel, at, slot_index(k, d, h), err);
        }
    if (st == BW_OK)
        st = truth_put(db, "timing_gain", channel, NULL, best - 1, err);
    if (st == BW_OK)
        st = truth_put(db, "fatigue", channel, NULL, FATIGUE, err);
    return st == BW_OK ? truth_put(db, "spacing", channel, NULL, FATIGUE_HALF, err) : st;
}

static bw_status store_truth(const struct shop *s, sqlite3 *db, bw_err *err) {
    bw_status st = BW_OK;
    for (int i = 0; st == BW_OK && i < N_SLOTS; i++)
        st = timing_truth(s, &SLOTS[i], db, err);
    for (int f = 0; st == BW_OK && f < N_FEATURES; f++)
        st = truth_put(db, "content", FEATURES[f].name, NULL, FEATURES[f].lift, err);
    return st;
}

static bw_status open_mailer(struct mailer *w, sqlite3 *db, bw_err *err) {
    double orders = 0, revenue = 0;
    for (int d = 0; d < w->s->days; d++)
        orders += w->s->orders[d], revenue += w->s->revenue[d];
    w->basket = orders > 0 ? revenue / orders : 90 * w->s->o.money;
    for (int i = 0; i < N_AUDIENCES; i++)
        w->last_day[0][i] = w->last_day[1][i] = -30;
    w->r = shop_rng(w->s, RNG_MESSAGE);
    bw_status st = w->r ? BW_OK : bw_fail_memory(err);
    if (st == BW_OK)
        st = grammar_load("demo/text/message_en.txt", w->r, &w->en, err);
    if (st == BW_OK)
        st = grammar_load("demo/text/message_zh.txt", w->r, &w->zh, err);
    return st == BW_OK
               ? bw_db_prepare(db, "INSERT INTO message VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                               &w->q, err)
               : st;
}

bw_status shop_write_messages(struct shop *s, sqlite3 *db, bw_err *err) {
    if (s->o.messages == 0 || s->o.no_spend)
        return BW_OK;
    struct mailer w = {.s = s};
    struct sending *list = calloc((size_t)s->o.messages, sizeof *list);
    bw_status st = list ? open_mailer(&w, db, err) : bw_fail_memory(err);
    if (st == BW_OK) {
        for (int i = 0; i < s->o.messages; i++)
            list[i] = draw_sending(s, i, w.r);
        qsort(list, (size_t)s->o.messages, sizeof *list, by_time);
        st = send_all(&w, list, err);
    }
    sqlite3_finalize(w.q);
    grammar_free(w.en);
    grammar_free(w.zh);
    if (w.r)
        gsl_rng_free(w.r);
    free(list);
    return st == BW_OK ? store_truth(s, db, err) : st;
}
