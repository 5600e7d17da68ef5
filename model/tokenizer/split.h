/* model/tokenizer/split.h - cutting text into the pieces that a model then encodes one by one.
 *
 * The reference describes these cuts by regular expressions. Each known expression is a scanner
 * written by hand; an unknown one is refused by name. Scanners work in stages: each later one cuts
 * the pieces of the one before, so that a look-ahead never sees past its piece. */
#ifndef BW_MODEL_TOK_SPLIT_H
#define BW_MODEL_TOK_SPLIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Length of the first piece of s[0 .. n), n > 0. drop is set when the piece is no part of the
 * result (white space under BERT's rules). */
typedef size_t bw_split_fn(const uint8_t *s, size_t n, bool *drop);

bw_split_fn bw_split_gpt2;       /* the pattern of GPT-2, RoBERTa, BART */
bw_split_fn bw_split_qwen2;      /* Qwen2, Qwen3: single digits */
bw_split_fn bw_split_llama3;     /* Llama 3, GPT-4: digits by threes */
bw_split_fn bw_split_digits;     /* each digit alone */
bw_split_fn bw_split_digit_runs; /* runs of digits */
bw_split_fn bw_split_han;        /* runs of Han characters */
bw_split_fn bw_split_white;      /* white space dropped */
bw_split_fn bw_split_bert_punct; /* each punctuation mark alone */

/* The scanner of a regular expression as tokenizer.json spells it; NULL: not known. */
bw_split_fn *bw_split_by_pattern(const char *regex);

/* The expressions that training writes. */
extern const char BW_PATTERN_QWEN2[], BW_PATTERN_HAN[];

#endif
