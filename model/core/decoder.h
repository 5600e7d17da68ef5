/* model/core/decoder.h - incremental decoding with a key/value cache.
 *
 * A cache holds, for a number of sequences, the keys and values of every token a decoder has seen,
 * so that the next token costs one row of work per sequence. For an encoder-decoder it also holds
 * the keys and values of the encoded source.
 *
 *     bw_kv_cache *c;
 *     st = bw_kv_cache_new(t, n_seq, max_tokens, &c, &err);
 *     st = bw_kv_encode(c, &source, &err);            // encoder-decoder only: one source a sequence
 *     st = bw_kv_append(c, seqs, &prompts, logits, &err);  // prefill: any number of tokens each
 *     while (...)                                          // one token each
 *         st = bw_kv_append(c, seqs, &next, logits, &err);
 *
 * Sampling several continuations of one prompt, and beams, copy sequences with bw_kv_reorder. The
 * scores of a sequence have the same bits whatever other sequences are beside it, on any number of
 * OpenMP threads. */
#ifndef BW_MODEL_DECODER_H
#define BW_MODEL_DECODER_H

#include "model/infer/packed.h"
#include "model/core/transformer.h"

/* A decoder's weights packed for inference; shared and read-only, any number of caches may
 * use it. */
typedef struct bw_decoder bw_decoder;

/* t is borrowed until the decoder is freed. BW_EARG: t has no decoder or no language-model head. */
bw_status bw_decoder_new(const bw_transformer *t, bw_pack_kind kind, bw_decoder **out, bw_err *err);
void bw_decoder_free(bw_decoder *d); /* NULL is fine */
/* Bytes of weights that a step reads, however few tokens it appends: what bounds its speed. */
size_t bw_decoder_bytes(const bw_decoder *d);

typedef struct bw_kv_cache bw_kv_cache;

/* A cache of n_seq empty sequences of at most max_tokens each. d is borrowed until the cache is
 * freed. BW_EARG: max_tokens above the model's positions. */
bw_status bw_kv_cache_of(const bw_decoder *d, size_t n_seq, size_t max_tokens, bw_kv_cache **out,
                         bw_err *err);
/* The same with an f32 decoder of its own; t is borrowed likewise. */
bw_status bw_kv_cache_new(const bw_transformer *t, size_t n_seq, size_t max_tokens,
                          bw_kv_cache **out, bw_err *err);
void bw_kv_cache_free(bw_kv_cache *c); /* NULL is fine */

/* Encoder-decoder: encodes sources (n_seq as the cache) and keeps their keys and values. */
bw_status bw_kv_encode(bw_kv_cache *c, const bw_batch *source, bw_err *err);

/* Appends tokens to the sequences seqs[0 .. tokens->n_seq) (cache slots, all different; NULL: 0, 1,
 * ...): tokens->start says how many each gets, positions go on from its length. logits [n_seq,
 * vocab]: scores for the token after the last appended one of each sequence. BW_EARG: no room, bad
 * ids; nothing was appended then. */
bw_status bw_kv_append(bw_kv_cache *c, const size_t *seqs, const bw_batch *tokens, float *logits,
                       bw_err *err);

/* Sequence i becomes a copy of what sequence from[i] was, for i in [0, n_seq): beams that live on,
 * one prefill copied to all. The encoded source goes along. */
bw_status bw_kv_reorder(bw_kv_cache *c, const size_t *from, bw_err *err);
/* Cuts a sequence back to its first n tokens (0: start over). */
void bw_kv_truncate(bw_kv_cache *c, size_t seq, size_t n);
size_t bw_kv_length(const bw_kv_cache *c, size_t seq);
size_t bw_kv_capacity(const bw_kv_cache *c); /* max_tokens */

#endif
