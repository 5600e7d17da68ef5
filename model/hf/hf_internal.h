/* model/hf/hf_internal.h - what hf_names.c, hf_config.c, hf_load.c and hf_save.c share. */
#ifndef BW_MODEL_HF_INTERNAL_H
#define BW_MODEL_HF_INTERNAL_H

#include "model/hf/hf.h"
#include "model/train/settings.h"

/* A family's part of config.json. */
typedef struct {
    void (*read)(bw_set_reader *r, bw_hf_info *info, bw_tf_config *c);
    void (*write)(cJSON *j, const bw_tf_config *c);
    const char *classifier, *lm; /* classes with a head; NULL: no such */
} bw_hf_family_row;
extern const bw_hf_family_row BW_HF_FAMILIES[]; /* by bw_hf_family */

/* The k-th name under which files may hold the tensor of a view; false past the last. */
bool bw_hf_alternative(const bw_transformer *t, const bw_hf_info *info, const bw_hf_view *v,
                       size_t k, char out[160]);
/* The class without a head ("BertModel"), whose files have no prefix. */
const char *bw_hf_base_class(bw_hf_family family);

/* The class that has the heads of info's configuration, or info's own. */
const char *bw_hf_class(const bw_hf_info *info);

/* Fills info from the text of a config.json; name is for messages. */
bw_status bw_hf_config_parse(const char *name, const char *text, bw_hf_info *info, bw_err *err);
/* The text of a config.json for info; the caller frees. NULL when memory ran out. */
char *bw_hf_config_text(const bw_hf_info *info, bw_dtype dtype);

/* Files of weights in a folder. */
#define BW_HF_WEIGHTS "model.safetensors"
#define BW_HF_INDEX   "model.safetensors.index.json"

bw_status bw_hf_write_weights(const char *dir, const bw_transformer *t, const bw_hf_info *info,
                              const bw_hf_format *format, bw_err *err);

#endif
