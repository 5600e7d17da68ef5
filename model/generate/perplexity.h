/* model/generate/perplexity.h - how well a decoder predicts text. */
#ifndef BW_MODEL_PERPLEXITY_H
#define BW_MODEL_PERPLEXITY_H

#include "model/tokenizer/tokenizer.h"
#include "model/core/transformer.h"

/* Running sums over texts. */
typedef struct {
    double nll;    /* nats over all predicted tokens */
    size_t tokens; /* predicted: all but the first of a text, which nothing precedes */
    size_t bytes, texts;
} bw_text_likelihood;

typedef struct bw_likelihood bw_likelihood;

/* Both are borrowed. window: tokens the model looks at, at most its positions; 0: those, or 1024
 * where it has no limit. BW_EDATA: t is not a decoder. */
bw_status bw_likelihood_new(bw_transformer *t, const bw_tokenizer *k, size_t window,
                            bw_likelihood **out, bw_err *err);
void bw_likelihood_free(bw_likelihood *l); /* NULL is fine */
/* Adds one text. A text longer than the window is read in windows that overlap by half; each token
 * is predicted once, with at least half a window before it where the text has so much. */
bw_status bw_likelihood_add(bw_likelihood *l, const char *text, size_t len, bw_text_likelihood *sum,
                            bw_err *err);

#endif
