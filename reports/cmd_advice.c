/* reports/cmd_advice.c - `advice`: the ledger by hand: what was advised, decided, and came of it. */
#include "reports/commands.h"

#include "reports/advice/advice.h"
#include "reports/facts/gather.h"
#include "sql/db.h"

#include <cjson/cJSON.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
    const char *db, *lang, *reason;
    bool json;
} advice_options;

/* ---- decisions ---- */

/* From which states a decision may come; what was measured stays as it is. */
static const struct {
    const char *verb, *status, *from;
} DECISIONS[] = {{"accept", "accepted", "'proposed', 'accepted', 'rejected'"},
                 {"reject", "rejected", "'proposed', 'accepted', 'rejected'"},
                 {"done", "done", "'proposed', 'accepted', 'done'"}};
#define N_DECISIONS (sizeof DECISIONS / sizeof *DECISIONS)

static char *status_of(sqlite3 *db, const char *id) {
    sqlite3_stmt *q = NULL;
    char *status = NULL;
    if (sqlite3_prepare_v2(db, "SELECT status FROM advice WHERE id = ?", -1, &q, NULL) ==
        SQLITE_OK) {
        sqlite3_bind_text(q, 1, id, -1, SQLITE_STATIC);
        if (sqlite3_step(q) == SQLITE_ROW)
            status = strdup((const char *)sqlite3_column_text(q, 0));
    }
    sqlite3_finalize(q);
    return status;
}

static bw_status update(sqlite3 *db, size_t decision, const char *id, const char *reason,
                        bw_err *err) {
    char sql[300];
    snprintf(sql, sizeof sql,
             "UPDATE advice SET status = '%s', action = CASE WHEN ?2 IS NULL THEN action ELSE "
             "json_set(action, '$.reason', ?2) END "
             "WHERE id = ?1 AND status IN (%s)",
             DECISIONS[decision].status, DECISIONS[decision].from);
    sqlite3_stmt *q;
    bw_status st = bw_db_prepare(db, sql, &q, err);
    if (st != BW_OK)
        return st;
    sqlite3_bind_text(q, 1, id, -1, SQLITE_STATIC);
    if (reason)
        sqlite3_bind_text(q, 2, reason, -1, SQLITE_STATIC);
    st = bw_db_run(q, err);
    sqlite3_finalize(q);
    return st;
}

static void print_decision(const char *id, const char *status, bool as_json) {
    if (!as_json) {
        printf("%s is %s\n", id, status);
        return;
    }
    cJSON *json = cJSON_CreateObject();
    cJSON_AddStringToObject(json, "id", id);
    cJSON_AddStringToObject(json, "status", status);
    char *text = cJSON_Print(json);
    puts(text ? text : "{}");
    cJSON_free(text);
    cJSON_Delete(json);
}

static bw_status decide(sqlite3 *db, size_t decision, const char *id, const advice_options *o,
                        bw_err *err) {
    bw_status st = update(db, decision, id, o->reason, err);
    if (st != BW_OK)
        return st;
    int changed = sqlite3_changes(db);
    char *status = status_of(db, id);
    if (!status)
        st = bw_fail(err, BW_EARG, "there is no advice '%s'; 'bellwether advice list' shows them",
                     id);
    else if (changed == 0)
        st = bw_fail(err, BW_EARG, "%s is %s and cannot be %s any more", id,
                     strcmp(status, "settled") == 0 ? "measured" : status,
                     DECISIONS[decision].status);
    else
        print_decision(id, status, o->json);
    free(status);
    return st;
}

/* ---- the list ---- */

/* "promised: +€24k (€6k to €41k); realised: ...": inside the interval"; "" when nothing is known. */
static const char *outcome_line(bw_shop *s, const bw_advice *a) {
    static const char *const HEADS[] = {"table.promised", "table.realised", "table.verdict"};
    bw_buf b = {0};
    for (size_t i = 0; i < 3; i++) {
        bw_message m = {0};
        bool any = i == 2 ? bw_advice_verdict(s, a, &m)
                          : bw_advice_amount(s, a, i ? a->realised : a->gain, &m);
        if (any)
            bw_buf_addf(&b, "%s%s: %s", b.len ? "; " : "", bw_word(s->locale, HEADS[i]),
                        bw_shop_phrase(s, &m));
    }
    const char *text = bw_arena_text(s->arena, b.text ? b.text : "");
    bw_buf_free(&b);
    return text;
}

/* The sentence in full words, as the page has it. */
static const char *full(const bw_shop *s, const bw_message *m) {
    bw_buf marked = {0}, plain = {0};
    bw_grammar_say(s->locale, m, s->variant, BW_PROSE, &marked);
    bw_unmark(marked.text ? marked.text : "", &plain);
    const char *text = bw_arena_text(s->arena, plain.text ? plain.text : "");
    bw_buf_free(&marked);
    bw_buf_free(&plain);
    return text;
}

static bw_status print_rows(bw_shop *s, const bw_advice *a, size_t n, bw_err *err) {
    bw_status st = BW_OK;
    for (size_t i = 0; i < n && st == BW_OK; i++) {
        bw_message action;
        st = bw_advice_say(s, &a[i], false, &action, err);
        if (st != BW_OK)
            break;
        printf("%-16s %-9s %s\n", a[i].id,
               bw_word(s->locale, bw_arena_textf(s->arena, "status.%s", a[i].status)),
               full(s, &action));
        const char *line = outcome_line(s, &a[i]);
        if (*line)
            printf("%-26s %s\n", "", line);
    }
    return st;
}

