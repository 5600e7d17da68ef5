/* demo/job.h - inside this room: the whole job on the simulated shop, and what the command says of it. */
#ifndef BW_DEMO_JOB_H
#define BW_DEMO_JOB_H

#include "demo/demo.h"

/* Scores the texts; writes the report of eight weeks ago and lets the shop take its advice; then writes
 * the report of the last week into the folder out. Prints a line for each on stdout. page (cap bytes)
 * gets the report's path. */
bw_status job_run(sqlite3 *db, const bw_demo_options *o, const char *out, char *page, size_t cap,
                  bw_err *err);

/* Opens the page in the user's browser when there is a display and somebody at the terminal. */
void job_show(const char *page);

#endif
