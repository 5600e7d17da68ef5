/* analyze/forecast/forecast_out.c - plan, backtest and labels of a forecast. */
#include "analyze/forecast/forecast_out.h"

#include "analyze/table.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

bool bw_plan_parse(const char *text, bw_plan *plan) {
    char from[11], until[11];
    *plan = (bw_plan){NAN, NAN, NAN};
    if (!text || sscanf(text, "%lf %10s %10s", &plan->amount, from, until) != 3)
        return false;
    return isfinite(plan->amount) && bw_day_parse(from, &plan->first) &&
           bw_day_parse(until, &plan->last) && plan->first <= plan->last;
}

void bw_series_label(const bw_series *s, size_t t, char out[24]) {
    if (s->calendar)
        bw_day_format(bw_series_at(s, t), out);
    else
        snprintf(out, 24, "%.0f", bw_series_at(s, t));
}

bw_status bw_plan_judge(const bw_series *s, const bw_forecast *f, const bw_plan *plan,
                        bw_plan_result *out, bw_err *err) {
    size_t begin = s->n, end = s->n;
    *out = (bw_plan_result){0};
    if (!(plan->last >= bw_series_at(s, s->n)))
        return bw_fail(err, BW_EARG, "the plan ends before the first period that lies ahead");
    for (size_t h = 0; h < s->horizon; h++) {
        double at = bw_series_at(s, s->n + h);
        begin = at < plan->first ? s->n + h + 1 : begin;
        end = at <= plan->last ? s->n + h + 1 : end;
    }
    if (plan->last >= bw_series_at(s, s->n + s->horizon))
        return bw_fail(err, BW_EARG,
                       "the plan ends beyond the %zu periods forecast; ask for a longer --horizon",
                       s->horizon);
    for (size_t t = 0; t < s->n; t++)
        if (bw_series_at(s, t) >= plan->first && !isnan(s->y[t]))
            out->reached += s->y[t];
    out->ahead = end - begin;
    /* Where the plan starts later, what comes before it is taken off each path. */
    size_t skip = begin - s->n, left = s->horizon - skip;
    bw_forecast tail = *f;
    tail.paths = malloc((f->n_paths * left + 1) * sizeof *tail.paths);
    if (!tail.paths)
        return bw_fail_memory(err);
    for (size_t i = 0; i < f->n_paths; i++)
        for (size_t k = 0; k < left; k++)
            tail.paths[i * left + k] = f->paths[i * s->horizon + skip + k];
    bw_forecast_total(&tail, left, out->ahead, &out->mean, &out->lo, &out->hi);
    out->probability = bw_forecast_reaches(&tail, left, out->ahead, plan->amount - out->reached);
    free(tail.paths);
    out->mean += out->reached;
    out->lo += out->reached;
    out->hi += out->reached;
    return BW_OK;
}

cJSON *bw_backtest_json(const bw_forecast *f) {
    if (!f->origins)
        return cJSON_CreateNull();
    cJSON *o = cJSON_CreateObject();
    const struct {
        const char *key;
        const bw_errors *e;
    } methods[] = {
        {"ours", &f->ours}, {"seasonal_naive", &f->naive}, {"holt_winters", &f->holt_winters}};
    cJSON_AddNumberToObject(o, "origins", (double)f->origins);
    cJSON_AddNumberToObject(o, "ahead", (double)f->backtest_ahead);
    for (size_t i = 0; i < 3; i++) {
        cJSON *m = cJSON_AddObjectToObject(o, methods[i].key);
        bw_json_number(m, "mape", methods[i].e->mape);
        bw_json_number(m, "wmape", methods[i].e->wmape);
        bw_json_number(m, "mae", methods[i].e->mae);
    }
    bw_json_number(o, "crps", f->crps);
    bw_json_number(o, "crps_seasonal_naive", f->crps_naive);
    bw_json_number(o, "cover50", f->cover50);
    bw_json_number(o, "cover80", f->cover80);
    bw_json_number(o, "cover95", f->cover95);
    return o;
}

void bw_forecast_notes(const bw_series *s, const bw_forecast *f, bw_notes *notes) {
    if (s->calendar && !f->yearly)
        bw_note(notes, "less than a year and a half of data: the yearly season cannot be told from "
                       "the trend and is "
                       "left out");
    if (!f->origins)
        bw_note(notes, "too few periods to test the forecast on the past");
    if (f->origins && f->ours.mae > f->naive.mae)
        bw_note(notes,
                "on the past, simply repeating the last season was better (error %s against %s): "
                "trust the "
                "fan less",
                bw_show_share(f->naive.wmape), bw_show_share(f->ours.wmape));
}
