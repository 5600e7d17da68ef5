/* model/hf/verify_generation.c - compares generated tokens: greedy, penalties, beams. */
#include "model/hf/verify.h"
#include "model/generate/generate.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const bw_tolerance SCORES = {1e-5, 1e-5};
#define DEFAULT_MAX_LENGTH 20 /* of the reference, where nothing says otherwise */

static const cJSON *get(const cJSON *object, const char *key) {
    return cJSON_GetObjectItemCaseSensitive(object, key);
}

/* ---- settings ---- */

/* A case's settings over generation_config.json over config.json. An explicit null hides what
 * stands below it. */
typedef struct {
    const cJSON *layer[3];
} settings;

static const cJSON *setting(const settings *s, const char *key) {
    for (size_t i = 0; i < 3; i++) {
        const cJSON *item = get(s->layer[i], key);
        if (item)
            return cJSON_IsNull(item) ? NULL : item;
    }
    return NULL;
}

static double number(const settings *s, const char *key, double missing) {
    const cJSON *item = setting(s, key);
    return cJSON_IsNumber(item) ? item->valuedouble : missing;
}

static size_t count(const settings *s, const char *key, size_t missing) {
    double v = number(s, key, (double)missing);
    return v >= 0 && v < 1e6 ? (size_t)v : missing;
}

static bw_early_stopping early_stopping(const settings *s) {
    const cJSON *item = setting(s, "early_stopping");
    if (cJSON_IsString(item))
        return BW_EARLY_NEVER;
    return cJSON_IsTrue(item) ? BW_EARLY_TRUE : BW_EARLY_FALSE;
}

static void add_eos(const settings *s, bw_generation *g) {
    const cJSON *eos = setting(s, "eos_token_id"), *item;
    if (cJSON_IsNumber(eos))
        g->eos[g->n_eos++] = eos->valueint;
    if (cJSON_IsArray(eos))
        cJSON_ArrayForEach(item, eos) if (g->n_eos < BW_MAX_EOS) g->eos[g->n_eos++] =
            item->valueint;
}

/* The processors in the order in which the reference applies them. */
static bw_status add_processors(const settings *s, bw_generation *g, bw_err *err) {
    static const struct {
        const char *key;
        bw_proc_kind kind;
        double neutral; /* a value that does nothing */
    } STEPS[] = {
        {"repetition_penalty", BW_PROC_REPETITION_PENALTY, 1},
        {"no_repeat_ngram_size", BW_PROC_NO_REPEAT_NGRAM, 0},
        {"min_length", BW_PROC_MIN_LENGTH, 0},
        {"forced_bos_token_id", BW_PROC_FORCED_BOS, -1},
        {"forced_eos_token_id", BW_PROC_FORCED_EOS, -1},
    };
    bw_status st = BW_OK;
    for (size_t i = 0; st == BW_OK && i < sizeof STEPS / sizeof *STEPS; i++) {
        double value = number(s, STEPS[i].key, STEPS[i].neutral);
        if (value != STEPS[i].neutral)
            st = bw_processors_add(&g->processors, STEPS[i].kind, value, err);
    }
    return st;
}

static bw_status read_settings(const settings *s, size_t prompt, bw_generation *g, bw_err *err) {
    *g = (bw_generation){.length_penalty = number(s, "length_penalty", 1)};
    size_t new_tokens = count(s, "max_new_tokens", 0);
    g->max_length = new_tokens ? prompt + new_tokens : count(s, "max_length", DEFAULT_MAX_LENGTH);
    g->beams = count(s, "num_beams", 1);
    g->n = count(s, "num_return_sequences", 1);
    g->early_stopping = early_stopping(s);
    add_eos(s, g);
    return add_processors(s, g, err);
}

/* ---- one prompt ---- */

/* Generates for a prompt, with source for an encoder-decoder. */
static bw_status generate(bw_verify *v, const bw_batch *source, const int32_t *prompt, size_t n,
                          const bw_generation *g, bw_generated *out) {
    const bw_tf_config *c = bw_transformer_config(v->t);
    size_t slots = g->beams > g->n ? g->beams : g->n;
    bw_kv_cache *cache = NULL;
    bw_status st = bw_kv_cache_new(v->t, slots, g->max_length, &cache, v->err);
    if (st == BW_OK && source)
        st = bw_kv_encode(cache, source, v->err);
    if (st == BW_OK) {
        bw_stepper model = bw_stepper_of_cache(cache, c->vocab, slots);
        st = bw_generate(&model, prompt, n, g, out, v->err);
    }
    bw_kv_cache_free(cache);
    return st;
}

/* `copies` times one sequence of a batch. */
static bw_status repeat(const bw_vinput *in, size_t s, size_t copies, bw_batch *out, bw_err *err) {
    size_t n = in->start[s + 1] - in->start[s];
    int32_t *ids = malloc((copies * n + 1) * sizeof *ids);
    size_t *start = malloc((copies + 1) * sizeof *start);
    *out = (bw_batch){.ids = ids, .start = start, .n_seq = copies, .n_tokens = copies * n};
    if (!ids || !start)
        return bw_fail_memory(err);
    start[copies] = copies * n;
    for (size_t i = 0; i < copies; i++) {
        start[i] = i * n;
        memcpy(ids + i * n, in->ids + in->start[s], n * sizeof *ids);
    }
    return BW_OK;
}

/* ---- decoders: "greedy" ---- */

