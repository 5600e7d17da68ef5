/* model/core/pace.h - whether short steps run on one thread or on all: as was faster lately.
 *
 * A step of decoding is some hundred products of microseconds each, and threads meet after every
 * one. On idle cores sharing them pays; beside other busy programs one late thread keeps the others
 * waiting, a hundred times a step. Which holds is seen only by trying, so now and then one step
 * runs the other way. The choice never changes a result: see packed.h. */
#ifndef BW_MODEL_PACE_H
#define BW_MODEL_PACE_H

#include <stdbool.h>

/* Start from {0}. */
typedef struct {
    double seconds[2]; /* of the last step on one thread, on all; 0: not tried yet */
    unsigned tries;    /* first steps noted; the first of each way is cold, so there are two */
    bool shared;       /* the faster way, after the first steps */
    unsigned left;     /* steps until the other way is tried again */
    unsigned wait;     /* what left starts from; doubles with each trial that fails */
} bw_pace;

/* How the next step should run: on all threads? */
bool bw_pace_next(const bw_pace *p);
/* What it took, run as bw_pace_next said; seconds > 0. Steps should be alike in work. */
void bw_pace_note(bw_pace *p, double seconds);

#endif
