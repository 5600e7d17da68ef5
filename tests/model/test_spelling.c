/* Slips of the keyboard: which words are read as another, which are left alone.
 *
 * The world of these tests: "delicious" 200 times, "service" 100, "hotel" 100, "house" 100, "horse" 50,
 * and "delicate" 40. A vocabulary trained on that holds each of them whole. */
#include "tests/check.h"

#include "model/shipped/counts.h"
#include "model/shipped/spelling.h"

#include <stdlib.h>

static bw_err err;

static const struct {
    const char *word;
    int times;
} WORLD[] = {{"delicious", 200}, {"service", 100}, {"hotel", 100},
             {"house", 100},     {"horse", 50},    {"delicate", 40}};

#define N_WORDS (sizeof WORLD / sizeof *WORLD)

typedef struct {
    bw_tokenizer *tokenizer;
    bw_words words;
    bw_spelling *spelling;
} world;

static bw_words count_world(void) {
    bw_example *e = calloc(600, sizeof *e);
    bw_dataset d = {.example = e};
    bw_words w;
    for (size_t i = 0; i < N_WORDS; i++)
        for (int k = 0; k < WORLD[i].times; k++)
            e[d.n++] = (bw_example){.text = WORLD[i].word, .part = BW_PART_TRAIN};
    for (int k = 0; k < 5; k++) /* held out: must not be counted */
        e[d.n++] = (bw_example){.text = "servise", .part = BW_PART_DEV};
    CHECK_OK(bw_words_new(&d, 3, &w, &err));
    free(e);
    return w;
}

static bw_tokenizer *train_world(void) {
    static const char *const specials[] = {"[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", NULL};
    bw_tokenizer_training how = {.vocab = 400, .specials = specials, .lowercase = true};
    bw_trainer *tr;
    bw_tokenizer *t;
    CHECK_OK(bw_trainer_new(&how, &tr, &err));
    for (size_t i = 0; i < N_WORDS; i++)
        for (int k = 0; k < WORLD[i].times; k++) {
            char text[32];
            int n = snprintf(text, sizeof text, " %s", WORLD[i].word);
            CHECK_OK(bw_trainer_add(tr, text, (size_t)n, &err));
        }
    CHECK_OK(bw_trainer_finish(tr, &t, &err));
    bw_trainer_free(tr);
    return t;
}

static int make_world(void **state) {
    world *w = calloc(1, sizeof *w);
    w->words = count_world();
    w->tokenizer = train_world();
    CHECK_OK(bw_spelling_new(w->tokenizer, &w->words, &w->spelling, &err));
    *state = w;
    return 0;
}

static int drop_world(void **state) {
    world *w = *state;
    bw_spelling_free(w->spelling);
    bw_tokenizer_free(w->tokenizer);
    bw_words_free(&w->words);
    free(w);
    return 0;
}

static const char *meant(void **state, const char *word) {
    const world *w = *state;
    const char *m = bw_spelling_of(w->spelling, word, strlen(word));
    return m ? m : "-";
}

static void each_kind_of_slip_is_mended(void **state) {
    assert_string_equal(meant(state, "delicous"), "delicious");   /* one too few */
    assert_string_equal(meant(state, "delicioous"), "delicious"); /* one too many */
    assert_string_equal(meant(state, "delucious"), "delicious");  /* another */
    assert_string_equal(meant(state, "dleicious"), "delicious");  /* two swapped */
    assert_string_equal(meant(state, "serviec"), "service");      /* at the end */
    assert_string_equal(meant(state, "servicee"), "service");
}

static void what_is_not_a_slip_is_left(void **state) {
    assert_string_equal(meant(state, "delicious"), "-"); /* known */
    assert_string_equal(meant(state, "hotl"), "-");      /* too short to guess */
    assert_string_equal(meant(state, "celicious"), "-"); /* another first letter */
    assert_string_equal(meant(state, "delciuos"), "-");  /* two slips */
    assert_string_equal(meant(state, "hotel7"), "-");    /* not of letters */
    assert_string_equal(meant(state, "serv\xC3\xAD"
                                     "ce"),
                        "-");
    assert_string_equal(meant(state, ""), "-");
}

