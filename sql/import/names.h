/* sql/import/names.h - a set of names, numbered in the order they came. */
#ifndef BW_SQL_NAMES_H
#define BW_SQL_NAMES_H

#include <stdbool.h>
#include <stddef.h>

typedef struct {
    char **list; /* the names, owned */
    size_t n, cap;
    size_t *slots, n_slots; /* open addressing: index + 1, 0 empty; at most half full */
    size_t last;            /* the name asked for last: rows repeat themselves */
} bw_names;                 /* start from {0} */

/* The name's number; it is added when new. (size_t)-1 when memory ran out. */
size_t bw_names_number(bw_names *s, const char *name, size_t len);
void bw_names_free(bw_names *s);

#endif
