/* reports/charts/gnuplot.h - drawings become files: a gnuplot process for each core, whatever their number.
 *
 * gnuplot is started without a shell and without the user's start-up files, and reads its script
 * from a file without a name. The pictures do not depend on the number of processes. */
#ifndef BW_REPORTS_GNUPLOT_H
#define BW_REPORTS_GNUPLOT_H

#include "common/buf.h"
#include "common/status.h"
#include "reports/charts/canvas.h"

typedef enum { BW_SVG, BW_PNG, BW_PDF } bw_picture_format;

typedef struct {
    const bw_canvas *canvas;
    bw_picture_format format;
    const char *font; /* one family, without quotes: "Inter" */
    const char *path; /* where gnuplot writes */
    double scale;     /* BW_PNG: dots a pixel of the page; 0 = 2, for sharp screens */
} bw_plot_job;

/* Renders all jobs. Fails with the package to install when gnuplot is missing, and with gnuplot's
 * own words when it complains. */
bw_status bw_gnuplot_run(const bw_plot_job *jobs, size_t n, bw_err *err);

/* The complete script of one drawing, as bw_gnuplot_run would send it; path is the output file's
 * name in it. */
void bw_gnuplot_script(const bw_plot_job *job, bw_buf *out);

#endif
