/* model/tokenizer/array.c - growing arrays of any type.
 *
 * The pointer is read and written as bytes, since its type is not known here. */
#include "model/tokenizer/array.h"

#include "common/status.h"

#include <stdlib.h>
#include <string.h>

bool bw_array_resize(void *array, size_t n, size_t item) {
    void *old;
    size_t bytes;
    memcpy(&old, array, sizeof old);
    if (!bw_size_mul(n, item, &bytes))
        return false;
    void *grown = realloc(old, bytes ? bytes : 1);
    if (grown)
        memcpy(array, &grown, sizeof grown);
    return grown != NULL;
}
