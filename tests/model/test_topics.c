/* Topics: clusters of unit vectors, their words, ids that stay; messages' plain facts; aspect words. */
#include "tests/check.h"

#include "model/shipped/aspects.h"
#include "model/shipped/message.h"
#include "model/shipped/topics.h"

#include <stdlib.h>

#define N   30
#define DIM 4

/* Three bundles around the first three axes, with a little spread. */
static void bundles(float v[N][DIM]) {
    for (int i = 0; i < N; i++) {
        for (int k = 0; k < DIM; k++)
            v[i][k] = k == i % 3 ? 0.98f : (float)((i * 7 + k * 3) % 5) * 0.02f;
        float norm = 0;
        for (int k = 0; k < DIM; k++)
            norm += v[i][k] * v[i][k];
        for (int k = 0; k < DIM; k++)
            v[i][k] /= sqrtf(norm);
    }
}

static void bundles_are_found(void **state) {
    (void)state;
    float v[N][DIM];
    bw_topics t;
    bw_err err;
    bundles(v);
    CHECK_OK(bw_topics_find(&v[0][0], N, DIM, 3, NULL, 0, 5, &t, &err));
    for (int i = 3; i < N; i++)
        assert_int_equal(t.member[i], t.member[i % 3]);
    for (int c = 0; c < 3; c++) {
        assert_int_equal(t.size[c], N / 3);
        double sq = 0;
        for (int k = 0; k < DIM; k++)
            sq += (double)(t.centroid[c * DIM + k] * t.centroid[c * DIM + k]);
        CHECK_NEAR(sq, 1, 1e-5);
    }
    bw_topics_free(&t);
}

static void clusters_keep_the_place_of_their_start(void **state) {
    (void)state;
    float v[N][DIM];
    const float start[2][DIM] = {{0, 1, 0, 0}, {1, 0, 0, 0}};
    bw_topics t;
    bw_err err;
    bundles(v);
    CHECK_OK(bw_topics_find(&v[0][0], N, DIM, 3, &start[0][0], 2, 5, &t, &err));
    assert_int_equal(t.member[0], 1); /* the first axis was given second */
    assert_int_equal(t.member[1], 0);
    assert_int_equal(t.member[2], 2); /* the new subject gets the free cluster */
    bw_topics_free(&t);
    CHECK_FAILS(bw_topics_find(&v[0][0], 0, DIM, 3, NULL, 0, 5, &t, &err), BW_EARG, "0 texts");
}

static void free_words(char *(*words)[BW_TOPIC_WORDS], size_t k) {
    for (size_t c = 0; c < k; c++)
        for (size_t i = 0; i < BW_TOPIC_WORDS; i++)
            free(words[c][i]);
}

static void words_set_clusters_apart(void **state) {
    (void)state;
    const char *texts[24];
    int32_t member[24];
    for (int i = 0; i < 24; i++) {
        texts[i] =
            i % 2 ? "the courier came late with the parcel" : "the battery of the phone died";
        member[i] = i % 2;
    }
    char *words[2][BW_TOPIC_WORDS];
    bw_err err;
    CHECK_OK(bw_topic_words(texts, 24, member, 2, false, words, &err));
    assert_string_equal(words[0][0], "battery");
    bool courier = false;
    for (int i = 0; i < BW_TOPIC_WORDS && words[1][i]; i++) {
        courier |= strstr(words[1][i], "courier") != NULL;
        assert_null(strstr(words[1][i], "phone"));
        assert_string_not_equal(words[1][i], "the");
    }
    assert_true(courier);
    free_words(words, 2);
}

static void chinese_words_are_runs_without_parts(void **state) {
    (void)state;
    static const char *const TEXTS[] = {"快递很慢，等了四天", "屏幕很亮，也清楚", "这个快递太差",
                                        "这个屏幕太小",       "说是快递不上楼",   "换了屏幕也碎",
                                        "小哥的快递还行",     "看着屏幕不累"};
    const char *texts[24];
    int32_t member[24];
    for (int i = 0; i < 24; i++) {
        texts[i] = TEXTS[i % 8];
        member[i] = i % 2;
    }
    char *words[2][BW_TOPIC_WORDS];
    bw_err err;
    CHECK_OK(bw_topic_words(texts, 24, member, 2, true, words, &err));
    for (int c = 0; c < 2; c++)
        for (int i = 0; i < BW_TOPIC_WORDS && words[c][i]; i++)
            for (int j = 0; j < i; j++)
                assert_null(strstr(words[c][j], words[c][i]));
    assert_string_equal(words[0][0], "快递");
    assert_string_equal(words[1][0], "屏幕");
    free_words(words, 2);
}

