/* model/shipped/readout.h - what is read off the encoder's hidden states: sentiment, aspects, next sentence.
 *
 * Attention pooling (Yang et al. 2016): a query q gives each token t of a span the weight
 * softmax_t(q . h_t / sqrt(dim)); the span's vector is the weighted sum v. One query reads
 * sentiment, one each aspect. With m the mean and x the maximum over the span:
 *     sentiment logits   W_s [v_s; m; x] + b_s                  negative, neutral, positive
 *     mention of a       w_a . v_a + b_a
 *     polarity of a      W_p [v_a; m] + b_p[a]                  for a term: v is the mean of its tokens
 * All arithmetic is of one span alone, so batches never matter. */
#ifndef BW_MODEL_READOUT_H
#define BW_MODEL_READOUT_H

#include "model/shipped/aspects.h"
#include "model/core/params.h"

#define BW_N_QUERIES (1 + BW_N_ASPECTS)
#define BW_TERM      BW_N_ASPECTS /* row of b_p for a term */

typedef struct {
    bw_params params;
    size_t dim;
    size_t query, sentiment_w, sentiment_b, mention_w, mention_b, polarity_w, polarity_b, nsp_w,
        nsp_b;
} bw_readout;

/* What is wanted of a span, and the results. */
typedef struct {
    size_t first, n;                  /* tokens of the batch */
    bool want_aspects, aspects_alone; /* alone: sentiment is left as it was */
    float sentiment[3];               /* logits */
    float mention[BW_N_ASPECTS];
    float polarity[BW_N_ASPECTS][3];
} bw_span_read;

bw_status bw_readout_new(bw_readout *h, size_t dim, bw_err *err);
void bw_readout_init(bw_readout *h, uint64_t seed);
void bw_readout_free(bw_readout *h);

/* hidden: [tokens, dim] */
void bw_readout_read(const bw_readout *h, const float *hidden, bw_span_read *r);
/* Polarity logits of a term: tokens [term, term + n_term) within [first, first + n). */
void bw_readout_term(const bw_readout *h, const float *hidden, size_t first, size_t n, size_t term,
                     size_t n_term, float logits[3]);

/* Backward of the same calls: adds to the gradients of the parameters and to d_hidden, given the
 * gradients d of the logits (in the fields of r). Aspects only when want_aspects. */
void bw_readout_read_backward(bw_readout *h, const float *hidden, const bw_span_read *d,
                              float *d_hidden);
void bw_readout_term_backward(bw_readout *h, const float *hidden, size_t first, size_t n,
                              size_t term, size_t n_term, const float d[3], float *d_hidden);

#endif
