/* reports/advice/candidates.c - one function a kind of advice; each looks at facts alone. */
#include "reports/advice/candidates.h"

#include "reports/advice/levers.h"
#include "sql/db.h"
#include "sql/value.h"

#include <cjson/cJSON.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CANDIDATES_MOST 24
#define SHOWN_MOST      6
#define CHANGE_COST     0.02 /* of the money moved: what a change of plan costs in work */
#define UNTESTED        0.8  /* weight of advice whose stability was not tested */
#define WEEKS_LEAST     26   /* of outcome, before money is moved on a model's word */
#define TEST_SHORTEST   2    /* weeks */
#define TEST_LONGEST    12   /* a longer one is overtaken by seasons and prices */
#define WAIT_LONGEST    182  /* days until advice that has to wait; later it is not advised now */

typedef struct {
    const bw_shop *s;
    bw_candidate *items;
    size_t n;
    bw_act *open;                                   /* what people decided on and is not over */
    const char **rejected_kind, **rejected_subject; /* this week */
    size_t n_open, n_rejected;
} finder;

/* Days after the report's week until advice of a kind is due, unless setting due.KIND says so. */
static const struct {
    const char *kind;
    int days;
} DUE[] = {{"timing", 1},    {"budget", 3},    {"content", 5},    {"price", 5},
           {"promotion", 5}, {"complaint", 5}, {"experiment", 8}, {"nothing", 7}};

static const char *due_day(const bw_shop *s, const char *kind) {
    char key[40], day[11];
    int days = 7;
    for (size_t i = 0; i < sizeof DUE / sizeof *DUE; i++)
        if (strcmp(DUE[i].kind, kind) == 0)
            days = DUE[i].days;
    snprintf(key, sizeof key, "due.%.20s", kind);
    char *set = bw_db_setting(s->db, key, NULL);
    if (set && atoi(set) > 0)
        days = atoi(set);
    free(set);
    bw_day_text(bw_iso_day(s->last_day) + days, day);
    return bw_arena_text(s->arena, day);
}

