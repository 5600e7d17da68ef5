/* analyze/commands.h - the commands of this room, each in its own file. */
#ifndef BW_ANALYZE_COMMANDS_H
#define BW_ANALYZE_COMMANDS_H

#include "common/sqlite.h"
#include "common/status.h"

#include <stdint.h>

bw_status bw_cmd_fit(int argc, char **argv, bw_err *err);
bw_status bw_cmd_plan(int argc, char **argv, bw_err *err);
bw_status bw_cmd_timing(int argc, char **argv, bw_err *err);
bw_status bw_cmd_forecast(int argc, char **argv, bw_err *err);
bw_status bw_cmd_price(int argc, char **argv, bw_err *err);
bw_status bw_cmd_segment(int argc, char **argv, bw_err *err);
bw_status bw_cmd_attribution(int argc, char **argv, bw_err *err);
bw_status bw_cmd_experiment(int argc, char **argv, bw_err *err);

/* A stored run as JSON {"kind", "run", "diagnostics", "estimates": [...]} on stdout; its notes on stderr. */
bw_status bw_run_json(sqlite3 *db, const char *kind, int64_t run, bw_err *err);
bw_status bw_run_print_notes(sqlite3 *db, int64_t run, bw_err *err);

#endif
