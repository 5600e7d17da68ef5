/* model/generate/cmd_draft.h - bellwether draft. */
#ifndef BW_MODEL_CMD_DRAFT_H
#define BW_MODEL_CMD_DRAFT_H

#include "common/status.h"

bw_status bw_cmd_draft(int argc, char **argv, bw_err *err);

#endif
