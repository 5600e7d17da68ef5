/* model/shipped/explain.h - which words carried the decision, by occlusion (Zeiler & Fergus 2014): the text
 * is scored again without each word; the effect is how far sentiment (positive minus negative)
 * falls. Texts of more than MANY words are taken apart by sentences instead. */
#ifndef BW_MODEL_EXPLAIN_H
#define BW_MODEL_EXPLAIN_H

#include "model/shipped/encoder.h"

typedef struct {
    uint32_t begin, end; /* bytes of the text */
    float effect;        /* > 0: speaks for positive */
} bw_cue;

/* Cues by falling |effect|; *cues is the caller's to free. *whole is the text's score. */
bw_status bw_explain(const bw_encoder *e, const char *text, bw_text_score *whole, bw_cue **cues,
                     size_t *n, bw_err *err);
/* {"sentiment", "negative", "neutral", "positive", "stars", "words": [{"word", "effect"}, ...]}, at
 * most top words. The caller frees; NULL with err filled on failure. */
char *bw_explain_json(const bw_encoder *e, const char *text, size_t top, bw_err *err);

#endif
