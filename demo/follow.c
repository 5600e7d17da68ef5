/* demo/follow.c - what a real shop does between two reports: it takes the advice, and sells.
 *
 * The shop is simulated once more from the same seed with the advised spend, prices, hours, texts and
 * answers in the last weeks. Every step draws from its own stream and in the order of days, so all
 * that lies before stays as it was. */
#include "demo/shop.h"

#include "sql/db.h"

#include <cjson/cJSON.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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

/* ---- the other kinds ---- */

static struct habit *add_habit(struct shop *s, enum habit_kind kind, int from,
                               const char *subject) {
    if (s->n_habits == MAX_HABITS)
        return NULL;
    struct habit *h = &s->habit[s->n_habits++];
    *h = (struct habit){.kind = kind, .from = from < 0 ? 0 : from, .hours = 1};
    snprintf(h->subject, sizeof h->subject, "%s", subject);
    return h;
}

static void take_timing(struct shop *s, const cJSON *action, const char *channel, int from) {
    const cJSON *window = cJSON_GetObjectItemCaseSensitive(action, "window");
    int day, hour, day1, hour1;
    if (!cJSON_IsString(window) ||
        sscanf(window->valuestring, "%d-%d/%d-%d", &day, &hour, &day1, &hour1) != 4)
        return;
    struct habit *h = add_habit(s, SEND_AT, from, channel);
    if (h)
        h->weekday = day, h->hour = hour, h->hours = hour1 >= hour ? hour1 - hour + 1 : 1;
}

static void take_content(struct shop *s, const cJSON *action, const char *channel, int from) {
    const cJSON *feature = cJSON_GetObjectItemCaseSensitive(action, "feature");
    struct habit *h = cJSON_IsString(feature) ? add_habit(s, WRITE_WITH, from, channel) : NULL;
    if (h)
        snprintf(h->feature, sizeof h->feature, "%s", feature->valuestring);
}

static void take_price(struct shop *s, const cJSON *action, const char *product, int from) {
    const cJSON *to = cJSON_GetObjectItemCaseSensitive(action, "to");
    for (int p = 0; p < N_PRODUCTS; p++)
        for (int d = from < 0 ? 0 : from; cJSON_IsNumber(to) && d < s->days; d++)
            if (strcmp(s->product[p].name, product) == 0)
                s->product[p].list[d] = to->valuedouble;
    shop_mix(s);
}

/* False for a kind that the shop cannot take by itself. */
static bool take(struct shop *s, const char *kind, const char *subject, const cJSON *action,
                 int from) {
    if (strcmp(kind, "budget") == 0)
        move_spend(s, action, from);
    else if (strcmp(kind, "timing") == 0)
        take_timing(s, action, subject, from);
    else if (strcmp(kind, "content") == 0)
        take_content(s, action, subject, from);
    else if (strcmp(kind, "price") == 0)
        take_price(s, action, subject, from);
    else if (strcmp(kind, "complaint") == 0)
        add_habit(s, ANSWER, from, subject);
    else
        return false;
    return true;
}

static bw_status accept(sqlite3 *db, const char *id, bw_err *err) {
    sqlite3_stmt *q;
    bw_status st = bw_db_prepare(db, "UPDATE advice SET status = 'accepted' WHERE id = ?", &q, err);
    if (st == BW_OK)
        st = row_put(q, err, "s", id);
    sqlite3_finalize(q);
    return st;
}

/* Takes what the ledger still proposes for the week and counts it. */
static bw_status take_all(struct shop *s, sqlite3 *db, const char *week, int from, int *taken,
                          bw_err *err) {
    sqlite3_stmt *q;
    bool row = true;
    bw_status st = bw_db_prepare(db,
                                 "SELECT id, kind, subject, action FROM advice WHERE week = ? AND "
                                 "status = 'proposed' ORDER BY kind, id",
                                 &q, err);
    if (st != BW_OK)
        return st;
    sqlite3_bind_text(q, 1, week, -1, SQLITE_STATIC);
    while (st == BW_OK) {
        st = bw_db_step(q, &row, err);
        if (st != BW_OK || !row)
            break;
        cJSON *action = cJSON_Parse((const char *)sqlite3_column_text(q, 3));
        if (action && take(s, (const char *)sqlite3_column_text(q, 1),
                           (const char *)sqlite3_column_text(q, 2), action, from)) {
            ++*taken;
            st = accept(db, (const char *)sqlite3_column_text(q, 0), err);
        }
        cJSON_Delete(action);
    }
    sqlite3_finalize(q);
    return st;
}

/* ---- the rows anew ---- */

