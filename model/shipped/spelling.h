/* model/shipped/spelling.h - slips of the keyboard: "delicous" read as "delicious".
 *
 * A word that the vocabulary does not hold whole is read as one of its whole words when that is a
 * single edit away - a letter too many, too few, another, or two swapped (Damerau 1964), the first
 * letter kept - and the training texts hold that word many times more often: a writer who means the
 * frequent word slips more often than anyone means the rare one. Of several the most frequent is
 * taken. Candidates come from an index of forms with one letter left out, as in SymSpell: two words
 * one edit apart share such a form. English only; short words have too many neighbours to guess. */
#ifndef BW_MODEL_SPELLING_H
#define BW_MODEL_SPELLING_H

#include "model/shipped/text.h"
#include "model/shipped/words.h"
#include "model/tokenizer/tokenizer.h"

typedef struct bw_spelling bw_spelling; /* immutable: shared by threads */

/* Indexes the whole words of a byte-level vocabulary. Tokenizer and counts are borrowed. */
bw_status bw_spelling_new(const bw_tokenizer *t, const bw_words *words, bw_spelling **out,
                          bw_err *err);
void bw_spelling_free(bw_spelling *s); /* NULL is fine */

/* The word meant by word[0 .. n), or NULL to leave it: it is known, too short, not of the letters a-z,
 * or nothing is near. Borrowed from the tokenizer. */
const char *bw_spelling_of(const bw_spelling *s, const char *word, size_t n);

/* Puts the words meant into the units of a text; each still points at the bytes it came from. */
bw_status bw_spelling_mend(const bw_spelling *s, bw_units *u, bw_err *err);

#endif
