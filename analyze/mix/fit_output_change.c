/* analyze/mix/fit_output_change.c - what a fit says otherwise than the one before it, printed. Both forms are
 * made of the same object. */
#include "analyze/mix/fit_output.h"

#include "sql/db.h"

#include <math.h>
#include <stdio.h>

static const char *const CAUSES[] = {"changed_by_data", "changed_by_history", "changed_by_model"};
static const char *const KEYS[] = {"data", "history", "model"};
#define N_CAUSES (sizeof CAUSES / sizeof *CAUSES)

static double value(sqlite3 *db, int64_t run, const char *name, const char *subject) {
    char *sql = sqlite3_mprintf("SELECT mean FROM estimate WHERE run = %lld AND name = %Q AND "
                                "subject = %Q AND at = ''",
                                (long long)run, name, subject);
    double v = sql ? bw_db_number(db, sql, NAN) : NAN;
    sqlite3_free(sql);
    return v;
}

static cJSON *one_channel(sqlite3 *db, int64_t run, const char *channel) {
    cJSON *j = cJSON_CreateObject();
    cJSON_AddStringToObject(j, "channel", channel);
    cJSON_AddNumberToObject(j, "roas_before", value(db, run, "roas_before", channel));
    cJSON_AddNumberToObject(j, "roas", value(db, run, "roas", channel));
    for (size_t i = 0; i < N_CAUSES; i++)
        cJSON_AddNumberToObject(j, KEYS[i], value(db, run, CAUSES[i], channel));
    return j;
}

/* Every subject of an estimate, by its size. */
static void each_subject(sqlite3 *db, int64_t run, const char *name, cJSON *revised,
                         cJSON *channels) {
    sqlite3_stmt *s = NULL;
    if (sqlite3_prepare_v2(db,
                           "SELECT subject, mean FROM estimate WHERE run = ? AND name = ? "
                           "ORDER BY mean DESC, subject",
                           -1, &s, NULL) != SQLITE_OK)
        return;
    sqlite3_bind_int64(s, 1, run);
    sqlite3_bind_text(s, 2, name, -1, SQLITE_STATIC);
    while (sqlite3_step(s) == SQLITE_ROW) {
        const char *subject = (const char *)sqlite3_column_text(s, 0);
        if (revised)
            cJSON_AddNumberToObject(revised, subject, sqlite3_column_double(s, 1));
        else
            cJSON_AddItemToArray(channels, one_channel(db, run, subject));
    }
    sqlite3_finalize(s);
}

cJSON *fit_json_changes(sqlite3 *db, int64_t run) {
    double since = value(db, run, "since_run", "");
    if (!isfinite(since))
        return cJSON_CreateNull();
    cJSON *j = cJSON_CreateObject();
    cJSON_AddNumberToObject(j, "since_run", since);
    cJSON_AddNumberToObject(j, "new_periods", value(db, run, "new_periods", ""));
    each_subject(db, run, "revised_periods", cJSON_AddObjectToObject(j, "revised"), NULL);
    each_subject(db, run, "roas_before", NULL, cJSON_AddArrayToObject(j, "channels"));
    return j;
}

static double member(const cJSON *j, const char *key) {
    const cJSON *v = cJSON_GetObjectItem(j, key);
    return cJSON_IsNumber(v) ? v->valuedouble : NAN;
}

bw_status fit_print_changes(sqlite3 *db, int64_t run, bw_err *err) {
    cJSON *j = fit_json_changes(db, run);
    const cJSON *item;
    if (!j)
        return bw_fail_memory(err);
    if (cJSON_IsNull(j)) {
        printf("\nthere is no fit before this one to compare with\n");
    } else {
        printf("\nsince fit %.0f: %.0f new periods", member(j, "since_run"),
               member(j, "new_periods"));
        cJSON_ArrayForEach(item, cJSON_GetObjectItem(j, "revised"))
            printf(", %s revised in %.0f", item->string, item->valuedouble);
        printf("\n%-18s %8s %8s   %10s %10s %10s\n", "ROAS", "then", "now", "new data", "revised",
               "options");
        cJSON_ArrayForEach(item, cJSON_GetObjectItem(j, "channels"))
            printf("%-18s %8.2f %8.2f   %+10.2f %+10.2f %+10.2f\n",
                   cJSON_GetObjectItem(item, "channel")->valuestring, member(item, "roas_before"),
                   member(item, "roas"), member(item, "data"), member(item, "history"),
                   member(item, "model"));
    }
    cJSON_Delete(j);
    return BW_OK;
}
