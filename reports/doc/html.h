/* reports/doc/html.h - the report as one self-contained page: no network, light and dark, phone and
 * print, every number a link to the query behind it. The style sheet is reports/page/page.css. */
#ifndef BW_REPORTS_HTML_H
#define BW_REPORTS_HTML_H

#include "reports/doc/document.h"

/* Renders the charts and appends the whole page. */
bw_status bw_html_write(bw_document *d, bw_buf *out, bw_err *err);

#endif
