/* model/train/augment.c - see augment.h. */
#include "model/train/augment.h"

#include "model/shipped/text.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#define MAX_SENTENCES 128
#define MOST_AT_ONCE  3
#define SHORTEST      4 /* letters of a word that may get a slip */

char *bw_some_sentences(const char *text, bw_rng *rng) {
    const char *start[MAX_SENTENCES], *end[MAX_SENTENCES], *s;
    size_t n = 0, at = 0;
    for (size_t len; n < MAX_SENTENCES && (len = bw_text_sentence(text, &at, &s)) > 0; n++) {
        start[n] = s;
        end[n] = s + len;
    }
    if (n == 0)
        return strdup(text);
    size_t first = bw_rng_below(rng, n), last = first + bw_rng_below(rng, MOST_AT_ONCE);
    last = last < n ? last : n - 1;
    return strndup(start[first], (size_t)(end[last] - start[first]));
}

/* Writes a word with one slip to out; returns how many bytes. */
static size_t slip(const char *word, size_t n, bw_rng *rng, char *out) {
    size_t at = 1 + bw_rng_below(rng, n - 2), kind = bw_rng_below(rng, 3);
    memcpy(out, word, n);
    if (kind == 0) {
        out[at] = word[at + 1];
        out[at + 1] = word[at];
        return n;
    }
    if (kind == 1) {
        memmove(out + at, out + at + 1, n - at - 1);
        return n - 1;
    }
    memmove(out + at + 1, out + at, n - at);
    return n + 1;
}

char *bw_with_typos(const char *text, double probability, bw_rng *rng) {
    size_t len = strlen(text), w = 0;
    char *out = malloc(len + len / SHORTEST + 2); /* a slip adds at most one letter to a word */
    if (!out)
        return NULL;
    for (size_t i = 0, n; i < len; i += n) {
        for (n = 0; i + n < len && isalpha((unsigned char)text[i + n]);)
            n++;
        if (n >= SHORTEST && bw_rng_uniform(rng) < probability) {
            w += slip(text + i, n, rng, out + w);
            continue;
        }
        n = n ? n : 1;
        memcpy(out + w, text + i, n);
        w += n;
    }
    out[w] = '\0';
    return out;
}
