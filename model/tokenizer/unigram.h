/* model/tokenizer/unigram.h - the unigram model of SentencePiece (Kudo 2018, section 3): a word
 * becomes the tokens whose log-probabilities have the largest sum (Viterbi).
 *
 * A character that no token covers alone may be unknown, at 10 below the least score; neighbouring
 * unknown characters make one token, or the tokens <0x00> .. <0xFF> of their bytes. */
#ifndef BW_MODEL_TOK_UNIGRAM_H
#define BW_MODEL_TOK_UNIGRAM_H

#include "model/tokenizer/vocab.h"

#include <stdbool.h>

typedef struct {
    uint64_t edge; /* node << 8 | byte, plus 1; 0: empty */
    uint32_t to;
} bw_trie_edge;

/* Start from {0}. The trie is a hash table of its edges; node 0 is the root. */
typedef struct {
    double *score; /* [n] log-probability by id */
    size_t n;
    double unknown; /* the score of an unknown character */
    int32_t unk;
    bool byte_fallback;
    int32_t byte_id[256]; /* -1: the vocabulary lacks the byte */
    bw_trie_edge *edges;  /* [n_slots] open addressing, at most half full */
    size_t n_slots, n_edges;
    int32_t *token; /* [n_nodes] the token that ends there, or -1 */
    size_t n_nodes, cap_nodes;
} bw_unigram;

/* Builds the model over the first n ids of the vocabulary.   score: [n], finite, copied */
bw_status bw_unigram_init(bw_unigram *u, const bw_vocab *vocab, const double *score, size_t n,
                          int32_t unk, bool byte_fallback, bw_err *err);
void bw_unigram_free(bw_unigram *u);

typedef struct bw_unigram_work bw_unigram_work; /* scratch, one per thread */
bw_unigram_work *bw_unigram_work_new(void);
void bw_unigram_work_free(bw_unigram_work *w);

/* As bw_bpe_word: word[0 .. n), n > 0, to *ids and *lens (bytes of each), borrowed until the next
 * call with w; 0 with *ids NULL: out of memory. */
size_t bw_unigram_word(const bw_unigram *u, const bw_vocab *vocab, bw_unigram_work *w,
                       const uint8_t *word, size_t n, const int32_t **ids, const uint32_t **lens);

#endif
