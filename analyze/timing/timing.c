/* analyze/timing/timing.c - the design of the timing regression and what its draws say about slots. */
#include "analyze/timing/timing.h"

#include "analyze/timing/timing_day.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define DRAWS     1000u
#define WIDTH     24u /* entries a row at most */
#define SPAN_DAYS 365.0

const char *const BW_CONTENT_NAMES[BW_CONTENT_FEATURES] = {
    "question", "number",        "emoji",         "urgency",
    "personal", "positive tone", "negative tone", "long text"};

/* Days after which half of the fatigue is gone: the values weighed. */
static const double HALF_LIVES[] = {0.75, 1.25, 2, 3, 4.5, 7, 11, 18};
/* Prior of the half-life: lognormal, three days, one in six beyond about a week. */
#define HALF_LIFE_MEDIAN 3.0
#define HALF_LIFE_LOG_SD 0.8
#define N_HALF           (sizeof HALF_LIVES / sizeof *HALF_LIVES)

enum block {
    CONSTANT,
    FIXED,
    WEEKDAY,
    HOUR,
    CELL,
    MONTH,
    AUDIENCE,
    HOLIDAY,
    PAYDAY,
    CONTENT,
    THEME,
    BLOCKS
};

struct design {
    const bw_send *send;
    size_t n, p, audiences, themes;
    size_t at[BLOCKS], levels[BLOCKS]; /* first column and number of columns of a block */
    int hour_of[24], hours, hour[24];  /* hour_of[h]: index of hour h among the used ones, -1 */
    double first_day;
    bool promotion, gap, content[BW_CONTENT_FEATURES];
    bw_family family;
    double unit;
    uint32_t *column, *block;
    double *value, *successes, *trials;
    double half_life;
    double *draws; /* [DRAWS, p] */
    double *index; /* [7 * hours, DRAWS] rates, then indexes */
};

static int weekday(double day) {
    return bw_calendar_day_of(day).weekday;
}

static void survey(struct design *d) {
    bool used[24] = {false}, promotion[2] = {false};
    size_t gaps = 0, with[BW_CONTENT_FEATURES] = {0};
    d->first_day = INFINITY;
    for (size_t i = 0; i < d->n; i++) {
        const bw_send *s = &d->send[i];
        used[s->hour] = true;
        promotion[s->promotion] = true;
        gaps += isnan(s->gap) ? 0 : 1;
        d->first_day = fmin(d->first_day, s->day);
        for (size_t f = 0; f < BW_CONTENT_FEATURES; f++)
            with[f] += s->flags >> f & 1;
    }
    for (int h = 0; h < 24; h++) {
        d->hour_of[h] = used[h] ? d->hours : -1;
        if (used[h])
            d->hour[d->hours++] = h;
    }
    d->promotion = promotion[0] && promotion[1];
    d->gap = gaps > d->n / 2;
    for (size_t f = 0; f < BW_CONTENT_FEATURES; f++)
        d->content[f] = with[f] > 0 && with[f] < d->n;
}

static bw_status lay_out(struct design *d, bw_err *err) {
    size_t h = (size_t)d->hours;
    const size_t levels[BLOCKS] = {
        1, 3, 7, h, 7 * h, 12, d->audiences, 3, 1, BW_CONTENT_FEATURES, d->themes};
    for (size_t b = 0; b < BLOCKS; b++) {
        d->at[b] = d->p;
        d->levels[b] = levels[b];
        d->p += levels[b];
    }
    d->column = malloc(d->n * WIDTH * sizeof *d->column);
    d->value = malloc(d->n * WIDTH * sizeof *d->value);
    d->block = malloc(d->p * sizeof *d->block);
    d->successes = malloc(d->n * sizeof(double));
    d->trials = malloc(d->n * sizeof(double));
    d->draws = malloc(DRAWS * d->p * sizeof(double));
    d->index = malloc(DRAWS * 7 * h * sizeof(double));
    if (!d->column || !d->value || !d->block || !d->successes || !d->trials || !d->draws ||
        !d->index)
        return bw_fail_memory(err);
    for (size_t b = 0; b < BLOCKS; b++)
        for (size_t k = 0; k < levels[b]; k++)
            d->block[d->at[b] + k] = (uint32_t)b;
    return BW_OK;
}

