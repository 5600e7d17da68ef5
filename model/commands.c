/* model/commands.c - the commands of this room. */
#include "model/model.h"
#include "model/cmd_model.h"

const bw_command BW_MODEL_COMMANDS[] = {
    {"model", "check, convert and inspect models and tokenizers", bw_cmd_model},
    {0},
};
