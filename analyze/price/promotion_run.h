/* analyze/price/promotion_run.h - promotions as a part of the stage `price`. */
#ifndef BW_ANALYZE_PROMOTION_RUN_H
#define BW_ANALYZE_PROMOTION_RUN_H

#include "analyze/output.h"
#include "analyze/price/promotion_load.h"

typedef struct {
    bw_daily daily;
    bw_promotion *fit; /* [daily.promotions]; NULL until fitted */
} bw_promotion_stage;  /* start from {0} */

/* Loads and fits; a note says where what a promotion took from other products cannot be told, and why. Free
 * with bw_promotion_stage_free, also on failure. BW_EDATA when no promotion is recorded or none can be judged. */
bw_status bw_promotion_stage_fit(sqlite3 *db, uint64_t seed, bw_promotion_stage *g, bw_notes *notes,
                                 bw_err *err);
void bw_promotion_stage_free(bw_promotion_stage *g);

/* Rows of kind promotion (store.h) of run. Call within a transaction. */
bw_status bw_promotion_stage_store(sqlite3 *db, int64_t run, const bw_promotion_stage *g,
                                   bw_err *err);

#endif
