/* model/train/settings.c - typed values of a JSON object. */
#include "model/train/settings.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BIGGEST 1e9 /* of any size or id in a configuration */

/* ---- reading values ---- */

const cJSON *bw_set_value(const bw_set_reader *r, const char *key) {
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(r->json, key);
    return cJSON_IsNull(item) ? NULL : item;
}

void bw_set_complain(bw_set_reader *r, const char *key, const char *wanted) {
    if (r->status == BW_OK)
        r->status = bw_fail(r->err, BW_EFORMAT, "%s: \"%s\" must be %s", r->name, key, wanted);
}

double bw_set_number(bw_set_reader *r, const char *key, double missing) {
    const cJSON *item = bw_set_value(r, key);
    if (item && !cJSON_IsNumber(item))
        bw_set_complain(r, key, "a number");
    return cJSON_IsNumber(item) ? item->valuedouble : missing;
}

size_t bw_set_whole(bw_set_reader *r, const char *key, size_t missing) {
    if (!bw_set_value(r, key)) {
        if (missing == BW_SET_REQUIRED)
            bw_set_complain(r, key, "given");
        return missing;
    }
    double v = bw_set_number(r, key, -1);
    if (!(v >= 0 && v <= BIGGEST) || v != floor(v)) {
        bw_set_complain(r, key, "a whole number from 0 to 1e9");
        return 0;
    }
    return (size_t)v;
}

float bw_set_real(bw_set_reader *r, const char *key, double missing) {
    return (float)bw_set_number(r, key, missing);
}

bool bw_set_flag(bw_set_reader *r, const char *key, bool missing) {
    const cJSON *item = bw_set_value(r, key);
    if (item && !cJSON_IsBool(item))
        bw_set_complain(r, key, "true or false");
    return cJSON_IsBool(item) ? cJSON_IsTrue(item) : missing;
}

const char *bw_set_text(bw_set_reader *r, const char *key, const char *missing) {
    const cJSON *item = bw_set_value(r, key);
    if (item && !cJSON_IsString(item))
        bw_set_complain(r, key, "a text");
    return cJSON_IsString(item) ? item->valuestring : missing;
}

/* A token id; the first of a list of them. */
int32_t bw_set_token(bw_set_reader *r, const char *key, int32_t missing) {
    const cJSON *item = bw_set_value(r, key);
    if (cJSON_IsArray(item))
        item = cJSON_GetArrayItem(item, 0);
    if (!item)
        return missing;
    if (!cJSON_IsNumber(item) || item->valuedouble < -1 || item->valuedouble > BIGGEST) {
        bw_set_complain(r, key, "a token id");
        return missing;
    }
    return (int32_t)item->valuedouble;
}

/* A setting that changes the arithmetic in a way this program does not know. */
void bw_set_refuse(bw_set_reader *r, const char *key, bool present) {
    if (present && r->status == BW_OK)
        r->status = bw_fail(r->err, BW_EFORMAT, "%s: \"%s\" is set to something not supported",
                            r->name, key);
}

/* ---- writing values ---- */

void bw_set_put(cJSON *j, const char *key, cJSON *value) {
    cJSON_DeleteItemFromObjectCaseSensitive(j, key);
    cJSON_AddItemToObject(j, key, value);
}

/* Prints 0.1f as 0.1: the shortest decimal that reads back as the same float. */
void bw_set_put_number(cJSON *j, const char *key, float value) {
    char digits[32];
    for (int precision = 6; precision < 10; precision++) {
        snprintf(digits, sizeof digits, "%.*g", precision, (double)value);
        if (strtof(digits, NULL) == value)
            break;
    }
    bw_set_put(j, key, cJSON_CreateNumber(strtod(digits, NULL)));
}

void bw_set_put_size(cJSON *j, const char *key, size_t value) {
    bw_set_put(j, key, cJSON_CreateNumber((double)value));
}

void bw_set_put_text(cJSON *j, const char *key, const char *value) {
    bw_set_put(j, key, cJSON_CreateString(value));
}

void bw_set_put_flag(cJSON *j, const char *key, bool value) {
    bw_set_put(j, key, cJSON_CreateBool(value));
}
