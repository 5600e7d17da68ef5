/* analyze/experiment/save.h - the result of a test from a file as a row of table experiment.
 *
 * There it is a lift test for the mix model (`fit`), settles the ledger's advice on its channel, and is
 * listed by `experiment list`. */
#ifndef BW_ANALYZE_EXPERIMENT_SAVE_H
#define BW_ANALYZE_EXPERIMENT_SAVE_H

#include "analyze/output.h"
#include "common/command.h"

typedef struct {
    const char *id;      /* NULL: nothing is saved */
    const char *channel; /* whose spend was moved */
    const char *metric;  /* as the database calls it, NULL = the file's column */
    const char *db;      /* NULL = the default one */
    double spend_change; /* money more (+) or less (-) than without the test; start from NAN */
} bw_experiment_target;

/* Rows of a command's option table for target t. */
#define BW_SAVE_OPTIONS(t)                                                                      \
    {                                                                                           \
        "save",  0,    BW_OPT_TEXT,                                                             \
        &(t).id, "ID", "write it as an experiment, for 'fit' and the ledger"},                  \
        {"channel",    0,      BW_OPT_TEXT,                                                     \
         &(t).channel, "NAME", "the channel whose spend was moved, with --save"},               \
        {"spend-change",    0,   BW_OPT_REAL,                                                   \
         &(t).spend_change, "X", "money more (+) or less (-) spent on it in all, with --save"}, \
        {"save-as",   0,                                                                        \
         BW_OPT_TEXT, &(t).metric,                                                              \
         "METRIC",    "revenue, orders, units: what the metric is called in the database"},     \
        BW_OPTION_DB((t).db)

/* BW_EUSAGE when an option that --save needs is missing. time: the command's --time, which it needs too. */
bw_status bw_experiment_target_check(const bw_experiment_target *t, const char *command,
                                     const char *time, bw_err *err);

/* effect, sd: in all, over first .. last (ISO days) and all treated places. An experiment of that id is
 * replaced. A note says when 'fit' will not use it. */
bw_status bw_experiment_save(const bw_experiment_target *t, const char *column, const char *first,
                             const char *last, double effect, double sd, bw_notes *notes,
                             bw_err *err);

#endif
