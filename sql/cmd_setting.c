/* sql/cmd_setting.c - the setting command: list, get, set. */
#include "sql/cmd.h"

#include "sql/db.h"
#include "sql/setting.h"

#include <cjson/cJSON.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define VALUE_MAX 256

static const bw_usage USAGE = {
    "setting list | get KEY | set KEY VALUE [--db FILE]",
    "What the program cannot know from the data: currency, margin, first day of the week, "
    "who owns which kind of advice.",
    "  bellwether setting list\n"
    "  bellwether setting set week_start Sunday\n"
    "  bellwether setting set margin 0.35\n"};

static void print_one(const bw_setting *s, sqlite3 *db, cJSON *json) {
    char *value = bw_db_setting(db, s->key, NULL);
    if (json && value)
        cJSON_AddStringToObject(json, s->key, value);
    else if (!json)
        printf("%-14s %-12s %s\n", s->key, value ? value : "-", s->about);
    free(value);
}

/* Keys such as owner.budget, which the table only describes. */
static bw_status print_families(sqlite3 *db, cJSON *json, bw_err *err) {
    sqlite3_stmt *s;
    bool row = true;
    bw_status st = bw_db_prepare(
        db, "SELECT key, value FROM setting WHERE key GLOB 'owner.*' OR key GLOB 'plan.*'", &s,
        err);
    while (st == BW_OK && row) {
        st = bw_db_step(s, &row, err);
        if (st != BW_OK || !row)
            continue;
        const char *key = (const char *)sqlite3_column_text(s, 0),
                   *value = (const char *)sqlite3_column_text(s, 1);
        if (json)
            cJSON_AddStringToObject(json, key, value);
        else
            printf("%-14s %s\n", key, value);
    }
    sqlite3_finalize(s);
    return st;
}

/* One setting as the same object that list gives. */
static bw_status print_pair(const char *key, const char *value, bw_err *err) {
    cJSON *json = cJSON_CreateObject();
    cJSON_AddStringToObject(json, key, value);
    char *text = cJSON_Print(json);
    if (text)
        puts(text);
    bw_status st = text ? BW_OK : bw_fail_memory(err);
    cJSON_free(text);
    cJSON_Delete(json);
    return st;
}

static bw_status list(sqlite3 *db, bool as_json, bw_err *err) {
    cJSON *json = as_json ? cJSON_CreateObject() : NULL;
    for (const bw_setting *s = BW_SETTINGS; s->key; s++)
        print_one(s, db, json);
    bw_status st = print_families(db, json, err);
    char *text = json ? cJSON_Print(json) : NULL;
    if (st == BW_OK && text)
        puts(text);
    cJSON_free(text);
    cJSON_Delete(json);
    return st;
}

static bw_status get(sqlite3 *db, const char *key, bool as_json, bw_err *err) {
    char ignored[VALUE_MAX];
    char *value = bw_db_setting(db, key, NULL);
    bw_status st = BW_OK;
    if (value && as_json)
        st = print_pair(key, value, err);
    else if (value)
        puts(value);
    else if (bw_setting_check(key, "", ignored, sizeof ignored, err) == BW_EARG &&
             strstr(err->text, "no setting"))
        st = BW_EARG;
    else
        st = bw_fail(err, BW_EDATA, "%s is not set", key);
    free(value);
    return st;
}

static bw_status set(sqlite3 *db, const char *key, const char *value, bool as_json, bw_err *err) {
    char stored[VALUE_MAX];
    bw_status st = bw_setting_check(key, value, stored, sizeof stored, err);
    if (st == BW_OK)
        st = bw_db_set(db, key, stored, err);
    if (st == BW_OK && as_json)
        return print_pair(key, stored, err);
    if (st == BW_OK)
        printf("%s is now %s\n", key, stored);
    return st;
}

bw_status bw_cmd_setting(int argc, char **argv, bw_err *err) {
    const char *path = NULL;
    bool json = false;
    const bw_option options[] = {BW_OPTION_DB(path), BW_OPTION_JSON(json), {0}};
    bw_status st = bw_options_parse(&USAGE, options, &argc, &argv, err);
    if (st != BW_OK)
        return st;
    bool lists = argc == 1 && strcmp(argv[0], "list") == 0;
    bool gets = argc == 2 && strcmp(argv[0], "get") == 0;
    bool sets = argc == 3 && strcmp(argv[0], "set") == 0;
    if (!lists && !gets && !sets)
        return bw_fail(err, BW_EUSAGE,
                       "setting: list, get KEY, or set KEY VALUE; see 'bellwether setting --help'");
    sqlite3 *db;
    st = bw_db_open(bw_default_db(path), sets ? BW_DB_WRITE : BW_DB_READ, &db, err);
    if (st != BW_OK)
        return st;
    st = lists  ? list(db, json, err)
         : gets ? get(db, argv[1], json, err)
                : set(db, argv[1], argv[2], json, err);
    bw_db_close(db);
    return st;
}
