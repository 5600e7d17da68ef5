/* Labelled tables: label conventions, parts, and that no test text can reach training. */
#include "tests/check.h"

#include "model/train/recipe.h"
#include "model/shipped/text.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

static char folder[] = "/tmp/bw-corpus-XXXXXX";

static const char *write_file(const char *name, const char *text) {
    static char path[200];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *f = fopen(path, "wb");
    assert_non_null(f);
    fputs(text, f);
    fclose(f);
    return path;
}

static void labels_follow_the_conventions(void **state) {
    (void)state;
    bw_corpus c;
    bw_err err;
    CHECK_OK(bw_corpus_read(
        write_file("a.tsv", "label\tstars\tsplit\ttext\n1\t10\ttrain\tgood\n0\t1\ttest\tbad\n"
                            "neutral\t4\tdup_x\tso so\n"),
        &c, &err));
    assert_int_equal(c.n, 3);
    assert_int_equal(c.row[0].label, BW_POSITIVE);
    CHECK_NEAR(c.row[0].stars, 5, 1e-6); /* 10 of 10 */
    CHECK_NEAR(c.row[1].stars, 1, 1e-6);
    assert_int_equal(c.row[1].part, BW_PART_TEST);
    assert_int_equal(c.row[2].part, BW_PART_NONE);
    assert_false(c.two_class);
    bw_corpus_free(&c);
}

static void five_point_labels_are_recognised(void **state) {
    (void)state;
    bw_corpus c;
    bw_err err;
    CHECK_OK(bw_corpus_read(
        write_file("b.tsv", "label\ttext\n0\tawful\n1\tbad\n2\tmeh\n3\tgood\n4\tsuperb\n"), &c,
        &err));
    const int want[] = {BW_NEGATIVE, BW_NEGATIVE, BW_NEUTRAL, BW_POSITIVE, BW_POSITIVE};
    for (int i = 0; i < 5; i++)
        assert_int_equal(c.row[i].label, want[i]);
    CHECK_NEAR(c.row[3].stars, 4, 1e-6);
    bw_corpus_free(&c);
}

/* Expected: CRC-32 by zlib's own crc32, the definition of the convention. */
static void without_a_split_the_crc_decides(void **state) {
    (void)state;
    bw_corpus c;
    bw_err err;
    char text[4000] = "label\ttext\n";
    for (int i = 0; i < 60; i++)
        sprintf(text + strlen(text), "%d\ttext number %d\n", i % 2, i);
    CHECK_OK(bw_corpus_read(write_file("c.tsv", text), &c, &err));
    int tests = 0;
    for (int i = 0; i < 60; i++) {
        bool zero = crc32(0, (const Bytef *)c.row[i].text, (uInt)strlen(c.row[i].text)) % 10 == 0;
        assert_int_equal(c.row[i].part == BW_PART_TEST, zero);
        tests += zero;
    }
    assert_in_range(tests, 1, 20);
    bw_corpus_free(&c);
}

static void damaged_tables_are_refused_with_the_line(void **state) {
    (void)state;
    bw_corpus c;
    bw_err err;
    CHECK_FAILS(bw_corpus_read(write_file("d.bad", "label\ttext\n1\tok\n1\n"), &c, &err),
                BW_EFORMAT, "line 3");
    CHECK_FAILS(bw_corpus_read(write_file("e.bad", "a\tb\n1\tok\n"), &c, &err), BW_EFORMAT,
                "'text'");
    CHECK_FAILS(bw_corpus_read("/nowhere.tsv.gz", &c, &err), BW_EIO, "/nowhere.tsv.gz");
}

static const char RECIPE[] =
    "{\"name\": \"tiny\", \"data\": [{\"file\": \"one\", \"task\": \"sentiment\"}, "
    "{\"file\": \"two\", \"task\": \"aspect\", \"sentences\": true}, "
    "{\"file\": \"plain\", \"task\": \"text\"}], \"dev\": [\"one\"]}";

static void write_folder(void) {
    write_file(
        "one.tsv",
        "label\tsplit\ttext\n1\ttrain\tGreat sound and shape\n0\ttrain\tCall me 415-555-0134 "
        "broken\n"
        "1\ttest\tThe secret test text\n0\tdev\tA dev text here\n1\tdup_other\tnever used\n");
    write_file("two.tsv",
               "label\tsplit\taspect\ttext\n1\ttrain\tfood\tgood food and "
               "staff\n1\ttrain\tstaff\tgood food and staff\n"
               "1\ttrain\tfood\tfine food, rude staff\n0\ttrain\tstaff\tfine food, rude staff\n"
               "0\ttrain\tfood\tthe SECRET test text!!\n");
    write_file("plain.tsv", "text\nthe secret, test text\na dev text, here\nsome other words\nmore "
                            "words\nstill more\n");
    write_file("tiny.json", RECIPE);
}

