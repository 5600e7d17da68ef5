/* analyze/commands.c - the commands of this room. */
#include "analyze/analyze.h"

const bw_command BW_ANALYZE_COMMANDS[] = {{0}};
