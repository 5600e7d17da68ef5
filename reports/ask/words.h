/* reports/ask/words.h - a text as the matcher sees it: a sequence of small words.
 *
 * Unicode NFKC and case folding first; then each run of letters or of digits is a word, except that
 * every Chinese, Japanese or Korean character is a word of its own, since those are written without
 * spaces. Marks, spaces and underscores only separate; a brace group {channel} stays one word. */
#ifndef BW_REPORTS_ASK_WORDS_H
#define BW_REPORTS_ASK_WORDS_H

#include "reports/arena.h"

typedef struct {
    const char **word; /* in the arena */
    size_t n;
} bw_words;

/* Invalid UTF-8 is read as its longest valid beginning. */
bw_words bw_words_of(bw_arena *a, const char *text);

/* Optimal string alignment distance (a swap of neighbours counts one), by bytes; 99 for texts of more
 * than 60 bytes. */
size_t bw_words_distance(const char *x, const char *y);

/* Equal, or for words of 5 bytes and more one typing error apart, of 9 and more two. */
bool bw_words_alike(const char *x, const char *y);

#endif
