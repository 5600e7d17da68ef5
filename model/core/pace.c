/* model/core/pace.c - see pace.h. */
#include "model/core/pace.h"

#define FIRST_WAIT   16u
#define LONGEST_WAIT 4096u

static bool on_trial(const bw_pace *p) {
    return !p->left;
}

bool bw_pace_next(const bw_pace *p) {
    bool untried = !p->seconds[0] || !p->seconds[1];
    if (untried)
        return !p->seconds[1];
    return on_trial(p) ? !p->shared : p->shared;
}

void bw_pace_note(bw_pace *p, double seconds) {
    bool way = bw_pace_next(p), first = !p->seconds[0] || !p->seconds[1];
    p->seconds[way] = seconds;
    if (!p->seconds[0] || !p->seconds[1])
        return;
    if (!first && !on_trial(p)) {
        p->left--;
        return;
    }
    bool faster = p->seconds[1] < p->seconds[0];
    bool changed = first || faster != p->shared;
    p->wait = changed ? FIRST_WAIT : p->wait < LONGEST_WAIT ? 2 * p->wait : p->wait;
    p->left = p->wait;
    p->shared = faster;
}