/* "hoise" is one letter from "house" and from "horse": the more frequent wins. */
static void of_several_words_the_most_frequent_is_meant(void **state) {
    assert_string_equal(meant(state, "hoise"), "house");
    assert_string_equal(meant(state, "horrse"), "horse");
}

/* A word that stands one letter from a frequent one and is not rare itself is a word. */
static void a_word_seen_often_enough_is_not_a_slip(void **state) {
    const world *w = *state;
    bw_example e[8] = {{.text = NULL}};
    bw_dataset d = {.example = e, .n = 8};
    bw_words more;
    bw_spelling *s;
    for (size_t i = 0; i < 8; i++)
        e[i] = (bw_example){.text = i < 4 ? "services" : "service", .part = BW_PART_TRAIN};
    CHECK_OK(bw_words_new(&d, 3, &more, &err));
    CHECK_OK(bw_spelling_new(w->tokenizer, &more, &s, &err));
    assert_null(bw_spelling_of(s, "services", 8));
    bw_spelling_free(s);
    bw_words_free(&more);
}

/* Counts are kept to an eighth of a doubling: within 2^(1/16), 4.5 %. */
static void counts_come_back_within_five_percent(void **state) {
    const world *w = *state;
    for (size_t i = 0; i < N_WORDS; i++)
        CHECK_NEAR(bw_words_count(&w->words, bw_unit_hash(WORLD[i].word, strlen(WORLD[i].word))) /
                       WORLD[i].times,
                   1, 0.05);
    assert_true(bw_words_count(&w->words, bw_unit_hash("servise", 7)) == 0);
    assert_true(bw_words_count(&(bw_words){.n = 0}, bw_unit_hash("hotel", 5)) == 0);
}

static void mended_units_keep_their_place(void **state) {
    const world *w = *state;
    const char *text = "A delicous, Delicous hotell!";
    bw_units u = {0};
    CHECK_OK(bw_units_split(&u, text, strlen(text), 0, &err));
    CHECK_OK(bw_spelling_mend(w->spelling, &u, &err));
    assert_int_equal(u.norm_len, strlen(" a delicious , delicious hotel !"));
    assert_memory_equal(u.norm, " a delicious , delicious hotel !", u.norm_len);
    assert_int_equal(u.n, 6);
    assert_memory_equal(text + u.unit[4].begin, "hotell", u.unit[4].end - u.unit[4].begin);
    assert_memory_equal(u.norm + u.unit[5].at, "!", u.unit[5].len);
    assert_true(u.unit[1].hash == bw_unit_hash("delicious", 9));
    bw_units_free(&u);
}

static void counts_grow_and_keep_what_they_hold(void **state) {
    (void)state;
    bw_counts c = {0};
    for (uint64_t k = 1; k <= 100000; k++)
        for (uint64_t times = 0; times <= k % 3; times++)
            assert_true(bw_counts_add(&c, k));
    assert_int_equal(c.n, 100000);
    for (uint64_t k = 1; k <= 100000; k++)
        assert_int_equal(c.value[bw_counts_find(&c, k)], 1 + k % 3);
    assert_int_equal(c.key[bw_counts_find(&c, 100001)], 0);
    bw_counts_free(&c);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_kind_of_slip_is_mended),
        cmocka_unit_test(what_is_not_a_slip_is_left),
        cmocka_unit_test(of_several_words_the_most_frequent_is_meant),
        cmocka_unit_test(a_word_seen_often_enough_is_not_a_slip),
        cmocka_unit_test(counts_come_back_within_five_percent),
        cmocka_unit_test(mended_units_keep_their_place),
        cmocka_unit_test(counts_grow_and_keep_what_they_hold),
    };
    return cmocka_run_group_tests(tests, make_world, drop_world);
}
