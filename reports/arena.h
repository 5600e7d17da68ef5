/* reports/arena.h - memory that lives as long as one report: facts, names, sentences, tables.
 *
 * A report makes some thousand small strings that all die together, so they are never freed one by
 * one. Out of memory is remembered: allocate freely, then ask bw_arena_ok once. */
#ifndef BW_REPORTS_ARENA_H
#define BW_REPORTS_ARENA_H

#include <stdbool.h>
#include <stddef.h>

typedef struct bw_arena bw_arena;

bw_arena *bw_arena_new(void);    /* NULL on out of memory */
void bw_arena_free(bw_arena *a); /* NULL is fine */
bool bw_arena_ok(const bw_arena *a);

/* n zeroed bytes, aligned for any type. When memory runs out: a block that must not be relied on,
 * so that callers need not check each time, or NULL for sizes above 64 KiB. */
void *bw_arena_get(bw_arena *a, size_t n);
/* A copy of text ("" for NULL). */
char *bw_arena_text(bw_arena *a, const char *text);
char *bw_arena_text_n(bw_arena *a, const char *text, size_t n);
char *bw_arena_textf(bw_arena *a, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Grows an array of n items of the given size to hold one more; capacities are powers of two, so
 * call it before each append: items = bw_arena_grow(a, items, n, sizeof *items). */
void *bw_arena_grow(bw_arena *a, void *items, size_t n, size_t size);

#endif
