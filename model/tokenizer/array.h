/* model/tokenizer/array.h - growing arrays of any type. */
#ifndef BW_MODEL_TOK_ARRAY_H
#define BW_MODEL_TOK_ARRAY_H

#include <stdbool.h>
#include <stddef.h>

/* array is the address of a pointer to n items, which moves; false when memory ran out, and then
 * the pointer and what it points to are as they were. */
bool bw_array_resize(void *array, size_t n, size_t item);

#endif
