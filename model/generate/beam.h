/* model/generate/beam.h - the beam search of generate.c; settings are checked already. */
#ifndef BW_MODEL_BEAM_H
#define BW_MODEL_BEAM_H

#include "model/generate/generate.h"

/* out->seq has room for how->n sequences, zeroed; on failure what it holds is freed by the
 * caller. */
bw_status bw_beam_search(const bw_stepper *model, const int32_t *prompt, size_t n_prompt,
                         const bw_generation *how, bw_generated *out, bw_err *err);

#endif