static void compare_new_tokens(bw_verify *v, const char *name, const bw_sequence *found,
                               const cJSON *expected, const cJSON *logprobs) {
    size_t n = (size_t)cJSON_GetArraySize(expected), wrong = 0;
    for (size_t i = 0; i < n; i++) {
        int32_t token = cJSON_GetArrayItem(expected, (int)i)->valueint;
        wrong += i >= found->n || found->ids[i] != token;
    }
    bw_verify_add(v, name, (double)wrong, 0, BW_TOL_EXACT);
    for (size_t i = 0; logprobs && !wrong && i < n; i++)
        bw_verify_add(v, "greedy.new_token_logprobs", (double)found->logprobs[i],
                      cJSON_GetArrayItem(logprobs, (int)i)->valuedouble, BW_TOL_STATES);
}

static void verify_greedy_case(bw_verify *v, const cJSON *item) {
    bw_vinput in;
    bw_generation g = {0};
    char name[96];
    const cJSON *note = get(item, "note");
    snprintf(name, sizeof name, "greedy.%.80s",
             cJSON_IsString(note) ? note->valuestring : "tokens");
    settings s = {{item}};
    bw_status st = bw_vinput_read(item, &in, v->err);
    for (size_t b = 0; st == BW_OK && b < in.batch.n_seq; b++) {
        bw_generated out = {0};
        size_t first = in.start[b], n = in.start[b + 1] - first;
        st = read_settings(&s, n, &g, v->err);
        if (st == BW_OK)
            st = generate(v, NULL, in.ids + first, n, &g, &out);
        const cJSON *probs = g.processors.n ? NULL : get(item, "new_token_logprobs");
        if (st == BW_OK && out.n)
            compare_new_tokens(v, name, &out.seq[0],
                               cJSON_GetArrayItem(get(item, "new_tokens"), (int)b),
                               cJSON_GetArrayItem(probs, (int)b));
        bw_generated_free(&out);
    }
    bw_verify_fail(v, st);
    bw_vinput_free(&in);
}

/* ---- encoder-decoders: "generation" ---- */

/* A row of `sequences` is the start token, the new tokens, then padding. */
static void compare_sequence(bw_verify *v, const char *name, const bw_sequence *found,
                             const cJSON *row, int32_t start, int32_t pad) {
    size_t width = (size_t)cJSON_GetArraySize(row), wrong = found->n + 1 > width;
    for (size_t i = 0; i < width; i++) {
        int32_t token = i == 0 ? start : i - 1 < found->n ? found->ids[i - 1] : pad;
        wrong += cJSON_GetArrayItem(row, (int)i)->valueint != token;
    }
    bw_verify_add(v, name, (double)wrong, 0, BW_TOL_EXACT);
}

typedef struct {
    bw_verify *v;
    const bw_vinput *in;
    const cJSON *item;
    settings s;
    char name[96];
    int32_t start, pad;
} generation_case;

static bw_status verify_source(generation_case *c, size_t b) {
    bw_generation g;
    bw_generated out = {0};
    bw_batch source = {0};
    bw_status st = read_settings(&c->s, 1, &g, c->v->err);
    if (st == BW_OK)
        st = repeat(c->in, b, g.beams > g.n ? g.beams : g.n, &source, c->v->err);
    if (st == BW_OK)
        st = generate(c->v, &source, &c->start, 1, &g, &out);
    const cJSON *scores = get(c->item, "sequences_scores");
    for (size_t i = 0; st == BW_OK && i < g.n; i++) {
        int at = (int)(b * g.n + i);
        bw_sequence none = {0};
        const bw_sequence *found = i < out.n ? &out.seq[i] : &none;
        compare_sequence(c->v, c->name, found, cJSON_GetArrayItem(get(c->item, "sequences"), at),
                         c->start, c->pad);
        const cJSON *score = cJSON_GetArrayItem(scores, at);
        if (score)
            bw_verify_add(c->v, "generation.sequences_scores", found->score, score->valuedouble,
                          SCORES);
    }
    bw_generated_free(&out);
    free((void *)(uintptr_t)source.ids);
    free((void *)(uintptr_t)source.start);
    return st;
}

static void verify_generation_list(bw_verify *v, const cJSON *list) {
    const cJSON *first = cJSON_GetArrayItem(list, 0), *item;
    bw_vinput in;
    cJSON *generation = v->info.generation_json ? cJSON_Parse(v->info.generation_json) : NULL;
    cJSON *config = cJSON_Parse(v->info.config_json);
    bw_status st = bw_vinput_read(first, &in, v->err);
    cJSON_ArrayForEach(item, list) {
        if (st != BW_OK || item == first)
            continue;
        const cJSON *note = get(item, "note"), *start = get(first, "decoder_start_token_id");
        const cJSON *pad = get(first, "pad_token_id");
        generation_case c = {
            .v = v, .in = &in, .item = item, .start = v->info.decoder_start, .pad = v->info.pad};
        c.s = (settings){{get(item, "settings"), generation, config}};
        if (cJSON_IsNumber(start))
            c.start = start->valueint;
        if (cJSON_IsNumber(pad))
            c.pad = pad->valueint;
        snprintf(c.name, sizeof c.name, "generation.%.80s",
                 cJSON_IsString(note) ? note->valuestring : "tokens");
        for (size_t b = 0; st == BW_OK && b < in.batch.n_seq; b++)
            st = verify_source(&c, b);
    }
    bw_verify_fail(v, st);
    bw_vinput_free(&in);
    cJSON_Delete(generation);
    cJSON_Delete(config);
}

void bw_verify_generation(bw_verify *v) {
    const cJSON *list = get(v->expected, "greedy"), *item;
    cJSON_ArrayForEach(item, list) verify_greedy_case(v, item);
    if (cJSON_IsArray(get(v->expected, "generation")))
        verify_generation_list(v, get(v->expected, "generation"));
}
