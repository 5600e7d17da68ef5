/* model/generate/generator.c - from a prompt to texts: tokenizer, cache, generation, and back. */
#include "model/generate/generator.h"

#include "model/hf/hf.h"

#include <cjson/cJSON.h>
#include <stdlib.h>
#include <string.h>

struct bw_generator {
    bw_transformer *t;
    bw_decoder *decoder; /* its weights, packed */
    bw_tokenizer *tokenizer;
    bw_hf_info info;
    bool has_info, decoder_only;
    size_t positions; /* longest sequence; SIZE_MAX: no limit */
    int32_t eos[BW_MAX_EOS];
    size_t n_eos;
};

/* --- loading --------------------------------------------------------------------------------- */

static void add_eos(bw_generator *g, int32_t id) {
    for (size_t i = 0; i < g->n_eos; i++)
        if (g->eos[i] == id)
            return;
    if (id >= 0 && g->n_eos < BW_MAX_EOS)
        g->eos[g->n_eos++] = id;
}

/* generation_config.json may name several tokens that end a text. */
static void find_eos(bw_generator *g) {
    cJSON *config = g->info.generation_json ? cJSON_Parse(g->info.generation_json) : NULL;
    const cJSON *eos = cJSON_GetObjectItemCaseSensitive(config, "eos_token_id"), *e;
    cJSON_ArrayForEach(e, eos) {
        if (cJSON_IsNumber(e))
            add_eos(g, e->valueint);
    }
    cJSON_Delete(config);
    add_eos(g, g->info.eos);
    if (!g->n_eos)
        add_eos(g, bw_tokenizer_role(g->tokenizer, BW_ROLE_EOS));
}

static bw_status check_writes(bw_generator *g, const char *dir, bw_err *err) {
    const bw_tf_config *c = bw_transformer_config(g->t);
    g->decoder_only = c->kind == BW_TF_DECODER;
    g->positions = c->max_positions ? c->max_positions : SIZE_MAX;
    if (c->dec.layers && c->lm)
        return BW_OK;
    return bw_fail(
        err, BW_EDATA,
        "%s holds a %s, which reads but cannot write; a generator has a decoder, such as "
        "GPT-2, Llama, SmolLM2, Qwen2, BART or T5",
        dir, g->info.model_class[0] ? g->info.model_class : "model without a decoder");
}

static bw_status check_match(const bw_generator *g, const char *dir, bw_err *err) {
    size_t model = bw_transformer_config(g->t)->vocab, tokens = bw_tokenizer_size(g->tokenizer);
    if (tokens <= model)
        return BW_OK;
    return bw_fail(err, BW_EDATA,
                   "%s: the tokenizer has %zu tokens, the model knows %zu; they do not belong "
                   "together",
                   dir, tokens, model);
}

static bw_status load(bw_generator *g, const char *dir, bw_pack_kind kind, bw_err *err) {
    bw_status st = bw_hf_load(dir, &g->t, &g->info, err);
    g->has_info = st == BW_OK;
    if (st == BW_OK)
        st = check_writes(g, dir, err);
    if (st == BW_OK)
        st = bw_tokenizer_load(dir, &g->tokenizer, err);
    if (st == BW_OK)
        st = check_match(g, dir, err);
    if (st == BW_OK)
        st = bw_decoder_new(g->t, kind, &g->decoder, err);
    if (st == BW_OK)
        find_eos(g);
    return st;
}

bw_status bw_generator_load(const char *dir, bw_pack_kind kind, bw_generator **out, bw_err *err) {
    bw_generator *g = calloc(1, sizeof *g);
    bw_status st = g ? load(g, dir, kind, err) : bw_fail_memory(err);
    if (st != BW_OK) {
        bw_generator_free(g);
        g = NULL;
    }
    *out = g;
    return st;
}

void bw_generator_free(bw_generator *g) {
    if (!g)
        return;
    bw_decoder_free(g->decoder);
    bw_transformer_free(g->t);
    bw_tokenizer_free(g->tokenizer);
    if (g->has_info)
        bw_hf_info_free(&g->info);
    free(g);
}

bool bw_generator_continues(const bw_generator *g) {
    return g->decoder_only;
}

/* --- the prompt ------------------------------------------------------------------------------ */

/* At least this share of max_length is left for new tokens. */
#define ROOM_SHARE 4

typedef struct {
    bw_tokens tokens;
    const int32_t *ids; /* [n] what the decoder starts from */
    size_t n;
    int32_t start; /* the decoder's start token, where that is all */
} opening;

/* Tokens that the tokenizer put behind the text ([SEP], an end of text) would end it at once. */
static void drop_closing(bw_tokens *k) {
    while (k->n && k->sequence[k->n - 1] < 0 && k->n > 1)
        k->n--;
}

static bw_status open_decoder(bw_generator *g, opening *o, bw_drafts *d, bw_err *err) {
    drop_closing(&o->tokens);
    o->ids = o->tokens.ids;
    o->n = o->tokens.n;
    if (!o->n) {
        o->start = g->info.bos >= 0 ? g->info.bos : g->n_eos ? g->eos[0] : -1;
        if (o->start < 0)
            return bw_fail(err, BW_EARG,
                           "this model needs a prompt: it has no token to begin with");
        o->ids = &o->start;
        o->n = 1;
    }
    size_t room = d->max_length - d->max_length / ROOM_SHARE;
    room = room ? room : 1;
    if (o->n > room) {
        d->prompt_cut = o->n - room;
        o->ids += d->prompt_cut;
        o->n = room;
    }
    d->prompt_tokens = o->n;
    return BW_OK;
}

