/* model/shipped/parts.h - the shipped file taken apart again: for scoring, and to be tuned further. */
#ifndef BW_MODEL_PARTS_H
#define BW_MODEL_PARTS_H

#include "model/shipped/pack.h"
#include "model/core/safetensors.h"

typedef struct {
    bw_safetensors *file; /* wide and bag borrow from it */
    bw_deep deep;         /* int8 rows widened to f32 */
    bw_wide wide;
    bw_bag bag;
    bw_calibration calibration;
    bw_words words;        /* borrows from file; empty when it has none */
    bw_spelling *spelling; /* NULL without words */
    char id[24];
} bw_parts;

/* Opens path, or the weights compiled into the program when it is NULL. Every tensor's type and
 * shape is checked. On failure nothing is left to free. */
bw_status bw_parts_open(const char *path, bw_parts *p, bw_err *err);
void bw_parts_free(bw_parts *p);

#endif
