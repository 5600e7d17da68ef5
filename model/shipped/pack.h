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

/* What turns the two paths into probabilities, one set a language (0 en, 1 zh). With x a text's length
 * (bw_length_feature) and m = mix + x * by_length,
 *     z = m[BW_MIX_DEEP] * deep + m[BW_MIX_WIDE] * (-s, u, s) + m[BW_MIX_BIAS ..]:
 * a long text is where n-grams know more, and where praise and blame stand side by side. Expected
 * stars = 1 + sum over the four thresholds of sigmoid(stars_slope * (z_pos - z_neg) - threshold). */
enum { BW_MIX_DEEP, BW_MIX_WIDE, BW_MIX_BIAS, BW_N_MIX = BW_MIX_BIAS + 3 };
typedef struct {
    double mix[2][BW_N_MIX], by_length[2][BW_N_MIX];
    double stars_slope, stars_threshold[4];
    double mention_bias[11]; /* [BW_N_ASPECTS]: added to the mention logits */
} bw_calibration;

/* log(tokens / 32), at most 2 either way. */
double bw_length_feature(size_t tokens);
/* The three logits of a text from its deep logits and the wide path's (s, u). */
void bw_calibration_logits(const bw_calibration *c, bool zh, double length, const float deep[3],
                           const float wide[2], double z[3]);
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