static void design_free(struct design *d) {
    free(d->column);
    free(d->value);
    free(d->block);
    free(d->successes);
    free(d->trials);
    free(d->draws);
    free(d->index);
}

static double fatigue_value(double gap, double half_life) {
    return isnan(gap) ? 0 : pow(0.5, (fmax(gap, 1) - 1) / half_life);
}

struct row {
    uint32_t *column;
    double *value;
    size_t k;
};

static void entry(struct row *r, size_t column, double value) {
    r->column[r->k] = (uint32_t)column;
    r->value[r->k++] = value;
}

static void fill_row(struct design *d, size_t i) {
    const bw_send *s = &d->send[i];
    struct row r = {d->column + i * WIDTH, d->value + i * WIDTH, 0};
    bw_calendar_day date = bw_calendar_day_of(s->day);
    size_t day = (size_t)date.weekday;
    size_t hour = (size_t)d->hour_of[s->hour];
    entry(&r, d->at[CONSTANT], 1);
    entry(&r, d->at[FIXED], (s->day - d->first_day) / SPAN_DAYS);
    if (d->promotion && s->promotion)
        entry(&r, d->at[FIXED] + 1, 1);
    if (d->gap)
        entry(&r, d->at[FIXED] + 2, fatigue_value(s->gap, d->half_life));
    entry(&r, d->at[WEEKDAY] + day, 1);
    entry(&r, d->at[HOUR] + hour, 1);
    entry(&r, d->at[CELL] + day * (size_t)d->hours + hour, 1);
    entry(&r, d->at[MONTH] + (size_t)date.month - 1, 1);
    if (d->audiences > 1)
        entry(&r, d->at[AUDIENCE] + s->audience, 1);
    if (s->holiday)
        entry(&r, d->at[HOLIDAY] + (size_t)s->holiday - 1, 1);
    if (date.payday)
        entry(&r, d->at[PAYDAY], 1);
    for (size_t f = 0; f < BW_CONTENT_FEATURES; f++)
        if (d->content[f] && s->flags >> f & 1)
            entry(&r, d->at[CONTENT] + f, 1);
    if (s->theme != UINT32_MAX)
        entry(&r, d->at[THEME] + s->theme, 1);
    while (r.k < WIDTH)
        entry(&r, UINT32_MAX, 0);
    d->successes[i] = s->successes;
    d->trials[i] = s->trials;
}

static bw_status fit_at(struct design *d, double half_life, const bw_glmm_fit *start,
                        bw_glmm_fit *f, bw_err *err) {
    static const bool FIXED_BLOCK[BLOCKS] = {[CONSTANT] = true, [FIXED] = true};
    d->half_life = half_life;
    for (size_t i = 0; i < d->n; i++)
        fill_row(d, i);
    return bw_glmm(&(bw_glmm_data){.n = d->n,
                                   .p = d->p,
                                   .width = WIDTH,
                                   .column = d->column,
                                   .value = d->value,
                                   .successes = d->successes,
                                   .trials = d->trials,
                                   .block = d->block,
                                   .blocks = BLOCKS,
                                   .fixed = FIXED_BLOCK,
                                   .family = d->family,
                                   .unit = d->unit},
                   start, f, err);
}

/* Weighs the half-lives, keeps the fit at the likeliest; weight: [N_HALF], sums to 1. */
static bw_status fit_half_life(struct design *d, bw_glmm_fit *best, double *weight, bw_err *err) {
    bw_glmm_fit start, f;
    double top = -INFINITY, total = 0;
    size_t at = 0;
    bw_status st = fit_at(d, 2, NULL, &start, err);
    if (st != BW_OK)
        return st;
    for (size_t k = 0; st == BW_OK && d->gap && k < N_HALF; k++) {
        st = fit_at(d, HALF_LIVES[k], &start, &f, err);
        if (st == BW_OK) {
            double off = log(HALF_LIVES[k] / HALF_LIFE_MEDIAN) / HALF_LIFE_LOG_SD;
            weight[k] = f.log_marginal - off * off / 2;
            at = weight[k] > top ? k : at;
            top = fmax(top, weight[k]);
            bw_glmm_free(&f);
        }
    }
    for (size_t k = 0; d->gap && k < N_HALF; k++)
        total += weight[k] = exp(weight[k] - top);
    for (size_t k = 0; d->gap && k < N_HALF; k++)
        weight[k] /= total;
    if (st == BW_OK)
        st = fit_at(d, d->gap ? HALF_LIVES[at] : 2, &start, best, err);
    bw_glmm_free(&start);
    return st;
}

