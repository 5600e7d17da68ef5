/* reports/advice/say.c - an action's numbers become a message of the grammar. */
#include "reports/advice/advice.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* One number of the action as a fact; path such as "$.weeks". */
static bw_status number(bw_shop *s, const bw_advice *a, const char *path, const char *unit,
                        const bw_fact **out, bw_err *err) {
    return bw_fact_add(
        s->facts, (bw_fact_name){bw_arena_textf(s->arena, "advice%s", path + 1), a->id, "", unit},
        out, err, "SELECT json_extract(action, %Q) AS value FROM advice WHERE id = %Q", path,
        a->id);
}

typedef struct {
    const char **channel;
    double *money;
    size_t n;
} move_list;

static bw_status read_moves(bw_shop *s, const bw_advice *a, move_list *m, bw_err *err) {
    return bw_query(s, "tn", &m->n, err,
                    "SELECT j.key, j.value FROM advice a, json_each(a.action, '$.moves') j WHERE "
                    "a.id = ?2 ORDER BY j.value DESC, j.key",
                    0, a->id, &m->channel, &m->money);
}

/* Names of the channels that gain (sign 1) or give (-1), those that matter: at least a tenth of the
 * largest move, at most three. */
static size_t moving(const bw_shop *s, const move_list *m, double sign, const char **out) {
    double largest = 0;
    size_t n = 0;
    for (size_t i = 0; i < m->n; i++)
        largest = fmax(largest, sign * m->money[i]);
    for (size_t k = 0; k < m->n && n < 3; k++) {
        size_t i = sign > 0 ? k : m->n - 1 - k;
        if (sign * m->money[i] > 0.1 * largest && largest > 0)
            out[n++] = bw_shop_channel(s, m->channel[i]);
    }
    return n;
}

static bw_status say_budget(bw_shop *s, const bw_advice *a, bool heading, bw_message *out,
                            bw_err *err) {
    move_list m;
    const bw_fact *moved = NULL;
    bw_status st = read_moves(s, a, &m, err);
    if (st == BW_OK)
        st = bw_fact_add(s->facts, (bw_fact_name){"advice.moved", a->id, "", "money"}, &moved, err,
                         "SELECT max(sum(max(j.value, 0)), sum(max(-j.value, 0))) AS value FROM "
                         "advice a, json_each(a.action, '$.moves') j WHERE a.id = %Q",
                         a->id);
    if (st != BW_OK)
        return st;
    const char **up = bw_arena_get(s->arena, 3 * sizeof *up),
               **down = bw_arena_get(s->arena, 3 * sizeof *down);
    size_t n_up = moving(s, &m, 1, up), n_down = moving(s, &m, -1, down);
    const char *key = n_up && n_down ? "move" : n_up ? "raise" : "cut";
    out->key = bw_arena_textf(s->arena, "action.budget.%s%s", key, heading ? "" : ".row");
    if (moved)
        bw_message_fact(out, "moved", moved);
    bw_message_names(out, "to", up, n_up);
    bw_message_names(out, "from", down, n_down);
    if (heading)
        return BW_OK;
    bw_buf list = {0}; /* the row lists every move with its money */
    for (size_t i = 0; i < m.n && st == BW_OK; i++) {
        const bw_fact *move = NULL;
        st = bw_fact_add(s->facts, (bw_fact_name){"advice.move", m.channel[i], a->id, "money"},
                         &move, err,
                         "SELECT j.value AS value FROM advice a, json_each(a.action, '$.moves') j "
                         "WHERE a.id = %Q AND j.key = %Q",
                         a->id, m.channel[i]);
        if (st != BW_OK || !move)
            continue;
        bw_message one = {.key = "action.budget.one"};
        bw_message_name(&one, "channel", bw_shop_channel(s, m.channel[i]));
        bw_message_fact(&one, "move", move);
        bw_buf_add(&list, list.len ? bw_word(s->locale, "list.comma") : "");
        bw_grammar_say(s->locale, &one, s->variant, BW_PHRASE, &list);
    }
    bw_message_text(out, "moves", bw_arena_text(s->arena, list.text));
    bw_buf_free(&list);
    return st;
}

