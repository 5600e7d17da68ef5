/* analyze/timing/timing_load.c - the one place where timing touches SQL. */
#include "analyze/timing/timing_load.h"

#include "analyze/table.h"
#include "sql/db.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HOLIDAY_LEAD  7 /* days */
#define HOLIDAY_LAG   3
#define AUDIENCES_MAX 400u

const char BW_SENDS_INPUT[] =
    "SELECT channel, substr(sent_at, 1, 10), count(*), total(delivered), total(opens), "
    "total(clicks), total(orders), total(revenue), count(DISTINCT audience), "
    "total(CAST(substr(sent_at, 12, 2) AS INTEGER)) FROM message GROUP BY 1, 2 "
    "UNION ALL SELECT model, '', count(*), total(question + 2 * number + 4 * emoji + 8 * urgency + "
    "16 * personal), total(chars), round(total(positive), 3), round(total(negative), 3), 0, 0, 0 "
    "FROM message_score GROUP BY model "
    "UNION ALL SELECT name, day || end_day, 0, 0, 0, 0, 0, 0, 0, 0 FROM event WHERE kind IN "
    "('holiday', 'promotion') "
    "UNION ALL SELECT name, '', size, 0, 0, 0, 0, 0, 0, 0 FROM topic WHERE kind = 'message'";

/* Filled in: of how many, what it counts as, of how many again, the metric. Gaps are between days on which an audience heard from us on any channel. */
static const char SENDS[] =
    "WITH usable AS ("
    " SELECT id, channel, substr(sent_at, 1, 10) AS day, CAST(substr(sent_at, 12, 2) AS INTEGER) "
    "AS hour,"
    "  coalesce(audience, '') AS audience, %s AS trials, %s AS success FROM message"
    " WHERE %s > 0 AND %s >= 0 AND substr(sent_at, 12, 2) GLOB '[0-2][0-9]'"
    "  AND date(substr(sent_at, 1, 10)) IS NOT NULL AND CAST(substr(sent_at, 12, 2) AS INTEGER) < "
    "24), "
    "heard AS (SELECT audience, day, julianday(day) - julianday(lag(day) OVER (PARTITION BY "
    "audience ORDER BY day))"
    "  AS gap FROM (SELECT DISTINCT audience, day FROM usable)), "
    "content AS (SELECT message, (question > 0) + 2 * (number > 0) + 4 * (emoji > 0) + 8 * "
    "(urgency > 0)"
    "  + 16 * (personal > 0) + 32 * (positive - negative > 0.25) + 64 * (negative - positive > "
    "0.25)"
    "  + 128 * (chars > (SELECT avg(chars) FROM message_score)) AS flags FROM message_score), "
    "themed AS (SELECT m.id, min(t.id) AS theme FROM topic t JOIN topic_member m ON m.topic = t.id"
    "  WHERE t.kind = 'message' GROUP BY m.id) "
    "SELECT u.channel, u.day, u.hour, u.audience, h.gap, coalesce(c.flags, 0), th.theme, count(*),"
    "  sum(u.trials), sum(u.success) "
    "FROM usable u JOIN heard h ON h.audience = u.audience AND h.day = u.day "
    "LEFT JOIN content c ON c.message = u.id LEFT JOIN themed th ON th.id = u.id "
    "GROUP BY 1, 2, 3, 4, 5, 6, 7 ORDER BY 1, 2, 3, 4, 6, 7";

struct span {
    double first, last;
};
struct calendar {
    struct span *promotion, *holiday;
    size_t promotions, holidays;
};
struct loader {
    bw_sends *out;
    struct calendar days;
    int64_t *theme_id;
    char *audience[AUDIENCES_MAX]; /* of the channel at hand */
};

static const char *choose_metric(sqlite3 *db, const char *wanted, bw_err *err) {
    static const char *const METRICS[] = {"orders", "clicks", "opens", "revenue"};
    char sql[80], counts[120] = "";
    for (size_t i = 0; i < 4; i++) {
        snprintf(sql, sizeof sql, "SELECT total(%s) FROM message", METRICS[i]);
        if (wanted && !strcmp(wanted, METRICS[i]))
            return METRICS[i];
        if (wanted || i == 3)
            continue;
        double total = bw_db_number(db, sql, 0);
        if (total >= BW_METRIC_LEAST)
            return METRICS[i];
        size_t used = strlen(counts);
        snprintf(counts + used, sizeof counts - used, "%s%.0f %s", i ? ", " : "", total,
                 METRICS[i]);
    }
    if (wanted)
        bw_fail(err, BW_EUSAGE,
                "'%s' is not counted for messages; orders, clicks, opens and revenue are", wanted);
    else
        bw_fail(err, BW_EDATA,
                "messages brought %s: too few (%.0f are the least) to tell good hours from bad "
                "ones; import messages with their results",
                counts, BW_METRIC_LEAST);
    return NULL;
}

