/* model/tokenizer/vocab.h - a vocabulary: token text <-> id, and the map between bytes and the
 * printable characters by which byte-level vocabularies spell them.
 *
 * Texts lie one after the other in one arena, each NUL-terminated; a hash table of ids (open
 * addressing, at most half full) finds them. Ids may have holes. */
#ifndef BW_MODEL_TOK_VOCAB_H
#define BW_MODEL_TOK_VOCAB_H

#include "common/status.h"

#include <stdint.h>

#define BW_VOCAB_MAX (1 << 24) /* ids above this are refused: no vocabulary comes near it */

typedef struct {
    char *arena;
    size_t used, arena_cap;
    size_t *start; /* [size] where the token's text begins; SIZE_MAX for a hole */
    uint32_t *len; /* [size] in bytes */
    size_t size, cap;
    int32_t *slots; /* [n_slots] id + 1, 0 for empty */
    size_t n_slots, count;
} bw_vocab; /* start from {0} */

/* Adds text under id. A text that is already there moves to the new id, as a later key of a JSON
 * object replaces an earlier one. */
bw_status bw_vocab_put(bw_vocab *v, const char *text, size_t len, int64_t id, bw_err *err);
int32_t bw_vocab_find(const bw_vocab *v, const char *text, size_t len); /* -1: not there */
/* NULL for a hole or an id out of range; len may be NULL. */
const char *bw_vocab_text(const bw_vocab *v, int32_t id, size_t *len);
void bw_vocab_free(bw_vocab *v);

uint64_t bw_hash_bytes(const void *data, size_t n);

/* The character that spells a byte (GPT-2): itself where printable, else U+0100 and up in order. */
int32_t bw_byte_char(uint8_t byte);
/* The byte a character spells; -1: none. */
int bw_char_byte(int32_t cp);

#endif
