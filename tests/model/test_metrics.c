/* tests/model/test_metrics.c - each metric against numbers that its authors or its usual
 * implementation published, and against cases small enough to count by hand. */
#include "tests/check.h"
#include "model/train/metrics.h"

static bw_err err;

/* scikit-learn 1.5, documentation of f1_score: macro average 0.26; and its confusion counted by hand:
 * class 0 has F1 4/5, the others 0. */
static void macro_f1_averages_over_classes(void **state) {
    (void)state;
    const int32_t truth[] = {0, 1, 2, 0, 1, 2}, predicted[] = {0, 2, 1, 0, 0, 1};
    CHECK_NEAR(bw_macro_f1(truth, predicted, 6, 3), 0.8 / 3, 1e-12);
    CHECK_NEAR(bw_macro_f1(truth, predicted, 6, 9), 0.8 / 3,
               1e-12); /* absent classes are left out */
    CHECK_NEAR(bw_class_f1(truth, predicted, 6, 0), 0.8, 1e-12);
    CHECK_NEAR(bw_accuracy(truth, predicted, 6), 2.0 / 6, 1e-12);
    assert_true(isnan(bw_class_f1(truth, predicted, 6, 5)));
    assert_true(isnan(bw_macro_f1(truth, predicted, 6, 2)));
    assert_true(isnan(bw_accuracy(truth, predicted, 0)));
}

/* scikit-learn, documentation of roc_auc_score's curve: y = 0 0 1 1, scores .1 .4 .35 .8 give 0.75. */
static void auc_counts_ordered_pairs(void **state) {
    (void)state;
    const int32_t truth[] = {0, 0, 1, 1}, one_kind[] = {1, 1, 1, 1};
    const double score[] = {0.1, 0.4, 0.35, 0.8};
    CHECK_NEAR(bw_roc_auc(truth, score, 4), 0.75, 1e-12);
    assert_true(isnan(bw_roc_auc(one_kind, score, 4)));
    /* Four pairs: one won, one lost, two tied. */
    const double tied[] = {0.5, 0.7, 0.5, 0.7};
    CHECK_NEAR(bw_roc_auc(truth, tied, 4), 0.5, 1e-12);
    const double mostly[] = {0.5, 0.2, 0.5, 0.7}; /* three won, one tied */
    CHECK_NEAR(bw_roc_auc(truth, mostly, 4), 3.5 / 4, 1e-12);
}

/* torchmetrics 1.4, documentation of MulticlassCalibrationError: 0.2000 with 3 bins. */
static void calibration_error_is_the_mean_gap(void **state) {
    (void)state;
    const double confidence[] = {0.55, 0.55, 0.60, 0.90};
    const int32_t correct[] = {0, 0, 1, 1};
    CHECK_NEAR(bw_calibration_error(confidence, correct, 4, 3), 0.2, 1e-12);
    /* Fifteen bins: .55 (two wrong), .61 (right) and .90 (right) lie apart; .60 is the upper edge of
     * the bin of .55. */
    const double apart[] = {0.55, 0.55, 0.61, 0.90};
    CHECK_NEAR(bw_calibration_error(apart, correct, 4, BW_CALIBRATION_BINS), (1.1 + 0.39 + 0.1) / 4,
               1e-12);
    CHECK_NEAR(bw_calibration_error(confidence, correct, 4, BW_CALIBRATION_BINS), (0.7 + 0.1) / 4,
               1e-12);
    const double edge[] = {0.0, 1.0}; /* 0 falls in the first bin, 1 in the last */
    const int32_t right[] = {0, 1};
    CHECK_NEAR(bw_calibration_error(edge, right, 2, 15), 0, 0);
    assert_true(isnan(bw_calibration_error(edge, right, 0, 15)));
}

/* scikit-learn, documentation of brier_score_loss: 0.0375 (printed 0.037). */
static void brier_is_the_squared_distance(void **state) {
    (void)state;
    const int32_t truth[] = {0, 1, 1, 0};
    const double p[] = {0.1, 0.9, 0.8, 0.3};
    CHECK_NEAR(bw_brier(p, truth, 4, 1), 0.0375, 1e-12);
    const double both[] = {0.9, 0.1, 0.1, 0.9, 0.2, 0.8, 0.7, 0.3};
    CHECK_NEAR(bw_brier(both, truth, 4, 2), 0.075, 1e-12);
}

static void perplexity_of_a_fair_choice_is_its_size(void **state) {
    (void)state;
    CHECK_NEAR(bw_perplexity(7 * log(50), 7), 50, 1e-9);
    assert_true(isnan(bw_perplexity(0, 0)));
}

/* SciPy 1.13, documentation of spearmanr (0.8207826816681233) and pearsonr (-0.828503883588428). */
static void correlations_match_scipy(void **state) {
    (void)state;
    const double a[] = {1, 2, 3, 4, 5}, b[] = {5, 6, 7, 8, 7};
    CHECK_NEAR(bw_spearman(a, b, 5), 0.8207826816681233, 1e-12);
    const double x[] = {1, 2, 3, 4, 5, 6, 7}, y[] = {10, 9, 2.5, 6, 4, 3, 2};
    CHECK_NEAR(bw_pearson(x, y, 7), -0.828503883588428, 1e-12);
    const double flat[] = {3, 3, 3, 3, 3};
    assert_true(isnan(bw_pearson(a, flat, 5)));
    assert_true(isnan(bw_spearman(flat, a, 5)));
}

