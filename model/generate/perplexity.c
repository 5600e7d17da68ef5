/* model/generate/perplexity.c - log-likelihood of texts under a decoder. See perplexity.h. */
#include "model/generate/perplexity.h"

#include "model/core/objective.h"

#include <stdlib.h>
#include <string.h>

#define DEFAULT_WINDOW 1024

struct bw_likelihood {
    bw_transformer *t;
    const bw_tokenizer *k;
    size_t window;
    bw_tf_workspace *ws;
    bw_objective *o;
    bw_tokens tokens;
    int32_t *labels; /* [window] */
};

bw_status bw_likelihood_new(bw_transformer *t, const bw_tokenizer *k, size_t window,
                            bw_likelihood **out, bw_err *err) {
    const bw_tf_config *c = bw_transformer_config(t);
    *out = NULL;
    if (c->kind != BW_TF_DECODER || !c->lm)
        return bw_fail(err, BW_EDATA,
                       "perplexity is defined for a decoder with a language-model "
                       "head; this model has none");
    bw_likelihood *l = calloc(1, sizeof *l);
    if (!l)
        return bw_fail_memory(err);
    l->t = t;
    l->k = k;
    l->window = window ? window : c->max_positions ? c->max_positions : DEFAULT_WINDOW;
    if (c->max_positions && l->window > c->max_positions)
        l->window = c->max_positions;
    l->window = l->window < 2 ? 2 : l->window;
    l->ws = bw_tf_workspace_new();
    l->o = bw_objective_new();
    l->labels = malloc(l->window * sizeof *l->labels);
    if (!l->ws || !l->o || !l->labels) {
        bw_likelihood_free(l);
        return bw_fail_memory(err);
    }
    *out = l;
    return BW_OK;
}

void bw_likelihood_free(bw_likelihood *l) {
    if (!l)
        return;
    bw_tf_workspace_free(l->ws);
    bw_objective_free(l->o);
    bw_tokens_free(&l->tokens);
    free(l->labels);
    free(l);
}

/* Predicts ids[1 .. n) from what stands before each; those before `from` were counted already. */
static bw_status read_window(bw_likelihood *l, const int32_t *ids, size_t n, size_t from,
                             bw_text_likelihood *sum, bw_err *err) {
    const size_t start[] = {0, n};
    const bw_batch batch = {.ids = ids, .start = start, .n_seq = 1, .n_tokens = n};
    for (size_t i = 0; i < n; i++)
        l->labels[i] = i + 1 < n && i + 1 >= from ? ids[i + 1] : BW_IGNORE;
    bw_status st = bw_transformer_forward(l->t, l->ws, &batch, NULL, NULL, err);
    double loss = 0;
    size_t counted = 0;
    if (st == BW_OK)
        st = bw_loss_tokens(l->t, l->o, bw_tf_hidden(l->ws), l->labels, n, 0, 1, &loss, &counted,
                            NULL, NULL, err);
    sum->nll += loss * (double)counted;
    sum->tokens += counted;
    return st;
}

bw_status bw_likelihood_add(bw_likelihood *l, const char *text, size_t len, bw_text_likelihood *sum,
                            bw_err *err) {
    bw_status st = bw_tokenizer_encode(l->k, text, len, NULL, &l->tokens, err);
    const int32_t *ids = l->tokens.ids;
    size_t n = l->tokens.n, done = 1;
    for (size_t at = 0; st == BW_OK && done < n; at += l->window / 2) {
        size_t end = at + l->window < n ? at + l->window : n;
        st = read_window(l, ids + at, end - at, done - at, sum, err);
        done = end;
    }
    sum->bytes += len;
    sum->texts++;
    return st;
}