/* Mean of what a send has besides its slot: the level at which slots are compared. */
static double level(const struct design *d, const double *b) {
    double sum = 0, trials = 0;
    for (size_t i = 0; i < d->n; i++) {
        double eta = 0;
        for (size_t k = 0; k < WIDTH; k++) {
            uint32_t c = d->column[i * WIDTH + k];
            if (c != UINT32_MAX && d->block[c] != WEEKDAY && d->block[c] != HOUR &&
                d->block[c] != CELL)
                eta += b[c] * d->value[i * WIDTH + k];
        }
        sum += d->trials[i] * eta;
        trials += d->trials[i];
    }
    return sum / trials;
}

static void count_slots(const struct design *d, bw_timing *t, double *trials) {
    for (size_t c = 0; c < t->slots; c++) {
        t->slot[c].weekday = (int)(c / (size_t)d->hours);
        t->slot[c].hour = d->hour[c % (size_t)d->hours];
    }
    for (size_t i = 0; i < d->n; i++) {
        const bw_send *s = &d->send[i];
        size_t c = (size_t)weekday(s->day) * (size_t)d->hours + (size_t)d->hour_of[s->hour];
        t->slot[c].messages += s->messages;
        trials[c] += s->trials;
        t->messages += s->messages;
        t->trials += s->trials;
        t->successes += s->successes;
    }
}

/* Fills d->index with each draw's rates of the slots; mix[s]: the rate of today's mix. */
static void slot_rates(struct design *d, bw_timing *t, const double *trials, double base,
                       double *mix) {
    size_t h = (size_t)d->hours;
    for (size_t s = 0; s < DRAWS; s++) {
        const double *b = d->draws + s * d->p;
        double sum = 0, weighted = 0;
        for (size_t c = 0; c < t->slots; c++) {
            double rate = bw_glmm_mean(d->family, base + b[d->at[WEEKDAY] + c / h] +
                                                      b[d->at[HOUR] + c % h] + b[d->at[CELL] + c]);
            d->index[c * DRAWS + s] = rate;
            sum += rate;
            weighted += trials[c] * rate;
        }
        mix[s] = weighted / t->trials;
        double mean = sum / (double)t->slots;
        for (size_t c = 0; c < t->slots; c++)
            d->index[c * DRAWS + s] /= mean;
        mix[s] /= mean;
    }
}

static void best_slots(const struct design *d, bw_timing *t) {
    for (size_t s = 0; s < DRAWS; s++) {
        size_t best = t->slots;
        for (size_t c = 0; c < t->slots; c++)
            if (t->slot[c].messages >= BW_SLOT_MESSAGES &&
                (best == t->slots || d->index[c * DRAWS + s] > d->index[best * DRAWS + s]))
                best = c;
        if (best < t->slots)
            t->slot[best].p_best += 1.0 / DRAWS;
    }
}

/* The posterior mean decides, not the chance to be best, which prefers what is least known. */
static void choose_best(struct design *d, bw_timing *t, const double *mix, double *scratch) {
    double top = -INFINITY;
    t->best = t->slots;
    for (size_t c = 0; c < t->slots; c++) {
        memcpy(scratch, d->index + c * DRAWS, DRAWS * sizeof *scratch);
        t->slot[c].index = bw_summarise(scratch, DRAWS);
        if (t->slot[c].messages >= BW_SLOT_MESSAGES && t->slot[c].index.mean > top) {
            top = t->slot[c].index.mean;
            t->best = c;
        }
    }
    t->gain = bw_summarise(NULL, 0);
    if (t->best == t->slots)
        return;
    for (size_t s = 0; s < DRAWS; s++)
        scratch[s] = d->index[t->best * DRAWS + s] / mix[s] - 1;
    t->gain = bw_summarise(scratch, DRAWS);
}

