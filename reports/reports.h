/* reports/reports.h - what the front doors use of this room: facts, advice, prose, charts, the weekly report. */
#ifndef BW_REPORTS_H
#define BW_REPORTS_H

#include "common/command.h"
#include "common/sqlite.h"

extern const bw_command BW_REPORTS_COMMANDS[];

#endif