/* Manning, Raghavan, Schuetze, Introduction to Information Retrieval, figure 16.4: purity 0.71, NMI
 * 0.36 (to two places). */
static void clusters_of_the_textbook(void **state) {
    (void)state;
    const int32_t cluster[] = {0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 2, 2, 2, 2, 2};
    const int32_t class[] = {0, 0, 0, 0, 0, 1, 0, 1, 1, 1, 1, 2, 0, 0, 2, 2, 2};
    CHECK_NEAR(bw_purity(cluster, class, 17), 12.0 / 17, 1e-12);
    CHECK_NEAR(bw_nmi(cluster, class, 17), 0.36, 0.005);
    CHECK_NEAR(bw_nmi(class, class, 17), 1, 1e-12);
    const int32_t one[17] = {0};
    assert_true(isnan(bw_nmi(one, one, 17)));
    const int32_t bad[] = {-1};
    assert_true(isnan(bw_purity(bad, bad, 1)));
}

static const char *const DOG[] = {"The dog bit the man.", "It wasn't surprising.",
                                  "The man had just bitten him."};
static const char *const FIRST[] = {"The dog bit the man.", "It was not unexpected.",
                                    "The man bit him first."};
static const char *const SECOND[] = {"The dog had bit the man.", "No one was surprised.",
                                     "The man had bitten the dog."};

/* README of sacreBLEU 2: 48.53, 82.4/50.0/45.5/37.5, brevity 0.943; its tests give more places, and
 * the score without tokenisation. */
static void bleu_of_the_dog_that_bit(void **state) {
    (void)state;
    bw_texts refs[] = {FIRST, SECOND};
    bw_bleu_score b;
    CHECK_OK(bw_bleu(DOG, refs, 2, 3, BW_WORDS_13A, &b, &err));
    CHECK_NEAR(b.score, 48.530827, 1e-6);
    CHECK_NEAR(b.precision[0], 82.4, 0.05);
    CHECK_NEAR(b.precision[3], 37.5, 1e-9);
    CHECK_NEAR(b.brevity, 0.943, 0.0005);
    assert_int_equal(b.hyp_len, 17);
    assert_int_equal(b.ref_len, 18);
    CHECK_OK(bw_bleu(DOG, refs, 2, 3, BW_WORDS_NONE, &b, &err));
    CHECK_NEAR(b.score, 49.1919566, 1e-6);
}

/* Same place: without the first reference of the first text 29.44, 82.4/42.9/27.3/12.5. */
static void bleu_takes_fewer_references(void **state) {
    (void)state;
    const char *const fewer[] = {"", FIRST[1], FIRST[2]};
    bw_texts refs[] = {fewer, SECOND};
    bw_bleu_score b;
    CHECK_OK(bw_bleu(DOG, refs, 2, 3, BW_WORDS_13A, &b, &err));
    CHECK_NEAR(b.score, 29.44, 0.005);
    CHECK_NEAR(b.precision[1], 42.9, 0.05);
    assert_int_equal(b.ref_len, 19);
}

/* sacreBLEU's test of counts: 4 2 1 0 of 6 5 4 3. Its fourth order is smoothed to half a match:
 * (4/6 * 2/5 * 1/4 * 0.5/3)^(1/4) * exp(1 - 8/6). */
static void bleu_smooths_an_order_without_matches(void **state) {
    (void)state;
    const char *const hyp[] = {"am I am a character sequence"};
    const char *const ref[] = {"I am a symbol string sequence a a"};
    bw_texts refs[] = {ref};
    bw_bleu_score b;
    CHECK_OK(bw_bleu(hyp, refs, 1, 1, BW_WORDS_13A, &b, &err));
    const size_t correct[] = {4, 2, 1, 0}, total[] = {6, 5, 4, 3};
    assert_memory_equal(b.correct, correct, sizeof correct);
    assert_memory_equal(b.total, total, sizeof total);
    CHECK_NEAR(b.score, 100 * pow(4.0 / 6 * 0.4 * 0.25 * 0.5 / 3, 0.25) * exp(1 - 8.0 / 6), 1e-9);
    const char *const none[] = {"ref1"};
    bw_texts nothing[] = {none};
    CHECK_OK(bw_bleu(hyp, nothing, 1, 1, BW_WORDS_13A, &b, &err));
    CHECK_NEAR(b.score, 0, 0);
}

/* By the rules of mteval-v13a: Hello | , | it | costs | 3,500.5 | - | yes | ( | " | 5 | - | year | " | ) | . and the
 * same written apart; equal words give 100. */