static bw_status load_spans(sqlite3 *db, const char *kind, struct span **out, size_t *n,
                            bw_err *err) {
    sqlite3_stmt *s;
    bw_status st = bw_db_prepare(
        db, "SELECT day, end_day, count(*) OVER () FROM event WHERE kind = ?", &s, err);
    if (st != BW_OK)
        return st;
    sqlite3_bind_text(s, 1, kind, -1, SQLITE_STATIC);
    bool row = true;
    while (st == BW_OK && row) {
        st = bw_db_step(s, &row, err);
        if (st != BW_OK || !row)
            break;
        if (!*out && !(*out = malloc((size_t)sqlite3_column_int64(s, 2) * sizeof **out)))
            st = bw_fail_memory(err);
        struct span x;
        if (st == BW_OK && bw_day_parse((const char *)sqlite3_column_text(s, 0), &x.first) &&
            bw_day_parse((const char *)sqlite3_column_text(s, 1), &x.last))
            (*out)[(*n)++] = x;
    }
    sqlite3_finalize(s);
    return st;
}

static bw_status load_themes(sqlite3 *db, struct loader *l, bw_err *err) {
    size_t most = (size_t)bw_db_number(db, "SELECT count(*) FROM topic WHERE kind = 'message'", 0);
    l->theme_id = malloc((most + 1) * sizeof *l->theme_id);
    l->out->theme = calloc(most + 1, sizeof *l->out->theme);
    if (!l->theme_id || !l->out->theme)
        return bw_fail_memory(err);
    sqlite3_stmt *s;
    bw_status st =
        bw_db_prepare(db, "SELECT id, name FROM topic WHERE kind = 'message' ORDER BY id", &s, err);
    bool row = true;
    while (st == BW_OK && row && l->out->themes < most) {
        st = bw_db_step(s, &row, err);
        if (st == BW_OK && row) {
            l->theme_id[l->out->themes] = sqlite3_column_int64(s, 0);
            char *name = strdup((const char *)sqlite3_column_text(s, 1));
            l->out->theme[l->out->themes++] = name;
            st = name ? BW_OK : bw_fail_memory(err);
        }
    }
    sqlite3_finalize(s);
    return st;
}

static bool inside(const struct span *s, size_t n, double day, double lead, double lag) {
    for (size_t i = 0; i < n; i++)
        if (day >= s[i].first - lead && day <= s[i].last + lag)
            return true;
    return false;
}

static int holiday_phase(const struct calendar *c, double day) {
    if (inside(c->holiday, c->holidays, day, 0, 0))
        return 2;
    if (inside(c->holiday, c->holidays, day, HOLIDAY_LEAD, 0))
        return 1;
    return inside(c->holiday, c->holidays, day, 0, HOLIDAY_LAG) ? 3 : 0;
}

static void forget_audiences(struct loader *l, bw_send_channel *c) {
    for (size_t i = 0; c && i < c->audiences && i < AUDIENCES_MAX; i++)
        free(l->audience[i]);
    memset(l->audience, 0, sizeof l->audience);
}

/* More audiences than AUDIENCES_MAX share the last code: single recipients are no audience. */
static uint32_t audience_code(struct loader *l, bw_send_channel *c, const char *name) {
    for (size_t i = 0; i < c->audiences; i++)
        if (strcmp(l->audience[i], name) == 0)
            return (uint32_t)i;
    if (c->audiences == AUDIENCES_MAX)
        return AUDIENCES_MAX - 1;
    l->audience[c->audiences] = strdup(name);
    return l->audience[c->audiences] ? (uint32_t)c->audiences++ : 0;
}

static bw_status open_channel(struct loader *l, const char *name, bw_send_channel **out,
                              bw_err *err) {
    bw_sends *all = l->out;
    bw_send_channel *last = all->channels ? &all->channel[all->channels - 1] : NULL;
    *out = last;
    if (last && strcmp(last->name, name) == 0)
        return BW_OK;
    forget_audiences(l, last);
    bw_send_channel *more = realloc(all->channel, (all->channels + 1) * sizeof *more);
    if (!more)
        return bw_fail_memory(err);
    all->channel = more;
    more[all->channels] = (bw_send_channel){.name = strdup(name)};
    *out = &more[all->channels++];
    return (*out)->name ? BW_OK : bw_fail_memory(err);
}

static uint32_t theme_code(const struct loader *l, sqlite3_stmt *s, int column) {
    if (sqlite3_column_type(s, column) == SQLITE_NULL)
        return UINT32_MAX;
    for (size_t k = 0; k < l->out->themes; k++)
        if (l->theme_id[k] == sqlite3_column_int64(s, column))
            return (uint32_t)k;
    return UINT32_MAX;
}

