/* model/tokenizer/bpe.h - BPE: one word (a piece of the split text) to its ids. The first symbols
 * are bytes (GPT-2 and its kin) or characters (SentencePiece's BPE: Llama 2), where a character
 * outside the vocabulary falls back to the tokens <0x00> .. <0xFF> of its bytes.
 *
 * The symbols of a word are merged pair by pair, always the pair of lowest rank, the leftmost among
 * equals (Sennrich et al. 2016). Short words rescan an array of ranks, long ones keep a heap, so
 * that a word of n bytes costs at most n log n. */
#ifndef BW_MODEL_TOK_BPE_H
#define BW_MODEL_TOK_BPE_H

#include "model/tokenizer/vocab.h"

#include <stdbool.h>

typedef struct {
    uint64_t pair; /* left id << 32 | right id */
    int32_t rank, id;
} bw_merge;

typedef struct {
    bw_merge *merges; /* hash table, open addressing, at most half full; empty: id -1 */
    size_t n_slots, n_merges;
    bool characters;      /* symbols are characters, not bytes */
    bool byte_fallback;   /* with characters: as above */
    int32_t byte_id[256]; /* the byte's symbol, or its <0x..>; -1: the vocabulary lacks it */
    int32_t unk;          /* for symbols outside the vocabulary; -1: they are dropped */
    bool fuse_unk;        /* neighbouring unknown symbols make one token */
    bool whole_words;     /* a word that is in the vocabulary is not taken apart (ignore_merges) */
} bw_bpe;

/* Makes an empty table with room for n merges; byte ids are looked up in the vocabulary, as the
 * flags `characters` and `byte_fallback`, set before, ask for. */
bw_status bw_bpe_init(bw_bpe *bpe, const bw_vocab *vocab, size_t n_merges, bw_err *err);
/* Adds the next merge, at the rank that is its place in the list. */
void bw_bpe_add(bw_bpe *bpe, int32_t left, int32_t right, int32_t id);
/* NULL: the pair does not merge. */
const bw_merge *bw_bpe_find(const bw_bpe *bpe, int32_t left, int32_t right);
void bw_bpe_free(bw_bpe *bpe);

/* Scratch: arrays of word length, and the cache of short words. */
typedef struct bw_bpe_work bw_bpe_work;
bw_bpe_work *bw_bpe_work_new(void);
void bw_bpe_work_free(bw_bpe_work *w);

/* Splits word[0 .. n), n > 0. On success *ids and *lens (bytes of each token) are borrowed until
 * the next call with w, and the number of tokens is returned; 0 with *ids NULL: out of memory. */
size_t bw_bpe_word(const bw_bpe *bpe, const bw_vocab *vocab, bw_bpe_work *w, const uint8_t *word,
                   size_t n, const int32_t **ids, const uint32_t **lens);

#endif