/* "compared" and "ripped" are as frequent and as distinctive as "lining" and "poles". */
static void a_topic_is_named_by_nouns(void **state) {
    (void)state;
    static const char *const TEXTS[] = {
        "i compared it and the lining is thin", "they ripped when i put in the poles",
        "compared to that, my lining was loose", "it ripped, and one of the poles too"};
    const char *texts[24];
    int32_t member[24];
    for (int i = 0; i < 24; i++) {
        texts[i] = TEXTS[i % 4];
        member[i] = i % 2;
    }
    char *words[2][BW_TOPIC_WORDS];
    bw_err err;
    CHECK_OK(bw_topic_words(texts, 24, member, 2, false, words, &err));
    assert_string_equal(words[0][0], "lining");
    assert_string_equal(words[1][0], "poles");
    for (int c = 0; c < 2; c++)
        for (int i = 0; i < BW_TOPIC_WORDS && words[c][i]; i++) {
            assert_null(strstr(words[c][i], "compared"));
            assert_null(strstr(words[c][i], "ripped"));
        }
    free_words(words, 2);
}

/* The same texts in both clusters: nothing sets them apart. */
static void a_cluster_like_all_others_has_no_name(void **state) {
    (void)state;
    const char *texts[24];
    int32_t member[24];
    for (int i = 0; i < 24; i++) {
        texts[i] = i % 4 < 2 ? "the zip of the jacket broke" : "my boots have a soft sole";
        member[i] = i % 2;
    }
    char *words[2][BW_TOPIC_WORDS];
    bw_err err;
    CHECK_OK(bw_topic_words(texts, 24, member, 2, false, words, &err));
    assert_null(words[0][0]);
    assert_null(words[1][0]);
    free_words(words, 2);
}

static void message_facts_are_seen(void **state) {
    (void)state;
    bw_message_facts f = bw_message_read("Last chance! 20% off for you? \xF0\x9F\x8E\x89");
    assert_true(f.urgency && f.number && f.personal && f.question && f.emoji);
    f = bw_message_read("New colours are in the shop.");
    assert_false(f.urgency || f.number || f.personal || f.question || f.emoji);
    assert_int_equal(f.chars, 28);
    f = bw_message_read("限时优惠，您不要错过");
    assert_true(f.urgency && f.personal);
    f = bw_message_read("thank younger buyers"); /* "you" inside a word speaks to nobody */
    assert_false(f.personal);
}

static void terms_and_categories_find_their_aspect(void **state) {
    (void)state;
    assert_int_equal(bw_aspect_of("FOOD#PRICES"), BW_PRICE);
    assert_int_equal(bw_aspect_of("waiters"), BW_SERVICE);
    assert_int_equal(bw_aspect_of("battery life"), BW_QUALITY);
    assert_int_equal(bw_aspect_of("快递"), BW_DELIVERY);
    assert_int_equal(bw_aspect_of("尺码"), BW_FIT);
    assert_int_equal(bw_aspect_of("zebra"), BW_OTHER);
    assert_int_equal(bw_aspect_of(""), -1);
    assert_int_equal(bw_aspect_words("The courier was late, price ok") &
                         (1u << BW_DELIVERY | 1u << BW_PRICE | 1u << BW_FOOD),
                     1u << BW_DELIVERY | 1u << BW_PRICE);
}

/* Forty texts of before and ten of late; "zip" is in one before and in six of late, "cold" is in every
 * second text of both, "sole" in three of late alone: too few. */
static void a_word_that_became_frequent_is_found(void **state) {
    (void)state;
    const char *texts[51];
    int32_t recent[51];
    for (int i = 0; i < 50; i++) {
        bool late = i >= 40;
        recent[i] = late;
        texts[i] = late && i < 46 ? (i % 2 ? "the zip jams, cold" : "zip broke at once")
                   : late         ? "sole came off, cold"
                   : i == 7       ? "a zip and cold"
                   : i % 2        ? "cold and wet in the tent"
                                  : "wet in the tent";
    }
    texts[50] = "sole and zip and tent";
    recent[50] = -1; /* left out */
    bw_burst b;
    bw_err err;
    CHECK_OK(bw_topic_burst(texts, 51, recent, false, &b, &err));
    assert_non_null(b.term);
    assert_string_equal(b.term, "zip");
    CHECK_NEAR(b.recent, 6, 0);
    CHECK_NEAR(b.before, 1, 0);
    /* P(6 or more of 7 | 10 / 50) = 7 0.2^6 0.8 + 0.2^7 = 3.712e-4, by hand; three terms have four
     * texts of late at most, so the bound is wide. */
    assert_true(b.p >= 3.712e-4 && b.p < 0.01);
    free(b.term);
    for (int i = 40; i < 50; i++)
        texts[i] = texts[i - 40]; /* late as before: nothing stands out */
    CHECK_OK(bw_topic_burst(texts, 51, recent, false, &b, &err));
    assert_null(b.term);
    recent[0] = 0;
    for (int i = 0; i < 51; i++)
        recent[i] = 1;
    CHECK_OK(bw_topic_burst(texts, 51, recent, false, &b, &err)); /* no time before */
    assert_null(b.term);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_word_that_became_frequent_is_found),
        cmocka_unit_test(bundles_are_found),
        cmocka_unit_test(clusters_keep_the_place_of_their_start),
        cmocka_unit_test(words_set_clusters_apart),
        cmocka_unit_test(chinese_words_are_runs_without_parts),
        cmocka_unit_test(a_topic_is_named_by_nouns),
        cmocka_unit_test(a_cluster_like_all_others_has_no_name),
        cmocka_unit_test(message_facts_are_seen),
        cmocka_unit_test(terms_and_categories_find_their_aspect),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
