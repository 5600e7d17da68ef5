/* model/commands.c - the commands of this room. */
#include "model/model.h"

const bw_command BW_MODEL_COMMANDS[] = {{0}};
