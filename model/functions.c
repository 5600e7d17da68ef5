/* model/functions.c - the SQL functions of this room, one table.
 *
 * sentiment(text)        positive minus negative probability, -1..1
 * sentiment_label(text)  the likeliest of negative, neutral, positive
 * stars(text)            expected stars, 1..5
 * aspects(text)          JSON: [{"aspect", "mentioned", "negative", "neutral", "positive", "sentence"}],
 *                        for json_each; what is at least as likely as not to be mentioned
 * sentiment_why(text)    JSON: the score and the words that carried it
 * embed(text)            unit vector as a blob of little-endian f32 (subtype 223, as sqlite-vec marks them)
 * similarity(a, b)       cosine; each side a text or a blob made by embed
 * vec_to_json(blob)      its numbers as a JSON array
 * token_count(text)      tokens that the encoder makes of it
 * NULL in gives NULL out; a text of no letter, digit or sign has no sentiment, stars or aspects. */
#include "model/model.h"
#include "model/shipped/encoder.h"
#include "model/shipped/explain.h"

#include <cjson/cJSON.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#ifdef BW_EXTENSION
SQLITE_EXTENSION_INIT3
#endif

#define WHY_WORDS 10
#define MENTION   0.5f /* probability from which an aspect counts as mentioned */
#define F32_TYPE  223  /* subtype of a blob of f32 */
#define PURE      (SQLITE_UTF8 | SQLITE_DETERMINISTIC | SQLITE_INNOCUOUS)
#ifdef SQLITE_RESULT_SUBTYPE
#define PURE_TYPED (PURE | SQLITE_RESULT_SUBTYPE)
#else
#define PURE_TYPED PURE
#endif

typedef void sql_fn(sqlite3_context *, int, sqlite3_value **);

/* The encoder, or NULL with the error set. */
static const bw_encoder *encoder(sqlite3_context *ctx) {
    bw_err err = {{0}};
    const bw_encoder *e = bw_encoder_shipped(&err);
    if (!e)
        sqlite3_result_error(ctx, err.text, -1);
    return e;
}

static bool score(sqlite3_context *ctx, sqlite3_value *v, bw_text_score *s) {
    const bw_encoder *e = sqlite3_value_type(v) == SQLITE_NULL ? NULL : encoder(ctx);
    const char *text = e ? (const char *)sqlite3_value_text(v) : NULL;
    bw_err err = {{0}};
    if (!text)
        return false;
    if (bw_encoder_score(e, &text, 1, s, NULL, &err) == BW_OK)
        return s->tokens > 0;
    sqlite3_result_error(ctx, err.text, -1);
    return false;
}

static void sql_sentiment(sqlite3_context *ctx, int argc, sqlite3_value **argv) {
    (void)argc;
    bw_text_score s;
    if (score(ctx, argv[0], &s))
        sqlite3_result_double(ctx, (double)s.positive - (double)s.negative);
}

static void sql_label(sqlite3_context *ctx, int argc, sqlite3_value **argv) {
    (void)argc;
    bw_text_score s;
    if (!score(ctx, argv[0], &s))
        return;
    const char *label = s.negative >= s.positive ? "negative" : "positive";
    if (s.neutral > s.negative && s.neutral > s.positive)
        label = "neutral";
    sqlite3_result_text(ctx, label, -1, SQLITE_STATIC);
}

static void sql_stars(sqlite3_context *ctx, int argc, sqlite3_value **argv) {
    (void)argc;
    bw_text_score s;
    if (score(ctx, argv[0], &s))
        sqlite3_result_double(ctx, (double)s.stars);
}

static cJSON *aspect_json(const bw_aspect_score *x, const char *name, const char *text) {
    cJSON *j = cJSON_CreateObject();
    char *sentence = strndup(text + x->begin, x->end - x->begin);
    cJSON_AddStringToObject(j, "aspect", name);
    cJSON_AddNumberToObject(j, "mentioned", (double)x->mentioned);
    cJSON_AddNumberToObject(j, "negative", (double)x->negative);
    cJSON_AddNumberToObject(j, "neutral", (double)x->neutral);
    cJSON_AddNumberToObject(j, "positive", (double)x->positive);
    cJSON_AddStringToObject(j, "sentence", sentence ? sentence : "");
    free(sentence);
    return j;
}

static void result_json(sqlite3_context *ctx, cJSON *j) {
    char *text = cJSON_PrintUnformatted(j);
    cJSON_Delete(j);
    if (text)
        sqlite3_result_text(ctx, text, -1, free);
    else
        sqlite3_result_error_nomem(ctx);
}

static void sql_aspects(sqlite3_context *ctx, int argc, sqlite3_value **argv) {
    (void)argc;
    bw_text_score s;
    if (!score(ctx, argv[0], &s))
        return;
    cJSON *list = cJSON_CreateArray();
    for (int a = 0; a < BW_N_ASPECTS; a++)
        if (s.aspect[a].mentioned >= MENTION)
            cJSON_AddItemToArray(list, aspect_json(&s.aspect[a], BW_ASPECT_NAME[a],
                                                   (const char *)sqlite3_value_text(argv[0])));
    result_json(ctx, list);
}

static void sql_token_count(sqlite3_context *ctx, int argc, sqlite3_value **argv) {
    (void)argc;
    const bw_encoder *e = sqlite3_value_type(argv[0]) == SQLITE_NULL ? NULL : encoder(ctx);
    bw_err err = {{0}};
    size_t n;
    if (!e)
        return;
    if (bw_encoder_tokens(e, (const char *)sqlite3_value_text(argv[0]), &n, &err) == BW_OK)
        sqlite3_result_int64(ctx, (sqlite3_int64)n);
    else
        sqlite3_result_error(ctx, err.text, -1);
}

