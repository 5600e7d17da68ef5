/* model/shipped/noun.h - does a term stand where nouns stand?
 *
 * A topic is named by what it is about, and that is a noun. There is no tagger here, but nouns keep
 * company: in English after an article, a possessive or a preposition with the phrase over behind
 * them ("the zip jams", "of my boots."), or before a form of "be"; in Chinese before an adverb or the
 * verb ("面料很薄"), or after 的 or a measure word with nothing behind it. A verb or an adjective is
 * seldom met there, so the share of its places tells. */
#ifndef BW_MODEL_NOUN_H
#define BW_MODEL_NOUN_H

#include "model/shipped/text.h"

#include <stdbool.h>

/* Of the n units from first on. */
bool bw_noun_place(const bw_units *u, size_t first, size_t n);

#endif
