/* reports/advice/candidates.c - one function a kind of advice; each looks at facts alone. */
#include "reports/advice/candidates.h"

#include <cjson/cJSON.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define CANDIDATES_MOST 24
#define SHOWN_MOST      6
#define CHANGE_COST     0.02 /* of the money moved: what a change of plan costs in work */
#define UNTESTED        0.8  /* weight of advice whose stability was not tested */
#define WEEKS_LEAST     26   /* of outcome, before money is moved on a model's word */

typedef struct {
    const bw_shop *s;
    bw_candidate *items;
    size_t n;
    bw_err *err;
} finder;

static bw_candidate *add(finder *f, const char *kind, const char *subject) {
    if (f->n == CANDIDATES_MOST)
        return &f->items[f->n - 1];
    bw_candidate *c = &f->items[f->n++];
    *c = (bw_candidate){.kind = kind,
                        .subject = subject,
                        .action = "{}",
                        .unit = "outcome",
                        .gain = NAN,
                        .lo = NAN,
                        .hi = NAN,
                        .probability = NAN,
                        .stability = NAN};
    return c;
}

static const bw_fact *find(const finder *f, const char *measure, const char *subject) {
    return bw_fact_find(f->s->facts, measure, subject);
}

/* Takes the object, prints it into the arena and frees it. */
static const char *print_json(const finder *f, cJSON *object) {
    char *text = object ? cJSON_PrintUnformatted(object) : NULL;
    const char *copy = bw_arena_text(f->s->arena, text ? text : "{}");
    free(text);
    cJSON_Delete(object);
    return copy;
}

static void promise(bw_candidate *c, const bw_fact *gain) {
    c->gain = gain->value;
    c->lo = gain->lo;
    c->hi = gain->hi;
    c->probability = gain->probability;
}

static double weight(double stability) {
    return isfinite(stability) ? stability : UNTESTED;
}

/* ---- budget ---- */

/* The least stable of the channels that would move, weighted by nothing: one shaky leg is enough. */
static double move_stability(const finder *f) {
    double least = NAN;
    for (size_t i = 0; i < f->s->n_channels; i++) {
        const bw_fact *move = find(f, "plan.move", f->s->channels[i].name),
                      *stable = find(f, "stability", f->s->channels[i].name);
        const bw_fact *moved = find(f, "plan.moved", "");
        if (move && stable && moved && fabs(move->value) > 0.1 * moved->value)
            least = isfinite(least) ? fmin(least, stable->value) : stable->value;
    }
    return least;
}

static const char *budget_action(const finder *f) {
    cJSON *action = cJSON_CreateObject(), *moves = cJSON_AddObjectToObject(action, "moves"),
          *now = cJSON_AddObjectToObject(action, "now");
    const bw_fact *total = find(f, "plan.total", "");
    for (size_t i = 0; i < f->s->n_channels; i++) {
        const bw_fact *move = find(f, "plan.move", f->s->channels[i].name);
        if (!move || (total && fabs(move->value) < 0.002 * total->value))
            continue;
        cJSON_AddNumberToObject(moves, move->subject, move->value);
        cJSON_AddNumberToObject(now, move->subject, move->reference);
    }
    const bw_fact *next = find(f, "forecast.next", ""),
                  *normal = bw_fact_find(
                      f->s->facts, bw_arena_textf(f->s->arena, "normal.%s", f->s->outcome), "");
    const bw_fact *floor_of = next && isfinite(next->lo) ? next : normal;
    if (floor_of && isfinite(floor_of->lo) && floor_of->lo > 0)
        cJSON_AddNumberToObject(action, "undo_below", floor_of->lo);
    return print_json(f, action);
}

static void find_budget(finder *f) {
    const bw_fact *gain = find(f, "plan.gain", ""), *moved = find(f, "plan.moved", ""),
                  *total = find(f, "plan.total", "");
    if (!gain || !moved || !total || moved->value < 0.01 * total->reference || !(gain->value > 0) ||
        f->s->weeks < WEEKS_LEAST)
        return;
    double stability = move_stability(f);
    if (!(gain->probability >= BW_ACT_PROBABILITY) || stability < BW_ACT_STABILITY)
        return;
    bw_candidate *c = add(f, "budget", "");
    promise(c, gain);
    c->stability = stability;
    c->action = budget_action(f);
    c->run = f->s->runs.plan;
    c->rank = gain->value * gain->probability * weight(stability) - CHANGE_COST * moved->value;
}

