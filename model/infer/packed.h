/* model/infer/packed.h - inference GEMM: y = x W^T + b with the weights packed once.
 *
 * A packed weight is held as f32, bf16 or int8 in panels of 32 outputs, in the order in which a
 * register tile reads them. Rows of x are independent: row r of y has the same bits whatever other
 * rows are computed with it, by whichever thread. With f32 and int8 every instruction set gives the
 * same bits too: sums of f32 are fused multiply-adds in one fixed order (worked out in double
 * where a machine has none), those of int8 are integers, and the rest is IEEE arithmetic. The
 * instructions for bf16 round in their own way.
 *
 * int8: weights symmetric per output (scale = max|w| / 127), activations symmetric per row at run
 * time (Zafrir et al. 2019, "Q8BERT", section 3.1).
 *
 * Thread-safe once built: any number of threads may use one packed weight, each with its own
 * rows. */
#ifndef BW_MODEL_PACKED_H
#define BW_MODEL_PACKED_H

#include "common/status.h"

#include <stdint.h>

typedef enum { BW_PACK_F32, BW_PACK_BF16, BW_PACK_INT8 } bw_pack_kind;

/* Instruction sets in rising order; each has a kernel for each kind, BW_ISA_PLAIN is the twin that
 * the others are tested against. */
typedef enum { BW_ISA_PLAIN, BW_ISA_NEON, BW_ISA_AVX2, BW_ISA_AVX512, BW_ISA_COUNT } bw_isa;

/* The best set this machine has, or the last one forced. */
bw_isa bw_isa_best(void);
/* Forces a set for tests and benchmarks; false, and no change, when the machine lacks it. */
bool bw_isa_force(bw_isa isa);
const char *bw_isa_name(bw_isa isa);

typedef struct bw_packed bw_packed;

/* W: [out, in] row-major   bias: [out] or NULL. Both are copied. On BW_OK, *p is the caller's. */
bw_status bw_packed_new(bw_pack_kind kind, const float *W, const float *bias, size_t out, size_t in,
                        bw_packed **p, bw_err *err);
/* From weights that are int8 already.   q: [out, in]   scale: [out], W = scale * q */
bw_status bw_packed_new_int8(const int8_t *q, const float *scale, const float *bias, size_t out,
                             size_t in, bw_packed **p, bw_err *err);
void bw_packed_free(bw_packed *p); /* NULL is fine */

size_t bw_packed_in(const bw_packed *p);
size_t bw_packed_out(const bw_packed *p);
/* Bytes of weights that a product reads: what it costs where memory is the limit. */
size_t bw_packed_bytes(const bw_packed *p);

/* Rows of activations in the form the kernels of one kind read, so that several weights (query,
 * key, value) share one conversion. Bytes of workspace for so many rows; 64-byte aligned memory. */
size_t bw_rows_size(bw_pack_kind kind, size_t rows, size_t in);
/* x: [rows, in]   work: bw_rows_size(kind, rows, in) bytes, aligned to 64. Packed rows of f32 are x
 * itself, so that x may stand for them and nothing need be packed. */
void bw_rows_pack(bw_pack_kind kind, const float *x, size_t rows, size_t in, void *work);

typedef enum { BW_FUSE_NONE, BW_FUSE_GELU, BW_FUSE_RELU, BW_FUSE_SILU } bw_fuse;

/* y = act(x W^T + b) from packed rows.   y: [rows, out], leading dimension ldy >= out */
void bw_packed_mul(const bw_packed *p, const void *work, size_t rows, bw_fuse act, float *y,
                   size_t ldy);
/* Part `part` of `parts` of the same product: some of the outputs, the same bits, no activation.
 * For few rows, whose product is a single pass over the weights that threads divide. */
void bw_packed_mul_part(const bw_packed *p, const void *work, size_t rows, size_t part,
                        size_t parts, float *y, size_t ldy);

/* x: [n] in place; GELU is the erf form, to 2.2e-6. Same bits on every machine. */
void bw_fuse_apply(bw_fuse act, float *x, size_t n);

#endif
