/* analyze/experiment/power.h - how large a test must be, and what one of a given size can see.
 *
 * Two-sided normal test of a difference of means. Several arms share the error rate (Bonferroni); units with
 * several rows inflate the variance by 1 + (m - 1) icc; a covariate of correlation rho leaves 1 - rho^2 of it. */
#ifndef BW_ANALYZE_POWER_H
#define BW_ANALYZE_POWER_H

#include <stdbool.h>

typedef struct {
    double sd;          /* of one row; for a rate sqrt(p (1 - p)), set by bw_power_rate */
    double sd_treated;  /* the same under the effect; equal to sd for money */
    double alpha;       /* 0.05 */
    double arms;        /* besides the control */
    double ratio;       /* size of an arm over the control's */
    double rows, icc;   /* rows a unit (1) and their correlation (0) */
    double correlation; /* with a covariate known before (0) */
} bw_power_design;

/* Fills sd and sd_treated for a rate that goes from base to base + effect. */
void bw_power_rate(bw_power_design *d, double base, double effect);

/* Rows in the control arm so that effect is found with that power. */
double bw_power_rows(const bw_power_design *d, double effect, double power);
/* Power with n rows in the control arm. */
double bw_power_of(const bw_power_design *d, double effect, double n);
/* Smallest effect found with that power by n rows in the control arm. */
double bw_power_effect(const bw_power_design *d, double n, double power);

#endif
