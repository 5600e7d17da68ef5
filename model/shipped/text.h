/* model/shipped/text.h - a text as the encoder sees it: units with their place in the source.
 *
 * A unit is a word, a number, one Chinese character, one punctuation mark or one symbol (emoji).
 * Latin words are lower-cased and contractions cut as treebanks do ("doesn't" -> "does", "not"), full
 * width forms become ASCII, typographic quotes plain, "soooo" becomes "soo", "!!!!" one "!!", a
 * number of three or more digits only its length, an address "url", a handle "@user". So texts from
 * many sources look alike, names and amounts matter little, and each unit still points at the bytes
 * it came from. Invalid UTF-8 and control characters separate units, nothing else. */
#ifndef BW_MODEL_TEXT_H
#define BW_MODEL_TEXT_H

#include "common/status.h"

#include <stdint.h>

typedef enum {
    BW_UNIT_WORD,
    BW_UNIT_NUMBER,
    BW_UNIT_HAN,
    BW_UNIT_MARK,
    BW_UNIT_SYMBOL
} bw_unit_kind;

typedef struct {
    uint32_t begin, end; /* bytes of the source */
    uint32_t at, len;    /* normal form: bw_units.norm + at */
    uint64_t hash;       /* of the normal form */
    bw_unit_kind kind;
} bw_unit;

typedef struct {
    bw_unit *unit;
    size_t n, cap;
    char *norm; /* normal forms, a space before each that is not Chinese: " does not不错 ," */
    size_t norm_len, norm_cap;
} bw_units; /* start from {0}; reused by each split */

/* Splits text (len bytes) into at most max units (0 = no limit); what was there before is lost. */
bw_status bw_units_split(bw_units *u, const char *text, size_t len, size_t max, bw_err *err);
/* Gives unit i another normal form of lower-case words; its place in the source stays. */
bw_status bw_units_rewrite(bw_units *u, size_t i, const char *form, bw_err *err);
void bw_units_free(bw_units *u);

/* The hash of a normal form. */
uint64_t bw_unit_hash(const char *norm, size_t len);

/* Key by which two texts count as the same: FNV-1a over letters and digits only, lower-cased; 0 when
 * there is none. */
uint64_t bw_text_key(const char *text);

/* "zh" when at least a fifth of the letters are Chinese characters, "en" otherwise: the two languages
 * of the shipped encoder. */
const char *bw_text_language(const char *text);

/* The next sentence of text from *at on: its length in bytes, 0 at the end; *at is moved behind it.
 * Ends at . ! ? ; and line breaks and their Chinese forms; a dot inside a number does not end one. */
size_t bw_text_sentence(const char *text, size_t *at, const char **begin);

/* Mixes 64 bits well (the finaliser of MurmurHash3). */
static inline uint64_t bw_mix64(uint64_t x) {
    x ^= x >> 33;
    x *= 0xff51afd7ed558ccdULL;
    x ^= x >> 33;
    x *= 0xc4ceb9fe1a85ec53ULL;
    return x ^ (x >> 33);
}

#endif
