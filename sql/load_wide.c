/* sql/load_wide.c - placeholder until the next commit. */
#include "sql/load.h"

bw_status bw_load_wide(bw_load *l, bw_err *err) {
    (void)l;
    return bw_fail(err, BW_EUSAGE, "import wide: not in this build");
}
