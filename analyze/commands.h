/* analyze/commands.h - the commands of this room, each in its own file. */
#ifndef BW_ANALYZE_COMMANDS_H
#define BW_ANALYZE_COMMANDS_H

#include "common/status.h"

bw_status bw_cmd_experiment(int argc, char **argv, bw_err *err);

#endif