static bw_status add_send(struct loader *l, sqlite3_stmt *s, bw_err *err) {
    bw_send_channel *c = NULL;
    bw_status st = open_channel(l, (const char *)sqlite3_column_text(s, 0), &c, err);
    double day;
    if (st != BW_OK || !bw_day_parse((const char *)sqlite3_column_text(s, 1), &day))
        return st;
    if (c->n == c->cap) {
        size_t cap = c->cap ? 2 * c->cap : 256;
        bw_send *more = realloc(c->send, cap * sizeof *more);
        if (!more)
            return bw_fail_memory(err);
        c->send = more;
        c->cap = cap;
    }
    c->send[c->n++] = (bw_send){
        .day = day,
        .hour = sqlite3_column_int(s, 2),
        .audience = audience_code(l, c, (const char *)sqlite3_column_text(s, 3)),
        .gap = sqlite3_column_type(s, 4) == SQLITE_NULL ? NAN : sqlite3_column_double(s, 4),
        .flags = (uint32_t)sqlite3_column_int(s, 5),
        .theme = theme_code(l, s, 6),
        .messages = sqlite3_column_double(s, 7),
        .trials = sqlite3_column_double(s, 8),
        .successes = sqlite3_column_double(s, 9),
        .promotion = inside(l->days.promotion, l->days.promotions, day, 0, 0),
        .holiday = holiday_phase(&l->days, day)};
    l->out->first_day = fmin(l->out->first_day, day);
    l->out->last_day = fmax(l->out->last_day, day);
    return BW_OK;
}

/* Counts where nobody counted the delivered; a sum of money is as uneven as its single amounts, of which an order
 * is one: mean square over mean is twice the mean for amounts that fall off exponentially. */
static void choose_family(sqlite3 *db, bw_sends *out) {
    bool delivered =
        bw_db_number(db, "SELECT EXISTS (SELECT 1 FROM message WHERE delivered > 0)", 0) > 0;
    bool money = strcmp(out->metric, "revenue") == 0;
    out->family = money ? BW_FAMILY_MONEY : delivered ? BW_FAMILY_RATE : BW_FAMILY_COUNT;
    out->unit = 1;
    if (money)
        out->unit = bw_db_number(db,
                                 "SELECT 2 * total(revenue) / coalesce(nullif(total(orders), 0), "
                                 "nullif(count(nullif(revenue, 0)), 0), 1) FROM message WHERE "
                                 "revenue > 0",
                                 1);
    out->counted = delivered;
}

static bw_status read_sends(sqlite3 *db, struct loader *l, bw_err *err) {
    const char *metric = l->out->metric, *trials = l->out->counted ? "delivered" : "1";
    char sql[sizeof SENDS + 120], success[40];
    snprintf(success, sizeof success,
             l->out->family == BW_FAMILY_RATE ? "min(%s, delivered)" : "%s", metric);
    snprintf(sql, sizeof sql, SENDS, trials, success, trials, metric);
    sqlite3_stmt *s;
    bw_status st = bw_db_prepare(db, sql, &s, err);
    bool row = true;
    double used = 0;
    while (st == BW_OK && row) {
        st = bw_db_step(s, &row, err);
        if (st == BW_OK && row) {
            st = add_send(l, s, err);
            used += sqlite3_column_double(s, 7);
        }
        if (st == BW_OK && bw_interrupted())
            st = bw_fail(err, BW_EINTERRUPTED, "interrupted");
    }
    sqlite3_finalize(s);
    l->out->untimed = bw_db_number(db, "SELECT count(*) FROM message", 0) - used;
    return st;
}

bw_status bw_sends_load(sqlite3 *db, const char *metric, bw_sends *out, bw_err *err) {
    *out = (bw_sends){.first_day = INFINITY, .last_day = -INFINITY};
    bw_err why = {{0}};
    if (bw_db_number(db, "SELECT count(*) FROM message", 0) == 0)
        return bw_fail(err, BW_EDATA,
                       "there are no messages; 'bellwether import message FILE' brings them in");
    out->metric = choose_metric(db, metric, &why);
    if (!out->metric)
        return bw_fail(err, metric ? BW_EUSAGE : BW_EDATA, "%s", why.text);
    choose_family(db, out);
    out->scored = bw_db_number(db, "SELECT count(*) FROM message_score", 0) > 0;
    struct loader l = {.out = out};
    bw_status st = load_spans(db, "promotion", &l.days.promotion, &l.days.promotions, err);
    if (st == BW_OK)
        st = load_spans(db, "holiday", &l.days.holiday, &l.days.holidays, err);
    if (st == BW_OK)
        st = load_themes(db, &l, err);
    if (st == BW_OK)
        st = read_sends(db, &l, err);
    forget_audiences(&l, out->channels ? &out->channel[out->channels - 1] : NULL);
    free(l.days.promotion);
    free(l.days.holiday);
    free(l.theme_id);
    if (st == BW_OK && !out->channels)
        st = bw_fail(err, BW_EDATA, "no message has both a time and a result");
    if (st != BW_OK)
        bw_sends_free(out);
    return st;
}

void bw_sends_free(bw_sends *s) {
    for (size_t c = 0; c < s->channels; c++) {
        free(s->channel[c].name);
        free(s->channel[c].send);
    }
    free(s->channel);
    for (size_t k = 0; k < s->themes; k++)
        free(s->theme[k]);
    free(s->theme);
    *s = (bw_sends){0};
}
