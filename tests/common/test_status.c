/* tests/common/test_status.c - errors are cut on a character, sizes multiply safely, text escapes. */
#include "tests/check.h"
#include "common/buf.h"

#include <stdlib.h>

static void long_message_is_cut_on_a_character(void **state) {
    (void)state;
    char text[4000];
    memset(text, 'x', sizeof text);
    for (size_t i = 0; i + 3 < sizeof text; i += 3)
        memcpy(text + i, "价", 3);
    text[sizeof text - 1] = '\0';
    bw_err err;
    assert_int_equal(bw_fail(&err, BW_EDATA, "a%s", text), BW_EDATA);
    size_t n = strlen(err.text);
    assert_true(n > 2000 && n < sizeof err.text);
    assert_int_equal((n - 1) % 3, 0);
}

static void size_mul_refuses_overflow(void **state) {
    (void)state;
    size_t n = 0;
    assert_true(bw_size_mul(3, 7, &n));
    assert_int_equal(n, 21);
    assert_false(bw_size_mul(SIZE_MAX / 2, 3, &n));
}

static void html_escapes_every_special_character(void **state) {
    (void)state;
    bw_buf b = {0};
    bw_buf_add_html(&b, "`<a href=\"x\">'&");
    assert_string_equal(b.text, "`&lt;a href=&quot;x&quot;&gt;&#39;&amp;");
    bw_buf_free(&b);
}

static void a_failed_write_leaves_the_old_file(void **state) {
    (void)state;
    bw_err err;
    CHECK_FAILS(bw_file_write("/nonexistent/x", "a", 1, &err), BW_EIO, "/nonexistent/x");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(long_message_is_cut_on_a_character),
        cmocka_unit_test(size_mul_refuses_overflow),
        cmocka_unit_test(html_escapes_every_special_character),
        cmocka_unit_test(a_failed_write_leaves_the_old_file),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
