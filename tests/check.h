/* tests/check.h - cmocka and the few checks it lacks. */
#ifndef BW_TESTS_CHECK_H
#define BW_TESTS_CHECK_H

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "common/status.h"

/* |actual - expected| <= tolerance; NaN fails. */
#define CHECK_NEAR(actual, expected, tolerance)                                                    \
    do {                                                                                           \
        double a_ = (actual), e_ = (expected), t_ = (tolerance);                                   \
        if (!(fabs(a_ - e_) <= t_))                                                                \
            fail_msg("%s = %.10g, expected %.10g within %g", #actual, a_, e_, t_);                 \
    } while (0)

/* |actual - expected| <= tolerance * max(1, |expected|). */
#define CHECK_REL(actual, expected, tolerance)                                                     \
    CHECK_NEAR(actual, expected, (tolerance) * fmax(1.0, fabs((double)(expected))))

/* The call returns BW_OK; otherwise its explanation is the failure. Needs a bw_err named err. */
#define CHECK_OK(call)                                                                             \
    do {                                                                                           \
        bw_status st_ = (call);                                                                    \
        if (st_ != BW_OK)                                                                          \
            fail_msg("%s failed (%d): %s", #call, (int)st_, err.text);                             \
    } while (0)

/* The call fails with that status, and the explanation contains the text. */
#define CHECK_FAILS(call, status, fragment)                                                        \
    do {                                                                                           \
        bw_status st_ = (call);                                                                    \
        if (st_ != (status) || !strstr(err.text, fragment))                                        \
            fail_msg("%s: status %d, said \"%s\"", #call, (int)st_, err.text);                     \
    } while (0)

#endif
