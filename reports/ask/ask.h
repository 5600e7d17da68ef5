/* reports/ask/ask.h - `ask`: a question in plain words, answered by a documented query.
 *
 * What can be asked is written down: the queries in reports/ask/questions.json, the ways to ask and
 * the sentences that answer in reports/prose/ask.LANG.txt. The matcher (match.h) picks a question and
 * its names and period, by words and by what the shipped encoder makes of them (meaning.c); the facts come from the question's queries with those as quoted values; the
 * grammar says the answer. A question that is not in the book gets the nearest ones, never a guess. */
#ifndef BW_REPORTS_ASK_H
#define BW_REPORTS_ASK_H

#include "reports/shop.h"

typedef enum {
    BW_ANSWERED,
    BW_ASK_UNKNOWN, /* not in the book: nearest holds questions that are */
    BW_ASK_NAME,    /* understood, but no name of the data was in it: text asks which */
    BW_ASK_NO_DATA, /* understood, but the data hold nothing on it yet */
    BW_ASK_PERIOD   /* it asks about a time that does not exist, or that the data do not cover */
} bw_ask_outcome;

typedef struct {
    bw_ask_outcome outcome;
    const char *question;    /* id in questions.json, NULL when unknown */
    const char *text;        /* what to tell the person */
    const bw_fact *facts[4]; /* behind the answer */
    size_t n_facts;
    const char *sql[8]; /* every query that was run, in order */
    size_t n_sql;
    const char *nearest[3]; /* patterns, with an example filled in */
    size_t n_nearest;
    const char *chart;                /* name for `plot`, NULL = none fits */
    const char *draw_kind, *draw_sql; /* or a query to draw: line, bar or scatter; NULL = none */
} bw_answer;

/* Everything in the answer lives in the shop's arena. */
bw_status bw_ask(bw_shop *s, const char *question, bw_answer *out, bw_err *err);

#endif
