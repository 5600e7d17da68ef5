/* model/shipped/pack.h - makes the one file that ships from the parts of a training run.
 *
 * Matrices become int8 with one scale a row (symmetric, max|w| / 127), vectors and heads stay f32.
 * Tensors: the transformer's and the heads' by their own names, "<matrix>.scale", ngram.marks,
 * wide.marks, wide.weight, embed.vectors with its scale, words.seen (model/shipped/words.h), tokenizer.json as
 * bytes. Metadata: config,
 * wide, calibration, recipe, id (from the SHA-256 of all tensors). */
#ifndef BW_MODEL_PACK_H
#define BW_MODEL_PACK_H

#include "model/shipped/bag.h"
#include "model/shipped/deep.h"
#include "model/shipped/wide.h"
#include "model/shipped/words.h"

/* What turns the two paths into probabilities, one set a language (0 en, 1 zh):
 * z = deep_scale * deep + wide_scale * (-s, u, s) + bias; expected stars = 1 + sum over the four
 * thresholds of sigmoid(stars_slope * (z_pos - z_neg) - threshold). */
typedef struct {
    double deep_scale[2], wide_scale[2], bias[2][3];
    double stars_slope, stars_threshold[4];
    double mention_bias[11]; /* [BW_N_ASPECTS]: added to the mention logits */
} bw_calibration;

bw_calibration bw_calibration_default(void);
char *bw_calibration_json(const bw_calibration *c); /* caller frees */
bw_status bw_calibration_parse(const char *json, bw_calibration *c, bw_err *err);

/* What is packed: all borrowed. */
typedef struct {
    const bw_deep *deep;
    const bw_wide *wide;
    const bw_bag *bag;
    const bw_words *words; /* may be empty: then no slip is mended */
} bw_pack_parts;

bw_status bw_pack(const bw_pack_parts *x, const bw_calibration *c, const char *recipe,
                  const char *path, bw_err *err);

#endif
