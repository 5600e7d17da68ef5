/* reports/doc/sections.c - the decision of the week, how earlier advice turned out, notes, method. */
#include "reports/doc/document.h"

#include "sql/db.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- tables ---- */

static const char **new_cells(bw_document *d, bw_block *b, size_t columns, size_t rows) {
    const char **cells = bw_arena_get(d->shop->arena, columns * (rows + 1) * sizeof *cells);
    b->columns = columns;
    b->rows = rows;
    b->cells = cells;
    return cells;
}

static void head_cells(bw_document *d, const char **cells, const char *const *keys, size_t n) {
    for (size_t i = 0; i < n; i++)
        cells[i] = bw_shop_title(d->shop, bw_shop_word(d->shop, keys[i]));
}

static const char *day_text(bw_document *d, const char *day) {
    if (!day || !*day)
        return "–";
    bw_message m = {.key = "cell.day"};
    bw_message_day(&m, "day", day);
    return bw_marked(d, &m, true);
}

/* "+$6.1k (2.0k to 10.4k)" */
static const char *amount_cell(bw_document *d, const bw_advice *a, const bw_fact *amount) {
    bw_message m = {0};
    return bw_advice_amount(d->shop, a, amount, &m) ? bw_marked(d, &m, true) : "–";
}

/* ---- decide this week ---- */

static const char *pays_cell(bw_document *d, const bw_advice *a) {
    const bw_fact *chance = a->gain && isfinite(a->gain->probability)
                                ? a->gain
                                : bw_fact_find(d->shop->facts, "advice.chance", a->id);
    bw_message m = {.key = chance                               ? "cell.pays"
                           : strcmp(a->kind, "experiment") == 0 ? "cell.learn"
                                                                : "cell.unknown"};
    if (chance)
        bw_message_fact(&m, "gain", chance);
    return bw_marked(d, &m, true);
}

static bw_status advice_table(bw_document *d, bw_err *err) {
    static const char *const HEADS[] = {"table.number", "table.action", "table.gain_week",
                                        "table.owner",  "table.due",    "table.pays_short"};
    bw_block *b = bw_block_add(d, &d->decision, BW_TABLE);
    const char **cells = new_cells(d, b, 6, d->n_advice);
    head_cells(d, cells, HEADS, 6);
    bw_status st = BW_OK;
    for (size_t i = 0; i < d->n_advice && st == BW_OK; i++) {
        const bw_advice *a = &d->advice[i];
        bw_message action;
        st = bw_advice_say(d->shop, a, false, &action, err);
        const char **row = cells + 6 * (i + 1);
        row[0] = a->id;
        row[1] = st == BW_OK ? bw_marked(d, &action, false) : "";
        row[2] = amount_cell(d, a, a->gain);
        row[3] = a->owner && *a->owner ? a->owner : "–";
        row[4] = day_text(d, a->due);
        row[5] = pays_cell(d, a);
    }
    return st;
}

static void decision_text(bw_document *d, const bw_advice *a) {
    bw_shop *s = d->shop;
    bw_buf p = {0};
    bool outcome = strcmp(a->unit, "outcome") == 0;
    bw_message m = {.key = strcmp(a->kind, "nothing") == 0 ? a->subject
                           : a->gain && isfinite(a->gain->lo)
                               ? bw_arena_textf(s->arena, "decide.gain%s%s", outcome ? "" : ".",
                                                outcome ? "" : a->unit)
                           : strcmp(a->kind, "experiment") == 0 ? "decide.learn"
                                                                : "decide.other",
                    .salience = 1};
    if (a->gain)
        bw_message_fact(&m, "gain", a->gain);
    bw_say(d, &p, &m);
    const bw_fact *stable = NULL;
    bw_err ignored = {{0}};
    bw_fact_add(s->facts, (bw_fact_name){"advice.stability", a->id, "", "share"}, &stable, &ignored,
                "SELECT stability AS value FROM advice WHERE id = %Q", a->id);
    if (stable) {
        bool always = stable->value == 1;
        bw_message keep = {.key = always ? "decide.stability.all" : "decide.stability",
                           .salience = 0.6};
        if (!always)
            bw_message_fact(&keep, "stability", stable);
        bw_say(d, &p, &keep);
    }
    bw_say_done(d, &d->decision, &p);
    bw_message more;
    if (bw_advice_undo(s, a, &more)) {
        more.salience = 0.8;
        bw_say(d, &p, &more);
    }
    if (bw_advice_doubt(s, a, &more)) {
        more.salience = 0.5;
        bw_say(d, &p, &more);
    }
    bw_say_done(d, &d->decision, &p);
}

