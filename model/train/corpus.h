/* model/train/corpus.h - labelled and plain texts from tab-separated files, and which of them may be
 * trained on.
 *
 * A file is UTF-8 TSV, plain or gzipped, with a header line; fields are not quoted. Columns are known
 * by name: text (or reference, or sentence1 and sentence2), label, stars, score, split, aspect,
 * category, opinion; others are ignored. Conventions:
 *   label   1, positive, pos = positive; 0, negative, neg = negative; neutral = neutral; a file that
 *           also has 2, 3 or 4 is on the scale 0 very negative .. 4 very positive; anything else is
 *           kept as a name (an intent, a class) in `tag`
 *   stars   1..5, or 1..10 (then mapped to 1..5); they give the label where there is none
 *   split   train, dev, test; anything else ("dup_...") belongs to no part. Without the column the
 *           CRC-32 of the text (last column of a pair) decides: mod 10 = 0 test, 1 dev, else train.
 * A file without a single neutral row is two-class: only P(positive) against P(negative) counts. */
#ifndef BW_MODEL_CORPUS_H
#define BW_MODEL_CORPUS_H

#include "common/status.h"

#include <stdint.h>

typedef enum { BW_NEGATIVE = 0, BW_NEUTRAL = 1, BW_POSITIVE = 2, BW_UNLABELLED = -1 } bw_polarity;
typedef enum { BW_PART_TRAIN = 1, BW_PART_DEV = 2, BW_PART_TEST = 4, BW_PART_NONE = 8 } bw_part;

typedef struct {
    const char *text;                              /* borrowed from the corpus, never NULL */
    const char *text2;                             /* the second of a pair; NULL */
    const char *aspect, *category, *opinion, *tag; /* NULL = not in the file */
    float stars;                                   /* 1..5, NAN = unknown */
    float score;                                   /* similarity as in the file, NAN = unknown */
    int8_t label;                                  /* bw_polarity */
    uint8_t part;                                  /* bw_part */
} bw_row;

typedef struct {
    bw_row *row;
    size_t n, cap;
    bool two_class;
    bool has_label, has_split;
    char *arena; /* the file's text */
    char path[512];
} bw_corpus;

/* Reads a file whole. On failure nothing is left to free. */
bw_status bw_corpus_read(const char *path, bw_corpus *c, bw_err *err);
/* The same from memory: text is cut in place and c's from here on, success or not. */
bw_status bw_corpus_parse(char *text, const char *name, bw_corpus *c, bw_err *err);
void bw_corpus_free(bw_corpus *c);
/* "train" | "dev" | "test" | "all" to a set of parts; BW_EUSAGE otherwise. */
bw_status bw_parts_parse(const char *name, unsigned *parts, bw_err *err);

/* Texts that training must not see, by bw_text_key. */
typedef struct {
    uint64_t *slot;
    size_t n, cap;
} bw_keyset; /* start from {0} */

bw_status bw_keyset_add(bw_keyset *s, uint64_t key, bw_err *err); /* key 0 is ignored */
bool bw_keyset_has(const bw_keyset *s, uint64_t key);
void bw_keyset_free(bw_keyset *s);

/* Key of a row: its text's, or for a pair both texts' in either order. */
uint64_t bw_row_key(const bw_row *r);

/* The aspect (model/shipped/aspects.h) a row of an aspect file speaks of: by a category of the form
 * ENTITY#ATTRIBUTE if that says something, else by its term; -1 when it has neither. */
int bw_row_aspect(const bw_row *r);

/* Adds the keys of the rows of c in these parts. */
bw_status bw_keyset_add_corpus(bw_keyset *s, const bw_corpus *c, unsigned parts, bw_err *err);
/* Adds the test rows of every labelled *.tsv and *.tsv.gz file of a folder, but for those whose name
 * begins with one of except (ends with NULL; may be NULL). */
bw_status bw_keyset_add_folder(bw_keyset *s, const char *folder, const char *const *except,
                               bw_err *err);

#endif
