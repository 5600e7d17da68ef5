/* reports/commands.h - the commands of this room, one function a row of the table in commands.c. */
#ifndef BW_REPORTS_COMMANDS_H
#define BW_REPORTS_COMMANDS_H

#include "common/command.h"

bw_status bw_cmd_ask(int argc, char **argv, bw_err *err);
bw_status bw_cmd_report(int argc, char **argv, bw_err *err);
bw_status bw_cmd_verify(int argc, char **argv, bw_err *err);
bw_status bw_cmd_advice(int argc, char **argv, bw_err *err);
bw_status bw_cmd_plot(int argc, char **argv, bw_err *err);

#endif
