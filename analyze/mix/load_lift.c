/* analyze/mix/load_lift.c - finished experiments on money, for the likelihood of the mix model. */
#include "analyze/mix/load_internal.h"

static const char *column_text(sqlite3_stmt *s, int i) {
    const unsigned char *text = sqlite3_column_text(s, i);
    return text ? (const char *)text : "";
}

typedef struct {
    const calendar *cal;
    bw_mmm_data *d;
} lift_reader;

static bw_status lift_row(void *context, sqlite3_stmt *s, bw_err *err) {
    lift_reader *r = context;
    const calendar *cal = r->cal;
    bw_lift_test l = {.spend_change = sqlite3_column_double(s, 4),
                      .effect = sqlite3_column_double(s, 5),
                      .effect_sd = sqlite3_column_double(s, 6)};
    l.channel = load_index(r->d->channel, r->d->n_channel, column_text(s, 0));
    const char *geo = column_text(s, 3);
    l.geo = *geo ? load_geo(cal, geo) : BW_ALL_GEOS;
    bool placed = l.geo == BW_ALL_GEOS || (cal->by_geo && l.geo < cal->n_geo) || !cal->by_geo;
    if (!cal->by_geo)
        l.geo = BW_ALL_GEOS;
    if (l.channel == r->d->n_channel || !placed || !load_period(cal, column_text(s, 1), &l.first) ||
        !load_period(cal, column_text(s, 2), &l.last) || l.last < l.first ||
        !r->d->paid[l.channel]) {
        if (cal->notes)
            bw_buf_addf(cal->notes, "experiment %s lies outside the data and is not used\n",
                        column_text(s, 7));
        return BW_OK;
    }
    bw_lift_test *more = realloc(r->d->lift, (r->d->n_lift + 1) * sizeof *more);
    if (!more)
        return bw_fail_memory(err);
    r->d->lift = more;
    r->d->lift[r->d->n_lift++] = l;
    return BW_OK;
}

bw_status load_lift(const calendar *cal, bw_mmm_data *d, bw_err *err) {
    lift_reader r = {cal, d};
    return load_each(
        cal->db,
        "SELECT channel, start_day, end_day, geo, spend_change, effect, effect_sd, id FROM "
        "experiment "
        "WHERE channel IS NOT NULL AND effect IS NOT NULL AND effect_sd > 0 AND spend_change <> 0 "
        "AND replace(metric, 'conversions', 'orders') = replace(coalesce((SELECT value FROM "
        "setting "
        "WHERE key = 'outcome_kind'), 'revenue'), 'conversions', 'orders') "
        "ORDER BY id",
        lift_row, &r, err);
}
