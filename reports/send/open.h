/* reports/send/open.h - a page in the reader's browser. */
#ifndef BW_REPORTS_OPEN_H
#define BW_REPORTS_OPEN_H

#include "common/status.h"

/* Hands the file to xdg-open (Linux) or open (macOS) and does not wait for the browser. BW_EIO when
 * neither is there. */
bw_status bw_page_open(const char *path, bw_err *err);

#endif
