/* sql/import/import.c - the order of work of one import, and what is written around its rows: channels,
 * regions, the week's first day, the log. */
#include "sql/import/import.h"

#include "sql/import/columns.h"
#include "sql/db.h"
#include "sql/import/load.h"
#include "sql/import/textfile.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include <cjson/cJSON.h>

#define SAMPLE_ROWS 2000
/* Pages the import may hold back from the disk, in KiB: the inner pages of a large table. */
#define CACHE "PRAGMA cache_size = -16384"

/* The options that decide what a file means, as JSON: with the hash, the import's identity. */
static char *options_json(const bw_import_job *job) {
    cJSON *o = cJSON_CreateObject();
    if (job->map)
        cJSON_AddStringToObject(o, "map", job->map);
    if (job->set)
        cJSON_AddStringToObject(o, "set", job->set);
    if (job->where)
        cJSON_AddStringToObject(o, "where", job->where);
    if (job->mapping)
        cJSON_AddItemToObject(o, "mapping", cJSON_Parse(job->mapping));
    if (job->sum)
        cJSON_AddTrueToObject(o, "sum");
    char *text = cJSON_PrintUnformatted(o);
    cJSON_Delete(o);
    return text;
}

static bw_status was_imported(sqlite3 *db, const bw_import_job *job, const char *sha256, bool *yes,
                              bw_err *err) {
    char *options = options_json(job);
    if (!options)
        return bw_fail_memory(err);
    sqlite3_stmt *s;
    bw_status st = bw_db_prepare(
        db, "SELECT 1 FROM import_log WHERE sha256 = ? AND kind = ? AND options = ?", &s, err);
    if (st == BW_OK) {
        sqlite3_bind_text(s, 1, sha256, -1, SQLITE_STATIC);
        sqlite3_bind_text(s, 2, job->kind, -1, SQLITE_STATIC);
        sqlite3_bind_text(s, 3, options, -1, SQLITE_STATIC);
        st = bw_db_step(s, yes, err);
    }
    sqlite3_finalize(s);
    cJSON_free(options);
    return st;
}