static const char *action_text(bw_shop *s, const bw_advice *a, const char *path, bw_err *err) {
    const char **text;
    size_t n;
    bw_status st =
        bw_query(s, "t", &n, err,
                 bw_arena_textf(
                     s->arena, "SELECT json_extract(action, '%s') FROM advice WHERE id = ?2", path),
                 0, a->id, &text);
    return st == BW_OK && n == 1 ? text[0] : "";
}

/* What waits for others says from when: its sentence has the key's twin ".after". */
static void say_after(bw_shop *s, const bw_advice *a, bw_message *out, bw_err *err) {
    const char *from = action_text(s, a, "$.from", err);
    if (!*from)
        return;
    out->key = bw_arena_textf(s->arena, "%s.after", out->key);
    bw_message_day(out, "start", from);
}

static bw_status say_experiment(bw_shop *s, const bw_advice *a, bw_message *out, bw_err *err) {
    const bw_fact *weeks = NULL, *spend = NULL, *precision = NULL,
                  *pays = bw_fact_find(s->facts, "break_even", "");
    bw_status st = number(s, a, "$.weeks", "weeks", &weeks, err);
    if (st == BW_OK)
        st = number(s, a, "$.spend", "money", &spend, err);
    if (st == BW_OK)
        st = number(s, a, "$.precision", s->return_unit, &precision, err);
    say_after(s, a, out, err);
    bw_message_name(out, "channel", bw_shop_channel(s, a->subject));
    if (weeks)
        bw_message_fact(out, "weeks", weeks);
    if (spend)
        bw_message_fact(out, "spend", spend);
    if (!precision || !pays)
        return st;
    bw_message tells = {.key = "action.experiment.tells"};
    bw_message_fact(&tells, "precision", precision);
    bw_message_fact(&tells, "pays", pays);
    bw_buf text = {0};
    bw_grammar_say(s->locale, &tells, s->variant, BW_PHRASE, &text);
    out->key = bw_arena_textf(s->arena, "%s.told", out->key);
    bw_message_text(out, "tells", bw_arena_text(s->arena, text.text));
    bw_buf_free(&text);
    return st;
}

static bw_status say_price(bw_shop *s, const bw_advice *a, bw_message *out, bw_err *err) {
    const bw_fact *from = NULL, *to = NULL;
    bw_status st = number(s, a, "$.from", "money", &from, err);
    if (st == BW_OK)
        st = number(s, a, "$.to", "money", &to, err);
    bw_message_name(out, "product",
                    *a->subject
                        ? bw_shop_part(s, bw_arena_textf(s->arena, "_control:%s", a->subject))
                        : bw_word(s->locale, "word.products"));
    if (from)
        bw_message_fact(out, "from", from);
    if (to)
        bw_message_fact(out, "to", to);
    return st;
}

static bw_status say_complaint(bw_shop *s, const bw_advice *a, bw_message *out, bw_err *err) {
    const bw_fact *negative = NULL;
    bw_status st = number(s, a, "$.negative", "share", &negative, err);
    bw_message_name(out, "aspect", bw_shop_aspect(s, a->subject));
    if (negative)
        bw_message_fact(out, "negative", negative);
    return st;
}

static bw_status say_content(bw_shop *s, const bw_advice *a, bw_message *out, bw_err *err) {
    const bw_fact *lift = NULL;
    bw_status st = number(s, a, "$.lift", "share", &lift, err);
    const char *feature = action_text(s, a, "$.feature", err);
    const char *known = bw_word_nth(s->locale, bw_arena_textf(s->arena, "feature.%s", feature), 0);
    bw_message_text(out, "feature", known ? known : feature);
    bw_message_name(out, "channel",
                    *a->subject ? bw_shop_channel(s, a->subject)
                                : bw_word(s->locale, "word.messages"));
    if (lift)
        bw_message_fact(out, "lift", lift);
    return st;
}

