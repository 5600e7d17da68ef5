/* sql/cmd.h - the commands of this room that have a file of their own. */
#ifndef BW_SQL_CMD_H
#define BW_SQL_CMD_H

#include "common/command.h"

bw_status bw_cmd_import(int argc, char **argv, bw_err *err);
bw_status bw_cmd_sql(int argc, char **argv, bw_err *err);
bw_status bw_cmd_setting(int argc, char **argv, bw_err *err);

#endif
