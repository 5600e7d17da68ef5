/* demo/commands.c - the commands of this room. */
#include "demo/demo.h"

const bw_command BW_DEMO_COMMANDS[] = {{0}};
