/* common/embed.c - looks a path up in the table that common/embed.sh generates. */
#include "common/embed.h"

#include <string.h>

struct embedded {
    const char *path;
    const unsigned char *begin, *end;
};
extern const struct embedded BW_EMBEDDED[];
extern const size_t BW_EMBEDDED_COUNT;

const void *bw_embed(const char *path, size_t *len) {
    for (size_t i = 0; i < BW_EMBEDDED_COUNT; i++) {
        if (strcmp(BW_EMBEDDED[i].path, path) == 0) {
            if (len)
                *len = (size_t)(BW_EMBEDDED[i].end - BW_EMBEDDED[i].begin);
            return BW_EMBEDDED[i].begin;
        }
    }
    return NULL;
}

const char *bw_embed_name(size_t i) {
    return i < BW_EMBEDDED_COUNT ? BW_EMBEDDED[i].path : NULL;
}