/* What was sold before the advice was taken: reviews follow it, messages are worth by it. */
static bw_status read_sold(struct shop *s, sqlite3 *db, bw_err *err) {
    sqlite3_stmt *q;
    bool row = true;
    bw_status st = bw_db_prepare(
        db, "SELECT day, sum(orders), sum(revenue) FROM outcome GROUP BY day ORDER BY day", &q,
        err);
    for (int d = 0; st == BW_OK && d < s->days; d++) {
        st = bw_db_step(q, &row, err);
        if (st != BW_OK || !row)
            break;
        s->orders[d] = sqlite3_column_double(q, 1);
        s->revenue[d] = sqlite3_column_double(q, 2);
    }
    sqlite3_finalize(q);
    return st;
}

static bool has_habit(const struct shop *s, bool answers) {
    for (int i = 0; i < s->n_habits; i++)
        if ((s->habit[i].kind == ANSWER) == answers)
            return true;
    return false;
}

static bw_status forget_from(sqlite3 *db, const char *sql, const char *day, bw_err *err) {
    sqlite3_stmt *q;
    bw_status st = bw_db_prepare(db, sql, &q, err);
    if (st == BW_OK)
        st = row_put(q, err, "s", day);
    sqlite3_finalize(q);
    return st;
}

/* Messages are written anew as they were before the day; what was read out of later texts goes. */
static bw_status rewrite_messages(struct shop *s, sqlite3 *db, const char *day, bw_err *err) {
    static const char *const LATER[] = {
        "DELETE FROM message_score WHERE message IN (SELECT id FROM message WHERE sent_at >= ?)",
        ("DELETE FROM embedding WHERE kind = 'message' AND id IN (SELECT id FROM message WHERE "
         "sent_at >= ?)"),
        "DELETE FROM topic_member WHERE id IN (SELECT id FROM message WHERE sent_at >= ?)"};
    bw_status st = BW_OK;
    for (size_t i = 0; st == BW_OK && i < sizeof LATER / sizeof *LATER; i++)
        st = forget_from(db, LATER[i], day, err);
    if (st == BW_OK)
        st = bw_db_exec(db, "DELETE FROM message", err);
    return st == BW_OK ? shop_write_messages(s, db, err) : st;
}

static bw_status rewrite_texts(struct shop *s, sqlite3 *db, int from, bw_err *err) {
    char day[11];
    shop_day_text(s, from < 0 ? 0 : from, day);
    bw_status st = read_sold(s, db, err);
    if (st == BW_OK && has_habit(s, false))
        st = rewrite_messages(s, db, day, err);
    if (st == BW_OK && has_habit(s, true)) {
        st = forget_from(db, "DELETE FROM review WHERE day >= ?", day, err);
        if (st == BW_OK)
            st = shop_write_reviews(s, db, err);
    }
    memset(s->orders, 0, sizeof s->orders); /* to be sold anew */
    memset(s->revenue, 0, sizeof s->revenue);
    return st;
}

static bw_status rewrite_sales(struct shop *s, sqlite3 *db, bw_err *err) {
    bw_status st =
        bw_db_exec(db, "DELETE FROM spend; DELETE FROM campaign; DELETE FROM outcome", err);
    if (st == BW_OK)
        st = shop_write_spend(s, db, err);
    if (st == BW_OK)
        st = shop_write_sales(s, db, err);
    if (st == BW_OK)
        st = shop_write_truth(s, db, err);
    return st == BW_OK
               ? bw_db_exec(db,
                            "UPDATE demo_truth SET value = (SELECT count(*) FROM purchase) / "
                            "(SELECT sum(orders) FROM outcome) WHERE name = 'customer_share'",
                            err)
               : st;
}

static bw_status follow(struct shop *s, sqlite3 *db, const char *week, int from, int *taken,
                        bw_err *err) {
    bw_status st = take_all(s, db, week, from, taken, err);
    if (st != BW_OK || *taken == 0)
        return st;
    st = rewrite_texts(s, db, from, err);
    return st == BW_OK ? rewrite_sales(s, db, err) : st;
}

bw_status bw_demo_follow(sqlite3 *db, const bw_demo_options *options, const char *week, int *taken,
                         bw_err *err) {
    int year, month, mday;
    *taken = 0;
    if (sscanf(week, "%d-%d-%d", &year, &month, &mday) != 3)
        return bw_fail(err, BW_EARG, "'%s' is not a day", week);
    struct shop *s;
    bw_status st = shop_make(options, &s, err);
    if (st != BW_OK)
        return st;
    st = bw_db_begin(db, err);
    if (st == BW_OK)
        st =
            bw_db_end(db, follow(s, db, week, shop_day(s, year, month, mday) + 7, taken, err), err);
    free(s);
    return st;
}
