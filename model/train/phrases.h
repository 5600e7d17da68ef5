/* model/train/phrases.h - sentences made from patterns: what corpora of reviews hold too few of.
 *
 * The source is UTF-8 text. "@NAME = choice | choice" makes a list; "LABEL  sentence" is a pattern of
 * label positive, negative or neutral, in which {NAME} stands for one choice of that list; lines that
 * begin with # and empty lines say nothing. A pattern gives `copies` sentences with choices drawn from
 * the seed, or as many as its choices can make when those are fewer. */
#ifndef BW_MODEL_PHRASES_H
#define BW_MODEL_PHRASES_H

#include "common/status.h"

#include <stddef.h>
#include <stdint.h>

/* *tsv: a table "label, split, text" as bw_corpus_parse reads it, all rows of the part train; the
 * caller frees. name is for messages. BW_EFORMAT names the line that is wrong. */
bw_status bw_phrases_expand(const char *source, const char *name, size_t copies, uint64_t seed,
                            char **tsv, bw_err *err);

#endif
