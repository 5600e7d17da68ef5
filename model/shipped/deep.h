/* model/shipped/deep.h - the encoder as it is trained: tokenizer, n-gram table, transformer and heads.
 *
 * Lives in a folder: tokenizer.json, deep.safetensors (f32 weights, n-gram marks, configuration in
 * its metadata). What ships is made from it by model/shipped/pack.h. */
#ifndef BW_MODEL_DEEP_H
#define BW_MODEL_DEEP_H

#include "model/shipped/readout.h"
#include "model/shipped/inputs.h"
#include "model/train/recipe.h"

#define BW_MAX_UNITS 2000 /* units of one text that are looked at */

typedef struct {
    bw_tokenizer *tokenizer;
    bw_gram_table table;
    uint8_t *marks;
    bw_transformer *tf;
    bw_readout heads;
} bw_deep;

/* A new one for a recipe: trains the tokenizer on its texts (sections "tokenizer", "ngrams"), chooses
 * the n-grams, draws random weights (section "encoder"). */
bw_status bw_deep_new(const bw_recipe *r, const bw_dataset *d, uint64_t seed, bw_deep *out,
                      bw_err *err);
/* Gives m new layers and heads of the recipe's shape, with random weights; the vocabulary, the n-grams
 * and their embeddings stay. BW_EARG when the recipe's "embed" is another width than theirs. */
bw_status bw_deep_regrow(const bw_recipe *r, uint64_t seed, bw_deep *m, bw_err *err);
bw_status bw_deep_save(const bw_deep *m, const char *folder, bw_err *err);
bw_status bw_deep_load(const char *folder, bw_deep *out, bw_err *err);
/* Puts the moving average of a stage's checkpoint ("tune") in the place of the weights; nothing when
 * the folder holds none. */
bw_status bw_deep_take_average(bw_deep *m, const char *folder, const char *stage, bw_err *err);
/* m becomes the mean of its weights and other's: runs tuned from one pre-training lie in one basin, and
 * their mean errs less than either (Wortsman et al. 2022, "Model soups"). BW_EARG when the two differ in
 * shape, vocabulary or n-grams. */
bw_status bw_deep_mean(bw_deep *m, const bw_deep *other, bw_err *err);
void bw_deep_free(bw_deep *m);

bw_reader bw_deep_reader(const bw_deep *m);

/* The transformer's configuration as JSON and back: what metadata hold. The caller frees. */
char *bw_deep_config_json(const bw_deep *m);
bw_status bw_deep_config_parse(const char *json, bw_tf_config *config, size_t *ngram_sets,
                               bw_err *err);

#endif
