/* tests/common/test_sha256.c - the published examples, and the fast way against the plain one. */
#include "tests/check.h"
#include "common/sha256.h"

#include <stdlib.h>

static void hashes_to(const char *text, size_t n, const char *expected) {
    bw_sha256 s;
    char hex[65];
    bw_sha256_start(&s);
    bw_sha256_add(&s, text, n);
    bw_sha256_hex(&s, hex);
    assert_string_equal(hex, expected);
}

/* FIPS 180-4 examples (NIST, "SHA256.pdf"), and the empty message by coreutils sha256sum. */
static void published_examples(void **state) {
    (void)state;
    hashes_to("abc", 3, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    hashes_to("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq", 56,
              "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
    hashes_to("", 0, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}

/* Pieces of awkward sizes give the sum of the whole. */
static void pieces_are_the_whole(void **state) {
    (void)state;
    unsigned char data[1000];
    for (size_t i = 0; i < sizeof data; i++)
        data[i] = (unsigned char)(i * 31 + i / 7);
    bw_sha256 whole, pieces;
    char a[65], b[65];
    bw_sha256_start(&whole);
    bw_sha256_add(&whole, data, sizeof data);
    bw_sha256_hex(&whole, a);
    bw_sha256_start(&pieces);
    for (size_t at = 0, step = 1; at < sizeof data; at += step, step = step * 3 % 131 + 1) {
        if (step > sizeof data - at)
            step = sizeof data - at;
        bw_sha256_add(&pieces, data + at, step);
    }
    bw_sha256_hex(&pieces, b);
    assert_string_equal(a, b);
}

/* The processor's instructions, where there are any, do what the plain C does. */
static void fast_equals_plain(void **state) {
    (void)state;
    unsigned char data[33 * 64];
    srand(11);
    for (size_t i = 0; i < sizeof data; i++)
        data[i] = (unsigned char)rand();
    for (size_t blocks = 1; blocks <= 33; blocks += 4) {
        bw_sha256 fast;
        bw_sha256_start(&fast);
        uint32_t plain[8];
        memcpy(plain, fast.state, sizeof plain);
        bw_sha256_add(&fast, data, 64 * blocks);
        bw_sha256_blocks_plain(plain, data, blocks);
        assert_memory_equal(fast.state, plain, sizeof plain);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(published_examples),
        cmocka_unit_test(pieces_are_the_whole),
        cmocka_unit_test(fast_equals_plain),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