static void sql_vec_to_json(sqlite3_context *ctx, int argc, sqlite3_value **argv) {
    (void)argc;
    if (sqlite3_value_type(argv[0]) == SQLITE_NULL)
        return;
    size_t bytes = (size_t)sqlite3_value_bytes(argv[0]);
    if (sqlite3_value_type(argv[0]) != SQLITE_BLOB || bytes % sizeof(float) != 0) {
        sqlite3_result_error(ctx, "vec_to_json: wants a blob of f32, such as embed(text) gives",
                             -1);
        return;
    }
    const char *blob = sqlite3_value_blob(argv[0]);
    cJSON *list = cJSON_CreateArray();
    for (size_t i = 0; i < bytes; i += sizeof(float)) {
        float x;
        memcpy(&x, blob + i, sizeof x);
        cJSON_AddItemToArray(list, cJSON_CreateNumber((double)x));
    }
    result_json(ctx, list);
}

static void sql_why(sqlite3_context *ctx, int argc, sqlite3_value **argv) {
    (void)argc;
    const bw_encoder *e = sqlite3_value_type(argv[0]) == SQLITE_NULL ? NULL : encoder(ctx);
    bw_err err = {{0}};
    if (!e)
        return;
    char *json = bw_explain_json(e, (const char *)sqlite3_value_text(argv[0]), WHY_WORDS, &err);
    if (json)
        sqlite3_result_text(ctx, json, -1, free);
    else
        sqlite3_result_error(ctx, err.text, -1);
}

static void sql_embed(sqlite3_context *ctx, int argc, sqlite3_value **argv) {
    (void)argc;
    const bw_encoder *e = sqlite3_value_type(argv[0]) == SQLITE_NULL ? NULL : encoder(ctx);
    bw_err err = {{0}};
    if (!e)
        return;
    const char *text = (const char *)sqlite3_value_text(argv[0]);
    float *v = malloc(bw_encoder_dim(e) * sizeof *v);
    if (!v)
        sqlite3_result_error_nomem(ctx);
    else if (bw_encoder_score(e, &text, 1, NULL, v, &err) != BW_OK)
        sqlite3_result_error(ctx, err.text, -1);
    else {
        sqlite3_result_blob(ctx, v, (int)(bw_encoder_dim(e) * sizeof *v), free);
        sqlite3_result_subtype(ctx, F32_TYPE);
        return;
    }
    free(v);
}

/* The vector of one side, in v: a blob is taken as it is, anything else is embedded as text. */
static bool side(sqlite3_context *ctx, const bw_encoder *e, sqlite3_value *value, float *v) {
    size_t bytes = bw_encoder_dim(e) * sizeof *v;
    bw_err err = {{0}};
    if (sqlite3_value_type(value) == SQLITE_BLOB) {
        if ((size_t)sqlite3_value_bytes(value) != bytes) {
            sqlite3_result_error(
                ctx, "similarity: the blob is not an embedding of this model; use embed(text)", -1);
            return false;
        }
        memcpy(v, sqlite3_value_blob(value), bytes);
        return true;
    }
    const char *text = (const char *)sqlite3_value_text(value);
    if (bw_encoder_score(e, &text, 1, NULL, v, &err) == BW_OK)
        return true;
    sqlite3_result_error(ctx, err.text, -1);
    return false;
}

static void sql_similarity(sqlite3_context *ctx, int argc, sqlite3_value **argv) {
    (void)argc;
    if (sqlite3_value_type(argv[0]) == SQLITE_NULL || sqlite3_value_type(argv[1]) == SQLITE_NULL)
        return;
    const bw_encoder *e = encoder(ctx);
    if (!e)
        return;
    size_t dim = bw_encoder_dim(e);
    float *v = malloc(2 * dim * sizeof *v);
    if (!v) {
        sqlite3_result_error_nomem(ctx);
        return;
    }
    if (side(ctx, e, argv[0], v) && side(ctx, e, argv[1], v + dim)) {
        double dot = 0, a = 0, b = 0;
        for (size_t i = 0; i < dim; i++) {
            dot += (double)v[i] * v[dim + i];
            a += (double)v[i] * v[i];
            b += (double)v[dim + i] * v[dim + i];
        }
        if (a > 0 && b > 0)
            sqlite3_result_double(ctx, dot / sqrt(a * b));
    }
    free(v);
}

static const struct {
    const char *name;
    int nargs, flags;
    sql_fn *fn;
} FUNCTIONS[] = {
    {"sentiment", 1, PURE, sql_sentiment},
    {"sentiment_label", 1, PURE, sql_label},
    {"stars", 1, PURE, sql_stars},
    {"aspects", 1, PURE, sql_aspects},
    {"sentiment_why", 1, PURE, sql_why},
    {"embed", 1, PURE_TYPED, sql_embed},
    {"similarity", 2, PURE, sql_similarity},
    {"vec_to_json", 1, PURE, sql_vec_to_json},
    {"token_count", 1, PURE, sql_token_count},
};

int bw_model_register(sqlite3 *db, char **message, const struct sqlite3_api_routines *api) {
    (void)message;
    (void)api;
    int rc = SQLITE_OK;
    for (size_t i = 0; rc == SQLITE_OK && i < sizeof FUNCTIONS / sizeof *FUNCTIONS; i++)
        rc =
            sqlite3_create_function_v2(db, FUNCTIONS[i].name, FUNCTIONS[i].nargs,
                                       FUNCTIONS[i].flags, NULL, FUNCTIONS[i].fn, NULL, NULL, NULL);
    return rc;
}
