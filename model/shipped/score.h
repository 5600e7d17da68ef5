/* model/shipped/score.h - scores the reviews and messages of a database: the one place of this room that
 * knows the schema. */
#ifndef BW_MODEL_SCORE_H
#define BW_MODEL_SCORE_H

#include "common/sqlite.h"
#include "model/shipped/encoder.h"

typedef struct {
    size_t reviews, messages; /* scored by this call */
    size_t topics;            /* alive after it */
} bw_score_counts;

/* Scores what these weights have not scored yet, in chunks of one transaction each; fills review.lang
 * where it is NULL. What was committed stays when the call fails or is interrupted, and the next
 * call goes on. Then topics are made anew if anything was scored, or none are there. */
bw_status bw_score_database(sqlite3 *db, const bw_encoder *e, bw_score_counts *counts, bw_err *err);

/* Topics of the reviews from their embeddings, matched to the topics that are there (see topics.h). */
bw_status bw_score_topics(sqlite3 *db, const bw_encoder *e, size_t *topics, bw_err *err);
/* Complaints that have just begun: topics of kind 'emerging', made anew from the words that became
 * frequent in what is said against us. */
bw_status bw_score_bursts(sqlite3 *db, const bw_encoder *e, size_t *topics, bw_err *err);

#endif
