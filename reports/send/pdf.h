/* reports/send/pdf.h - a page as PDF, printed by the headless Chromium that is installed. */
#ifndef BW_REPORTS_PDF_H
#define BW_REPORTS_PDF_H

#include "common/status.h"

/* Prints the HTML file at page to path. The browser runs with a profile of its own that is removed,
 * without network, and is found by $BELLWETHER_CHROMIUM or as chromium, chromium-browser,
 * google-chrome or chrome. Its time stamps are set to day (ISO), so equal pages give equal files.
 * BW_EIO: no browser (the message says what to install), or it failed. */
bw_status bw_pdf_print(const char *page, const char *path, const char *day, bw_err *err);

#endif
