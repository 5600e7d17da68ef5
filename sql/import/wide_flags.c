/* sql/import/wide_flags.c - one JSON key a flag. */
#include "sql/import/wide_flags.h"

#include <cjson/cJSON.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

static const struct {
    const char *key;
    size_t offset;
} SINGLE[] = {{"date", offsetof(bw_wide_flags, date)},
              {"geo", offsetof(bw_wide_flags, geo)},
              {"population", offsetof(bw_wide_flags, population)},
              {"price", offsetof(bw_wide_flags, price)},
              {"discount", offsetof(bw_wide_flags, discount)},
              {"currency", offsetof(bw_wide_flags, currency)}},
  LISTS[] = {{"spend", offsetof(bw_wide_flags, spend)},
             {"exposure", offsetof(bw_wide_flags, exposure)},
             {"clicks", offsetof(bw_wide_flags, clicks)},
             {"organic", offsetof(bw_wide_flags, organic)},
             {"context", offsetof(bw_wide_flags, context)},
             {"event", offsetof(bw_wide_flags, event)}};

static const char *flag(const bw_wide_flags *f, size_t offset) {
    return *(const char *const *)(const void *)((const char *)f + offset);
}

bool bw_wide_flags_given(const bw_wide_flags *f) {
    for (size_t i = 0; i < sizeof SINGLE / sizeof *SINGLE; i++)
        if (flag(f, SINGLE[i].offset))
            return true;
    for (size_t i = 0; i < sizeof LISTS / sizeof *LISTS; i++)
        if (flag(f, LISTS[i].offset))
            return true;
    return f->outcome || f->outcome_kind || f->value;
}

/* "a,b=c" to {"a": "a", "b": "c"}. */
static bool add_list(cJSON *root, const char *key, const char *list) {
    cJSON *object = cJSON_AddObjectToObject(root, key);
    char *copy = strdup(list), *save, *p;
    bool good = object && copy;
    for (p = good ? strtok_r(copy, ",", &save) : NULL; good && p; p = strtok_r(NULL, ",", &save)) {
        char *equals = strchr(p, '=');
        if (equals)
            *equals = '\0';
        good = cJSON_AddStringToObject(object, p, equals ? equals + 1 : p) != NULL;
    }
    free(copy);
    return good;
}

static bool add_outcome(cJSON *root, const bw_wide_flags *f) {
    if (!f->outcome)
        return true;
    cJSON *o = cJSON_AddObjectToObject(root, "outcome");
    return o && cJSON_AddStringToObject(o, "column", f->outcome) &&
           cJSON_AddStringToObject(o, "kind", f->outcome_kind ? f->outcome_kind : "revenue") &&
           (!f->value || cJSON_AddStringToObject(o, "value", f->value));
}

bw_status bw_wide_flags_json(const bw_wide_flags *f, char **out, bw_err *err) {
    cJSON *root = cJSON_CreateObject();
    bool good = root && add_outcome(root, f);
    for (size_t i = 0; good && i < sizeof SINGLE / sizeof *SINGLE; i++)
        if (flag(f, SINGLE[i].offset))
            good = cJSON_AddStringToObject(root, SINGLE[i].key, flag(f, SINGLE[i].offset)) != NULL;
    for (size_t i = 0; good && i < sizeof LISTS / sizeof *LISTS; i++)
        if (flag(f, LISTS[i].offset))
            good = add_list(root, LISTS[i].key, flag(f, LISTS[i].offset));
    *out = good ? cJSON_PrintUnformatted(root) : NULL;
    cJSON_Delete(root);
    return *out ? BW_OK : bw_fail_memory(err);
}