static bw_status say_promotion(bw_shop *s, const bw_advice *a, bw_message *out, bw_err *err) {
    bool again = *action_text(s, a, "$.again", err) == '1';
    out->key = again ? "action.promotion" : "action.promotion.stop";
    say_after(s, a, out, err);
    bw_message_name(out, "event",
                    bw_shop_part(s, bw_arena_textf(s->arena, "_event:%s", a->subject)));
    return BW_OK;
}

bw_status bw_advice_say(bw_shop *s, const bw_advice *a, bool heading, bw_message *out,
                        bw_err *err) {
    *out = (bw_message){.key = bw_arena_textf(s->arena, "action.%s", a->kind)};
    if (strcmp(a->kind, "budget") == 0)
        return say_budget(s, a, heading, out, err);
    if (strcmp(a->kind, "timing") == 0) {
        bw_message_name(out, "channel", bw_shop_channel(s, a->subject));
        bw_message_name(out, "when", bw_shop_window(s, action_text(s, a, "$.window", err)));
        return BW_OK;
    }
    if (strcmp(a->kind, "experiment") == 0)
        return say_experiment(s, a, out, err);
    if (strcmp(a->kind, "price") == 0)
        return say_price(s, a, out, err);
    if (strcmp(a->kind, "complaint") == 0)
        return say_complaint(s, a, out, err);
    if (strcmp(a->kind, "promotion") == 0)
        return say_promotion(s, a, out, err);
    if (strcmp(a->kind, "content") == 0)
        return say_content(s, a, out, err);
    return BW_OK;
}

bool bw_advice_amount(bw_shop *s, const bw_advice *a, const bw_fact *amount, bw_message *out) {
    if (!amount)
        return false;
    out->key = bw_arena_textf(s->arena, "cell.%s%s", a->unit, isfinite(amount->lo) ? "_range" : "");
    bw_message_fact(out, "money", amount);
    return true;
}

bool bw_advice_verdict(bw_shop *s, const bw_advice *a, bw_message *out) {
    (void)s;
    bool promised = a->gain && isfinite(a->gain->lo);
    if (!a->realised && !*a->reason)
        return false;
    out->key = !a->realised                          ? a->reason
               : !promised                           ? "verdict.measured"
               : a->inside                           ? "verdict.inside"
               : a->realised->value > a->gain->value ? "verdict.above"
                                                     : "verdict.below";
    if (a->have)
        bw_message_fact(out, "have", a->have);
    if (a->need)
        bw_message_fact(out, "need", a->need);
    return true;
}

bool bw_advice_undo(bw_shop *s, const bw_advice *a, bw_message *out) {
    const bw_fact *below = NULL;
    bw_err err = {{0}};
    if (strcmp(a->kind, "budget") != 0 ||
        number(s, a, "$.undo_below", s->outcome_unit, &below, &err) != BW_OK || !below)
        return false;
    *out = (bw_message){.key = "undo.budget"};
    bw_message_fact(out, "below", below);
    return true;
}

bool bw_advice_doubt(bw_shop *s, const bw_advice *a, bw_message *out) {
    const bw_fact *from = bw_fact_find(s->facts, "plan.from", ""),
                  *next = from ? bw_fact_find(s->facts, "next", from->at) : NULL,
                  *pays = bw_fact_find(s->facts, "break_even", "");
    if (strcmp(a->kind, "budget") != 0 || !next)
        return false;
    *out = (bw_message){.key = pays ? "doubt.budget.pays" : "doubt.budget"};
    bw_message_name(out, "channel", bw_shop_channel(s, from->at));
    bw_message_fact(out, "next", next);
    if (pays)
        bw_message_fact(out, "pays", pays);
    return true;
}
