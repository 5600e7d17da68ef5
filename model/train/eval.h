/* model/train/eval.h - what evaluation needs beside the encoder. */
#ifndef BW_MODEL_EVAL_H
#define BW_MODEL_EVAL_H

#include "common/status.h"

#include <cjson/cJSON.h>
#include <stdint.h>

/* Clusters TF-IDF vectors of the texts (hashed words, Chinese pairs of characters, 512 signed
 * dimensions) in the same way and adds "tfidf_nmi" and "tfidf_purity": what topics are compared with. */
bw_status bw_eval_topics_baseline(const char *const *texts, size_t n, const int32_t *label,
                                  size_t k, cJSON *j, bw_err *err);

#endif
