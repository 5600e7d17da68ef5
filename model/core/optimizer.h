/* model/core/optimizer.h - AdamW with decoupled decay (Loshchilov & Hutter 2019), over any number
 * of parameter blocks: a transformer's, and those of task heads beside it.
 *
 *     bw_optimizer *o = NULL;
 *     st = bw_optimizer_new(&(bw_adamw){.lr = 5e-4, .weight_decay = 0.01, .clip = 1.0,
 *                                       .warmup = 100, .total = 5000}, &o, &err);
 *     st = bw_optimizer_add(o, "model", bw_transformer_params(t), (bw_group){0}, &err);
 *     each step: backward..., then bw_optimizer_step(o, &norm, &err);
 *
 * A step is a pure function of weights, gradients and state: save, load and go on gives the same
 * bytes as never having stopped. */
#ifndef BW_MODEL_OPTIMIZER_H
#define BW_MODEL_OPTIMIZER_H

#include "model/core/params.h"

typedef struct bw_optimizer bw_optimizer;

typedef enum { BW_LR_LINEAR, BW_LR_COSINE, BW_LR_CONSTANT } bw_lr_decay;

typedef struct {
    double lr;           /* peak learning rate */
    double beta1, beta2; /* 0 = 0.9, 0.999 */
    double eps;          /* 0 = 1e-8 */
    double weight_decay;
    double clip;   /* gradients are scaled down to this global norm; 0 = never */
    size_t warmup; /* steps of linear rise: step k uses lr * k / warmup, k from 1 */
    size_t total;  /* steps to the end of the decay; 0 = constant after warm-up */
    bw_lr_decay decay;
    double final_ratio; /* of the peak at step `total` */
} bw_adamw;

typedef struct {
    double lr_scale;    /* 0 = 1 */
    double layer_decay; /* learning rate times layer_decay^(deepest - depth); 0 = 1 */
    bool decay_all;     /* decay on biases and norms too; false leaves BW_PARAM_NO_DECAY out */
} bw_group;

bw_status bw_optimizer_new(const bw_adamw *settings, bw_optimizer **out, bw_err *err);
void bw_optimizer_free(bw_optimizer *o); /* NULL is fine */
/* Registers a block, borrowed until the optimiser is freed. label makes its state's names
 * unique. */
bw_status bw_optimizer_add(bw_optimizer *o, const char *label, bw_params *p, bw_group group,
                           bw_err *err);

/* Clips, updates the weights, zeroes the gradients. *norm (or NULL) is the global norm before
 * clipping. BW_EDATA when it is not finite: nothing was changed. */
bw_status bw_optimizer_step(bw_optimizer *o, double *norm, bw_err *err);
/* Global norm of the gradients as they are. */
double bw_optimizer_grad_norm(const bw_optimizer *o);
/* Scales all gradients, e.g. by 1/k after k accumulated batches. */
void bw_optimizer_scale_grad(bw_optimizer *o, double factor);
size_t bw_optimizer_steps(const bw_optimizer *o);
/* The learning rate that step k (from 1) uses. */
double bw_adamw_lr(const bw_adamw *s, size_t k);

/* Writes steps and moments of all blocks; reads them back into an optimiser to which the same
 * blocks were added. Weights are saved by their owners. */
bw_status bw_optimizer_save(const bw_optimizer *o, const char *path, bw_err *err);
bw_status bw_optimizer_load(bw_optimizer *o, const char *path, bw_err *err);

#endif
