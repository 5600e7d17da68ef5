/* model/shipped/aspects.h - the aspects that reviews are scored for, and the words that name them.
 *
 * The corpora label aspect terms ("battery life") and categories ("FOOD#PRICES", "staff"). One table
 * of words maps both onto our ten aspects; the longest word found decides. The same table says
 * whether a text may speak of an aspect at all, for corpora that do not label it. */
#ifndef BW_MODEL_ASPECTS_H
#define BW_MODEL_ASPECTS_H

#include <stddef.h>
#include <stdint.h>

typedef enum {
    BW_PRICE,
    BW_QUALITY,
    BW_DELIVERY,
    BW_SERVICE,
    BW_DESIGN,
    BW_USABILITY,
    BW_FIT,
    BW_FOOD,
    BW_AMBIENCE,
    BW_OTHER,
    BW_N_ASPECTS
} bw_aspect;

extern const char *const BW_ASPECT_NAME[BW_N_ASPECTS]; /* "price", ... */

/* The aspect a term or category belongs to; BW_OTHER when no word of the table is in it, -1 for ""
 * and NULL. English is compared without case. */
int bw_aspect_of(const char *term);
/* Bit a is set when a word of aspect a occurs in the text. */
unsigned bw_aspect_words(const char *text);

/* Where in bytes [0, n) of text the first word of each aspect stands. */
typedef struct {
    unsigned found; /* bit a: begin[a] and end[a] are set */
    uint32_t begin[BW_N_ASPECTS], end[BW_N_ASPECTS];
} bw_aspect_places;
bw_aspect_places bw_aspect_find(const char *text, size_t n);

#endif
