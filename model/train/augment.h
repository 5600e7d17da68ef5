/* model/train/augment.h - texts made from texts: a few sentences out of one, and one with slips of the
 * keyboard. */
#ifndef BW_MODEL_AUGMENT_H
#define BW_MODEL_AUGMENT_H

#include "model/core/rng.h"

/* One to three consecutive sentences, drawn at random. The caller frees; NULL on out of memory. */
char *bw_some_sentences(const char *text, bw_rng *rng);

/* Each English word of four letters and more gets, with this probability, one slip: two letters
 * exchanged, one dropped or one doubled, never the first. The caller frees; NULL on out of memory. */
char *bw_with_typos(const char *text, double probability, bw_rng *rng);

#endif
