/* common/sha256.h - SHA-256 (FIPS 180-4), for fingerprints of files and rows. */
#ifndef BW_COMMON_SHA256_H
#define BW_COMMON_SHA256_H

#include <stddef.h>
#include <stdint.h>

typedef struct {
    uint32_t state[8];
    uint64_t bytes;
    unsigned char block[64];
} bw_sha256;

void bw_sha256_start(bw_sha256 *s);
void bw_sha256_add(bw_sha256 *s, const void *data, size_t n);
void bw_sha256_hex(bw_sha256 *s, char out[65]); /* ends the sum; 64 hex digits and a NUL */

/* What the sum does with whole blocks of 64 bytes, in plain C: the twin that the fast way is tested
 * against. */
void bw_sha256_blocks_plain(uint32_t state[8], const unsigned char *p, size_t blocks);

#endif
