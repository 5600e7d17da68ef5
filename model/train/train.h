/* model/train/train.h - training of the encoder: pre-training, then one joint tuning of all heads.
 *
 * A step draws texts until it has `batch_tokens` tokens: a set by its share (weight * rows^share_power),
 * then that set's next text in an order that is a permutation of it, anew each round. All that a step
 * draws follows from the seed, the step's number and the sets' positions, so a run that is stopped
 * and resumed writes the same bytes as one that was not.
 *
 * Checkpoint: the folder of model/shipped/deep.h and in it <stage>.optimizer, <stage>.json (step, positions,
 * tokens, hours, losses) and average.safetensors, the moving average of the weights that evaluation
 * and shipping use. */
#ifndef BW_MODEL_TRAIN_H
#define BW_MODEL_TRAIN_H

#include "model/shipped/deep.h"
#include "model/shipped/encoder.h"
#include "model/core/rng.h"

typedef enum { BW_STAGE_PRETRAIN, BW_STAGE_TUNE } bw_stage;

typedef struct {
    bw_stage stage;
    const char *folder; /* checkpoints */
    double minutes;     /* stop after so long, at a checkpoint; 0 = when the schedule ends */
    size_t steps;       /* stop after so many steps of this call, at a checkpoint; 0 = likewise */
    uint64_t seed;
    bool resume;
} bw_train_options;

/* Trains m in place; at the end of the schedule m becomes the moving average. The schedule is in the recipe's section "pretrain" or "tune": tokens, rate,
 * warmup, batch_tokens, max_tokens, decay, ngram_drop, word_drop, neutral_weight, share_power, average;
 * tuning also knows teacher, teacher_weight, text_share, some_sentences, typos, adversarial. Progress goes to stderr; BW_EINTERRUPTED after Ctrl-C, with a checkpoint written. */
bw_status bw_train(const bw_recipe *r, const bw_dataset *d, bw_deep *m, const bw_train_options *o,
                   bw_err *err);

/* Removes a stage's checkpoint from a folder: its weights were changed otherwise since. */
void bw_train_forget(const char *folder, bw_stage stage);

/* ---- the parts, shared by the two stages ---- */

/* One training text: consecutive examples of one text (an aspect file repeats it). */
typedef struct {
    uint32_t first, n;
} bw_item;

typedef struct {
    bw_item *item; /* those of one set lie together */
    size_t n;
    size_t *begin;    /* [sets + 1] */
    size_t *position; /* [sets] texts drawn so far: the state */
    double *share;    /* [sets] cumulative, last is 1; a set without part has no width */
    size_t sets;
} bw_mixer;

/* Items of the examples that keep(example) says; shares as above, those of texts without a label
 * times text_share. */
bw_status bw_mixer_new(const bw_recipe *r, const bw_dataset *d, double share_power,
                       double text_share, bool (*keep)(const bw_example *), bw_mixer *out,
                       bw_err *err);
void bw_mixer_free(bw_mixer *s);
const bw_item *bw_mixer_next(bw_mixer *s, bw_rng *rng, uint64_t seed);

/* Losses of a step: sums and how many terms each has. */
enum {
    BW_LOSS_SENTIMENT,
    BW_LOSS_MENTION,
    BW_LOSS_POLARITY,
    BW_LOSS_MLM,
    BW_LOSS_NSP,
    BW_N_LOSSES
};
typedef struct {
    double sum[BW_N_LOSSES];
    size_t n[BW_N_LOSSES];
} bw_losses;

typedef struct {
    const bw_recipe *recipe;
    const bw_dataset *data;
    bw_deep *model;
    bw_mixer sampler;
    bw_params extra; /* weights that only training needs: the bias over the vocabulary */
    bw_inputs in;
    bw_reader reader;
    bw_tf_workspace *ws;
    float *d_hidden;
    size_t d_cap;
    bw_rng rng; /* of this step */
    uint64_t seed;
    size_t batch_tokens, max_tokens;
    float ngram_drop, word_drop;
    float neutral_weight; /* of neutral rows in the sentiment loss: they are few */
    bw_encoder *teacher;  /* finished weights that label what no one has; NULL: none */
    float teacher_weight; /* of its labels in the loss */
    float some_sentences; /* probability that of a labelled text only some sentences are read */
    float
        adversarial; /* length of the worst shift of a text's embeddings, as a share of theirs; 0: none */
    float *shift; /* [tokens of the batch, embed_dim] */
    size_t shift_cap;
    float typos; /* probability that a labelled English text gets slips of the keyboard */
    void *jobs;  /* private to the stage */
    size_t n_jobs, cap_jobs;
} bw_trainer_state;

/* Draws a batch, runs it forward and backward; gradients are left in the model. */
bw_status bw_tune_step(bw_trainer_state *t, bw_losses *l, bw_err *err);
bw_status bw_pretrain_step(bw_trainer_state *t, bw_losses *l, bw_err *err);

/* Grows t->d_hidden to the batch and zeroes it. */
bw_status bw_train_hidden(bw_trainer_state *t, bw_err *err);
/* Appends a zeroed job of `size` bytes to t->jobs. NULL on out of memory. */
void *bw_train_job(bw_trainer_state *t, size_t size);
/* From token `from` on: drops n-grams and, with [UNK], words at random. */
void bw_train_drop(bw_trainer_state *t, size_t from);
/* softmax cross-entropy over n classes with weight w: loss returned, gradient to d. classes with
 * allow[k] false take no part (allow NULL: all do). */
double bw_train_cross_entropy(const float *z, size_t n, size_t label, float w, const bool *allow,
                              float *d);

#endif
