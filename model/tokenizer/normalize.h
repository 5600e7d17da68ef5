/* model/tokenizer/normalize.h - what happens to text before it is split: Unicode normal forms,
 * case, accents, BERT's cleaning, SentencePiece's rules. Each character of the result knows the
 * bytes of the text it came from. */
#ifndef BW_MODEL_TOK_NORMALIZE_H
#define BW_MODEL_TOK_NORMALIZE_H

#include "common/status.h"
#include "model/tokenizer/charsmap.h"
#include "model/tokenizer/tokenizer.h"

#include <stdbool.h>
#include <stdint.h>

typedef enum {
    BW_NORM_NFC,
    BW_NORM_NFD,
    BW_NORM_NFKC,
    BW_NORM_NFKD,
    BW_NORM_LOWERCASE,
    BW_NORM_STRIP_MARKS,    /* drop categories Mn, Mc, Me */
    BW_NORM_STRIP_MN,       /* drop category Mn alone, as BERT does */
    BW_NORM_BERT_CLEAN,     /* drop control characters and U+FFFD, white space becomes a space */
    BW_NORM_BERT_SPACE_HAN, /* a space on either side of each ideograph */
    BW_NORM_PREPEND,        /* `to` in front of a text that is not empty */
    BW_NORM_REPLACE,        /* each `from` becomes `to` */
    BW_NORM_STRIP,          /* white space at the ends is dropped */
    BW_NORM_PRECOMPILED     /* the rules of `map` */
} bw_norm_kind;

/* Start from {kind}; the pointers are the step's own. */
typedef struct {
    bw_norm_kind kind;
    int32_t *from, *to; /* code points: [n_from] REPLACE; [n_to] REPLACE, PREPEND */
    size_t n_from, n_to;
    bool run;         /* REPLACE: `from` is one character, sought two or more times in a row */
    bool left, right; /* STRIP: which ends */
    bw_charsmap *map; /* PRECOMPILED */
} bw_norm_step;

void bw_norm_step_free(bw_norm_step *step);
/* The code points of a text; caller frees. NULL when memory ran out. */
int32_t *bw_norm_code_points(const char *text, size_t *n);

#define BW_NORM_MAX_STEPS 16

/* Characters with their places; start from {0}, reuse, free once. */
typedef struct {
    int32_t *cp;   /* [n] */
    bw_span *from; /* [n] bytes of the text */
    size_t n, cap;
    int32_t *cp2; /* scratch of the same size */
    bw_span *from2;
    uint8_t *bytes;     /* [n_bytes] the result as UTF-8 */
    bw_span *byte_from; /* [n_bytes] */
    size_t n_bytes, bytes_cap;
} bw_norm;

/* True when it is plain, without doing the work, that the steps leave the text as it is. */
bool bw_normalize_keeps(const bw_norm_step *steps, size_t n_steps, const uint8_t *text, size_t len);
/* Applies the steps to text and leaves the result in nm->bytes. Places count from offset. */
bw_status bw_normalize(const bw_norm_step *steps, size_t n_steps, const uint8_t *text, size_t len,
                       size_t offset, bw_norm *nm, bw_err *err);
void bw_norm_free(bw_norm *nm);

#endif
