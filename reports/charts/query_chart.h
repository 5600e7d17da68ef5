/* reports/charts/query_chart.h - the result of a query as a chart: `sql "..." --plot KIND`.
 *
 * line and scatter: the first column is x (days or numbers), each further numeric column a series;
 * or x, a name and a number in long form, one series a name. bar: the first column names the bars,
 * the first numeric one after it is their length. */
#ifndef BW_REPORTS_QUERY_CHART_H
#define BW_REPORTS_QUERY_CHART_H

#include "sql/query.h"

/* A bw_query_plotter: see sql/query.h. path NULL: SVG to standard output. */
bw_status bw_query_chart(const bw_query_result *r, const char *kind, const char *path,
                         const char *title, bw_err *err);

#endif
