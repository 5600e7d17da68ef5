/* analyze/timing/timing_run.c - timing and content as a stage: load, fit each channel, store. */
#include "analyze/runs.h"

#include "analyze/experiment/ab.h"
#include "analyze/output.h"
#include "analyze/store.h"
#include "analyze/table.h"
#include "analyze/timing/timing_cells.h"
#include "analyze/timing/timing_load.h"
#include "sql/db.h"

#include <gsl/gsl_cdf.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SEED 7u

struct stage {
    sqlite3 *db;
    bw_sends sends;
    bw_timing *fit; /* [channels]; slots 0 where a channel could not be fitted */
    bw_notes notes;
    char input[17], options[80], first[11], last[11];
    int64_t timing, content;
};

static bw_status put(struct stage *g, int64_t run, const char *name, const char *subject,
                     const char *at, const char *unit, const bw_summary *s, double probability,
                     double n, bw_err *err) {
    if (isnan(s->mean))
        return BW_OK;
    bw_estimate e = bw_estimate_named(name, subject, at, unit);
    bw_estimate_take(&e, s);
    e.probability = probability;
    e.n = n;
    return bw_estimate_put(g->db, run, &e, err);
}

static bw_status store_slots(struct stage *g, const char *channel, const bw_timing *t,
                             bw_err *err) {
    char at[24];
    bw_status st = BW_OK;
    for (size_t c = 0; st == BW_OK && c < t->slots; c++) {
        const bw_slot *s = &t->slot[c];
        snprintf(at, sizeof at, "%d-%02d", s->weekday, s->hour);
        st = put(g, g->timing, "index", channel, at, "ratio", &s->index, s->p_best, s->messages,
                 err);
    }
    if (st != BW_OK || t->best == t->slots)
        return st;
    const bw_slot *best = &t->slot[t->best];
    snprintf(at, sizeof at, "%d-%02d", best->weekday, best->hour);
    st = put(g, g->timing, "best", channel, at, "ratio", &best->index, best->p_best, best->messages,
             err);
    if (st == BW_OK)
        st = put(g, g->timing, "gain", channel, "", "share", &t->gain, t->gain.p_positive,
                 t->messages, err);
    snprintf(at, sizeof at, "%d-%02d/%d-%02d", t->window_weekday, t->window_first,
             t->window_weekday, t->window_last);
    if (st == BW_OK)
        st = put(g, g->timing, "window", channel, at, "ratio", &t->window, NAN, NAN, err);
    return st;
}

static bw_status store_single(struct stage *g, const char *channel, const bw_timing *t,
                              bw_err *err) {
    const struct {
        const char *name, *format;
        const bw_summary *s;
        int n, first;
    } blocks[] = {{"weekday_index", "%d", t->weekday, 7, 0},
                  {"month_index", "%02d", t->month, 12, 1},
                  {"hour_index", "%02d", t->hour, 24, 0}};
    char at[8];
    bw_status st = BW_OK;
    for (size_t b = 0; b < 3; b++)
        for (int k = 0; st == BW_OK && k < blocks[b].n; k++) {
            snprintf(at, sizeof at, blocks[b].format[1] == 'd' ? "%d" : "%02d",
                     k + blocks[b].first);
            st = put(g, g->timing, blocks[b].name, channel, at, "ratio", &blocks[b].s[k], NAN, NAN,
                     err);
        }
    if (st != BW_OK || !t->has_fatigue)
        return st;
    st = put(g, g->timing, "spacing", channel, "", "days", &t->spacing, NAN, NAN, err);
    if (st == BW_OK)
        st = put(g, g->timing, "fatigue", channel, "", "share", &t->fatigue, t->fatigue.p_positive,
                 NAN, err);
    return st == BW_OK ? put(g, g->timing, "fatigue_half_life", channel, "", "days", &t->half_life,
                             NAN, NAN, err)
                       : st;
}

struct pooled {
    const char *name;
    bw_summary s;
    double p, n, q;
};

