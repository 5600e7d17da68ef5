/* reports/charts/query_plot.h - `sql --plot`: a query's result as a chart. */
#ifndef BW_REPORTS_QUERY_PLOT_H
#define BW_REPORTS_QUERY_PLOT_H

#include "reports/charts/chart.h"
#include "sql/query.h"

/* A bw_query_plotter (sql/query.h); main.c hands it to the sql room. path NULL: SVG to standard
 * output. */
bw_status bw_plot_query(const bw_query_result *r, const char *kind, const char *path,
                        const char *title, bw_err *err);

#endif
