/* analyze/commands.h - the commands of this room, each in its own file. */
#ifndef BW_ANALYZE_COMMANDS_H
#define BW_ANALYZE_COMMANDS_H

#include "common/status.h"

bw_status bw_cmd_fit(int argc, char **argv, bw_err *err);
bw_status bw_cmd_plan(int argc, char **argv, bw_err *err);
bw_status bw_cmd_timing(int argc, char **argv, bw_err *err);
bw_status bw_cmd_forecast(int argc, char **argv, bw_err *err);
bw_status bw_cmd_price(int argc, char **argv, bw_err *err);
bw_status bw_cmd_segment(int argc, char **argv, bw_err *err);
bw_status bw_cmd_attribution(int argc, char **argv, bw_err *err);
bw_status bw_cmd_sentiment(int argc, char **argv, bw_err *err);
bw_status bw_cmd_experiment(int argc, char **argv, bw_err *err);

#endif
