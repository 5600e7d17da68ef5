/* common/progress.c - draws at most ten times a second, so callers need not count. */
#include "common/progress.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define SHOW_AFTER_S 1.0
#define REDRAW_S     0.1
#define BAR_WIDTH    20

struct bw_progress {
    char label[40];
    size_t total;
    double start, drawn;
    bool terminal, visible;
};

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

bw_progress *bw_progress_new(const char *label, size_t total) {
    bw_progress *p = calloc(1, sizeof *p);
    if (!p)
        return NULL;
    snprintf(p->label, sizeof p->label, "%s", label);
    p->total = total;
    p->start = now();
    p->terminal = isatty(STDERR_FILENO) != 0;
    return p;
}

static void draw_bar(double share) {
    int full = (int)(share * BAR_WIDTH + 0.5);
    fputs("▕", stderr);
    for (int i = 0; i < BAR_WIDTH; i++)
        fputs(i < full ? "█" : " ", stderr);
    fprintf(stderr, "▏%3.0f %%", 100.0 * share);
}

void bw_progress_set(bw_progress *p, size_t done, const char *note) {
    if (!p || !p->terminal)
        return;
    double t = now(), spent = t - p->start;
    if (spent < SHOW_AFTER_S || t - p->drawn < REDRAW_S)
        return;
    p->drawn = t;
    p->visible = true;
    double rate = (double)done / spent;
    fprintf(stderr, "\r\033[K%-16s", p->label);
    if (p->total)
        draw_bar(done >= p->total ? 1.0 : (double)done / (double)p->total);
    fprintf(stderr, "  %.0f/s", rate);
    if (p->total > done && rate > 0)
        fprintf(stderr, "  %.0f s left", (double)(p->total - done) / rate);
    if (note)
        fprintf(stderr, "  %s", note);
    fflush(stderr);
}

void bw_progress_free(bw_progress *p) {
    if (p && p->visible)
        fputs("\r\033[K", stderr);
    free(p);
}