/* ---- messages ---- */

static void find_timing(finder *f) {
    const bw_fact *window;
    for (size_t i = 0; (window = bw_fact_at(f->s->facts, i)); i++) {
        if (strcmp(window->measure, "window") != 0)
            continue;
        const bw_fact *gain = find(f, "timing.gain", window->subject),
                      *money = find(f, "timing.money", window->subject);
        if (!gain || !(gain->probability >= BW_ACT_PROBABILITY))
            continue;
        bw_candidate *c = add(f, "timing", window->subject);
        cJSON *action = cJSON_CreateObject();
        cJSON_AddStringToObject(action, "window", window->at);
        cJSON_AddNumberToObject(action, "lift", gain->value);
        c->action = print_json(f, action);
        c->run = f->s->runs.timing;
        c->unit = money ? "outcome" : "rate";
        promise(c, money ? money : gain);
        c->probability = gain->probability;
        c->rank = money ? money->value * gain->probability * UNTESTED : 0;
    }
}

static void find_content(finder *f) {
    const bw_fact *effect;
    for (size_t i = 0; (effect = bw_fact_at(f->s->facts, i)); i++) {
        if (strcmp(effect->measure, "content.effect") != 0 || effect->value <= 0 ||
            !(effect->probability >= 0.9))
            continue;
        bw_candidate *c = add(f, "content", effect->at);
        cJSON *action = cJSON_CreateObject();
        cJSON_AddStringToObject(action, "feature", effect->subject);
        cJSON_AddNumberToObject(action, "lift", effect->value);
        c->action = print_json(f, action);
        c->run = f->s->runs.content;
        c->unit = "rate";
        promise(c, effect);
        return; /* the strongest one is enough for a week */
    }
}

/* ---- price ---- */

static void find_price(finder *f) {
    const bw_fact *best;
    for (size_t i = 0; (best = bw_fact_at(f->s->facts, i)); i++) {
        const bw_fact *elasticity = find(f, "price.elasticity", best->subject);
        if (strcmp(best->measure, "price.best") != 0 || !elasticity || !isfinite(best->reference) ||
            !isfinite(best->lo))
            continue;
        if (best->lo <= best->reference && best->reference <= best->hi)
            continue; /* today's price may well be the best one */
        bw_candidate *c = add(f, "price", best->subject);
        cJSON *action = cJSON_CreateObject();
        cJSON_AddNumberToObject(action, "from", best->reference);
        cJSON_AddNumberToObject(action, "to", best->value);
        c->action = print_json(f, action);
        c->run = f->s->runs.price;
        c->probability = elasticity->probability;
        const bw_fact *money = find(f, "price.money", best->subject);
        if (money) {
            c->unit = "profit";
            promise(c, money);
            c->rank = money->value * money->probability * UNTESTED;
        }
        return;
    }
}

/* ---- promotions ---- */

/* The newest promotion whose dip is over: to be had again when promotions like it bring more than
 * they take from the weeks after, or not. */
static void find_promotion(finder *f) {
    const bw_fact *last = find(f, "promotion.last", ""), *next = find(f, "promotion.next", "");
    if (!last || !isfinite(last->probability))
        return;
    bool again = last->probability >= BW_ACT_PROBABILITY;
    if (!again && last->probability > 1 - BW_ACT_PROBABILITY)
        return;
    bw_candidate *c = add(f, "promotion", last->at);
    cJSON *action = cJSON_CreateObject();
    cJSON_AddNumberToObject(action, "again", again);
    c->action = print_json(f, action);
    c->unit = "once";
    c->run = f->s->runs.promotion;
    if (again && next && isfinite(next->lo))
        promise(c, next);
    c->probability = again ? last->probability : 1 - last->probability;
    c->rank = -0.5; /* nothing to be done this week */
}

/* ---- customers ---- */

