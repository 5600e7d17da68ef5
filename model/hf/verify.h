/* model/hf/verify.h - inside of `model verify DIR`: comparing this program with recorded answers
 * of a reference implementation.
 *
 * A folder holds a model and expected.json; cmd_verify.c drives, verify_forward.c,
 * verify_training.c and verify_generation.c each compare some of its keys, verify_saved.c what is
 * written when the model is saved again. */
#ifndef BW_MODEL_VERIFY_H
#define BW_MODEL_VERIFY_H

#include "model/hf/hf.h"
#include "model/core/objective.h"

#include <cjson/cJSON.h>

/* One line of the result. */
typedef struct {
    char name[96];
    double worst;  /* largest absolute difference; tokens: number of tokens that differ */
    double excess; /* largest difference / tolerance; 1 is the limit */
    size_t compared;
} bw_quantity;

typedef struct {
    const char *dir;
    bw_transformer *t;
    bw_hf_info info;
    bw_tf_workspace *ws;
    bw_objective *o;
    bool saved; /* save and compare too */
    cJSON *expected;
    bw_quantity *quantities;
    size_t n, cap;
    bw_err *err;
    bw_status status; /* first failure to read or run, not a difference */
} bw_verify;

/* Tolerances: absolute + relative * |expected|. */
typedef struct {
    double abs, rel;
} bw_tolerance;

extern const bw_tolerance BW_TOL_STATES; /* hidden states, logits, log-probabilities */
extern const bw_tolerance BW_TOL_POOLED; /* pooled and normalised embeddings, probabilities */
extern const bw_tolerance BW_TOL_LOSS;
extern const bw_tolerance BW_TOL_GRADIENT;
extern const bw_tolerance BW_TOL_GRADIENT_NORM;
extern const bw_tolerance BW_TOL_EXACT;

/* Adds one comparison to the quantity of that name. NaN is a difference without limit. */
void bw_verify_add(bw_verify *v, const char *name, double found, double expected, bw_tolerance tol);
/* Remembers the first failure. */
void bw_verify_fail(bw_verify *v, bw_status st);

/* ---- reading expected.json ---- */

/* A tensor {"shape", "data"} as JSON; NULL when key is missing or malformed. */
typedef struct {
    size_t n_dims, dim[4], count;
    double *data; /* malloc'd */
} bw_vtensor;
bool bw_vtensor_read(const cJSON *item, bw_vtensor *t); /* false: not there, nothing to free */
/* The value at (i, j, k), missing indices 0. */
double bw_vtensor_at(const bw_vtensor *t, size_t i, size_t j, size_t k);

/* A padded batch, packed: the tokens whose attention mask is 1. */
typedef struct {
    bw_batch batch;
    int32_t *ids, *types, *positions;
    size_t *start;
    size_t *column; /* [n_tokens]: place in the padded row */
    size_t width;   /* of the padded rows */
} bw_vinput;
/* Reads input_ids, attention_mask and, when there, token_type_ids and position_ids. */
bw_status bw_vinput_read(const cJSON *object, bw_vinput *in, bw_err *err);
/* Packs the first lengths[i] columns of each of the n rows of a matrix of ids. */
bw_status bw_vinput_rows(const cJSON *rows, const size_t *lengths, size_t n, bw_vinput *in,
                         bw_err *err);
void bw_vinput_free(bw_vinput *in);
/* A matrix of whole numbers, -100 allowed; [rows][width]; malloc'd, NULL when malformed. */
int32_t *bw_vmatrix_read(const cJSON *rows, size_t *n_rows, size_t *width);

/* ---- the parts ---- */

void bw_verify_forward(bw_verify *v);
void bw_verify_training(bw_verify *v);
void bw_verify_generation(bw_verify *v);
/* Saves the model to a folder under /tmp, which is removed, and compares it with the original. */
void bw_verify_saved(bw_verify *v);

#endif
