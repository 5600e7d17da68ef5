/* model/shipped/bag_file.h - text embeddings in a safetensors file: embed.vectors (int8), embed.vectors.scale. */
#ifndef BW_MODEL_BAG_FILE_H
#define BW_MODEL_BAG_FILE_H

#include "model/shipped/bag.h"
#include "model/core/safetensors.h"

/* Reads from f; vectors are borrowed from it, scales are a copy that bw_bag_free frees. */
bw_status bw_bag_from(const bw_safetensors *f, size_t vocab, bw_bag *b, bw_err *err);
bw_status bw_bag_save(const bw_bag *b, const char *path, bw_err *err);
/* f is to be freed after b. */
bw_status bw_bag_load(const char *path, bw_bag *b, bw_safetensors **f, bw_err *err);

#endif
