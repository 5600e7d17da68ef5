/* model/cmd_model.h - the parts of `bellwether model` that live in files of their own. Each takes its
 * arguments as main does, argv[0] being its name. */
#ifndef BW_MODEL_CMD_MODEL_H
#define BW_MODEL_CMD_MODEL_H

#include "common/command.h"

/* The command itself: a table of parts. */
bw_status bw_cmd_model(int argc, char **argv, bw_err *err);

/* Runs the part that argv[1] names; --help lists them. name: the command so far. */
bw_status bw_cmd_parts(const char *name, const bw_command *parts, int argc, char **argv,
                       bw_err *err);

/* model info DIR [--tensors] [--json]; model convert DIR OUT */
bw_status bw_cmd_model_info(int argc, char **argv, bw_err *err);
bw_status bw_cmd_model_convert(int argc, char **argv, bw_err *err);
/* model verify DIR... [--expected FILE] [--json]: BW_EMISMATCH beyond a tolerance. */
bw_status bw_cmd_model_verify(int argc, char **argv, bw_err *err);
/* model verify --tokenizer DIR CASES.json [--json]: BW_EMISMATCH when any case differs. */
bw_status bw_cmd_verify_tokenizer(int argc, char **argv, bw_err *err);
/* model verify --processors FILE.json [--json] */
bw_status bw_cmd_verify_processors(int argc, char **argv, bw_err *err);
/* model tokenizer train|encode|decode ... */
bw_status bw_cmd_tokenizer(int argc, char **argv, bw_err *err);
/* model check-split RECIPE --data FOLDER: BW_EMISMATCH when a test text is trained on. */
bw_status bw_cmd_check_split(int argc, char **argv, bw_err *err);

#endif
