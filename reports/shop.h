/* reports/shop.h - what one report speaks about: the database, the week, the language, the runs it
 * rests on and how things are called. Everything downstream (facts, advice, charts, prose) is handed
 * this and nothing else. */
#ifndef BW_REPORTS_SHOP_H
#define BW_REPORTS_SHOP_H

#include "common/sqlite.h"
#include "common/status.h"
#include "reports/arena.h"
#include "reports/facts/facts.h"
#include "reports/words/grammar.h"
#include "reports/words/locale.h"

#include <stdbool.h>
#include <stdint.h>

typedef enum { BW_BRIEF, BW_STANDARD, BW_FULL } bw_length;

typedef struct {
    const char *name;  /* as in the data */
    const char *label; /* as the report calls it, in the middle of a sentence */
    const char
        *title; /* the same at the start of a row: capital letter where the language has one */
} bw_label;

/* The newest run of each kind at the report's week, 0 where there is none. */
typedef struct {
    int64_t fit, plan, change, timing, content, price, promotion, forecast, anomaly, segment,
        sentiment;
} bw_runs;

typedef struct {
    sqlite3 *db; /* borrowed */
    bw_arena *arena;
    bw_locale *locale;
    bw_facts *facts;
    const char *name;     /* of the shop, "" when not set */
    const char *currency; /* ISO code */
    const char *outcome;  /* column of `weekly` that counts as success: revenue, orders, units */
    const char *outcome_unit; /* "money" or "count" */
    const char *return_unit;  /* of outcome per money spent: "money", or "number" for counts */
    double margin;            /* money kept of each money earned, 1 when not set */
    const char *week;         /* first day of the report's week, "" when there is no data at all */
    const char *last_day;     /* of the week */
    const char *week_before, *week_last_year;
    const char *week_name;  /* "2026-W46" */
    const char *voice_week; /* last week with a scored review up to the report's week, or "" */
    long weeks;             /* weeks with an outcome up to this one */
    bool has_outcome, has_spend, has_reviews, has_scores, has_messages;
    bw_runs runs;
    bw_label *channels; /* in the fit, or else with spend; by name */
    size_t n_channels;
    unsigned variant; /* picks among phrasings */
    bw_length length;
    bool holds_weeks; /* see weeks.h */
    bool as_of;       /* written from a copy that knew nothing after the week */
} bw_shop;

/* Reads what there is. week: NULL for the newest complete one, or any day of the week, or
 * "2026-W46". The shop, its facts and all they point to are freed by bw_shop_close. */
bw_status bw_shop_open(sqlite3 *db, const char *lang, const char *week, bw_shop **out, bw_err *err);
void bw_shop_close(bw_shop *s);

/* How the report calls a channel, an aspect, or a part of a decomposition ("_season",
 * "_event:NAME", "_control:NAME", a channel). Never NULL. */
const char *bw_shop_channel(const bw_shop *s, const char *name);
const char *bw_shop_aspect(const bw_shop *s, const char *name);
const char *bw_shop_source(const bw_shop *s, const char *name); /* of reviews */
const char *bw_shop_part(const bw_shop *s, const char *part);
/* A name with a capital first letter where the language has capitals; arena. */
const char *bw_shop_title(const bw_shop *s, const char *label);

/* A window of the week as timing stores it, "D-HH/D-HH" (Monday 0; from the first day to the last, each
 * day from the first hour until the last). False when it has another form. */
bool bw_window_parse(const char *at, int *day0, int *hour0, int *day1, int *hour1);
/* "from Tuesday to Thursday between 19:00 and 22:00", arena. */
const char *bw_shop_window(const bw_shop *s, const char *at);

/* A sentence of the grammar without marks, arena: for charts and tables. */
const char *bw_shop_say(const bw_shop *s, const bw_message *m);
const char *bw_shop_phrase(const bw_shop *s, const bw_message *m); /* without a capital */
const char *bw_shop_word(const bw_shop *s, const char *key); /* a phrase without slots of its own */
/* A value in chart style, arena. */
const char *bw_shop_format(const bw_shop *s, double value, const bw_number *style);

/* A query's rows; text parameter may be NULL. Each column is an array in the shop's arena; texts are
 * read with types 't', numbers with 'n': bw_query(s, "tnn", &n, err, sql, run, text, &days, &x, &y).
 * A NULL number is NAN. */
bw_status bw_query(const bw_shop *s, const char *types, size_t *rows, bw_err *err, const char *sql,
                   int64_t run, const char *text, ...);

#endif