static const char *base_name(const char *path) {
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

static bw_status write_log(bw_load *l, bw_err *err) {
    const bw_import_report *r = l->report;
    char *options = options_json(l->job);
    sqlite3_stmt *s;
    bw_status st = bw_db_prepare(
        l->db,
        "INSERT INTO import_log(kind, file, sha256, rows_read, rows_new, rows_changed, "
        "options, imported_at) VALUES (?,?,?,?,?,?,?, strftime('%Y-%m-%d %H:%M:%S', 'now'))",
        &s, err);
    if (st == BW_OK && options) {
        sqlite3_bind_text(s, 1, l->job->kind, -1, SQLITE_STATIC);
        sqlite3_bind_text(s, 2, l->job->name ? l->job->name : base_name(l->job->path), -1,
                          SQLITE_STATIC);
        sqlite3_bind_text(s, 3, r->sha256, -1, SQLITE_STATIC);
        sqlite3_bind_int64(s, 4, (sqlite3_int64)r->rows_read);
        sqlite3_bind_int64(s, 5, (sqlite3_int64)r->rows_new);
        sqlite3_bind_int64(s, 6, (sqlite3_int64)r->rows_changed);
        sqlite3_bind_text(s, 7, options, -1, SQLITE_STATIC);
        st = bw_db_run(s, err);
    }
    sqlite3_finalize(s);
    cJSON_free(options);
    return st == BW_OK
               ? bw_findings_store(l->findings, l->db, sqlite3_last_insert_rowid(l->db), err)
               : st;
}

static bw_status finish(bw_load *l, bw_err *err) {
    bw_rhythm rhythm;
    bw_doctor_finish(l->doctor, l->findings, &rhythm);
    bw_status st = rhythm.weekly ? bw_load_settle_week(l, rhythm.week_day, err) : BW_OK;
    if (st == BW_OK && strcmp(l->job->kind, "wide") == 0 && l->findings->errors == 0)
        st = bw_load_events(l, rhythm.weekly, err);
    if (st == BW_OK)
        st = bw_load_write_names(l, err);
    if (l->report->rows_read == 0 && l->findings->errors == 0)
        bw_findings_add(l->findings,
                        &(bw_spot){.severity = BW_ERROR,
                                   .rule = "no_rows",
                                   .fix = "export it again, with its rows"},
                        "the file has a header and no rows");
    if (l->first_day <= l->last_day) {
        bw_day_text(l->first_day, l->report->first_day);
        bw_day_text(l->last_day, l->report->last_day);
    }
    return st == BW_OK ? write_log(l, err) : st;
}

/* --where: columns and values. */
static bw_status read_filters(bw_load *l, bw_err *err) {
    const char *list = l->job->where;
    char buf[512], *column, *value;
    int more;
    while (list && (more = bw_pair_next(&list, buf, sizeof buf, &column, &value)) != 0) {
        if (more < 0)
            return bw_fail(err, BW_EUSAGE, "--where: column=value,... is wanted");
        int at = bw_column_find(l->table, column);
        if (at < 0)
            return bw_fail(err, BW_EARG, "--where: the file has no column '%s'", column);
        int *columns = realloc(l->filter_column, (l->n_filters + 1) * sizeof *columns);
        if (columns)
            l->filter_column = columns;
        char **values = realloc(l->filter_value, (l->n_filters + 1) * sizeof *values);
        if (values)
            l->filter_value = values;
        char *copy = strdup(value);
        if (!columns || !values || !copy) {
            free(copy);
            return bw_fail_memory(err);
        }
        columns[l->n_filters] = at;
        values[l->n_filters++] = copy;
    }
    return BW_OK;
}

static bw_status load_rows(bw_load *l, bw_err *err) {
    const bw_import_job *job = l->job;
    bool wide = strcmp(job->kind, "wide") == 0;
    const bw_kind *kind = wide ? NULL : bw_kind_find(job->kind);
    l->progress = bw_progress_new("import", bw_sheet_size(l->table));
    l->doctor = bw_doctor_new();
    bw_status st = wide ? bw_load_wide(l, err) : bw_load_kind(l, kind, err);
    bw_progress_free(l->progress);
    if (st == BW_OK)
        st = finish(l, err);
    bw_doctor_free(l->doctor);
    if (st == BW_OK && l->findings->failed)
        st = bw_fail_memory(err);
    if (st == BW_OK && l->findings->errors)
        st = bw_fail(err, BW_EDATA, "%s: %zu %s; nothing was imported",
                     job->name ? job->name : job->path, l->findings->errors,
                     l->findings->errors == 1 ? "error" : "errors");
    return st;
}

static bw_status in_transaction(bw_load *l, bw_err *err) {
    bw_status st = bw_db_exec(l->db, CACHE, err);
    if (st == BW_OK)
        st = bw_db_begin(l->db, err);
    if (st != BW_OK)
        return st;
    st = load_rows(l, err);
    if (st == BW_OK && l->job->dry_run)
        return bw_db_exec(l->db, "ROLLBACK", err);
    return bw_db_end(l->db, st, err);
}

static void free_load(bw_load *l) {
    for (size_t i = 0; i < l->n_filters; i++)
        free(l->filter_value[i]);
    free(l->filter_value);
    free(l->filter_column);
    bw_load_free_names(l);
    bw_profile_free(&l->profile);
    bw_sheet_close(l->table);
}

bw_status bw_import_run(sqlite3 *db, const bw_import_job *job, bw_import_report *report,
                        bw_err *err) {
    bw_load l = {.db = db,
                 .job = job,
                 .report = report,
                 .findings = &report->findings,
                 .first_day = INT_MAX,
                 .last_day = INT_MIN};
    bw_status st = bw_textfile_hash(job->path, report->sha256, err);
    if (st == BW_OK && !job->again)
        st = was_imported(db, job, report->sha256, &report->already, err);
    if (st != BW_OK || report->already)
        return st;
    st = bw_sheet_open(job->path, &job->reading, l.findings, &l.table, err);
    if (st == BW_OK)
        st = bw_profile_run(l.table, SAMPLE_ROWS, job->decimal, job->order, &l.profile, err);
    if (st == BW_OK)
        st = read_filters(&l, err);
    if (st == BW_OK)
        st = in_transaction(&l, err);
    free_load(&l);
    if (st == BW_EINTERRUPTED)
        return bw_fail(err, st, "interrupted: nothing was changed; run it again");
    return st;
}

void bw_import_report_free(bw_import_report *r) {
    bw_findings_free(&r->findings);
}