/* One feature over the channels: estimates shrunk to their common mean, then weighed together. */
static bool pool(const struct stage *g, const char *name, bool theme, size_t k,
                 struct pooled *out) {
    double weight = 0, mean = 0;
    *out = (struct pooled){.name = name};
    for (size_t c = 0; c < g->sends.channels; c++) {
        const bw_timing *t = &g->fit[c];
        if (!t->slots)
            continue;
        const bw_summary *s = theme ? &t->theme[k] : &t->content[k];
        if (isnan(s->mean) || !(s->sd > 0))
            continue;
        weight += 1 / (s->sd * s->sd);
        mean += s->mean / (s->sd * s->sd);
        out->n += theme ? t->theme_n[k] : t->content_n[k];
    }
    if (!(weight > 0))
        return false;
    double sd = sqrt(1 / weight), m = mean / weight;
    double z90 = gsl_cdf_ugaussian_Pinv(0.95), z50 = gsl_cdf_ugaussian_Pinv(0.75);
    out->s = (bw_summary){
        m, sd, m - z90 * sd, m + z90 * sd, m - z50 * sd, m + z50 * sd, gsl_cdf_ugaussian_P(m / sd)};
    out->p = 2 * gsl_cdf_ugaussian_Q(fabs(m) / sd);
    return true;
}

static int by_p(const void *a, const void *b) {
    const struct pooled *x = a, *y = b;
    return x->p != y->p ? (x->p > y->p) - (x->p < y->p) : strcmp(x->name, y->name);
}

/* False discovery rate, Benjamini and Hochberg 1995: q = smallest rate at which it is a finding. */
static void false_discovery(struct pooled *e, size_t n) {
    double least = 1;
    qsort(e, n, sizeof *e, by_p);
    for (size_t i = n; i-- > 0;) {
        least = fmin(least, e[i].p * (double)n / (double)(i + 1));
        e[i].q = least;
    }
}

static bw_status store_pooled(struct stage *g, const struct pooled *e, bw_err *err) {
    bw_status st =
        put(g, g->content, "effect", e->name, "", "share", &e->s, e->s.p_positive, e->n, err);
    bw_estimate q = bw_estimate_named("false_discovery", e->name, "", "share");
    q.mean = e->q;
    q.n = e->n;
    return st == BW_OK ? bw_estimate_put(g->db, g->content, &q, err) : st;
}

static bw_status store_channel_content(struct stage *g, size_t c, bw_err *err) {
    const bw_timing *t = &g->fit[c];
    const char *channel = g->sends.channel[c].name;
    char theme[240];
    bw_status st = BW_OK;
    for (size_t f = 0; st == BW_OK && t->slots && f < BW_CONTENT_FEATURES; f++)
        st = put(g, g->content, "effect", BW_CONTENT_NAMES[f], channel, "share", &t->content[f],
                 t->content[f].p_positive, t->content_n[f], err);
    for (size_t k = 0; st == BW_OK && t->slots && k < t->themes; k++) {
        snprintf(theme, sizeof theme, "theme: %.200s", g->sends.theme[k]);
        st = put(g, g->content, "effect", theme, channel, "share", &t->theme[k],
                 t->theme[k].p_positive, t->theme_n[k], err);
    }
    return st;
}

static bw_status store_content(struct stage *g, bw_err *err) {
    size_t most = BW_CONTENT_FEATURES + g->sends.themes, n = 0;
    struct pooled *e = calloc(most, sizeof *e);
    char(*name)[240] = calloc(g->sends.themes + 1, sizeof *name);
    bw_status st = e && name ? BW_OK : bw_fail_memory(err);
    for (size_t f = 0; st == BW_OK && f < BW_CONTENT_FEATURES; f++)
        n += pool(g, BW_CONTENT_NAMES[f], false, f, &e[n]);
    for (size_t k = 0; st == BW_OK && k < g->sends.themes; k++) {
        snprintf(name[k], sizeof name[k], "theme: %.200s", g->sends.theme[k]);
        n += pool(g, name[k], true, k, &e[n]);
    }
    if (st == BW_OK)
        false_discovery(e, n);
    for (size_t i = 0; st == BW_OK && i < n; i++)
        st = store_pooled(g, &e[i], err);
    for (size_t c = 0; st == BW_OK && c < g->sends.channels; c++)
        st = store_channel_content(g, c, err);
    free(e);
    free(name);
    return st;
}

static bw_status begin(struct stage *g, const char *kind, int64_t *run, bw_err *err) {
    cJSON *o = cJSON_CreateObject();
    static const char *const FAMILIES[] = {"binomial", "negative binomial", "money"};
    cJSON_AddStringToObject(o, "metric", g->sends.metric);
    cJSON_AddStringToObject(o, "family", FAMILIES[g->sends.family]);
    bw_notes_json(&g->notes, o);
    char *diagnostics = cJSON_PrintUnformatted(o);
    cJSON_Delete(o);
    if (!diagnostics)
        return bw_fail_memory(err);
    bw_run_info info = {.kind = kind,
                        .engine = "laplace",
                        .seed = SEED,
                        .input = g->input,
                        .options = g->options,
                        .diagnostics = diagnostics,
                        .first_day = g->first,
                        .last_day = g->last};
    bw_status st = bw_run_begin(g->db, &info, run, err);
    free(diagnostics);
    return st;
}

