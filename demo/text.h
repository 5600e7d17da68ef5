/* demo/text.h - a small grammar for texts: named rules of hand-written lines, read from an embedded file.
 *
 * The file:  # a comment      [rule]      one alternative a line
 * In a line: {rule} is replaced by a line of that rule, {a|b|} by one of the words between the bars
 * (which may be empty), {name} by what `name` was bound to. Braces nest. \n begins a new line.
 *
 * A rule deals its lines like a shuffled pack: none comes again before all have been dealt, so that
 * no line is ever said much more often than the others. */
#ifndef BW_DEMO_TEXT_H
#define BW_DEMO_TEXT_H

#include "common/buf.h"
#include "common/status.h"

#include <gsl/gsl_rng.h>
#include <stdbool.h>

struct grammar;

/* Reads the embedded file at path; r is borrowed for the grammar's life and decides every choice. On
 * BW_OK *out is the caller's. A line outside a rule or a brace without its pair is BW_EFORMAT. */
bw_status grammar_load(const char *path, gsl_rng *r, struct grammar **out, bw_err *err);
void grammar_free(struct grammar *g); /* NULL is fine */

bool grammar_has(const struct grammar *g, const char *rule);
/* Binds a name; value is borrowed until bound anew. At most 16 names. */
void grammar_bind(struct grammar *g, const char *name, const char *value);
/* Appends one line of the rule, expanded. An unknown name is BW_EFORMAT. */
bw_status grammar_add(struct grammar *g, const char *rule, bw_buf *out, bw_err *err);

/* Walks all rules (for tests): the name of the i-th and its number of lines; NULL past the last. */
const char *grammar_rule(const struct grammar *g, size_t i, size_t *lines);

#endif
