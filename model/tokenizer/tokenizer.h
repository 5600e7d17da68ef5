/* model/tokenizer/tokenizer.h - text to token ids and back: WordPiece, BPE over bytes (GPT-2,
 * Qwen2, Llama 3) or characters (Llama 2), and Unigram (T5), behind one interface.
 *
 * A tokenizer is read from a Hugging Face folder (tokenizer.json; else vocab.txt, or vocab.json
 * with merges.txt; tokenizer_config.json supplies switches and the names of special tokens), from
 * the text of a tokenizer.json, or is trained from plain text. It is immutable: any number of
 * threads may encode with one tokenizer, each with its own bw_tokens. Ids agree exactly with the
 * Hugging Face tokenizers library; a component that this program does not implement is refused by
 * name when the file is read, never approximated.
 *
 * Text is UTF-8 of any length, NUL bytes included. A byte that is not valid UTF-8 counts as U+FFFD
 * where characters are classified; byte-level BPE keeps the byte itself, so that decoding with
 * BW_DECODE_BYTES returns every input unchanged (unless the tokenizer normalises).
 *
 * Special tokens written out in a text are recognised as such, which is also the default there. */
#ifndef BW_MODEL_TOKENIZER_H
#define BW_MODEL_TOKENIZER_H

#include "common/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct bw_tokenizer bw_tokenizer;

/* Bytes [start, end) of the text the token came from; start == end == 0 for tokens that the
 * tokenizer added itself. */
typedef struct {
    uint32_t start, end;
} bw_span;

/* The result of encoding and the workspace for it. Start from {0}; reuse freely, also with another
 * tokenizer; contents stay valid until the next call with it. One per thread. */
typedef struct {
    int32_t *ids;     /* [n] */
    int32_t *types;   /* [n] token type: 1 for the second text of a pair, else 0 */
    bw_span *spans;   /* [n] into the first text, or into the second where sequence is 1 */
    int8_t *sequence; /* [n] 0 first text, 1 second text, -1 added by the tokenizer */
    size_t n;
    size_t cut; /* tokens that truncation removed; 0 means the whole text is there */
    void *work; /* private */
} bw_tokens;

void bw_tokens_free(bw_tokens *tokens);

typedef enum { BW_LONGEST_FIRST, BW_ONLY_FIRST, BW_ONLY_SECOND } bw_truncation;

typedef struct {
    bool bare;                /* do not add the tokenizer's special tokens ([CLS], [SEP], ...) */
    size_t max_tokens;        /* cut to at most so many, added ones included; 0: never cut */
    bw_truncation truncation; /* what to cut of a pair */
} bw_encode_options;          /* {0} or NULL: whole text, special tokens added */

/* Encodes text[0 .. len). On failure *out holds nothing useful but may be reused.
 * BW_EARG: the text is 4 GiB or larger; BW_EDATA: the truncation asked for cannot be done. */
bw_status bw_tokenizer_encode(const bw_tokenizer *t, const char *text, size_t len,
                              const bw_encode_options *how, bw_tokens *out, bw_err *err);
/* The same for two texts, joined as the tokenizer's template says. */
bw_status bw_tokenizer_encode_pair(const bw_tokenizer *t, const char *a, size_t a_len,
                                   const char *b, size_t b_len, const bw_encode_options *how,
                                   bw_tokens *out, bw_err *err);

enum {
    BW_DECODE_SKIP_SPECIAL = 1, /* leave out special tokens */
    BW_DECODE_BYTES = 2         /* bytes as they are; otherwise what is not UTF-8 becomes U+FFFD */
};
/* The text of ids[0 .. n): caller frees *text, which is NUL-terminated after *len bytes (len may be
 * NULL). BW_EARG: an id that the vocabulary does not have. */
bw_status bw_tokenizer_decode(const bw_tokenizer *t, const int32_t *ids, size_t n, unsigned flags,
                              char **text, size_t *len, bw_err *err);

/* Opens a folder, or one file whose name ends in .json. On BW_OK *out is the caller's to free. */
bw_status bw_tokenizer_load(const char *path, bw_tokenizer **out, bw_err *err);
/* From the text of a tokenizer.json, for instance an embedded one; name is for messages. */
bw_status bw_tokenizer_parse(const char *json, size_t len, const char *name, bw_tokenizer **out,
                             bw_err *err);
/* Writes folder/tokenizer.json and folder/tokenizer_config.json; the folder must exist. */
bw_status bw_tokenizer_save(const bw_tokenizer *t, const char *folder, bw_err *err);
void bw_tokenizer_free(bw_tokenizer *t); /* NULL is fine */

/* Ids run from 0 to size - 1, added tokens included. */
size_t bw_tokenizer_size(const bw_tokenizer *t);
/* The id of a token as the vocabulary spells it ("##ing", "Ġthe", "[CLS]"); -1: there is none. */
int32_t bw_tokenizer_id(const bw_tokenizer *t, const char *token);
/* The spelling of an id, borrowed until the tokenizer is freed; NULL: no such id. */
const char *bw_tokenizer_piece(const bw_tokenizer *t, int32_t id);
/* True for [CLS], <|endoftext|> and their like, which decoding may skip. */
bool bw_tokenizer_is_special(const bw_tokenizer *t, int32_t id);

/* The ids of the roles that special tokens play; -1: the tokenizer has none. */
typedef enum {
    BW_ROLE_PAD,
    BW_ROLE_UNK,
    BW_ROLE_CLS,
    BW_ROLE_SEP,
    BW_ROLE_MASK,
    BW_ROLE_BOS,
    BW_ROLE_EOS,
    BW_N_ROLES
} bw_role;
int32_t bw_tokenizer_role(const bw_tokenizer *t, bw_role role);

/* --- Training a byte-level BPE vocabulary ------------------------------------------------------
 *
 * Method: Sennrich, Haddow, Birch 2016 (arXiv:1508.07909) over bytes. Runs of Han characters are
 * words of their own, so that no token mixes scripts; the rest is split as by Qwen2: letters with
 * one leading space or mark, single digits, punctuation, white space. The most frequent pair is
 * merged first, among equals the one with the smaller ids, so the result depends on the texts
 * alone. */
typedef struct {
    size_t vocab;                /* ids in all: special tokens, 256 bytes, merges */
    const char *const *specials; /* first ids, in this order; NULL-terminated; may be NULL. Roles go
                                    by name: [PAD] [UNK] [CLS] [SEP] [MASK] [BOS] [EOS], and
                                    <|endoftext|> as EOS. With [CLS] and [SEP] a text is framed as
                                    [CLS] text [SEP], else it stands alone. */
    bool lowercase;              /* NFKC and lower case before splitting: for encoders */
    bool nfc;                    /* NFC before splitting */
    size_t max_token_bytes;      /* longest token; 0: 32 */
    size_t min_count;            /* rarest pair that is merged; 0: 2 */
} bw_tokenizer_training;

typedef struct bw_trainer bw_trainer;

/* The settings are copied. */
bw_status bw_trainer_new(const bw_tokenizer_training *how, bw_trainer **out, bw_err *err);
/* Counts the words of one text (a line, a review, a document). */
bw_status bw_trainer_add(bw_trainer *tr, const char *text, size_t len, bw_err *err);
/* Learns the merges. The trainer is used up, free it afterwards. */
bw_status bw_trainer_finish(bw_trainer *tr, bw_tokenizer **out, bw_err *err);
void bw_trainer_free(bw_trainer *tr);

#endif
