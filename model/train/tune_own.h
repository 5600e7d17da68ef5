/* model/train/tune_own.h - finished weights tuned on a user's own table. */
#ifndef BW_MODEL_TUNE_OWN_H
#define BW_MODEL_TUNE_OWN_H

#include "common/status.h"

#include <stdint.h>

/* task: "sentiment". table: a TSV with the columns label and text (conventions of model/train/corpus.h; rows
 * of its test part are never trained on). from: a weights file, or "shipped". Writes
 * out/encoder.safetensors and the checkpoints of the run. */
bw_status bw_tune_own(const char *task, const char *table, const char *from, const char *out,
                      uint64_t seed, bw_err *err);

#endif
