/* tests/model/test_augment.c - texts made from texts for training. */
#include "tests/check.h"
#include "model/train/augment.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

static void some_sentences_are_a_run_of_the_text(void **state) {
    (void)state;
    const char *text = "It broke. Twice! 客服没有回复。Would you buy it? I would not.";
    bw_rng rng = bw_rng_seed(3);
    size_t shortest = strlen(text), longest = 0;
    for (int i = 0; i < 200; i++) {
        char *part = bw_some_sentences(text, &rng);
        assert_non_null(strstr(text, part));
        size_t n = strlen(part);
        shortest = n < shortest ? n : shortest;
        longest = n > longest ? n : longest;
        free(part);
    }
    assert_in_range(shortest, 5, 9);     /* one sentence: "Twice!" and its space */
    assert_true(longest > 30);           /* three */
    assert_true(longest < strlen(text)); /* never five */
}

static void a_text_without_sentences_stays(void **state) {
    (void)state;
    bw_rng rng = bw_rng_seed(1);
    char *part = bw_some_sentences("", &rng);
    assert_string_equal(part, "");
    free(part);
}

static size_t words_changed(const char *a, const char *b) {
    size_t n = 0;
    while (*a && *b) {
        size_t i = strcspn(a, " "), j = strcspn(b, " ");
        n += i != j || memcmp(a, b, i) != 0;
        a += i + (a[i] == ' ');
        b += j + (b[j] == ' ');
    }
    return n;
}

static void slips_change_long_words_and_nothing_else(void **state) {
    (void)state;
    const char *text = "The 味道 was wonderful and our waiter never forgot a thing, 10 of 10";
    bw_rng rng = bw_rng_seed(9);
    char *same = bw_with_typos(text, 0, &rng);
    assert_string_equal(same, text);
    free(same);
    for (int i = 0; i < 100; i++) {
        char *all = bw_with_typos(text, 1, &rng);
        /* wonderful, waiter, never, forgot, thing; "all" of two equal letters may look the same */
        assert_in_range(words_changed(text, all), 4, 5);
        assert_non_null(strstr(all, " 味道 was w"));
        assert_non_null(strstr(all, ", 10 of 10"));
        free(all);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(some_sentences_are_a_run_of_the_text),
                                       cmocka_unit_test(a_text_without_sentences_stays),
                                       cmocka_unit_test(slips_change_long_words_and_nothing_else)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