static void put_fact(cJSON *o, const char *key, const bw_fact *f) {
    if (!f)
        return;
    cJSON *part = cJSON_AddObjectToObject(o, key);
    cJSON_AddNumberToObject(part, "value", f->value);
    if (isfinite(f->lo)) {
        cJSON_AddNumberToObject(part, "lo", f->lo);
        cJSON_AddNumberToObject(part, "hi", f->hi);
    }
    if (isfinite(f->probability))
        cJSON_AddNumberToObject(part, "probability", f->probability);
}

static void json_rows(cJSON *list, const bw_advice *a, size_t n) {
    for (size_t i = 0; i < n; i++) {
        cJSON *o = cJSON_CreateObject(), *action = cJSON_Parse(a[i].action);
        cJSON_AddItemToArray(list, o);
        cJSON_AddStringToObject(o, "id", a[i].id);
        cJSON_AddStringToObject(o, "week", a[i].week);
        cJSON_AddStringToObject(o, "kind", a[i].kind);
        cJSON_AddStringToObject(o, "subject", a[i].subject);
        cJSON_AddStringToObject(o, "status", a[i].status);
        cJSON_AddStringToObject(o, "owner", a[i].owner ? a[i].owner : "");
        cJSON_AddStringToObject(o, "due", a[i].due ? a[i].due : "");
        cJSON_AddItemToObject(o, "action", action ? action : cJSON_CreateObject());
        if (a[i].gain)
            cJSON_AddStringToObject(o, "unit", a[i].unit);
        put_fact(o, "promised", a[i].gain);
        put_fact(o, "realised", a[i].realised);
        if (*a[i].reason)
            cJSON_AddStringToObject(o, "unmeasured", a[i].reason + strlen("reason."));
        if (a[i].realised && a[i].gain && isfinite(a[i].gain->lo))
            cJSON_AddBoolToObject(o, "inside", a[i].inside);
    }
}

static bw_status print_list(bw_shop *s, bool json, bw_err *err) {
    bw_advice *now, *before;
    size_t n_now, n_before;
    bw_status st = bw_advice_read(s, false, &now, &n_now, err);
    if (st == BW_OK)
        st = bw_advice_read(s, true, &before, &n_before, err);
    if (st != BW_OK)
        return st;
    if (!json) {
        if (n_now + n_before == 0)
            puts("no advice yet; 'bellwether report' gives it");
        st = print_rows(s, now, n_now, err);
        return st == BW_OK ? print_rows(s, before, n_before, err) : st;
    }
    cJSON *list = cJSON_CreateArray();
    json_rows(list, now, n_now);
    json_rows(list, before, n_before);
    char *text = cJSON_Print(list);
    puts(text ? text : "[]");
    free(text);
    cJSON_Delete(list);
    return BW_OK;
}

static bw_status list(sqlite3 *db, const advice_options *o, bw_err *err) {
    bw_shop *s;
    bw_status st = bw_shop_open(db, o->lang, NULL, &s, err);
    if (st != BW_OK)
        return st;
    st = print_list(s, o->json, err);
    bw_shop_close(s);
    return st;
}

bw_status bw_cmd_advice(int argc, char **argv, bw_err *err) {
    advice_options o = {.lang = "en"};
    const bw_option options[] = {
        BW_OPTION_DB(o.db),
        {"reason", 0, BW_OPT_TEXT, &o.reason, "TEXT", "why it was rejected, kept with it"},
        {"lang", 0, BW_OPT_TEXT, &o.lang, "LANG", "en or zh"},
        BW_OPTION_JSON(o.json),
        {0}};
    static const bw_usage usage = {
        "advice [list | accept ID | reject ID | done ID] [options]",
        "The ledger of advice: what each week's report proposed, what was decided, and, two full "
        "weeks after a change that was "
        "accepted or done, what came of it against what was promised.",
        "  bellwether advice\n"
        "  bellwether advice accept A-2026-W46-1\n"
        "  bellwether advice reject A-2026-W46-2 --reason \"contract until October\"\n"};
    bw_status st = bw_options_parse(&usage, options, &argc, &argv, err);
    if (st != BW_OK)
        return st;
    size_t decision = N_DECISIONS;
    for (size_t i = 0; i < N_DECISIONS && argc > 0; i++)
        if (strcmp(argv[0], DECISIONS[i].verb) == 0)
            decision = i;
    bool listing = argc == 0 || (argc == 1 && strcmp(argv[0], "list") == 0);
    if (!listing && (decision == N_DECISIONS || argc != 2))
        return bw_fail(
            err, BW_EUSAGE,
            "advice: wanted list, accept ID, reject ID or done ID; see 'bellwether advice --help'");
    sqlite3 *db;
    st = bw_db_open(bw_default_db(o.db), listing ? BW_DB_READ : BW_DB_WRITE, &db, err);
    if (st != BW_OK)
        return st;
    st = listing ? list(db, &o, err) : decide(db, decision, argv[1], &o, err);
    bw_db_close(db);
    return st;
}
