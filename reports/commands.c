/* reports/commands.c - the commands of this room. */
#include "reports/reports.h"

#include "reports/commands.h"

const bw_command BW_REPORTS_COMMANDS[] = {
    {"plot", "one chart of the report, its data, or its script", bw_cmd_plot},
    {"report", "the weekly strategy report, with all it rests on", bw_cmd_report},
    {"advice", "the ledger: what was advised, decided, and came of it", bw_cmd_advice},
    {"verify", "check every number of a report against the database", bw_cmd_verify},
    {"ask", "a question in plain words, answered with its query", bw_cmd_ask},
    {0}};