/* What was decided earlier and is not over, so that nobody pulls at it meanwhile. */
static bw_status say_held(bw_document *d, bw_err *err) {
    bw_held *held;
    size_t n;
    bw_status st = bw_advice_held(d->shop, &held, &n, err);
    bw_buf p = {0};
    for (size_t i = 0; i < n && st == BW_OK; i++) {
        bw_message m = {.key = "decide.held", .salience = 0.6};
        bw_message_name(&m, "advice", held[i].id);
        bw_message_day(&m, "day", held[i].until);
        bw_say(d, &p, &m);
    }
    bw_say_done(d, &d->decision, &p);
    return st;
}

bw_status bw_section_decision(bw_document *d, bw_err *err) {
    d->decision = (bw_section){.id = "decide"};
    d->label = bw_word(d->shop->locale, "section.decide");
    bw_status st = bw_advice_read(d->shop, false, &d->advice, &d->n_advice, err);
    bw_message heading = {.key = "action.nothing"};
    if (st == BW_OK && d->n_advice)
        st = bw_advice_say(d->shop, &d->advice[0], true, &heading, err);
    if (st != BW_OK)
        return st;
    d->headline = bw_marked(d, &heading, false);
    if (!d->n_advice)
        return BW_OK;
    decision_text(d, &d->advice[0]);
    if (strcmp(d->advice[0].kind, "nothing") != 0)
        st = advice_table(d, err);
    return st == BW_OK ? say_held(d, err) : st;
}

/* ---- how earlier advice turned out ---- */

static const char *verdict_cell(bw_document *d, const bw_advice *a) {
    bw_message m = {0};
    return bw_advice_verdict(d->shop, a, &m) ? bw_marked(d, &m, true) : "–";
}

static bw_status record_table(bw_document *d, bw_section *sec, const bw_advice *a, size_t n,
                              bw_err *err) {
    static const char *const HEADS[] = {"table.number",   "table.advice",   "table.state",
                                        "table.promised", "table.realised", "table.verdict"};
    bw_block *b = bw_block_add(d, sec, BW_TABLE);
    const char **cells = new_cells(d, b, 6, n);
    head_cells(d, cells, HEADS, 6);
    bw_status st = BW_OK;
    for (size_t i = 0; i < n && st == BW_OK; i++) {
        bw_message action;
        st = bw_advice_say(d->shop, &a[i], false, &action, err);
        const char **row = cells + 6 * (i + 1);
        row[0] = a[i].id;
        row[1] = st == BW_OK ? bw_marked(d, &action, false) : "";
        bool decided = strcmp(a[i].status, "proposed") != 0;
        row[2] = bw_word(d->shop->locale,
                         decided ? bw_arena_textf(d->shop->arena, "status.%s", a[i].status)
                                 : "status.undecided");
        row[3] = amount_cell(d, &a[i], a[i].gain);
        row[4] = amount_cell(d, &a[i], a[i].realised);
        row[5] = verdict_cell(d, &a[i]);
    }
    return st;
}

