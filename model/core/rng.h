/* model/core/rng.h - a small seeded generator (SplitMix64, Steele et al. 2014) whose whole state
 * is one number, so that a checkpoint can hold it. */
#ifndef BW_MODEL_RNG_H
#define BW_MODEL_RNG_H

#include <stdint.h>

typedef struct {
    uint64_t state;
} bw_rng;

static inline bw_rng bw_rng_seed(uint64_t seed) {
    return (bw_rng){seed};
}

static inline uint64_t bw_rng_next(bw_rng *r) {
    uint64_t z = r->state += 0x9e3779b97f4a7c15ULL;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
    return z ^ (z >> 31);
}

/* The first number of a seed: spreads a counter or mixes seeds, where no state is kept. */
static inline uint64_t bw_splitmix64(uint64_t seed) {
    return bw_rng_next(&(bw_rng){seed});
}

/* [0, 1), 53 bits */
static inline double bw_rng_uniform(bw_rng *r) {
    return (double)(bw_rng_next(r) >> 11) * 0x1.0p-53;
}

/* 0 .. n - 1 */
static inline uint64_t bw_rng_below(bw_rng *r, uint64_t n) {
    return (uint64_t)(bw_rng_uniform(r) * (double)n);
}

#endif
