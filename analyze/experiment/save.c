/* analyze/experiment/save.c - writes one row of table experiment. */
#include "analyze/experiment/save.h"

#include "analyze/table.h"
#include "sql/db.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

bw_status bw_experiment_target_check(const bw_experiment_target *t, const char *command,
                                     const char *time, bw_err *err) {
    if (t->id && (!time || !t->channel || isnan(t->spend_change)))
        return bw_fail(err, BW_EUSAGE, "%s: --save needs --time, --channel and --spend-change",
                       command);
    if (!t->id && (t->channel || !isnan(t->spend_change) || t->metric))
        return bw_fail(err, BW_EUSAGE,
                       "%s: --channel, --spend-change and --save-as go with --save ID", command);
    return BW_OK;
}

/* The mix model takes tests on what it explains alone. */
static void note_metric(sqlite3 *db, const char *metric, bw_notes *notes) {
    char *kind = bw_db_setting(db, "outcome_kind", "revenue");
    if (kind && strcmp(kind, metric) != 0)
        bw_note(notes,
                "the experiment is saved with the metric '%s'; 'fit' explains %s and will not use "
                "it (--save-as %s if that is what it is)",
                metric, kind, kind);
    free(kind);
}

bw_status bw_experiment_save(const bw_experiment_target *t, const char *column, const char *first,
                             const char *last, double effect, double sd, bw_notes *notes,
                             bw_err *err) {
    sqlite3 *db;
    sqlite3_stmt *s = NULL;
    double day;
    const char *metric = t->metric ? t->metric : column;
    if (!bw_day_parse(first, &day) || !bw_day_parse(last, &day))
        return bw_fail(err, BW_EDATA, "--save: '%s' is not a day, and an experiment needs its days",
                       bw_day_parse(first, &day) ? last : first);
    bw_status st = bw_db_open(bw_default_db(t->db), BW_DB_WRITE, &db, err);
    if (st == BW_OK)
        st = bw_db_prepare(
            db,
            "INSERT OR REPLACE INTO experiment (id, name, channel, kind, start_day, end_day, "
            "metric, effect, effect_sd, spend_change) "
            "VALUES (?1, ?1, ?2, 'geo', ?3, ?4, ?5, ?6, ?7, ?8)",
            &s, err);
    if (st == BW_OK) {
        const char *texts[] = {t->id, t->channel, first, last, metric};
        for (int i = 0; i < 5; i++)
            sqlite3_bind_text(s, i + 1, texts[i], -1, SQLITE_STATIC);
        sqlite3_bind_double(s, 6, effect);
        sqlite3_bind_double(s, 7, sd);
        sqlite3_bind_double(s, 8, t->spend_change);
        st = bw_db_run(s, err);
    }
    if (st == BW_OK)
        note_metric(db, metric, notes);
    sqlite3_finalize(s);
    bw_db_close(db);
    return st;
}
