/* analyze/gsl_errors.c - see gsl_errors.h. */
#include "analyze/gsl_errors.h"

#include <gsl/gsl_errno.h>
#include <pthread.h>

static void turn_off(void) {
    gsl_set_error_handler_off();
}

void bw_gsl_returns_errors(void) {
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, turn_off);
}
