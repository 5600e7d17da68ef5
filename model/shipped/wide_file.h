/* model/shipped/wide_file.h - the wide path in a safetensors file: wide.marks, wide.weight, metadata "wide"
 * with scales and biases. */
#ifndef BW_MODEL_WIDE_FILE_H
#define BW_MODEL_WIDE_FILE_H

#include "model/core/safetensors.h"
#include "model/shipped/wide.h"

#define BW_WIDE_TENSORS 2

/* The tensors and the metadata value of w, for a file of one's own. The caller frees *meta. */
bw_status bw_wide_tensors(const bw_wide *w, bw_tensor t[BW_WIDE_TENSORS], char **meta, bw_err *err);
/* Reads them back; memory is borrowed from f. */
bw_status bw_wide_from(const bw_safetensors *f, bw_wide *w, bw_err *err);

bw_status bw_wide_save(const bw_wide *w, const char *path, bw_err *err);
/* Loads a file written by bw_wide_save; f is to be freed after w. */
bw_status bw_wide_load(const char *path, bw_wide *w, bw_safetensors **f, bw_err *err);

#endif