static bw_status store_all(struct stage *g, bw_err *err) {
    bw_status st = begin(g, "timing", &g->timing, err);
    for (size_t c = 0; st == BW_OK && c < g->sends.channels; c++) {
        if (!g->fit[c].slots)
            continue;
        st = store_slots(g, g->sends.channel[c].name, &g->fit[c], err);
        if (st == BW_OK)
            st = store_single(g, g->sends.channel[c].name, &g->fit[c], err);
    }
    if (st == BW_OK)
        st = begin(g, "content", &g->content, err);
    return st == BW_OK ? store_content(g, err) : st;
}

/* A channel that cannot be fitted is a note; when none can, the last reason is the error. */
static bw_status fit_channels(struct stage *g, int window, bw_err *err) {
    size_t fitted = 0;
    bw_status st = BW_OK;
    bw_err why = {{0}};
    for (size_t c = 0; st == BW_OK && c < g->sends.channels; c++) {
        const bw_send_channel *ch = &g->sends.channel[c];
        st = bw_timing_fit(ch->send, ch->n, ch->audiences, g->sends.themes, g->sends.family,
                           g->sends.unit, window, SEED, &g->fit[c], &why);
        fitted += st == BW_OK;
        if (st == BW_EDATA) {
            bw_note(&g->notes, "%s: %s", ch->name, why.text);
            st = BW_OK;
        }
        if (st == BW_OK && bw_interrupted())
            st = bw_fail(&why, BW_EINTERRUPTED, "interrupted");
    }
    if (st != BW_OK)
        return bw_fail(err, st, "%s", why.text);
    if (g->sends.untimed > 0)
        bw_note(&g->notes,
                "%.0f messages are left out: no time of day, no result, or no number delivered",
                g->sends.untimed);
    if (g->sends.merged)
        bw_note(
            &g->notes,
            "there are more than %d cells of hour, day, audience and content in a channel: days of "
            "one month, weekday and kind are judged together",
            BW_CELLS_MOST);
    if (!g->sends.counted)
        bw_note(&g->notes,
                "no message says how many were delivered: %s are taken as counts a message",
                g->sends.metric);
    if (!g->sends.scored)
        bw_note(&g->notes,
                "messages have no content scores yet: run 'bellwether score' for content effects");
    return fitted ? BW_OK : bw_fail(err, BW_EDATA, "%s", why.text);
}

static bw_status stage_run(struct stage *g, int window, bw_err *err) {
    bw_status st = bw_sends_read(g->db, &g->sends, err);
    if (st != BW_OK)
        return st;
    bw_day_format(g->sends.first_day, g->first);
    bw_day_format(g->sends.last_day, g->last);
    g->fit = calloc(g->sends.channels, sizeof *g->fit);
    st = g->fit ? fit_channels(g, window, err) : bw_fail_memory(err);
    if (st == BW_OK)
        st = bw_db_begin(g->db, err);
    if (st != BW_OK)
        return st;
    return bw_db_end(g->db, store_all(g, err), err);
}

bw_status bw_timing_run(sqlite3 *db, const char *metric, int window, bool force, int64_t *run,
                        bw_err *err) {
    struct stage g = {.db = db};
    *run = 0;
    if (window < 1 || window > 12)
        return bw_fail(err, BW_EUSAGE, "a window of %d hours; 1 to 12 can be searched", window);
    snprintf(g.options, sizeof g.options, "{\"metric\":\"%s\",\"window\":%d}",
             metric ? metric : "auto", window);
    bw_status st = bw_sends_gather(db, metric, &g.sends, err);
    if (st == BW_OK)
        st = bw_db_fingerprint(db, BW_CELLS_INPUT, g.input, err);
    if (st == BW_OK && !force)
        *run = bw_run_find(db, "timing", g.input, g.options);
    if (st == BW_OK && !*run) {
        st = stage_run(&g, window, err);
        *run = g.timing;
    }
    for (size_t c = 0; g.fit && c < g.sends.channels; c++)
        bw_timing_free(&g.fit[c]);
    free(g.fit);
    bw_sends_free(&g.sends);
    bw_cells_drop(db);
    bw_notes_free(&g.notes);
    return st;
}
