/* analyze/experiment/cmd_experiment.h - the parts of the command `experiment`, one a kind of test. */
#ifndef BW_ANALYZE_CMD_EXPERIMENT_H
#define BW_ANALYZE_CMD_EXPERIMENT_H

#include "common/status.h"

/* argv[0] is "experiment ab" and so on, the operands follow. */
bw_status bw_cmd_experiment_ab(int argc, char **argv, bw_err *err);
bw_status bw_cmd_experiment_did(int argc, char **argv, bw_err *err);
bw_status bw_cmd_experiment_impact(int argc, char **argv, bw_err *err);
bw_status bw_cmd_experiment_switchback(int argc, char **argv, bw_err *err);
bw_status bw_cmd_experiment_synth(int argc, char **argv, bw_err *err);
bw_status bw_cmd_experiment_power(int argc, char **argv, bw_err *err);
bw_status bw_cmd_experiment_list(int argc, char **argv, bw_err *err);
bw_status bw_cmd_experiment_next(int argc, char **argv, bw_err *err);

#endif
