/* analyze/cmd_factors.h - the file side of `timing`. */
#ifndef BW_ANALYZE_CMD_FACTORS_H
#define BW_ANALYZE_CMD_FACTORS_H

#include "common/status.h"

typedef struct {
    const char *file, *success, *trials; /* trials NULL: every row is one */
    const char *factors, *numbers;       /* comma-separated columns; NULL = none */
    bool json;
} bw_factor_request;

bw_status bw_factors_command(const bw_factor_request *q, bw_err *err);

#endif
