/* model/shipped/inputs.h - texts to what the encoder reads: token ids, and with each token the ids of the
 * n-grams that end in it, many texts packed one behind the other.
 *
 * A text is [CLS] and its tokens. Longer than max_tokens, it keeps the first quarter and the last
 * three quarters: openings and endings carry a review's verdict (Sun et al. 2019, "How to fine-tune
 * BERT", section 5.3.1). */
#ifndef BW_MODEL_INPUTS_H
#define BW_MODEL_INPUTS_H

#include "model/shipped/ngram.h"
#include "model/shipped/spelling.h"
#include "model/tokenizer/tokenizer.h"
#include "model/core/transformer.h"

typedef struct {
    int32_t *id;         /* [n_tokens] */
    bw_span *span;       /* [n_tokens] bytes of the source text; 0, 0 for special tokens */
    size_t *start;       /* [n_seq + 1] */
    size_t *ngram_start; /* [n_tokens + 1] */
    int32_t *ngram;
    size_t n_tokens, n_seq, n_ngrams;
    size_t cap_tokens, cap_seq, cap_ngrams;
    /* The last text added: its units, distinct features and the tokens left out. */
    bw_units units;
    bw_grams grams;
    bw_tokens tokens;
    size_t cut;
} bw_inputs; /* start from {0}; one per thread */

/* What reads texts: borrowed, shared by threads. */
typedef struct {
    const bw_tokenizer *tokenizer;
    bw_gram_table table;         /* slot = n-gram id; sets 0 = no n-grams */
    size_t max_units;            /* of one text that are looked at at all */
    const bw_spelling *spelling; /* mends slips of the keyboard; NULL: words stay as they are */
} bw_reader;

void bw_inputs_clear(bw_inputs *in);
/* Adds one text as a sequence. */
bw_status bw_inputs_add(bw_inputs *in, const bw_reader *r, const char *text, size_t max_tokens,
                        bw_err *err);
/* Ends the last sequence with [SEP] and adds a second text to it, at most max_tokens more. */
bw_status bw_inputs_join(bw_inputs *in, const bw_reader *r, const char *text, size_t max_tokens,
                         bw_err *err);
/* The packed batch, borrowed until the next change. */
bw_batch bw_inputs_batch(const bw_inputs *in);
void bw_inputs_free(bw_inputs *in);

#endif
