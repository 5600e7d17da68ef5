/* model/core/transformer.h - the transformer: build from a configuration, forward, backward.
 *
 * Batches are packed: the tokens of all sequences lie one behind the other and no padding is ever
 * computed. Weights are shared and read-only in a forward pass; activations live in a workspace
 * that the caller owns, one per thread that runs passes of its own.
 *
 *     bw_transformer *t;  bw_tf_workspace *ws = bw_tf_workspace_new();
 *     st = bw_transformer_new(&config, &t, &err);
 *     bw_transformer_init(t, seed);
 *     st = bw_transformer_forward(t, ws, &batch, NULL, &(bw_tf_mode){.train = true}, &err);
 *     const float *h = bw_tf_hidden(ws);                      // [n_tokens, dim]
 *     ... loss and its gradient d_hidden [n_tokens, dim] ...
 *     st = bw_transformer_backward(t, ws, d_hidden, &err);    // adds to the gradients
 *
 * Work is cut into chunks of whole sequences by a rule that looks at the batch alone, and sums over
 * chunks are taken in order: the number of OpenMP threads never changes a bit of the result. */
#ifndef BW_MODEL_TRANSFORMER_H
#define BW_MODEL_TRANSFORMER_H

#include "model/core/config.h"
#include "model/core/params.h"

typedef struct bw_transformer bw_transformer;
typedef struct bw_tf_workspace bw_tf_workspace;

/* Sequences packed one behind the other. All arrays are borrowed; for a forward pass with train set
 * they must stay valid until its backward pass is done. */
typedef struct {
    const int32_t *ids;        /* [n_tokens] in [0, vocab) */
    const int32_t *types;      /* [n_tokens] in [0, token_types), or NULL: all 0 */
    const int32_t *positions;  /* [n_tokens], or NULL: 0, 1, 2, ... in each sequence */
    const size_t *start;       /* [n_seq + 1]: sequence s is tokens start[s] .. start[s + 1] - 1 */
    size_t n_seq, n_tokens;    /* start[0] = 0, start[n_seq] = n_tokens, no empty sequence */
    const size_t *ngram_start; /* [n_tokens + 1], or NULL: no n-grams */
    const int32_t *ngrams; /* token i has buckets ngrams[ngram_start[i] .. ngram_start[i+1]-1] */
    const float *shift; /* [n_tokens, embed_dim], added to the sums of embeddings; NULL: nothing */
} bw_batch;

typedef struct {
    bool train;            /* keep what backward needs, apply dropout */
    bool no_dropout;       /* train, but without dropout */
    uint64_t dropout_seed; /* give each step another; same seed, same masks */
    bool keep_layers;      /* keep the output of every layer for bw_tf_layer */
} bw_tf_mode;

/* Weights are zero until _init or a load. The configuration is copied, completed and checked. */
bw_status bw_transformer_new(const bw_tf_config *config, bw_transformer **out, bw_err *err);
void bw_transformer_free(bw_transformer *t); /* NULL is fine */
/* Random weights from a seed (normal, init_std; norms 1, biases 0; residual outputs of decoders
 * scaled by 1/sqrt(2 layers) as in GPT-2). */
void bw_transformer_init(bw_transformer *t, uint64_t seed);

const bw_tf_config *bw_transformer_config(const bw_transformer *t); /* borrowed */
/* Weights, names, gradients; borrowed until t is freed. Names are our own ("enc.0.attn.q.weight");
 * model/hf/hf.h knows those of other tools. */
bw_params *bw_transformer_params(bw_transformer *t);

/* An empty workspace; it grows to the largest batch it has seen. NULL when memory ran out. */
bw_tf_workspace *bw_tf_workspace_new(void);
void bw_tf_workspace_free(bw_tf_workspace *ws); /* NULL is fine */

/* Runs the batch. target is NULL, but for an encoder-decoder the sequences of the decoder (n_seq as
 * in batch; ids already shifted right). mode NULL = inference.
 * BW_EARG: an id, type, position or n-gram out of range, an empty or too long sequence. */
bw_status bw_transformer_forward(const bw_transformer *t, bw_tf_workspace *ws,
                                 const bw_batch *batch, const bw_batch *target,
                                 const bw_tf_mode *mode, bw_err *err);
/* The last hidden states of the last forward pass: [n_tokens, dim] of the batch, or of the target
 * for an encoder-decoder, after the final norm. Borrowed until the next pass. */
const float *bw_tf_hidden(const bw_tf_workspace *ws);
/* The sums of embeddings that the last pass of an encoder with a projection began with, [n_tokens,
 * embed_dim], when it was for training; once its backward is done, the loss's gradient with respect to
 * them. NULL without a projection. Borrowed likewise. */
const float *bw_tf_embedded(const bw_tf_workspace *ws);
/* The encoder's output of an encoder-decoder: [n_tokens of batch, dim]. Borrowed likewise. */
const float *bw_tf_encoder_hidden(const bw_tf_workspace *ws);
/* With keep_layers: output of layer `layer` (0 = embeddings) of the encoder, or of the decoder; the
 * last one is after the final norm. Borrowed likewise. */
const float *bw_tf_layer(const bw_tf_workspace *ws, bool decoder, size_t layer);

/* Adds to the gradients (made on first use) those of a loss whose gradient with respect to
 * bw_tf_hidden is d_hidden. Call once after a forward pass with train set; accumulates over
 * calls. */
bw_status bw_transformer_backward(bw_transformer *t, bw_tf_workspace *ws, const float *d_hidden,
                                  bw_err *err);

#endif
