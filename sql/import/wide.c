/* sql/import/wide.c - the mapping of a modelling table, read from JSON key by key from one table. */
#include "sql/import/wide.h"

#include "sql/import/kinds.h"

#include <cjson/cJSON.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct {
    const char *key;
    bw_wide_role role;
    bool many; /* a list of columns or an object column: name; otherwise one column or null */
} KEYS[] = {{"date", BW_WIDE_DATE, false},
            {"geo", BW_WIDE_GEO, false},
            {"population", BW_WIDE_POPULATION, false},
            {"price", BW_WIDE_PRICE, false},
            {"discount", BW_WIDE_DISCOUNT, false},
            {"spend", BW_WIDE_SPEND, true},
            {"exposure", BW_WIDE_EXPOSURE, true},
            {"clicks", BW_WIDE_CLICKS, true},
            {"organic", BW_WIDE_ORGANIC, true},
            {"context", BW_WIDE_CONTEXT, true},
            {"event", BW_WIDE_EVENT, true}};
#define N_KEYS (sizeof KEYS / sizeof *KEYS)

static const char *const OUTCOME_KINDS[] = {"revenue", "orders", "units", "conversions"};

static bw_status add(bw_wide_map *m, bw_wide_role role, const char *column, const char *name,
                     bw_err *err) {
    bw_wide_entry *more = realloc(m->list, (m->n + 1) * sizeof *more);
    if (!more)
        return bw_fail_memory(err);
    m->list = more;
    bw_wide_entry *e = &m->list[m->n];
    *e = (bw_wide_entry){role, strdup(column), strdup(name)};
    m->n++;
    return e->column && e->name ? BW_OK : bw_fail_memory(err);
}

static bw_status add_many(bw_wide_map *m, bw_wide_role role, const cJSON *value, const char *key,
                          bw_err *err) {
    const cJSON *item;
    bw_status st = BW_OK;
    if (!cJSON_IsArray(value) && !cJSON_IsObject(value))
        return bw_fail(err, BW_EFORMAT,
                       "mapping: \"%s\" is a list of columns, or an object {column: name}", key);
    cJSON_ArrayForEach(item, value) {
        if (!cJSON_IsString(item))
            return bw_fail(err, BW_EFORMAT, "mapping: \"%s\" holds something that is not text",
                           key);
        const char *column = cJSON_IsObject(value) ? item->string : item->valuestring;
        if (st == BW_OK)
            st = add(m, role, column, item->valuestring, err);
    }
    return st;
}

static bw_status set_outcome_kind(bw_wide_map *m, const char *kind, bw_err *err) {
    for (size_t i = 0; i < sizeof OUTCOME_KINDS / sizeof *OUTCOME_KINDS; i++)
        if (strcmp(kind, OUTCOME_KINDS[i]) == 0) {
            snprintf(m->outcome_kind, sizeof m->outcome_kind, "%s", kind);
            return BW_OK;
        }
    return bw_fail(
        err, BW_EFORMAT,
        "mapping: \"outcome\": kind '%s' is not one of revenue, orders, units, conversions", kind);
}

/* "y", or {"column": "y", "kind": "revenue", "value": "money of one"}. */
static bw_status add_outcome(bw_wide_map *m, const cJSON *value, bw_err *err) {
    if (cJSON_IsString(value))
        return add(m, BW_WIDE_OUTCOME, value->valuestring, value->valuestring, err);
    const cJSON *column = cJSON_GetObjectItemCaseSensitive(value, "column");
    const cJSON *kind = cJSON_GetObjectItemCaseSensitive(value, "kind");
    const cJSON *money = cJSON_GetObjectItemCaseSensitive(value, "value");
    if (!cJSON_IsString(column))
        return bw_fail(err, BW_EFORMAT,
                       "mapping: \"outcome\" is {\"column\": NAME, \"kind\": \"revenue\"}");
    bw_status st = add(m, BW_WIDE_OUTCOME, column->valuestring, column->valuestring, err);
    if (st == BW_OK && cJSON_IsString(kind))
        st = set_outcome_kind(m, kind->valuestring, err);
    if (st == BW_OK && cJSON_IsString(money))
        st = add(m, BW_WIDE_VALUE, money->valuestring, money->valuestring, err);
    return st;
}

static bw_status unknown_key(const char *key, bw_err *err) {
    const char *near = "outcome";
    size_t least = bw_name_distance(key, near);
    for (size_t i = 0; i < N_KEYS; i++)
        if (bw_name_distance(key, KEYS[i].key) < least) {
            near = KEYS[i].key;
            least = bw_name_distance(key, near);
        }
    return bw_fail(err, BW_EFORMAT, "mapping: there is no key \"%s\"; is \"%s\" meant?", key, near);
}

static bw_status read_key(bw_wide_map *m, const cJSON *item, bw_err *err) {
    const char *key = item->string;
    if (cJSON_IsNull(item))
        return BW_OK;
    if (strcmp(key, "outcome") == 0)
        return add_outcome(m, item, err);
    if (strcmp(key, "currency") == 0) {
        if (!cJSON_IsString(item) || strlen(item->valuestring) != 3)
            return bw_fail(err, BW_EFORMAT,
                           "mapping: \"currency\" is a code of three letters such as \"EUR\"");
        snprintf(m->currency, sizeof m->currency, "%s", item->valuestring);
        return BW_OK;
    }
    for (size_t i = 0; i < N_KEYS; i++) {
        if (strcmp(key, KEYS[i].key) != 0)
            continue;
        if (KEYS[i].many)
            return add_many(m, KEYS[i].role, item, key, err);
        if (!cJSON_IsString(item))
            return bw_fail(err, BW_EFORMAT, "mapping: \"%s\" is the name of one column", key);
        return add(m, KEYS[i].role, item->valuestring, item->valuestring, err);
    }
    return unknown_key(key, err);
}

static bw_status check(const bw_wide_map *m, bw_err *err) {
    bool date = false, more = false;
    for (size_t i = 0; i < m->n; i++) {
        date |= m->list[i].role == BW_WIDE_DATE;
        more |= m->list[i].role >= BW_WIDE_OUTCOME;
    }
    if (!date)
        return bw_fail(err, BW_EFORMAT,
                       "mapping: \"date\" is missing; it names the column of the days or weeks");
    if (!more)
        return bw_fail(err, BW_EFORMAT,
                       "mapping: nothing but the date is named; name the outcome and the spend");
    return BW_OK;
}

bw_status bw_wide_map_parse(const char *json, bw_wide_map *out, bw_err *err) {
    cJSON *root = cJSON_Parse(json);
    if (!cJSON_IsObject(root)) {
        const char *at = root ? json : cJSON_GetErrorPtr();
        bw_status st =
            bw_fail(err, BW_EFORMAT, "mapping: not a JSON object, near '%.30s'", at ? at : "");
        cJSON_Delete(root);
        return st;
    }
    snprintf(out->outcome_kind, sizeof out->outcome_kind, "revenue");
    bw_status st = BW_OK;
    for (const cJSON *item = root->child; st == BW_OK && item; item = item->next)
        st = read_key(out, item, err);
    cJSON_Delete(root);
    if (st == BW_OK)
        st = check(out, err);
    return st;
}

void bw_wide_map_free(bw_wide_map *m) {
    for (size_t i = 0; i < m->n; i++) {
        free(m->list[i].column);
        free(m->list[i].name);
    }
    free(m->list);
    *m = (bw_wide_map){0};
}