static bw_candidate *add(finder *f, const char *kind, const char *subject) {
    if (f->n == CANDIDATES_MOST)
        return &f->items[f->n - 1];
    bw_candidate *c = &f->items[f->n++];
    *c = (bw_candidate){.kind = kind,
                        .subject = subject,
                        .action = "{}",
                        .due = due_day(f->s, kind),
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

double bw_budget_worth(const bw_shop *s, double *stability) {
    const finder f = {.s = s};
    const bw_fact *gain = find(&f, "plan.gain", ""), *moved = find(&f, "plan.moved", ""),
                  *total = find(&f, "plan.total", "");
    *stability = NAN;
    if (!gain || !moved || !total || moved->value < 0.01 * total->reference || !(gain->value > 0) ||
        s->weeks < WEEKS_LEAST)
        return 0;
    *stability = move_stability(&f);
    if (!(gain->probability >= BW_ACT_PROBABILITY) || *stability < BW_ACT_STABILITY)
        return 0;
    return gain->value * gain->probability * weight(*stability) - CHANGE_COST * moved->value;
}

static void find_budget(finder *f) {
    double stability, worth = bw_budget_worth(f->s, &stability);
    if (!(worth > 0))
        return;
    bw_candidate *c = add(f, "budget", "");
    promise(c, find(f, "plan.gain", ""));
    c->stability = stability;
    c->action = budget_action(f);
    c->run = f->s->runs.plan;
    c->rank = worth;
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

typedef struct {
    const bw_fact *next;
    double spend;     /* a week, as it will be when the test begins */
    double weeks;     /* of the test */
    double precision; /* half of the 90 % interval that it leaves of the return */
} test_design;

/* What this week's advice makes of the channel's spend. */
static double spend_ahead(const finder *f, const char *channel) {
    const bw_fact *move = find(f, "plan.move", channel), *to = find(f, "plan.to", channel);
    for (size_t i = 0; i < f->n; i++)
        if (strcmp(f->items[i].kind, "budget") == 0 && to)
            return to->value;
    return move ? move->reference : NAN;
}

/* The channel at zero spend in half of the market, for as many weeks as halve today's interval of its
 * next return: the error of a week's outcome, from the fit, against the money withheld. False when
 * the longest test would not tell more than is known. */
static bool design_test(const finder *f, const char *channel, test_design *t) {
    const bw_fact *mape = find(f, "fit.mape", ""),
                  *week = bw_fact_find(f->s->facts,
                                       bw_arena_textf(f->s->arena, "normal.%s", f->s->outcome), "");
    *t = (test_design){.next = find(f, "next", channel), .spend = spend_ahead(f, channel)};
    if (!t->next || !isfinite(t->next->lo) || !mape || !week || !(t->spend > 0) ||
        t->next->probability < 0.05 || t->next->probability > 0.95)
        return false;
    double sd = 1.2533 * mape->value * week->value; /* mean absolute error to sd, normal errors */
    double known = (t->next->hi - t->next->lo) / 2, a_week = 1.645 * sd / (0.5 * t->spend);
    t->weeks = fmin(fmax(ceil(pow(a_week / (known / 2), 2)), TEST_SHORTEST), TEST_LONGEST);
    t->precision = a_week / sqrt(t->weeks);
    return t->precision < known;
}

/* The channel whose unknown return hides most money: interval x spend. */
static void find_experiment(finder *f) {
    test_design best = {0}, t;
    double stake = 0;
    for (size_t i = 0; i < f->s->n_channels; i++) {
        if (!design_test(f, f->s->channels[i].name, &t) ||
            (t.next->hi - t.next->lo) * t.spend <= stake)
            continue;
        stake = (t.next->hi - t.next->lo) * t.spend;
        best = t;
    }
    if (!best.next || f->s->weeks < 8)
        return;
    bw_candidate *c = add(f, "experiment", best.next->subject);
    cJSON *action = cJSON_CreateObject();
    cJSON_AddNumberToObject(action, "weeks", best.weeks);
    cJSON_AddNumberToObject(action, "spend", best.spend);
    cJSON_AddNumberToObject(action, "precision", best.precision);
    c->action = print_json(f, action);
    c->run = f->s->runs.fit;
    c->rank = -1; /* to learn: stands after what is to be done */
}

static void find_nothing(finder *f) {
    if (f->n > 0)
        return;
    const bw_fact *gain = find(f, "plan.gain", "");
    const char *why = !f->s->has_outcome        ? "nothing.no_outcome"
                      : f->n_rejected           ? "nothing.rejected"
                      : f->n_open               ? "nothing.waiting"
                      : f->s->weeks < 8         ? "nothing.thin"
                      : !f->s->runs.fit         ? "nothing.no_fit"
                      : gain && gain->value > 0 ? "nothing.unsure"
                      : gain                    ? "nothing.best"
                                                : "nothing.no_plan";
    add(f, "nothing", why);
}

/* ---- one hand on each lever ---- */

static bw_act act_of(const bw_candidate *c) {
    return (bw_act){"", c->kind, c->subject, c->action, c->due};
}

/* The last day on which somebody else holds one of its levers, 0 when they are free. */
static int held_until(const finder *f, const bw_candidate *c, const bw_candidate *kept, size_t n) {
    bw_act mine = act_of(c);
    int until = 0;
    for (size_t i = 0; i < f->n_open + n; i++) {
        bw_act other = i < f->n_open ? f->open[i] : act_of(&kept[i - f->n_open]);
        if (!bw_acts_collide(f->s, &mine, &other))
            continue;
        int end = bw_act_days(f->s, &other).until;
        until = end > until ? end : until;
    }
    return until;
}

/* Whether it may be put off: what rests on this week's estimates is estimated again by then. */
static bool can_wait(const bw_candidate *c) {
    return strcmp(c->kind, "experiment") == 0 || strcmp(c->kind, "promotion") == 0;
}

/* Puts it off to the first week in which its levers are free; false when that is too far away. */
static bool wait_for_levers(const finder *f, bw_candidate *c, const bw_candidate *kept, size_t n) {
    int last = bw_iso_day(f->s->last_day), until;
    while ((until = held_until(f, c, kept, n)) > 0) {
        int weeks = (until - last + 6) / 7;
        char day[11];
        if (!can_wait(c) || 7 * weeks > WAIT_LONGEST)
            return false;
        bw_day_text(last + 7 * weeks + 1, day);
        cJSON *action = cJSON_Parse(c->action);
        cJSON_DeleteItemFromObjectCaseSensitive(action, "from");
        cJSON_AddStringToObject(action, "from", day);
        c->action = print_json(f, action);
        c->due = bw_arena_text(f->s->arena, day);
    }
    return true;
}

/* This week's advice on which somebody already decided is not in its own way. */
static bool decided(const finder *f, const bw_candidate *c) {
    for (size_t i = 0; i < f->n_open; i++)
        if (bw_act_of_week(f->s, &f->open[i]) && strcmp(f->open[i].kind, c->kind) == 0 &&
            strcmp(f->open[i].subject, c->subject) == 0)
            return true;
    return false;
}

static bool rejected(const finder *f, const bw_candidate *c) {
    for (size_t i = 0; i < f->n_rejected; i++)
        if (strcmp(f->rejected_kind[i], c->kind) == 0 &&
            strcmp(f->rejected_subject[i], c->subject) == 0)
            return true;
    return false;
}

/* Best first: what acts on a lever that something better, or something already decided, holds in the
 * same weeks waits until that is measured, or is left out. */
static void untangle(finder *f) {
    size_t kept = 0;
    for (size_t i = 0; i < f->n; i++)
        if (!rejected(f, &f->items[i]) &&
            (decided(f, &f->items[i]) || wait_for_levers(f, &f->items[i], f->items, kept)))
            f->items[kept++] = f->items[i];
    f->n = kept;
}

static int by_rank(const void *a, const void *b) {
    const bw_candidate *x = a, *y = b;
    if (x->rank != y->rank)
        return x->rank > y->rank ? -1 : 1;
    int kind = strcmp(x->kind, y->kind);
    return kind ? kind : strcmp(x->subject, y->subject);
}

static void settle_order(finder *f) {
    qsort(f->items, f->n, sizeof *f->items, by_rank);
    untangle(f);
}

bw_status bw_candidates_find(const bw_shop *s, bw_candidate **out, size_t *n, bw_err *err) {
    finder f = {.s = s, .items = bw_arena_get(s->arena, CANDIDATES_MOST * sizeof *f.items)};
    bw_status st = bw_acts_open(s, &f.open, &f.n_open, err);
    if (st == BW_OK)
        st = bw_query(s, "tt", &f.n_rejected, err,
                      "SELECT kind, subject FROM advice WHERE week = ?2 AND status = 'rejected'", 0,
                      s->week, &f.rejected_kind, &f.rejected_subject);
    if (st != BW_OK)
        return st;
    find_budget(&f);
    find_timing(&f);
    find_content(&f);
    find_price(&f);
    find_promotion(&f);
    find_complaint(&f);
    settle_order(&f);
    find_experiment(&f); /* around what is to be done */
    settle_order(&f);
    find_nothing(&f);
    *out = f.items;
    *n = f.n < SHOWN_MOST ? f.n : SHOWN_MOST;
    return bw_arena_ok(s->arena) ? BW_OK : bw_fail_memory(err);
}
