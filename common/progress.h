/* common/progress.h - one progress line for long work, on stderr, only on a terminal, only once the
 * work has lasted a second.  "scoring    ▕█████     ▏ 52 %  1,203/s  4 s left" */
#ifndef BW_COMMON_PROGRESS_H
#define BW_COMMON_PROGRESS_H

#include <stddef.h>

typedef struct bw_progress bw_progress;

/* total 0 = unknown. NULL on out of memory, which the other calls accept. */
bw_progress *bw_progress_new(const char *label, size_t total);
/* done of total so far; note (may be NULL) is shown behind, e.g. "loss 0.41". Call as often as you
 * like, from one thread. */
void bw_progress_set(bw_progress *p, size_t done, const char *note);
void bw_progress_free(bw_progress *p); /* erases the line */

#endif
