/* reports/doc/markdown.h - the report as Markdown with PNG charts beside it. */
#ifndef BW_REPORTS_MARKDOWN_H
#define BW_REPORTS_MARKDOWN_H

#include "reports/doc/document.h"

/* Appends the text; charts are named charts/NAME.png. */
void bw_markdown_write(const bw_document *d, bw_buf *out);

/* Writes the charts of the document, wide layout, to FOLDER/charts/NAME.png (the folder exists). */
bw_status bw_markdown_charts(const bw_document *d, const char *folder, bw_err *err);

#endif
