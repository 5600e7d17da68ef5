/* reports/words/prose.h - from a planned message to checked sentences.
 *
 * A realiser is whatever can put a message into words. They are tried in order; a text stands only
 * when the guard lets it pass: every number, name, direction and hedge in it must match the
 * message's facts, and every fact must be said. The grammar comes last; its sentences are checked by
 * the same guard in the tests. */
#ifndef BW_REPORTS_PROSE_H
#define BW_REPORTS_PROSE_H

#include "reports/shop.h"

typedef struct bw_realiser {
    const char *name; /* "grammar" */
    /* Appends plain or marked text for the message; anything but BW_OK passes it to the next one. */
    bw_status (*write)(void *self, const bw_shop *s, const bw_message *m, bw_buf *out, bw_err *err);
    void *self;
    const struct bw_realiser *next; /* tried when this one fails or the guard refuses */
} bw_realiser;

/* Realisers to be tried before the grammar, NULL for none. Borrowed. */
void bw_prose_set(const bw_realiser *first);

/* Writes the message by the first realiser that passes, at the latest by the grammar. */
void bw_prose_write(const bw_shop *s, const bw_message *m, bw_buf *out);

#endif