static void words_13a_stand_apart(void **state) {
    (void)state;
    const char *const hyp[] = {"Hello, it costs 3,500.5 - yes (&quot;5-year&quot;)."};
    const char *const ref[] = {"Hello , it costs 3,500.5 - yes ( \" 5 - year \" ) ."};
    bw_texts refs[] = {ref};
    bw_bleu_score b;
    CHECK_OK(bw_bleu(hyp, refs, 1, 1, BW_WORDS_13A, &b, &err));
    CHECK_NEAR(b.score, 100, 1e-9);
    assert_int_equal(b.hyp_len, 15);
}

static void chinese_counts_by_character(void **state) {
    (void)state;
    const char *const hyp[] = {"快递太慢了，GPT-4也救不了。"};
    const char *const ref[] = {"快递太慢了，GPT-4也没救了。"};
    bw_texts refs[] = {ref};
    bw_bleu_score b;
    CHECK_OK(bw_bleu(hyp, refs, 1, 1, BW_WORDS_ZH, &b, &err));
    assert_int_equal(b.hyp_len, 12);
    assert_int_equal(b.correct[0], 11);
    bw_rouge_score r;
    CHECK_OK(bw_rouge(hyp, ref, 1, &r, &err));
    CHECK_NEAR(r.one.f, 10.0 / 11, 1e-12); /* 9 of 快递太慢了也救不了 and gpt, 4 */
}

/* README of sacreBLEU 2: 59.73. Its tests give 31.22557079 for the Czech sentence, within 1e-4. */
static void chrf_of_the_dog_that_bit(void **state) {
    (void)state;
    bw_texts refs[] = {FIRST, SECOND};
    double score;
    CHECK_OK(bw_chrf(DOG, refs, 2, 3, &score, &err));
    CHECK_NEAR(score, 59.73, 0.005);
    const char *const hyp[] = {"Nebo prostě nemají vybavení, které by jim pomohlo, uvedli lékaři."};
    const char *const ref[] = {
        "A někdy nemáme ani potřebný materiál, abychom jim pomohli, popsali lékaři."};
    bw_texts one[] = {ref};
    CHECK_OK(bw_chrf(hyp, one, 1, 1, &score, &err));
    CHECK_NEAR(score, 31.22557079, 1e-4);
    const char *const empty[] = {""};
    CHECK_OK(bw_chrf(empty, one, 1, 1, &score, &err));
    CHECK_NEAR(score, 0, 0);
}

/* The example of rouge_score: 6 of 8 and 9 words in common, 2 of 7 and 8 pairs, 5 words in order. */
static void rouge_of_the_quick_brown_fox(void **state) {
    (void)state;
    const char *const hyp[] = {"The quick brown dog jumps on the log."};
    const char *const ref[] = {"The quick brown fox jumps over the lazy dog"};
    bw_rouge_score r;
    CHECK_OK(bw_rouge(hyp, ref, 1, &r, &err));
    CHECK_NEAR(r.one.precision, 0.75, 1e-12);
    CHECK_NEAR(r.one.recall, 6.0 / 9, 1e-12);
    CHECK_NEAR(r.one.f, 0.7058823529411765, 1e-12);
    CHECK_NEAR(r.two.precision, 2.0 / 7, 1e-12);
    CHECK_NEAR(r.two.recall, 2.0 / 8, 1e-12);
    CHECK_NEAR(r.longest.precision, 0.625, 1e-12);
    CHECK_NEAR(r.longest.recall, 5.0 / 9, 1e-12);
}

/* Lin 2004, section 3.1: ROUGE-L of two candidates for "police killed the gunman": 3/4 and 2/4. */
static void rouge_l_of_lin(void **state) {
    (void)state;
    const char *const hyp[] = {"police kill the gunman", "the gunman kill police"};
    const char *const ref[] = {"police killed the gunman", "police killed the gunman"};
    bw_rouge_score r;
    CHECK_OK(bw_rouge(hyp, ref, 1, &r, &err));
    CHECK_NEAR(r.longest.f, 0.75, 1e-12);
    CHECK_OK(bw_rouge(hyp + 1, ref, 1, &r, &err));
    CHECK_NEAR(r.longest.f, 0.5, 1e-12);
    CHECK_OK(bw_rouge(hyp, ref, 2, &r, &err));
    CHECK_NEAR(r.longest.f, 0.625, 1e-12); /* their mean */
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(macro_f1_averages_over_classes),
        cmocka_unit_test(auc_counts_ordered_pairs),
        cmocka_unit_test(calibration_error_is_the_mean_gap),
        cmocka_unit_test(brier_is_the_squared_distance),
        cmocka_unit_test(perplexity_of_a_fair_choice_is_its_size),
        cmocka_unit_test(correlations_match_scipy),
        cmocka_unit_test(clusters_of_the_textbook),
        cmocka_unit_test(bleu_of_the_dog_that_bit),
        cmocka_unit_test(bleu_takes_fewer_references),
        cmocka_unit_test(bleu_smooths_an_order_without_matches),
        cmocka_unit_test(words_13a_stand_apart),
        cmocka_unit_test(chinese_counts_by_character),
        cmocka_unit_test(chrf_of_the_dog_that_bit),
        cmocka_unit_test(rouge_of_the_quick_brown_fox),
        cmocka_unit_test(rouge_l_of_lin),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
