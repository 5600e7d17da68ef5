/* model/shipped/inputs.c - units, their n-grams and their tokens brought together. */
#include "model/shipped/inputs.h"

#include <stdlib.h>
#include <string.h>

#define HEAD_SHARE 4 /* a cut text keeps max / HEAD_SHARE tokens of its beginning */

static bool reserve(void **p, size_t *cap, size_t need, size_t size) {
    if (need <= *cap)
        return true;
    size_t n = 2 * *cap + need + 64;
    void *q = realloc(*p, n * size);
    if (!q)
        return false;
    *p = q;
    *cap = n;
    return true;
}

static bool room(bw_inputs *in, size_t tokens, size_t ngrams) {
    size_t need = in->n_tokens + tokens + 1, cap = in->cap_tokens, same = cap;
    if (need > cap) {
        size_t c2 = cap, c3 = cap;
        if (!reserve((void **)&in->id, &same, need, sizeof *in->id) ||
            !reserve((void **)&in->span, &c2, need, sizeof *in->span) ||
            !reserve((void **)&in->ngram_start, &c3, need, sizeof *in->ngram_start))
            return false;
        in->cap_tokens = same;
    }
    return reserve((void **)&in->start, &in->cap_seq, in->n_seq + 2, sizeof *in->start) &&
           reserve((void **)&in->ngram, &in->cap_ngrams, in->n_ngrams + ngrams, sizeof *in->ngram);
}

void bw_inputs_clear(bw_inputs *in) {
    in->n_tokens = in->n_seq = in->n_ngrams = 0;
}

static void push_token(bw_inputs *in, int32_t id, bw_span span) {
    in->id[in->n_tokens] = id;
    in->span[in->n_tokens] = span;
    in->ngram_start[in->n_tokens++] = in->n_ngrams;
    in->ngram_start[in->n_tokens] = in->n_ngrams;
}

static void push_ngrams(bw_inputs *in, const bw_reader *r, size_t *gram, size_t end_unit) {
    for (; *gram < in->grams.n && in->grams.gram[*gram].unit < end_unit; ++*gram) {
        if (!r->table.sets)
            continue;
        size_t slot = bw_gram_slot(&r->table, in->grams.gram[*gram].hash);
        if (slot != BW_GRAM_NONE)
            in->ngram[in->n_ngrams++] = (int32_t)slot;
    }
    in->ngram_start[in->n_tokens] = in->n_ngrams;
}

/* Source bytes of units first .. last - 1. */
static bw_span source_span(const bw_units *u, size_t first, size_t last) {
    if (first >= u->n)
        return (bw_span){0, 0};
    size_t end = last > first ? last - 1 : first;
    return (bw_span){u->unit[first].begin, u->unit[end].end};
}

/* Appends the tokens of the units, those in [skip_from, skip_to) left out. */
static void append(bw_inputs *in, const bw_reader *r, size_t skip_from, size_t skip_to) {
    const bw_units *u = &in->units;
    size_t gram = 0, unit = 0;
    for (size_t t = 0; t < in->tokens.n; t++) {
        uint32_t end = in->tokens.spans[t].end;
        size_t first = unit;
        while (unit < u->n && u->unit[unit].at + u->unit[unit].len <= end)
            unit++;
        size_t ngrams = in->n_ngrams;
        bool keep = t < skip_from || t >= skip_to;
        if (keep)
            push_token(in, in->tokens.ids[t], source_span(u, first, unit));
        push_ngrams(in, r, &gram, unit);
        if (!keep) {
            in->n_ngrams = ngrams;
            in->ngram_start[in->n_tokens] = ngrams;
        }
    }
}

static bw_status add_text(bw_inputs *in, const bw_reader *r, const char *text, size_t max_tokens,
                          bw_err *err) {
    bw_status st = bw_units_split(&in->units, text, strlen(text), r->max_units, err);
    if (st == BW_OK && r->spelling)
        st = bw_spelling_mend(r->spelling, &in->units, err);
    if (st == BW_OK)
        st = bw_grams_extract(&in->grams, &in->units, false, err);
    if (st == BW_OK)
        st =
            bw_tokenizer_encode(r->tokenizer, in->units.n ? in->units.norm : "", in->units.norm_len,
                                &(bw_encode_options){.bare = true}, &in->tokens, err);
    if (st != BW_OK)
        return st;
    if (!room(in, in->tokens.n + 2, in->grams.n))
        return bw_fail_memory(err);
    size_t n = in->tokens.n, from = n, to = n;
    if (n > max_tokens) {
        from = max_tokens / HEAD_SHARE;
        to = n - (max_tokens - from);
    }
    in->cut = to - from;
    append(in, r, from, to);
    in->start[in->n_seq] = in->n_tokens;
    return BW_OK;
}

bw_status bw_inputs_add(bw_inputs *in, const bw_reader *r, const char *text, size_t max_tokens,
                        bw_err *err) {
    if (!room(in, 2, 0))
        return bw_fail_memory(err);
    in->start[in->n_seq++] = in->n_tokens;
    push_token(in, bw_tokenizer_role(r->tokenizer, BW_ROLE_CLS), (bw_span){0, 0});
    return add_text(in, r, text, max_tokens > 1 ? max_tokens - 1 : 1, err);
}

bw_status bw_inputs_join(bw_inputs *in, const bw_reader *r, const char *text, size_t max_tokens,
                         bw_err *err) {
    if (!room(in, 2, 0))
        return bw_fail_memory(err);
    push_token(in, bw_tokenizer_role(r->tokenizer, BW_ROLE_SEP), (bw_span){0, 0});
    return add_text(in, r, text, max_tokens > 1 ? max_tokens - 1 : 1, err);
}

bw_batch bw_inputs_batch(const bw_inputs *in) {
    return (bw_batch){.ids = in->id,
                      .start = in->start,
                      .n_seq = in->n_seq,
                      .n_tokens = in->n_tokens,
                      .ngram_start = in->ngram_start,
                      .ngrams = in->ngram};
}

void bw_inputs_free(bw_inputs *in) {
    free(in->id);
    free(in->span);
    free(in->start);
    free(in->ngram_start);
    free(in->ngram);
    bw_units_free(&in->units);
    bw_grams_free(&in->grams);
    bw_tokens_free(&in->tokens);
    *in = (bw_inputs){0};
}
