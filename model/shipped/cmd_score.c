/* model/shipped/cmd_score.c - `bellwether score`: the reviews and messages of a database, or one text. */
#include "model/train/train_cmd.h"

#include "model/shipped/explain.h"
#include "model/shipped/score.h"
#include "sql/db.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#define SHOWN 12 /* words of an explanation */

static void print_aspects(const bw_text_score *s, const char *text) {
    for (int a = 0; a < BW_N_ASPECTS; a++) {
        const bw_aspect_score *x = &s->aspect[a];
        if (x->mentioned >= 0.5f)
            printf("  %-10s %+.2f  \"%.*s\"\n", BW_ASPECT_NAME[a],
                   (double)(x->positive - x->negative), (int)(x->end - x->begin), text + x->begin);
    }
}

static bw_status print_explanation(const bw_encoder *e, const char *text, bw_err *err) {
    bw_text_score s;
    bw_cue *cues;
    size_t n;
    bw_status st = bw_explain(e, text, &s, &cues, &n, err);
    if (st != BW_OK)
        return st;
    printf("negative %.3f  neutral %.3f  positive %.3f  stars %.1f\n\nwords, by what the score "
           "loses without them:\n",
           (double)s.negative, (double)s.neutral, (double)s.positive, (double)s.stars);
    for (size_t i = 0; i < n && i < SHOWN; i++)
        printf("  %+.3f  %.*s\n", (double)cues[i].effect, (int)(cues[i].end - cues[i].begin),
               text + cues[i].begin);
    puts("\naspects:");
    print_aspects(&s, text);
    free(cues);
    return BW_OK;
}

static bw_status explain(const bw_encoder *e, const char *text, bool json, bw_err *err) {
    if (!json)
        return print_explanation(e, text, err);
    char *out = bw_explain_json(e, text, SHOWN, err);
    if (!out)
        return BW_EDATA;
    puts(out);
    free(out);
    return BW_OK;
}

static bw_status score_file(const char *path, const bw_encoder *e, bool json, bw_err *err) {
    sqlite3 *db;
    bw_score_counts n;
    bw_status st = bw_db_open(path, BW_DB_WRITE, &db, err);
    if (st != BW_OK)
        return st;
    st = bw_score_database(db, e, &n, err);
    bw_db_close(db);
    if (st != BW_OK)
        return st;
    if (json)
        printf("{\"reviews\":%zu,\"messages\":%zu,\"topics\":%zu,\"model\":\"%s\"}\n", n.reviews,
               n.messages, n.topics, bw_encoder_id(e));
    else
        printf("scored %zu reviews and %zu messages; %zu topics\n", n.reviews, n.messages,
               n.topics);
    return BW_OK;
}

bw_status bw_cmd_score(int argc, char **argv, bw_err *err) {
    const char *db = NULL, *text = NULL, *weights = NULL;
    bool json = false;
    const bw_option options[] = {BW_OPTION_DB(db),
                                 {"explain", 0, BW_OPT_TEXT, &text, "TEXT",
                                  "score this text and show which words decided; no database"},
                                 {"weights", 0, BW_OPT_TEXT, &weights, "FILE",
                                  "weights other than those that come with the program"},
                                 BW_OPTION_JSON(json),
                                 {0}};
    const bw_usage usage = {
        "score [--db FILE] [options]",
        "Scores new reviews and messages: sentiment, expected stars, aspects, embeddings, topics. "
        "A second run does only what is new.",
        "  bellwether score --db shop.db\n"
        "  bellwether score --explain 'Good sound, but it broke after a week.'\n"};
    bw_status st = bw_options_parse(&usage, options, &argc, &argv, err);
    if (st != BW_OK)
        return st;
    if (argc != 0)
        return bw_fail(err, BW_EUSAGE,
                       "score: takes no operand '%s'; see 'bellwether score --help'", argv[0]);
    bw_encoder *e;
    st = bw_encoder_open(weights, &e, err);
    if (st != BW_OK)
        return st;
    st = text ? explain(e, text, json, err) : score_file(bw_default_db(db), e, json, err);
    bw_encoder_free(e);
    return st;
}
