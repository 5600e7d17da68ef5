/* model/core/pace.c - see pace.h. */
#include "model/core/pace.h"

#define FIRST_WAIT   16u
#define LONGEST_WAIT 4096u

#define FIRST_TRIES 4u

bool bw_pace_next(const bw_pace *p) {
    if (p->tries < FIRST_TRIES)
        return p->tries % 2 == 0;
    bool trial = !p->left;
    return trial ? !p->shared : p->shared;
}

/* Keeps the better of the first steps of each way; true when none is left to try. */
static bool first_steps_done(bw_pace *p, bool way, double seconds) {
    if (p->tries < 2 || seconds < p->seconds[way])
        p->seconds[way] = seconds;
    return ++p->tries == FIRST_TRIES;
}

void bw_pace_note(bw_pace *p, double seconds) {
    bool way = bw_pace_next(p), first = p->tries < FIRST_TRIES;
    if (first && !first_steps_done(p, way, seconds))
        return;
    if (!first)
        p->seconds[way] = seconds;
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