/* The run of hours on one day with the highest mean index, none of them thin. */
static void choose_window(const struct design *d, bw_timing *t, int length, double *scratch) {
    double top = -INFINITY;
    t->window = bw_summarise(NULL, 0);
    size_t first = 0;
    for (size_t c = 0; c + (size_t)length <= t->slots; c++) {
        const bw_slot *a = &t->slot[c], *z = &t->slot[c + (size_t)length - 1];
        double mean = 0, fewest = INFINITY;
        if (a->weekday != z->weekday || z->hour - a->hour != length - 1)
            continue;
        for (size_t k = 0; k < (size_t)length; k++) {
            mean += t->slot[c + k].index.mean / length;
            fewest = fmin(fewest, t->slot[c + k].messages);
        }
        if (fewest >= BW_SLOT_MESSAGES && mean > top) {
            top = mean;
            first = c;
        }
    }
    if (isinf(top))
        return;
    for (size_t s = 0; s < DRAWS; s++) {
        scratch[s] = 0;
        for (size_t k = 0; k < (size_t)length; k++)
            scratch[s] += d->index[(first + k) * DRAWS + s] / length;
    }
    t->window = bw_summarise(scratch, DRAWS);
    t->window_weekday = t->slot[first].weekday;
    t->window_first = t->slot[first].hour;
    t->window_last = t->window_first + length - 1;
}

/* Indexes of single effects: rate with the effect over the mean rate of its block's used levels. */
static void block_index(const struct design *d, enum block b, double base, const bool *used,
                        bw_summary *out, double *scratch) {
    double count = 0;
    for (size_t k = 0; k < d->levels[b]; k++)
        count += used[k];
    for (size_t k = 0; k < d->levels[b]; k++) {
        if (!used[k]) {
            out[k] = bw_summarise(NULL, 0);
            continue;
        }
        for (size_t s = 0; s < DRAWS; s++) {
            const double *x = d->draws + s * d->p + d->at[b];
            double mean = 0;
            for (size_t j = 0; j < d->levels[b]; j++)
                mean += used[j] ? bw_glmm_mean(d->family, base + x[j]) / count : 0;
            scratch[s] = bw_glmm_mean(d->family, base + x[k]) / mean;
        }
        out[k] = bw_summarise(scratch, DRAWS);
    }
}

static void single_effects(const struct design *d, bw_timing *t, double base, double *scratch) {
    bool day[7] = {false}, month[12] = {false}, hour[24] = {false};
    for (size_t i = 0; i < d->n; i++) {
        bw_calendar_day date = bw_calendar_day_of(d->send[i].day);
        month[date.month - 1] = true;
        day[date.weekday] = true;
        hour[d->hour_of[d->send[i].hour]] = true;
    }
    bw_summary packed[24];
    block_index(d, WEEKDAY, base, day, t->weekday, scratch);
    block_index(d, MONTH, base, month, t->month, scratch);
    block_index(d, HOUR, base, hour, packed, scratch);
    for (int h = 0; h < 24; h++)
        t->hour[h] = d->hour_of[h] >= 0 ? packed[d->hour_of[h]] : bw_summarise(NULL, 0);
}

static bw_summary lift(const struct design *d, size_t column, double base, double *scratch) {
    for (size_t s = 0; s < DRAWS; s++)
        scratch[s] = bw_glmm_mean(d->family, base + d->draws[s * d->p + column]) /
                         bw_glmm_mean(d->family, base) -
                     1;
    return bw_summarise(scratch, DRAWS);
}

static void content_effects(const struct design *d, bw_timing *t, double base, double *scratch) {
    for (size_t i = 0; i < d->n; i++) {
        for (size_t f = 0; f < BW_CONTENT_FEATURES; f++)
            t->content_n[f] += d->send[i].flags >> f & 1 ? d->send[i].messages : 0;
        if (d->send[i].theme != UINT32_MAX)
            t->theme_n[d->send[i].theme] += d->send[i].messages;
    }
    for (size_t f = 0; f < BW_CONTENT_FEATURES; f++)
        t->content[f] =
            d->content[f] ? lift(d, d->at[CONTENT] + f, base, scratch) : bw_summarise(NULL, 0);
    for (size_t k = 0; k < d->themes; k++)
        t->theme[k] =
            t->theme_n[k] > 0 ? lift(d, d->at[THEME] + k, base, scratch) : bw_summarise(NULL, 0);
}