static void find_complaint(finder *f) {
    const bw_fact *moved = find(f, "aspect.moved", "");
    if (!moved || moved->value >= 0)
        return;
    const bw_fact *negative = find(f, "aspect.negative", moved->at),
                  *money = find(f, "complaint.money", "");
    bw_candidate *c = add(f, "complaint", moved->at);
    cJSON *action = cJSON_CreateObject();
    cJSON_AddNumberToObject(action, "negative", negative ? negative->value : 0);
    cJSON_AddNumberToObject(action, "shift", moved->value);
    c->action = print_json(f, action);
    c->run = f->s->runs.fit;
    c->unit = "balance"; /* what it aims at: back to where it was */
    c->gain = -moved->value;
    c->lo = -moved->hi;
    c->hi = -moved->lo;
    if (money && money->value > 0)
        c->rank =
            money->value * (isfinite(money->probability) ? money->probability : 0.5) * UNTESTED;
}

/* ---- tests ---- */

/* Weeks until a test of the channel at zero spend in half of the market halves today's interval of
 * its next return: the error of a week's outcome, from the fit, against the money withheld. */
static double test_weeks(const finder *f, const bw_fact *next, double spend) {
    const bw_fact *mape = find(f, "fit.mape", ""),
                  *week = bw_fact_find(f->s->facts,
                                       bw_arena_textf(f->s->arena, "normal.%s", f->s->outcome), "");
    if (!mape || !week || !(spend > 0))
        return NAN;
    double sd = 1.2533 * mape->value * week->value; /* mean absolute error to sd, normal errors */
    double target = (next->hi - next->lo) / 4;
    return ceil(pow(1.645 * sd / (0.5 * spend * target), 2));
}

/* The channel whose unknown return hides most money: interval x spend. */
static void find_experiment(finder *f) {
    const bw_fact *best = NULL;
    double stake = 0, spend = 0;
    for (size_t i = 0; i < f->s->n_channels; i++) {
        const bw_fact *next = find(f, "next", f->s->channels[i].name),
                      *move = find(f, "plan.move", f->s->channels[i].name);
        double now = move ? move->reference : NAN;
        if (!next || !isfinite(next->lo) || !(now > 0) || next->probability < 0.05 ||
            next->probability > 0.95)
            continue;
        if ((next->hi - next->lo) * now > stake) {
            stake = (next->hi - next->lo) * now;
            best = next;
            spend = now;
        }
    }
    double weeks = best ? test_weeks(f, best, spend) : NAN;
    if (!isfinite(weeks) || f->s->weeks < 8)
        return;
    bw_candidate *c = add(f, "experiment", best->subject);
    cJSON *action = cJSON_CreateObject();
    cJSON_AddNumberToObject(action, "weeks", fmin(fmax(weeks, 2), 12));
    cJSON_AddNumberToObject(action, "spend", spend);
    c->action = print_json(f, action);
    c->run = f->s->runs.fit;
    c->rank = -1; /* to learn: stands after what is to be done */
}

static void find_nothing(finder *f) {
    if (f->n > 0)
        return;
    const bw_fact *gain = find(f, "plan.gain", "");
    const char *why = f->s->weeks < 8           ? "nothing.thin"
                      : !f->s->runs.fit         ? "nothing.no_fit"
                      : gain && gain->value > 0 ? "nothing.unsure"
                      : gain                    ? "nothing.best"
                                                : "nothing.no_plan";
    add(f, "nothing", why);
}

static int by_rank(const void *a, const void *b) {
    const bw_candidate *x = a, *y = b;
    if (x->rank != y->rank)
        return x->rank > y->rank ? -1 : 1;
    int kind = strcmp(x->kind, y->kind);
    return kind ? kind : strcmp(x->subject, y->subject);
}

bw_status bw_candidates_find(const bw_shop *s, bw_candidate **out, size_t *n, bw_err *err) {
    finder f = {
        .s = s, .items = bw_arena_get(s->arena, CANDIDATES_MOST * sizeof *f.items), .err = err};
    find_budget(&f);
    find_timing(&f);
    find_content(&f);
    find_price(&f);
    find_promotion(&f);
    find_complaint(&f);
    find_experiment(&f);
    find_nothing(&f);
    qsort(f.items, f.n, sizeof *f.items, by_rank);
    *out = f.items;
    *n = f.n < SHOWN_MOST ? f.n : SHOWN_MOST;
    return bw_arena_ok(s->arena) ? BW_OK : bw_fail_memory(err);
}
