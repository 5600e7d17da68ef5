/* model/shipped/calibrate.h - fits what turns raw scores into probabilities and stars, on development rows.
 *
 * Per language, by gradient descent on the mean cross-entropy, each set of the recipe counting
 * equally and few rows moving little from where it starts: one scale for each path (temperature and
 * mixture at once) and a bias a class, and how each of them changes with a text's length. Neutral rows count calibrate.neutral_weight times: they are
 * few, and by likelihood alone hardly any mixed review would be called neutral. Stars: the
 * proportional-odds model (McCullagh 1980) of the stars given z_pos - z_neg. */
#ifndef BW_MODEL_CALIBRATE_H
#define BW_MODEL_CALIBRATE_H

#include "model/shipped/encoder.h"
#include "model/shipped/pack.h"

/* *out is where the fit starts, and its result; a language without rows keeps its numbers. */
bw_status bw_calibrate(const bw_encoder *e, const bw_recipe *r, const bw_dataset *d,
                       bw_calibration *out, bw_err *err);

/* Packs twice: once to score the development rows with what ships, once with their calibration. With
 * fewer than BW_CALIBRATION_MIN development rows *start stays. */
bw_status bw_pack_calibrated(const bw_recipe *r, const bw_dataset *d, const bw_pack_parts *x,
                             const bw_calibration *start, const char *path, bw_err *err);
#define BW_CALIBRATION_MIN 50

#endif