static void load(bw_recipe *r, bw_dataset *d) {
    bw_err err;
    char path[200];
    write_folder();
    snprintf(path, sizeof path, "%s/tiny.json", folder);
    CHECK_OK(bw_recipe_read(path, r, &err));
    CHECK_OK(bw_dataset_load(r, folder, d, &err));
}

/* The check that every figure rests on: by key, so other punctuation or case cannot hide a text. */
static void no_test_text_is_ever_trained_on(void **state) {
    (void)state;
    bw_recipe r;
    bw_dataset d;
    load(&r, &d);
    uint64_t secret = bw_text_key("the secret test text"), dev = bw_text_key("a dev text here");
    for (size_t i = 0; i < d.n; i++) {
        assert_true(bw_text_key(d.example[i].text) != secret);
        assert_true(d.example[i].part == BW_PART_DEV || bw_text_key(d.example[i].text) != dev);
    }
    assert_int_equal(r.set[1].test_texts, 1);
    bw_dataset_free(&d);
    bw_recipe_free(&r);
}

static void private_data_is_redacted_before_training(void **state) {
    (void)state;
    bw_recipe r;
    bw_dataset d;
    load(&r, &d);
    bool seen = false;
    for (size_t i = 0; i < d.n; i++) {
        assert_null(strstr(d.example[i].text, "555"));
        seen |= strstr(d.example[i].text, "[phone] broken") != NULL;
    }
    assert_true(seen);
    bw_dataset_free(&d);
    bw_recipe_free(&r);
}

static void agreeing_aspects_make_a_sentence_label(void **state) {
    (void)state;
    bw_recipe r;
    bw_dataset d;
    load(&r, &d);
    int agree = 0, mixed = 0;
    for (size_t i = 0; i < d.n; i++)
        if (d.example[i].set == 1 && d.example[i].task == BW_TASK_SENTIMENT) {
            agree += !strcmp(d.example[i].text, "good food and staff") &&
                     d.example[i].label == BW_POSITIVE;
            mixed += !strcmp(d.example[i].text, "fine food, rude staff");
        }
    assert_int_equal(agree, 1);
    assert_int_equal(mixed, 0);
    bw_dataset_free(&d);
    bw_recipe_free(&r);
}

static void recipes_say_what_is_wrong(void **state) {
    (void)state;
    bw_recipe r;
    bw_dataset d;
    bw_err err;
    CHECK_FAILS(
        bw_recipe_read(
            write_file("x.json",
                       "{\"name\": \"x\", \"data\": [{\"file\": \"f\", \"task\": \"guess\"}]}"),
            &r, &err),
        BW_EFORMAT, "guess");
    CHECK_FAILS(bw_recipe_read(
                    write_file("x.json",
                               "{\"name\": \"x\", \"data\": [{\"file\": \"f\", \"task\": \"text\", "
                               "\"parts\": [\"test\"]}]}"),
                    &r, &err),
                BW_EARG, "never");
    CHECK_OK(bw_recipe_read(
        write_file("x.json",
                   "{\"name\": \"x\", \"data\": [{\"file\": \"absent\", \"task\": \"text\"}]}"),
        &r, &err));
    CHECK_FAILS(bw_dataset_load(&r, folder, &d, &err), BW_EIO, "absent");
    bw_recipe_free(&r);
}

static void the_shipped_recipes_can_be_read(void **state) {
    (void)state;
    bw_recipe r;
    bw_err err;
    CHECK_OK(bw_recipe_read("shipped", &r, &err));
    assert_true(r.n_sets > 20);
    for (size_t i = 0; i < r.n_sets; i++)
        assert_string_not_equal(r.set[i].file, "en_mr"); /* it holds most of SST's test sentences */
    bw_recipe_free(&r);
}

static int make_folder(void **state) {
    (void)state;
    return mkdtemp(folder) ? 0 : -1;
}

static int remove_folder(void **state) {
    (void)state;
    char command[100];
    snprintf(command, sizeof command, "rm -rf %s", folder);
    return system(command);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(labels_follow_the_conventions),
        cmocka_unit_test(five_point_labels_are_recognised),
        cmocka_unit_test(without_a_split_the_crc_decides),
        cmocka_unit_test(damaged_tables_are_refused_with_the_line),
        cmocka_unit_test(no_test_text_is_ever_trained_on),
        cmocka_unit_test(private_data_is_redacted_before_training),
        cmocka_unit_test(agreeing_aspects_make_a_sentence_label),
        cmocka_unit_test(recipes_say_what_is_wrong),
        cmocka_unit_test(the_shipped_recipes_can_be_read),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
