/* model/core/objective.h - what a transformer is trained for: losses and their gradients, and the
 * heads that turn hidden states into scores.
 *
 * A loss takes the hidden states of a forward pass, adds weight times its gradient to d_hidden (to
 * be zeroed by the caller, so that losses can be summed) and, for its head, to the model's
 * gradients. With d_hidden NULL only the loss is computed. Losses are means, in natural
 * logarithms. */
#ifndef BW_MODEL_OBJECTIVE_H
#define BW_MODEL_OBJECTIVE_H

#include "model/core/transformer.h"

/* Labels below 0 mark places without a loss. */
#define BW_IGNORE (-100)

/* ---- losses over scores; usable for any head ---- */

/* Cross-entropy of logits [rows, n] with labels [rows] (below 0: ignored), the target being
 * 1 - smoothing on the label and smoothing / n everywhere (Szegedy et al. 2016, section 7). Returns
 * the sum over rows; d (NULL, or [rows, n], may be logits) = factor * its gradient. */
double bw_cross_entropy(float *d, const float *logits, const int32_t *labels, size_t rows, size_t n,
                        float smoothing, float factor);
/* The same with a distribution a row: targets [rows, n], each row summing to 1. */
double bw_cross_entropy_soft(float *d, const float *logits, const float *targets, size_t rows,
                             size_t n, float factor);
/* Independent yes/no labels: targets [rows, n] in [0, 1], below 0 ignored. The sum over all;
 * *counted is their number. */
double bw_binary_cross_entropy(float *d, const float *logits, const float *targets, size_t rows,
                               size_t n, float factor, size_t *counted);
/* In-batch negatives (Gao et al. 2021, SimCSE): a and b [n, dim], pair i belongs together and every
 * other b_j is a negative of a_i, and the other way round; cosine similarity / temperature. Returns
 * the mean of both directions; da, db (both or none) are overwritten with factor * the gradient.
 * scratch: [n * n + 2 * n * dim + 4 * n] floats. */
double bw_contrastive(float *da, float *db, const float *a, const float *b, size_t n, size_t dim,
                      float temperature, float factor, float *scratch);

/* ---- pooling of a batch's sequences ---- */

/* out [n_seq, dim]: mean of a sequence's hidden states; and the gradient back, added to
 * d_hidden. */
void bw_pool_mean(float *out, const bw_batch *batch, const float *hidden, size_t dim);
void bw_pool_mean_backward(float *d_hidden, const bw_batch *batch, const float *d_out, size_t dim);
/* The first token's state; the largest of each dimension. */
void bw_pool_first(float *out, const bw_batch *batch, const float *hidden, size_t dim);
void bw_pool_max(float *out, const bw_batch *batch, const float *hidden, size_t dim);
/* Each row of x [rows, dim] to unit length. */
void bw_normalize_rows(float *x, size_t rows, size_t dim);

/* ---- the heads of a transformer ---- */

/* Scratch for the calls below; grows as needed. NULL when memory ran out. */
typedef struct bw_objective bw_objective;
bw_objective *bw_objective_new(void);
void bw_objective_free(bw_objective *o); /* NULL is fine */

/* The pooler's output [n_seq, dim]. */
bw_status bw_head_pooled(const bw_transformer *t, bw_objective *o, const bw_batch *batch,
                         const float *hidden, float *out, bw_err *err);
/* Scores of the sequence classifier [n_seq, labels], or of the NSP head [n_seq, 2]. */
bw_status bw_head_classes(const bw_transformer *t, bw_objective *o, const bw_batch *batch,
                          const float *hidden, float *logits, bw_err *err);
bw_status bw_head_nsp(const bw_transformer *t, bw_objective *o, const bw_batch *batch,
                      const float *hidden, float *logits, bw_err *err);
/* Scores over the vocabulary [rows, vocab] of the MLM head, or of the language-model head. */
bw_status bw_head_tokens(const bw_transformer *t, bw_objective *o, const float *hidden, size_t rows,
                         float *logits, bw_err *err);

/* Exactly one of labels (below 0: ignored) and soft is given. */
typedef struct {
    const int32_t *labels;
    const float *soft; /* [n_seq, labels of the head] */
    float smoothing;   /* of labels */
} bw_targets;

bw_status bw_loss_classes(bw_transformer *t, bw_objective *o, const bw_batch *batch,
                          const float *hidden, const bw_targets *targets, double weight,
                          double *loss, float *d_hidden, bw_err *err);
bw_status bw_loss_nsp(bw_transformer *t, bw_objective *o, const bw_batch *batch,
                      const float *hidden, const bw_targets *targets, double weight, double *loss,
                      float *d_hidden, bw_err *err);
/* MLM for an encoder, next token for a decoder: labels [n_tokens], below 0 ignored. *counted (or
 * NULL) is the number of labels. logprobs (or NULL) [n_tokens] gets log p(label). */
bw_status bw_loss_tokens(bw_transformer *t, bw_objective *o, const float *hidden,
                         const int32_t *labels, size_t n_tokens, float smoothing, double weight,
                         double *loss, size_t *counted, float *logprobs, float *d_hidden,
                         bw_err *err);

/* ---- making labels ---- */

/* labels[i] = the next id of the sequence; its last token has none. */
void bw_causal_labels(const bw_batch *batch, int32_t *labels);

typedef struct {
    double rate;  /* share of tokens chosen; 0.15 in BERT */
    int32_t mask; /* id of [MASK] */
    size_t vocab; /* random replacements are drawn from [first_word, vocab) */
    int32_t first_word;
    const bool *special; /* [vocab] ids never chosen, or NULL */
    uint64_t seed;       /* another for each step */
} bw_mlm;
/* BERT's masking (Devlin et al. 2019, section 3.1): of the chosen tokens 80 % become [MASK], 10 % a
 * random id, 10 % stay. Changes ids in place; labels gets the original id or BW_IGNORE. A sequence
 * with a token to choose has at least one chosen. Returns how many. */
size_t bw_mlm_mask(const bw_mlm *m, const bw_batch *batch, int32_t *ids, int32_t *labels);

#endif
