/* model/core/pace.c - see pace.h. */
#include "model/core/pace.h"

#define FIRST_WAIT   16u
#define LONGEST_WAIT 4096u

static bool both_tried(const bw_pace *p) {
    return p->seconds[0] > 0 && p->seconds[1] > 0;
}

bool bw_pace_next(const bw_pace *p) {
    if (!both_tried(p))
        return !(p->seconds[1] > 0);
    bool trial = !p->left;
    return trial ? !p->shared : p->shared;
}

void bw_pace_note(bw_pace *p, double seconds) {
    bool way = bw_pace_next(p), first = !both_tried(p);
    p->seconds[way] = seconds;
    if (!both_tried(p))
        return;
    if (!first && p->left) {
        p->left--;
        return;
    }
    bool faster = p->seconds[1] < p->seconds[0];
    bool changed = first || faster != p->shared;
    p->wait = changed ? FIRST_WAIT : p->wait < LONGEST_WAIT ? 2 * p->wait : p->wait;
    p->left = p->wait;
    p->shared = faster;
}
