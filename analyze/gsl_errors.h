/* analyze/gsl_errors.h - GSL returns its errors instead of ending the process.
 *
 * GSL's handler is one for the process: set and put back around a call, two threads put back each other's,
 * and a matrix that is not positive definite, which callers here test for, aborts the run. So it is
 * turned off once, before the first call that may fail, and stays off. */
#ifndef BW_ANALYZE_GSL_ERRORS_H
#define BW_ANALYZE_GSL_ERRORS_H

void bw_gsl_returns_errors(void);

#endif
