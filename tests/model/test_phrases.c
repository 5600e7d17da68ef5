/* tests/model/test_phrases.c - sentences from patterns, and that none of them is a case of the behavioural
 * tests. */
#include "tests/check.h"
#include "common/buf.h"
#include "model/shipped/text.h"
#include "model/train/corpus.h"
#include "model/train/phrases.h"

#include <stdlib.h>
#include <string.h>

#define SOURCE                           \
    "# a comment\n"                      \
    "@thing = cup | tea pot | 杯子\n"  \
    "@good=fine|great\n"                 \
    "\n"                                 \
    "positive  The {thing} is {good}.\n" \
    "negative  Not {good}, {good}\n"     \
    "neutral  It is blue."

static char *expand(const char *source, size_t copies, uint64_t seed) {
    bw_err err;
    char *tsv;
    CHECK_OK(bw_phrases_expand(source, "patterns", copies, seed, &tsv, &err));
    return tsv;
}

static void every_slot_is_filled_from_its_list(void **state) {
    (void)state;
    bw_err err;
    bw_corpus c;
    CHECK_OK(bw_corpus_parse(expand(SOURCE, 5, 1), "patterns", &c, &err));
    assert_int_equal(c.n, 5 + 4 + 1); /* the second pattern has 2 x 2 choices, the third none */
    for (size_t i = 0; i < c.n; i++) {
        assert_null(strpbrk(c.row[i].text, "{}|@"));
        assert_int_equal(c.row[i].part, BW_PART_TRAIN);
        assert_int_equal(c.row[i].label, i < 5 ? BW_POSITIVE : i < 9 ? BW_NEGATIVE : BW_NEUTRAL);
    }
    assert_string_equal(c.row[9].text, "It is blue.");
    bw_corpus_free(&c);
}

static void the_seed_decides(void **state) {
    (void)state;
    char *a = expand(SOURCE, 5, 7), *b = expand(SOURCE, 5, 7), *other = expand(SOURCE, 5, 8);
    assert_string_equal(a, b);
    assert_string_not_equal(a, other);
    free(a), free(b), free(other);
}

static void a_wrong_line_is_named(void **state) {
    (void)state;
    static const struct {
        const char *source, *says;
    } BAD[] = {{"@a = b\nnice  The {a}.", "patterns: line 2: a sentence begins with"},
               {"positive  The {thing}.\n@thing = cup", "line 1: a {slot} names no list"},
               {"positive  The {thing.", "line 1: a {slot}"},
               {"\n@thing", "line 2: a list is written"}};
    for (size_t i = 0; i < sizeof BAD / sizeof *BAD; i++) {
        bw_err err;
        char *tsv;
        assert_int_equal(bw_phrases_expand(BAD[i].source, "patterns", 3, 1, &tsv, &err),
                         BW_EFORMAT);
        assert_non_null(strstr(err.text, BAD[i].says));
        assert_null(tsv);
    }
}

static void add_cases(bw_keyset *keys, const char *path) {
    bw_err err;
    char *text;
    size_t len;
    CHECK_OK(bw_file_read(path, 1 << 20, &text, &len, &err));
    for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n")) {
        char *tab = strrchr(line, '\t');
        CHECK_OK(bw_keyset_add(keys, bw_text_key(tab + 1), &err)); /* text2, often empty */
        *tab = '\0';
        tab = strrchr(line, '\t');
        CHECK_OK(bw_keyset_add(keys, bw_text_key(tab ? tab + 1 : line), &err));
    }
    free(text);
}

static void no_sentence_is_a_behavioural_case(void **state) {
    (void)state;
    bw_err err;
    bw_keyset cases = {0};
    bw_corpus c;
    char *source;
    size_t len;
    add_cases(&cases, "tests/model/behaviour_en.tsv");
    add_cases(&cases, "tests/model/behaviour_zh.tsv");
    assert_true(cases.n > 600);
    CHECK_OK(bw_file_read("model/recipes/phrases.txt", 1 << 20, &source, &len, &err));
    CHECK_OK(
        bw_corpus_parse(expand(source, 40, 1), "phrases", &c, &err)); /* as the recipe has it */
    assert_true(c.n > 5000);
    for (size_t i = 0; i < c.n; i++)
        if (bw_keyset_has(&cases, bw_row_key(&c.row[i])))
            fail_msg("\"%s\" is trained on and tested", c.row[i].text);
    bw_corpus_free(&c);
    bw_keyset_free(&cases);
    free(source);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(every_slot_is_filled_from_its_list),
                                       cmocka_unit_test(the_seed_decides),
                                       cmocka_unit_test(a_wrong_line_is_named),
                                       cmocka_unit_test(no_sentence_is_a_behavioural_case)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
