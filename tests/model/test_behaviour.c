/* How the shipped weights behave, after Ribeiro et al. 2020 ("Beyond Accuracy", CheckList): sentences
 * with an obvious answer, changes that must not matter, changes that must move the score one way.
 *
 * The cases are in behaviour_en.tsv and behaviour_zh.tsv: capability, expect (positive, negative,
 * neutral, same, up, down), text, changed text. Some are hard on purpose (sarcasm), so the pass rate
 * of each capability is printed, and a floor that the weights reach is asserted for each language. */
#include "tests/check.h"

#include "model/shipped/encoder.h"

#include <stdlib.h>

#define SAME_WITHIN 0.25 /* of sentiment, -1..1 */
#define CASES_MIN   300
#define CAPS_MAX    32

typedef struct {
    char name[40];
    int passed, n;
} capability;

typedef struct {
    capability cap[CAPS_MAX];
    int n_caps, passed, n;
} tally;

static double sentiment_of(const bw_encoder *e, const char *text, bw_text_score *s) {
    bw_err err;
    CHECK_OK(bw_encoder_score(e, &text, 1, s, NULL, &err));
    return (double)s->positive - (double)s->negative;
}

static bool passes(const bw_encoder *e, const char *expect, const char *a, const char *b) {
    bw_text_score s, t;
    double x = sentiment_of(e, a, &s);
    if (!strcmp(expect, "positive"))
        return s.positive > s.negative && s.positive > s.neutral;
    if (!strcmp(expect, "negative"))
        return s.negative > s.positive && s.negative > s.neutral;
    if (!strcmp(expect, "neutral"))
        return s.neutral > s.positive && s.neutral > s.negative;
    double y = sentiment_of(e, b, &t);
    if (!strcmp(expect, "same"))
        return fabs(x - y) <= SAME_WITHIN;
    return !strcmp(expect, "up") ? y > x : y < x;
}

static void count(tally *t, const char *name, bool pass) {
    int i = 0;
    while (i < t->n_caps && strcmp(t->cap[i].name, name))
        i++;
    assert_true(i < CAPS_MAX);
    if (i == t->n_caps)
        snprintf(t->cap[t->n_caps++].name, sizeof t->cap[0].name, "%.39s", name);
    t->cap[i].n++;
    t->cap[i].passed += pass;
    t->n++;
    t->passed += pass;
}

static void run_case(const bw_encoder *e, tally *t, char *line) {
    char *field[4] = {line, NULL, NULL, NULL};
    for (int i = 1; i < 4; i++) {
        char *tab = strchr(field[i - 1], '\t');
        assert_non_null(tab);
        *tab = '\0';
        field[i] = tab + 1;
    }
    bool pass = passes(e, field[1], field[2], field[3]);
    if (!pass && getenv("SHOW_FAILURES"))
        print_message("failed: %s, %s: %s | %s\n", field[0], field[1], field[2], field[3]);
    count(t, field[0], pass);
}

static double run_file(const char *path, const char *lang) {
    bw_err err = {{0}};
    const bw_encoder *e = bw_encoder_shipped(&err);
    if (!e)
        fail_msg("%s", err.text);
    FILE *f = fopen(path, "r");
    assert_non_null(f);
    char line[2000];
    tally t = {.n = 0};
    assert_non_null(fgets(line, sizeof line, f));
    while (fgets(line, sizeof line, f)) {
        line[strcspn(line, "\n")] = '\0';
        run_case(e, &t, line);
    }
    fclose(f);
    for (int i = 0; i < t.n_caps; i++)
        print_message("# %s %-14s %3d of %3d\n", lang, t.cap[i].name, t.cap[i].passed, t.cap[i].n);
    print_message("# %s all %d of %d\n", lang, t.passed, t.n);
    assert_true(t.n >= CASES_MIN);
    return (double)t.passed / t.n;
}

static void english_reaches_its_floor(void **state) {
    (void)state;
    assert_true(run_file("tests/model/behaviour_en.tsv", "en") >= 0.87);
}

static void chinese_reaches_its_floor(void **state) {
    (void)state;
    assert_true(run_file("tests/model/behaviour_zh.tsv", "zh") >= 0.89);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(english_reaches_its_floor),
        cmocka_unit_test(chinese_reaches_its_floor),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
