/* tests/sql/test_redact.c - what must go goes, what a review needs stays. */
#include "tests/check.h"
#include "sql/redact.h"

#include <stdlib.h>

static void redacts(const char *text, const char *expected) {
    char *out = bw_redact(text);
    assert_string_equal(out, expected);
    free(out);
}

static void people_are_taken_out(void **state) {
    (void)state;
    redacts("mail me: ann.b+x@mail.example.com!", "mail me: [e-mail]!");
    redacts("I am at ann@example.com. Bye...", "I am at [e-mail]. Bye...");
    redacts("call +1 (415) 555-0132 now", "call [phone] now");
    redacts("请打13800138000找我", "请打[phone]找我");
    redacts("card 4111 1111 1111 1111.", "card [card].");
}

static void ordinary_numbers_stay(void **state) {
    (void)state;
    redacts("since 2024-05-17, paid $1,299.00 for 3", "since 2024-05-17, paid $1,299.00 for 3");
    redacts("order of 1999000 pieces @ home", "order of 1999000 pieces @ home");
    redacts("", "");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(people_are_taken_out),
        cmocka_unit_test(ordinary_numbers_stay),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
