/* analyze/mix/mmm_data.c - memory of a shop's arrays. */
#include "analyze/mix/mmm.h"

#include <stdlib.h>

static bool names_alloc(char ***names, size_t n) {
    *names = calloc(n + 1, sizeof **names);
    return *names != NULL;
}

bw_status bw_mmm_data_alloc(bw_mmm_data *d, bw_err *err) {
    size_t T = d->n_time, GT = d->n_geo * T;
    d->period = calloc(T + 1, sizeof *d->period);
    d->outcome = calloc(GT + 1, sizeof(double));
    d->spend = calloc(d->n_channel * GT + 1, sizeof(double));
    d->media = calloc(d->n_channel * GT + 1, sizeof(double));
    d->control = calloc(d->n_control * GT + 1, sizeof(double));
    d->event = calloc(d->n_event_column * T + 1, sizeof(double));
    d->event_part = calloc(d->n_event_column + 1, sizeof *d->event_part);
    d->paid = calloc(d->n_channel + 1, sizeof *d->paid);
    d->sign = calloc(d->n_control + 1, sizeof *d->sign);
    d->lift = calloc(d->n_lift + 1, sizeof *d->lift);
    bool ok = names_alloc(&d->channel, d->n_channel) &&
              names_alloc(&d->control_name, d->n_control) &&
              names_alloc(&d->event_name, d->n_event) && names_alloc(&d->geo, d->n_geo);
    if (ok && d->period && d->outcome && d->spend && d->media && d->control && d->event &&
        d->event_part && d->paid && d->sign && d->lift)
        return BW_OK;
    bw_mmm_data_free(d);
    return bw_fail_memory(err);
}

static void names_free(char **names, size_t n) {
    for (size_t i = 0; names && i < n; i++)
        free(names[i]);
    free(names);
}

void bw_mmm_data_free(bw_mmm_data *d) {
    names_free(d->channel, d->n_channel);
    names_free(d->control_name, d->n_control);
    names_free(d->event_name, d->n_event);
    names_free(d->geo, d->n_geo);
    free(d->period);
    free(d->outcome);
    free(d->spend);
    free(d->media);
    free(d->control);
    free(d->event);
    free(d->event_part);
    free(d->paid);
    free(d->sign);
    free(d->population);
    free(d->lift);
    *d = (bw_mmm_data){0};
}