bw_status bw_section_record(bw_document *d, bw_err *err) {
    bw_section *sec = bw_section_add(d, "record");
    bw_advice *a;
    size_t n;
    bw_status st = bw_advice_read(d->shop, true, &a, &n, err);
    if (st == BW_OK)
        st = bw_advice_record(d->shop, err);
    if (st != BW_OK)
        return st;
    const bw_fact *settled = bw_fact_find(d->shop->facts, "ledger.settled", ""),
                  *inside = bw_fact_find(d->shop->facts, "ledger.inside", "");
    const bw_fact *ratio = bw_fact_find(d->shop->facts, "ledger.ratio", "");
    bw_buf p = {0};
    bool several = settled && settled->value > 1;
    bw_message m = {.key = several             ? "record.calibration"
                           : settled && inside ? "record.first"
                           : n                 ? "record.open"
                                               : "record.none",
                    .salience = 0.9};
    if (settled && inside) {
        bw_message_fact(&m, "settled", settled);
        bw_message_fact(&m, "inside", inside);
    }
    bw_say(d, &p, &m);
    if (several && ratio) {
        bw_message r = {.key = "record.ratio", .salience = 0.6};
        bw_message_fact(&r, "ratio", ratio);
        bw_say(d, &p, &r);
    }
    bw_say_done(d, sec, &p);
    return n ? record_table(d, sec, a, n, err) : BW_OK;
}

/* ---- data notes ---- */

typedef struct {
    bw_document *d;
    const char *notes[16];
    size_t n;
} note_list;

static void note(note_list *l, const bw_message *m) {
    if (l->n < sizeof l->notes / sizeof *l->notes)
        l->notes[l->n++] = bw_marked(l->d, m, false);
}

/* A note about a count that matters when it lies in from..to. */
static void note_count(note_list *l, const char *measure, double from, double to, const char *key) {
    const bw_fact *f = bw_fact_find(l->d->shop->facts, measure, "");
    if (!f || f->value < from || f->value > to)
        return;
    bw_message m = {.key = key};
    bw_message_fact(&m, "count", f);
    note(l, &m);
}

static void note_channels(note_list *l) {
    const bw_shop *s = l->d->shop;
    size_t wide = 0;
    for (size_t i = 0; i < s->n_channels; i++) {
        const char *name = s->channels[i].name;
        const bw_fact *roas = bw_fact_find(s->facts, "roas", name),
                      *to = bw_fact_find(s->facts, "plan.to", name),
                      *seen = bw_fact_find(s->facts, "seen_max", name);
        if (to && seen && to->value > 1.02 * seen->value) {
            bw_message m = {.key = "note.extrapolated"};
            bw_message_name(&m, "channel", s->channels[i].label);
            bw_message_fact(&m, "to", to);
            bw_message_fact(&m, "seen", seen);
            note(l, &m);
        }
        if (roas && roas->hi - roas->lo > 1.2 * fabs(roas->value) && wide++ < 3) {
            bw_message m = {.key = "note.wide"};
            bw_message_name(&m, "channel", s->channels[i].label);
            bw_message_fact(&m, "roas", roas);
            note(l, &m);
        }
    }
}

static void note_health(note_list *l) {
    const bw_shop *s = l->d->shop;
    char sql[120];
    snprintf(sql, sizeof sql,
             "SELECT CASE health WHEN 'good' THEN 2 WHEN 'fair' THEN 1 WHEN 'poor' THEN 0 END FROM "
             "model_run WHERE id = %lld",
             (long long)s->runs.fit);
    double health = bw_db_number(s->db, sql, -1);
    if (health == 0 || health == 1)
        note(l, &(bw_message){.key = health == 0 ? "note.fit_poor" : "note.fit_fair"});
}

