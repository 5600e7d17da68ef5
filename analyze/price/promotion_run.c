/* analyze/price/promotion_run.c - promotions from the database and into it. */
#include "analyze/price/promotion_run.h"

#include "analyze/store.h"
#include "analyze/table.h"

#include <stdlib.h>

static bool ahead(const bw_daily *d, size_t i) {
    return d->promotion[i].first > d->first + (double)d->n - 1;
}

/* One note a reason, so that ten sales of a kind do not say the same ten times. */
static void note_reasons(const bw_promotion_stage *g, bw_notes *notes) {
    static const char *const WHY[] = {
        [BW_APART_UNKNOWN] = "sales by product are not recorded around it",
        [BW_APART_ALL] = "everything that could compete with it was promoted too",
        [BW_APART_NOTHING] = "no product was clearly cheaper while it ran than before",
        [BW_APART_MANY] = "there are more sets of promoted products than are told apart"};
    for (int why = BW_APART_UNKNOWN; why <= BW_APART_MANY; why++) {
        size_t n = 0, first = 0;
        for (size_t i = g->daily.promotions; i-- > 0;)
            if ((int)g->daily.why[i] == why && g->fit[i].known) {
                n++;
                first = i;
            }
        if (n && WHY[why])
            bw_note(notes, "%s%s: what it took from other products is not told apart, because %s",
                    g->daily.promotion[first].name, n > 1 ? " and others" : "", WHY[why]);
    }
    for (size_t i = 0; i < g->daily.promotions; i++)
        if (g->fit[i].sparse && g->fit[i].known)
            bw_note(notes,
                    "%s: what it took from other products is not told apart, because they or its "
                    "own sold nothing on too many days",
                    g->daily.promotion[i].name);
}

static void note_unseen(const bw_promotion_stage *g, bw_notes *notes) {
    for (size_t i = 0; i < g->daily.promotions; i++)
        if (!g->fit[i].known && !ahead(&g->daily, i))
            bw_note(notes, "%s: it began before the first day of sales",
                    g->daily.promotion[i].name);
}

bw_status bw_promotion_stage_fit(sqlite3 *db, uint64_t seed, bw_promotion_stage *g, bw_notes *notes,
                                 bw_err *err) {
    bw_status st = bw_daily_load(db, &g->daily, err);
    const bw_daily *d = &g->daily;
    if (st == BW_OK && !d->promotions)
        return bw_fail(err, BW_EDATA, "no event of kind 'promotion' is recorded");
    if (st != BW_OK)
        return st;
    g->fit = calloc(d->promotions, sizeof *g->fit);
    if (!g->fit)
        return bw_fail_memory(err);
    st = bw_promotion_fit(&(bw_promotion_data){.n = d->n,
                                               .first = d->first,
                                               .y = d->y,
                                               .promotion = d->promotion,
                                               .promotions = d->promotions,
                                               .event = d->event,
                                               .events = d->events,
                                               .set = d->set,
                                               .sets = d->sets,
                                               .set_of = d->set_of},
                          seed, g->fit, err);
    if (st == BW_OK) {
        note_reasons(g, notes);
        note_unseen(g, notes);
    } else {
        free(g->fit);
        g->fit = NULL;
    }
    return st;
}

void bw_promotion_stage_free(bw_promotion_stage *g) {
    bw_daily_free(&g->daily);
    free(g->fit);
    *g = (bw_promotion_stage){0};
}

static bw_status put(sqlite3 *db, int64_t run, bw_estimate e, const bw_summary *s, bw_err *err) {
    bw_estimate_take(&e, s);
    e.probability = s->p_positive;
    return bw_estimate_put(db, run, &e, err);
}

bw_status bw_promotion_stage_store(sqlite3 *db, int64_t run, const bw_promotion_stage *g,
                                   bw_err *err) {
    bw_status st = BW_OK;
    for (size_t i = 0; st == BW_OK && i < g->daily.promotions; i++) {
        const bw_promotion *p = &g->fit[i];
        const struct {
            const char *name;
            const bw_summary *value;
            const char *unit;
            bool told;
        } ROWS[] = {{"uplift", &p->uplift, "money", true},
                    {"dip", &p->dip, "money", true},
                    {"net", &p->net, "money", true},
                    {"lift", &p->lift, "share", true},
                    {"promoted", &p->promoted, "money", p->apart},
                    {"cannibalisation", &p->taken, "money", p->apart}};
        char at[11];
        bw_day_format(g->daily.promotion[i].first, at);
        for (size_t k = 0; st == BW_OK && p->known && k < sizeof ROWS / sizeof *ROWS; k++)
            if (ROWS[k].told)
                st = put(
                    db, run,
                    bw_estimate_named(ROWS[k].name, g->daily.promotion[i].name, at, ROWS[k].unit),
                    ROWS[k].value, err);
    }
    return st;
}
