/* reports/commands.c - the commands of this room. */
#include "reports/reports.h"

const bw_command BW_REPORTS_COMMANDS[] = {{0}};