static bw_status open_source(bw_generator *g, opening *o, bw_kv_cache *cache, size_t slots,
                             bw_drafts *d, bw_err *err) {
    size_t n = o->tokens.n, *start = malloc((slots + 1) * sizeof *start);
    int32_t *ids = malloc((slots * n + 1) * sizeof *ids);
    bw_status st = ids && start ? BW_OK : bw_fail_memory(err);
    if (st == BW_OK && !n)
        st = bw_fail(err, BW_EARG, "this model rewrites a text; the prompt is empty");
    for (size_t i = 0; st == BW_OK && i <= slots; i++) {
        start[i] = i * n;
        if (i < slots)
            memcpy(ids + i * n, o->tokens.ids, n * sizeof *ids);
    }
    bw_batch batch = {.ids = ids, .start = start, .n_seq = slots, .n_tokens = slots * n};
    if (st == BW_OK)
        st = bw_kv_encode(cache, &batch, err);
    free(ids);
    free(start);
    o->start = g->info.decoder_start >= 0 ? g->info.decoder_start : g->info.bos;
    if (st == BW_OK && o->start < 0)
        st = bw_fail(err, BW_EDATA, "config.json has no decoder_start_token_id");
    o->ids = &o->start;
    o->n = 1;
    d->prompt_tokens = n;
    d->prompt_cut = o->tokens.cut;
    return st;
}

/* --- the texts ------------------------------------------------------------------------------- */

static void cut_at_stop(char *text, const bw_writing *how) {
    for (size_t i = 0; i < how->n_stop; i++) {
        char *at = how->stop[i][0] ? strstr(text, how->stop[i]) : NULL;
        if (at)
            *at = '\0';
    }
}

static bw_status collect(const bw_generator *g, const bw_writing *how, const bw_generated *from,
                         bw_drafts *out, bw_err *err) {
    out->draft = calloc(from->n, sizeof *out->draft);
    if (!out->draft)
        return bw_fail_memory(err);
    out->n = from->n;
    for (size_t i = 0; i < from->n; i++) {
        const bw_sequence *s = &from->seq[i];
        bw_draft *d = &out->draft[i];
        bw_status st = bw_tokenizer_decode(g->tokenizer, s->ids, s->n, BW_DECODE_SKIP_SPECIAL,
                                           &d->text, NULL, err);
        if (st != BW_OK)
            return st;
        cut_at_stop(d->text, how);
        d->tokens = s->n;
        d->logprob = s->score;
        d->ended = s->ended;
    }
    return BW_OK;
}

/* Forced tokens belong to the model, the other processors to the caller. */
static bw_status settings(const bw_generator *g, const bw_writing *how, size_t max_length,
                          bw_generation *s, bw_err *err) {
    *s = (bw_generation){.n = how->n,
                         .sample = how->sample,
                         .seed = how->seed,
                         .beams = how->beams,
                         .max_length = max_length,
                         .processors = how->processors,
                         .n_eos = g->n_eos,
                         .length_penalty = how->length_penalty,
                         .tokenizer = g->tokenizer,
                         .stop = how->stop,
                         .n_stop = how->n_stop,
                         .mask = how->mask,
                         .mask_data = how->mask_data};
    memcpy(s->eos, g->eos, sizeof s->eos);
    bw_status st = BW_OK;
    if (g->info.forced_bos >= 0)
        st = bw_processors_add(&s->processors, BW_PROC_FORCED_BOS, g->info.forced_bos, err);
    if (st == BW_OK && g->info.forced_eos >= 0)
        st = bw_processors_add(&s->processors, BW_PROC_FORCED_EOS, g->info.forced_eos, err);
    return st;
}

static bw_status write_drafts(bw_generator *g, opening *o, const bw_writing *how, bw_drafts *out,
                              bw_err *err) {
    size_t vocab = bw_transformer_config(g->t)->vocab;
    size_t n = how->n ? how->n : 1, slots = how->beams > n ? how->beams : n;
    bw_kv_cache *cache;
    bw_generation s;
    bw_generated generated = {0};
    bw_status st = settings(g, how, out->max_length, &s, err);
    if (st == BW_OK)
        st = bw_kv_cache_of(g->decoder, slots, out->max_length, &cache, err);
    if (st != BW_OK)
        return st;
    st = g->decoder_only ? open_decoder(g, o, out, err) : open_source(g, o, cache, slots, out, err);
    if (st == BW_OK) {
        bw_stepper model = bw_stepper_of_cache(cache, vocab, slots);
        st = bw_generate(&model, o->ids, o->n, &s, &generated, err);
    }
    bw_kv_cache_free(cache);
    if (st == BW_OK)
        st = collect(g, how, &generated, out, err);
    bw_generated_free(&generated);
    return st;
}

bw_status bw_generator_write(bw_generator *g, const char *prompt, size_t len, const bw_writing *how,
                             bw_drafts *out, bw_err *err) {
    opening o = {0};
    *out = (bw_drafts){.max_length = how->max_length};
    if (out->max_length > g->positions)
        out->max_length = g->positions;
    bw_encode_options whole = {0};
    if (!g->decoder_only && g->positions != SIZE_MAX)
        whole.max_tokens = g->positions;
    bw_status st = bw_tokenizer_encode(g->tokenizer, prompt, len, &whole, &o.tokens, err);
    if (st == BW_OK)
        st = write_drafts(g, &o, how, out, err);
    bw_tokens_free(&o.tokens);
    if (st != BW_OK)
        bw_drafts_free(out);
    return st;
}

void bw_drafts_free(bw_drafts *d) {
    for (size_t i = 0; i < d->n; i++)
        free(d->draft[i].text);
    free(d->draft);
    *d = (bw_drafts){0};
}