static void note_missing(note_list *l) {
    const bw_shop *s = l->d->shop;
    if (!s->has_outcome)
        note(l, &(bw_message){.key = "note.no_outcome"});
    if (!s->has_spend)
        note(l, &(bw_message){.key = "note.no_spend"});
    if (!s->has_reviews)
        note(l, &(bw_message){.key = "note.no_reviews"});
    char *margin = bw_db_setting(s->db, "margin", NULL);
    if (!margin && s->runs.fit && bw_fact_find(s->facts, "break_even", ""))
        note(l, &(bw_message){.key = "note.no_margin"});
    free(margin);
    if (s->has_outcome && s->has_spend && !s->runs.fit)
        note(l, &(bw_message){.key = "note.no_fit"});
    if (*s->voice_week && strcmp(s->voice_week, s->week) < 0) {
        bw_message m = {.key = "note.old_reviews"};
        bw_message_day(&m, "day", s->voice_week);
        note(l, &m);
    }
}

bw_status bw_section_notes(bw_document *d, bw_err *err) {
    (void)err;
    note_list l = {.d = d};
    note_missing(&l);
    note_count(&l, "data.weeks", 1, 51, "note.few_weeks");
    note_count(&l, "data.days_after", 1, 6, "note.days_after");
    note_count(&l, "data.unscored", 1, INFINITY, "note.unscored");
    note_count(&l, "data.warnings", 1, INFINITY, "note.warnings");
    note_channels(&l);
    note_health(&l);
    if (l.n == 0)
        note(&l, &(bw_message){.key = "note.none"});
    bw_section *sec = bw_section_add(d, "notes");
    bw_block *b = bw_block_add(d, sec, BW_NOTES);
    const char **cells = new_cells(d, b, 1, l.n);
    memcpy(cells, l.notes, l.n * sizeof *cells);
    return BW_OK;
}

/* ---- method ---- */

static const char *data_print(const bw_shop *s) {
    static char print[17];
    bw_err ignored = {{0}};
    const char *sql = bw_arena_textf(s->arena,
                                     "SELECT (SELECT count(*) || '/' || total(revenue) || '/' || "
                                     "total(orders) FROM outcome WHERE day <= '%s'), "
                                     "(SELECT count(*) || '/' || total(cost) FROM spend WHERE day "
                                     "<= '%s'), (SELECT count(*) FROM review WHERE day <= '%s')",
                                     s->last_day, s->last_day, s->last_day);
    if (bw_db_fingerprint(s->db, sql, print, &ignored) != BW_OK)
        return "–";
    print[8] = '\0';
    return bw_arena_text(s->arena, print);
}

bw_status bw_section_method(bw_document *d, bw_err *err) {
    bw_shop *s = d->shop;
    bw_section *sec = bw_section_add(d, "method");
    const char **engine, **input;
    size_t n;
    bw_status st = bw_query(s, "tt", &n, err,
                            "SELECT engine, substr(input, 1, 8) FROM model_run WHERE id = ?1",
                            s->runs.fit, NULL, &engine, &input);
    if (st != BW_OK)
        return st;
    bw_buf p = {0};
    bw_message m = {.key = n ? "method.fit" : "method.no_fit", .salience = 1};
    if (n)
        bw_message_text(&m, "engine",
                        bw_shop_word(s, bw_arena_textf(s->arena, "engine.%s", engine[0])));
    bw_say(d, &p, &m);
    const bw_fact *r2 = bw_fact_find(s->facts, "fit.r2", ""),
                  *mape = bw_fact_find(s->facts, "fit.mape", "");
    if (n && r2 && mape) {
        bw_message q = {.key = "method.quality", .salience = 0.5};
        bw_message_fact(&q, "r2", r2);
        bw_message_fact(&q, "mape", mape);
        bw_say(d, &p, &q);
    }
    bw_say(d, &p, &(bw_message){.key = "method.words", .salience = 0.4});
    bw_say_done(d, sec, &p);
    bw_message ids = {.key = n ? "method.ids" : "method.ids_no_fit"};
    bw_message_text(&ids, "run", bw_arena_textf(s->arena, "%lld", (long long)s->runs.fit));
    bw_message_text(&ids, "model", n ? input[0] : "");
    bw_message_text(&ids, "data", data_print(s));
    bw_block_add(d, sec, BW_PARAGRAPH)->text = bw_marked(d, &ids, false);
    return BW_OK;
}
