/* model/infer/infer.h - a frozen encoder for scoring: weights packed once, batches packed without
 * padding, attention that never holds more than a few rows of scores.
 *
 * The result of a sequence depends on that sequence alone: not on the batch it came in, not on the
 * number of threads, and with BW_PACK_F32 and BW_PACK_INT8 not on the instruction set either. */
#ifndef BW_MODEL_INFER_H
#define BW_MODEL_INFER_H

#include "model/infer/packed.h"
#include "model/core/transformer.h"

typedef struct bw_infer bw_infer;

/* Packs the layers of t, an encoder of LayerNorm, multi-head attention and an ungated feed-forward
 * layer (BERT, DistilBERT, MiniLM, our own); BW_EARG names what is not supported. The embedding
 * tables are borrowed: t must outlive the result. On BW_OK, *out is the caller's. */
bw_status bw_infer_new(const bw_transformer *t, bw_pack_kind kind, bw_infer **out, bw_err *err);
void bw_infer_free(bw_infer *m); /* NULL is fine */

/* hidden: [n_tokens, dim], the last hidden states, as bw_tf_hidden gives them. Errors are those of
 * bw_transformer_forward. Runs on as many OpenMP threads as there are; safe to call from
 * several. */
bw_status bw_infer_run(const bw_infer *m, const bw_batch *batch, float *hidden, bw_err *err);

#endif