/* Draws of the half-life come from its weights, of the loss from the fit at the likeliest one. */
static void fatigue_effects(const struct design *d, bw_timing *t, double base, const double *weight,
                            double *loss, double *scratch) {
    size_t column = d->at[FIXED] + 2, k = 0;
    double passed = weight[0];
    double *spacing = scratch + DRAWS;
    for (size_t s = 0; s < DRAWS; s++) {
        while (k + 1 < N_HALF && ((double)s + 0.5) / DRAWS > passed)
            passed += weight[++k];
        loss[s] = 1 - bw_glmm_mean(d->family, base + d->draws[s * d->p + column]) /
                          bw_glmm_mean(d->family, base);
        scratch[s] = HALF_LIVES[k];
        spacing[s] =
            loss[s] <= BW_FATIGUE_LEFT ? 1 : 1 + HALF_LIVES[k] * log2(loss[s] / BW_FATIGUE_LEFT);
    }
    t->has_fatigue = true;
    t->fatigue = bw_summarise(loss, DRAWS);
    t->half_life = bw_summarise(scratch, DRAWS);
    t->spacing = bw_summarise(spacing, DRAWS);
}

static bw_status estimate(struct design *d, int window, uint64_t seed, bw_timing *t, bw_err *err) {
    double weight[N_HALF] = {0};
    bw_glmm_fit f;
    bw_status st = fit_half_life(d, &f, weight, err);
    if (st != BW_OK)
        return st;
    double *scratch = malloc(4 * DRAWS * sizeof *scratch), *mix = scratch + 3 * DRAWS;
    double *trials = calloc(7 * (size_t)d->hours, sizeof *trials);
    t->slots = 7 * (size_t)d->hours;
    t->slot = calloc(t->slots, sizeof *t->slot);
    t->theme = calloc(d->themes + 1, sizeof *t->theme);
    t->theme_n = calloc(d->themes + 1, sizeof *t->theme_n);
    t->themes = d->themes;
    if (!scratch || !trials || !t->slot || !t->theme || !t->theme_n)
        st = bw_fail_memory(err);
    if (st == BW_OK)
        st = bw_glmm_draw(&f, DRAWS, seed, d->draws, err);
    if (st == BW_OK) {
        double base = level(d, f.coef);
        count_slots(d, t, trials);
        slot_rates(d, t, trials, base, mix);
        best_slots(d, t);
        choose_best(d, t, mix, scratch);
        choose_window(d, t, window, scratch);
        single_effects(d, t, base, scratch);
        content_effects(d, t, base, scratch);
        if (d->gap)
            fatigue_effects(d, t, base, weight, scratch + 2 * DRAWS, scratch);
        t->scatter = f.scatter;
    }
    free(scratch);
    free(trials);
    bw_glmm_free(&f);
    return st;
}

bw_status bw_timing_fit(const bw_send *send, size_t n, size_t audiences, size_t themes,
                        bw_family family, double unit, int window, uint64_t seed, bw_timing *out,
                        bw_err *err) {
    *out = (bw_timing){0};
    if (n < BW_TIMING_LEAST)
        return bw_fail(err, BW_EDATA, "%zu sends; %u are the least to tell slots apart", n,
                       BW_TIMING_LEAST);
    struct design d = {.send = send,
                       .n = n,
                       .audiences = audiences,
                       .themes = themes,
                       .family = family,
                       .unit = unit};
    survey(&d);
    bool one_day = true;
    for (size_t i = 1; i < n; i++)
        one_day &= weekday(send[i].day) == weekday(send[0].day);
    if (one_day && d.hours == 1)
        return bw_fail(err, BW_EDATA,
                       "every message was sent in the same hour of the same weekday: there is "
                       "nothing to compare it with; vary the time of a few sends");
    bw_status st = lay_out(&d, err);
    if (st == BW_OK)
        st = estimate(&d, window, seed, out, err);
    design_free(&d);
    if (st != BW_OK)
        bw_timing_free(out);
    return st;
}

void bw_timing_free(bw_timing *t) {
    free(t->slot);
    free(t->theme);
    free(t->theme_n);
    *t = (bw_timing){0};
}
