/* demo/style.h - how carelessly a review is typed: capitals, typing errors, missing full stops, emoji. */
#ifndef BW_DEMO_STYLE_H
#define BW_DEMO_STYLE_H

#include "common/buf.h"

#include <gsl/gsl_rng.h>

/* Rewrites text in place. tone: 1 pleased, 0 neither, -1 cross. E-mail addresses and numbers are kept. */
bw_status style_apply(bw_buf *text, bool zh, int tone, gsl_rng *r, bw_err *err);

#endif
