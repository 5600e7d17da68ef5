/* common/embed.h - files compiled into the program: schema, prose, weights. One binary, nothing to
 * install or to lose. The list is the Makefile's EMBED. */
#ifndef BW_COMMON_EMBED_H
#define BW_COMMON_EMBED_H

#include <stddef.h>

/* The file at path as in the source tree ("sql/schema/001.sql"), followed by a NUL that len does not
 * count; aligned to 64 bytes. NULL when no such file was compiled in. Borrowed, for ever. */
const void *bw_embed(const char *path, size_t *len);

/* The i-th embedded path in alphabetical order, NULL past the last. */
const char *bw_embed_name(size_t i);

#endif
