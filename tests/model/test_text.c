/* Texts as units: what is made alike, what is kept apart, and where each unit came from. */
#include "tests/check.h"

#include "model/shipped/text.h"

static const char *norm(bw_units *u, const char *text) {
    bw_err err;
    CHECK_OK(bw_units_split(u, text, strlen(text), 0, &err));
    if (u->n)
        u->norm[u->norm_len] = '\0';
    return u->n ? u->norm : "";
}

static void contractions_become_one_form(void **state) {
    (void)state;
    bw_units u = {0};
    assert_string_equal(norm(&u, "It doesn't work"), " it does not work");
    assert_string_equal(norm(&u, "it does n't work"), " it does not work");
    assert_string_equal(norm(&u, "It doesn\xE2\x80\x99t work"), " it does not work");
    assert_string_equal(norm(&u, "the battery's dead"), " the battery 's dead");
    bw_units_free(&u);
}

static void repeats_numbers_and_addresses_are_evened_out(void **state) {
    (void)state;
    bw_units u = {0};
    assert_string_equal(norm(&u, "Sooooo good!!!!!"), " soo good !!");
    assert_string_equal(norm(&u, "in 2019 for 15 of 123456"), " in 0000 for 15 of 00000");
    assert_string_equal(norm(&u, "see https://a.b/c?d=1 @joe_1 ok"), " see url @user ok");
    assert_string_equal(norm(&u, "an mp3 player"), " an mp3 player");
    bw_units_free(&u);
}

static void chinese_is_one_unit_a_character(void **state) {
    (void)state;
    bw_units u = {0};
    assert_string_equal(norm(&u, "不错，ｉＰｈｏｎｅ很好！"), "不错 , iphone很好 !");
    assert_int_equal(u.n, 7);
    assert_int_equal(u.unit[0].kind, BW_UNIT_HAN);
    bw_units_free(&u);
}

static void units_point_at_their_bytes(void **state) {
    (void)state;
    bw_units u = {0};
    const char *text = "  Caf\xC3\xA9 isn't bad";
    norm(&u, text);
    assert_int_equal(u.n, 4);
    assert_int_equal(u.unit[0].begin, 2);
    assert_int_equal(u.unit[0].end, 7);
    assert_memory_equal(text + u.unit[2].begin, "n't", 3);
    assert_memory_equal(text + u.unit[3].begin, "bad", 3);
    bw_units_free(&u);
}

static void hostile_bytes_only_separate(void **state) {
    (void)state;
    bw_units u = {0};
    assert_string_equal(norm(&u, "good\xFF\xFE"
                                 "bad\x01\x02"
                                 "fine\xC3"),
                        " good bad fine");
    assert_string_equal(norm(&u, ""), "");
    assert_string_equal(norm(&u, "\xF0\x9F\x98\x80\xEF\xB8\x8F ok"), " \xF0\x9F\x98\x80 ok");
    bw_units_free(&u);
}

static void a_limit_cuts_units(void **state) {
    (void)state;
    bw_units u = {0};
    bw_err err;
    CHECK_OK(bw_units_split(&u, "a b c d e f", 11, 3, &err));
    assert_int_equal(u.n, 3);
    bw_units_free(&u);
}

static void keys_look_at_letters_and_digits_alone(void **state) {
    (void)state;
    assert_true(bw_text_key("Works great!") == bw_text_key("works, GREAT"));
    assert_true(bw_text_key("it 's ok .") == bw_text_key("It's OK"));
    assert_true(bw_text_key("不错。") == bw_text_key(" 不 错 "));
    assert_true(bw_text_key("works great") != bw_text_key("works grand"));
    assert_true(bw_text_key("?! ...") == 0);
}

static void language_goes_by_the_letters(void **state) {
    (void)state;
    assert_string_equal(bw_text_language("iPhone 8 的屏幕很好"), "zh");
    assert_string_equal(bw_text_language("I said 你好 to the whole restaurant staff"), "en");
    assert_string_equal(bw_text_language("12345 !!"), "en");
    assert_string_equal(bw_text_language(""), "en");
}

static void sentences_end_where_people_end_them(void **state) {
    (void)state;
    const char *text = "Paid 12.50 for it. Broke!! Why?\nNever again", *s;
    size_t at = 0;
    assert_int_equal(bw_text_sentence(text, &at, &s), strlen("Paid 12.50 for it."));
    assert_int_equal(bw_text_sentence(text, &at, &s), strlen("Broke!!"));
    assert_memory_equal(s, "Broke!!", 7);
    bw_text_sentence(text, &at, &s);
    assert_int_equal(bw_text_sentence(text, &at, &s), strlen("Never again"));
    assert_int_equal(bw_text_sentence(text, &at, &s), 0);
    at = 0;
    assert_int_equal(bw_text_sentence("很好。不贵！", &at, &s), strlen("很好。"));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(contractions_become_one_form),
        cmocka_unit_test(repeats_numbers_and_addresses_are_evened_out),
        cmocka_unit_test(chinese_is_one_unit_a_character),
        cmocka_unit_test(units_point_at_their_bytes),
        cmocka_unit_test(hostile_bytes_only_separate),
        cmocka_unit_test(a_limit_cuts_units),
        cmocka_unit_test(keys_look_at_letters_and_digits_alone),
        cmocka_unit_test(language_goes_by_the_letters),
        cmocka_unit_test(sentences_end_where_people_end_them),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
