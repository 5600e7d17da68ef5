/* model/train/settings.h - typed values of a JSON object such as config.json, in and out.
 *
 * A reader keeps the first problem and goes on with defaults, so that a caller reads all values and
 * asks once. null counts as missing. */
#ifndef BW_MODEL_SETTINGS_H
#define BW_MODEL_SETTINGS_H

#include "common/status.h"

#include <cjson/cJSON.h>
#include <stdint.h>

typedef struct {
    const char *name;  /* of the file, for messages */
    const cJSON *json; /* the object */
    bw_err *err;
    bw_status status; /* BW_EFORMAT after the first problem */
} bw_set_reader;

#define BW_SET_REQUIRED SIZE_MAX /* a default for bw_set_whole: missing is a problem */

const cJSON *bw_set_value(const bw_set_reader *r, const char *key); /* NULL: missing */
double bw_set_number(bw_set_reader *r, const char *key, double missing);
size_t bw_set_whole(bw_set_reader *r, const char *key, size_t missing);
float bw_set_real(bw_set_reader *r, const char *key, double missing);
bool bw_set_flag(bw_set_reader *r, const char *key, bool missing);
const char *bw_set_text(bw_set_reader *r, const char *key, const char *missing); /* borrowed */
/* A token id; the first of a list of them. */
int32_t bw_set_token(bw_set_reader *r, const char *key, int32_t missing);
/* Says what the value of key must be. */
void bw_set_complain(bw_set_reader *r, const char *key, const char *wanted);
/* When present: a setting that changes the arithmetic in a way this program does not know. */
void bw_set_refuse(bw_set_reader *r, const char *key, bool present);

/* Set a member, replacing one of that name. */
void bw_set_put(cJSON *j, const char *key, cJSON *value);
/* As the shortest decimal that reads back as the same float: 0.1f as 0.1. */
void bw_set_put_number(cJSON *j, const char *key, float value);
void bw_set_put_size(cJSON *j, const char *key, size_t value);
void bw_set_put_text(cJSON *j, const char *key, const char *value);
void bw_set_put_flag(cJSON *j, const char *key, bool value);

#endif
