/* demo/follow.c - what a real shop does between two reports: it takes the advice, and sells.
 *
 * The shop is simulated once more from the same seed with the advised spend in the last weeks. Every
 * step draws from its own stream and in the order of days, so all that lies before stays as it was. */
#include "demo/shop.h"

#include "sql/db.h"

#include <cjson/cJSON.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#define HELD \
    0.8 /* of a week's budget is held to the advice, the rest follows the shop's own rhythm */

/* From {"moves": {channel: money}, "now": {channel: money}}: money a week before, and as advised.
 * False when the advice says nothing of the channel. */
static bool advised(const cJSON *action, const char *channel, double *now, double *planned) {
    const cJSON *move = cJSON_GetObjectItemCaseSensitive(
        cJSON_GetObjectItemCaseSensitive(action, "moves"), channel);
    const cJSON *was =
        cJSON_GetObjectItemCaseSensitive(cJSON_GetObjectItemCaseSensitive(action, "now"), channel);
    if (!cJSON_IsNumber(was) || was->valuedouble <= 0)
        return false;
    *now = was->valuedouble;
    *planned = fmax(0, *now + (cJSON_IsNumber(move) ? move->valuedouble : 0));
    return true;
}

/* Spends the advised budget in the week that begins on day d, its days weighted as they were. */
static void spend_week(struct shop *s, struct channel *c, int d, double now, double planned) {
    int end = d + 7 < s->days ? d + 7 : s->days;
    double own = 0;
    for (int g = 0; g < s->n_geos; g++)
        for (int i = d; i < end; i++)
            own += c->spend[g][i];
    double total = planned * (HELD + (1 - HELD) * fmin(2, own / now)) * (end - d) / 7;
    for (int g = 0; g < s->n_geos; g++)
        for (int i = d; i < end; i++) {
            double part = own > 0 ? c->spend[g][i] / own : 1.0 / (s->n_geos * (end - d));
            c->spend[g][i] = round(total * part * 100) / 100;
        }
}

static void move_spend(struct shop *s, const cJSON *action, int from) {
    for (int i = 0; i < s->n_channels; i++) {
        struct channel *c = &s->channel[i];
        double now, planned;
        if (!advised(action, c->name, &now, &planned))
            continue;
        for (int d = from < 0 ? 0 : from; d < s->days; d += 7)
            spend_week(s, c, d, now, planned);
        shop_respond(s, c);
    }
}

/* The open budget advice of the week: its id and action. *action is NULL when there is none. */
static bw_status find_advice(sqlite3 *db, const char *week, char id[40], cJSON **action,
                             bw_err *err) {
    *action = NULL;
    sqlite3_stmt *q;
    bool row;
    bw_status st =
        bw_db_prepare(db,
                      "SELECT id, action FROM advice WHERE week = ? AND kind = 'budget' AND "
                      "status = 'proposed' ORDER BY id LIMIT 1",
                      &q, err);
    if (st != BW_OK)
        return st;
    sqlite3_bind_text(q, 1, week, -1, SQLITE_STATIC);
    st = bw_db_step(q, &row, err);
    if (st == BW_OK && row) {
        snprintf(id, 40, "%s", (const char *)sqlite3_column_text(q, 0));
        *action = cJSON_Parse((const char *)sqlite3_column_text(q, 1));
    }
    sqlite3_finalize(q);
    return st;
}

static bw_status rewrite(struct shop *s, sqlite3 *db, const char *id, bw_err *err) {
    bw_status st =
        bw_db_exec(db, "DELETE FROM spend; DELETE FROM campaign; DELETE FROM outcome", err);
    if (st == BW_OK)
        st = shop_write_spend(s, db, err);
    if (st == BW_OK)
        st = shop_write_sales(s, db, err);
    if (st == BW_OK)
        st = shop_write_truth(s, db, err);
    if (st == BW_OK)
        st = bw_db_exec(db,
                        "UPDATE demo_truth SET value = (SELECT count(*) FROM purchase) / "
                        "(SELECT sum(orders) FROM outcome) WHERE name = 'customer_share'",
                        err);
    sqlite3_stmt *q = NULL;
    if (st == BW_OK)
        st = bw_db_prepare(db, "UPDATE advice SET status = 'accepted' WHERE id = ?", &q, err);
    if (st == BW_OK)
        st = row_put(q, err, "s", id);
    sqlite3_finalize(q);
    return st;
}

bw_status bw_demo_follow(sqlite3 *db, const bw_demo_options *options, const char *week,
                         bool *followed, bw_err *err) {
    char id[40];
    cJSON *action;
    int year, month, mday;
    *followed = false;
    if (sscanf(week, "%d-%d-%d", &year, &month, &mday) != 3)
        return bw_fail(err, BW_EARG, "'%s' is not a day", week);
    bw_status st = find_advice(db, week, id, &action, err);
    if (st != BW_OK || !action)
        return st;
    struct shop *s;
    st = shop_make(options, &s, err);
    if (st == BW_OK) {
        move_spend(s, action, shop_day(s, year, month, mday) + 7);
        st = bw_db_begin(db, err);
        if (st == BW_OK)
            st = bw_db_end(db, rewrite(s, db, id, err), err);
        *followed = st == BW_OK;
    }
    cJSON_Delete(action);
    free(s);
    return st;
}
