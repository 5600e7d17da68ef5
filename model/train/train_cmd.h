/* model/train/train_cmd.h - commands of this room that fill a file of their own. */
#ifndef BW_MODEL_TRAIN_CMD_H
#define BW_MODEL_TRAIN_CMD_H

#include "common/command.h"

bw_status bw_cmd_train(int argc, char **argv, bw_err *err);
bw_status bw_cmd_eval(int argc, char **argv, bw_err *err);
bw_status bw_cmd_score(int argc, char **argv, bw_err *err);

#endif
