/* analyze/timing/timing_metric.c - which result of messages is judged, and by which family. */
#include "analyze/timing/timing_load.h"

#include "sql/db.h"

#include <stdio.h>
#include <string.h>

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

bw_status bw_sends_choose(sqlite3 *db, const char *metric, bw_sends *out, bw_err *err) {
    *out = (bw_sends){0};
    bw_err why = {{0}};
    if (bw_db_number(db, "SELECT EXISTS (SELECT 1 FROM message)", 0) == 0)
        return bw_fail(err, BW_EDATA,
                       "there are no messages; 'bellwether import message FILE' brings them in");
    out->metric = choose_metric(db, metric, &why);
    if (!out->metric)
        return bw_fail(err, metric ? BW_EUSAGE : BW_EDATA, "%s", why.text);
    choose_family(db, out);
    out->scored = bw_db_number(db, "SELECT EXISTS (SELECT 1 FROM message_score)", 0) > 0;
    return BW_OK;
}
