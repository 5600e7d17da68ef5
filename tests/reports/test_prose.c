/* tests/reports/test_prose.c - properties of the sentences on facts made at random: what is said
 * passes the guard, the opposite fact gives the opposite sentence, nothing is left unfilled. And the
 * guard itself: each kind of lie is caught. The random numbers come from a fixed seed. */
#include "tests/check.h"

#include "reports/words/guard.h"

#include <stdlib.h>

static bw_arena *arena;
static bw_locale *language[2];

static int open_languages(void **state) {
    (void)state;
    bw_err err = {{0}};
    arena = bw_arena_new();
    if (!arena || bw_locale_new(arena, "en", "EUR", &language[0], &err) != BW_OK ||
        bw_locale_new(arena, "zh", "EUR", &language[1], &err) != BW_OK)
        return -1;
    bw_locale_set(language[0], "term.outcome", "revenue");
    bw_locale_set(language[1], "term.outcome", "销售额");
    return 0;
}

static int close_languages(void **state) {
    (void)state;
    bw_arena_free(arena);
    return 0;
}

/* Sentences and what fills them: one letter a slot after its name: m money, M money of either sign,
 * s share of either sign, p points of either sign, c count, w weeks, x return, n name, d day. */
static const struct {
    const char *key;
    const char *slots[5];
} SENTENCES[] = {
    {"decide.gain", {"gain:m"}},
    {"decide.stability", {"stability:S"}},
    {"undo.budget", {"below:m"}},
    {"doubt.budget", {"channel:n", "next:x"}},
    {"record.calibration", {"settled:c", "inside:c"}},
    {"change.outcome.normal", {"change:M", "week:m"}},
    {"change.outcome.plain", {"change:M", "week:m"}},
    {"change.up.1", {"first:n", "a:m"}},
    {"change.up.2", {"first:n", "a:m", "second:n", "b:m"}},
    {"change.unexplained", {"rest:M"}},
    {"change.year", {"year:s"}},
    {"mover.none", {"figure:n", "change:s", "week:m"}},
    {"mover.spend", {"figure:n", "change:s", "week:m", "channel:n", "moved:M"}},
    {"channels.both", {"best:n", "up:x", "worst:n", "down:x"}},
    {"channels.best", {"best:n", "up:x"}},
    {"channels.extrapolated", {"channel:n", "to:m", "seen:m"}},
    {"channels.memory", {"channel:n", "weeks:w"}},
    {"timing.window_gain", {"channel:n", "when:n", "index:i", "gain:s"}},
    {"timing.content", {"feature:n", "channel:n", "effect:s"}},
    {"voice.now", {"now:p", "reviews:c"}},
    {"voice.shift", {"shift:p"}},
    {"voice.event", {"event:n", "shift:p"}},
    {"voice.lead", {"lead:w"}},
    {"outlook.next", {"next:m"}},
    {"outlook.end", {"end:m", "week:d"}},
    {"outlook.met", {"plan:m"}},
    {"outlook.missed", {"plan:m"}},
    {"chart.waterfall.plain", {"change:M"}},
    {"note.wide", {"channel:n", "roas:x"}},
    {"note.few_weeks", {"count:c"}},
};
#define N_SENTENCES (sizeof SENTENCES / sizeof *SENTENCES)

static unsigned long long seed = 20261109;

static double uniform(void) {
    seed = seed * 6364136223846793005ULL + 1442695040888963407ULL;
    return (double)(seed >> 11) / 9007199254740992.0;
}

static double size_of(char kind) {
    switch (kind) {
    case 'm':
    case 'M':
        return exp(uniform() * 14);
    case 's':
        return uniform() * 1.2 + 0.01;
    case 'S':
        return uniform();
    case 'p':
        return uniform() * 0.9 + 0.02;
    case 'c':
        return floor(uniform() * 4000) + 1;
    case 'w':
        return uniform() * 20 + 0.5;
    case 'i':
        return uniform() * 2 + 0.2;
    default:
        return uniform() * 9 + 0.1;
    }
}

static bw_unit unit_of(char kind) {
    switch (kind) {
    case 's':
    case 'S':
        return BW_SHARE;
    case 'p':
        return BW_POINTS;
    case 'c':
        return BW_COUNT;
    case 'w':
        return BW_WEEKS;
    case 'i':
        return BW_INDEX;
    default:
        return BW_MONEY;
    }
}

static bool either_sign(char kind) {
    return kind == 'M' || kind == 's' || kind == 'p';
}

/* Fills the sentence's slots; sign is given to the slots that have one. */
static void fill(bw_message *m, bw_fact *facts, size_t sentence, int sign,
                 unsigned long long start) {
    static const char *const NAMES[] = {"paid social", "tv_S", "短视频", "12 up", "Café & Söhne"};
    seed = start;
    *m = (bw_message){.key = SENTENCES[sentence].key};
    for (size_t i = 0; i < 5 && SENTENCES[sentence].slots[i]; i++) {
        const char *spec = SENTENCES[sentence].slots[i];
        char kind = spec[strlen(spec) - 1];
        const char *name = bw_arena_text_n(arena, spec, strlen(spec) - 2);
        if (kind == 'n')
            bw_message_name(m, name, NAMES[(size_t)(uniform() * 5)]);
        else if (kind == 'd')
            bw_message_day(m, name, "2027-02-08");
        else {
            double size = size_of(kind), half = size * (0.05 + uniform()),
                   x = either_sign(kind) ? sign * size : size;
            facts[i] = (bw_fact){.id = bw_arena_textf(arena, "t/%zu", i),
                                 .measure = "t",
                                 .subject = "",
                                 .at = "",
                                 .unit = unit_of(kind),
                                 .value = x,
                                 .lo = kind == 'c' ? NAN : x - half,
                                 .hi = kind == 'c' ? NAN : x + half,
                                 .probability = uniform(),
                                 .n = floor(uniform() * 900),
                                 .reference = kind == 'c' ? size * 0.9 : NAN};
            bw_message_fact(m, name, &facts[i]);
        }
    }
}

static char *say(const bw_locale *l, const bw_message *m, unsigned variant) {
    bw_buf b = {0};
    bw_grammar_say(l, m, variant, BW_PROSE, &b);
    return bw_buf_take(&b);
}

static void test_what_is_said_passes_the_guard(void **state) {
    (void)state;
    for (size_t i = 0; i < N_SENTENCES * 40; i++) {
        bw_message m;
        bw_fact facts[5] = {0};
        fill(&m, facts, i % N_SENTENCES, i % 3 == 0 ? -1 : 1, 77 + i);
        for (int k = 0; k < 2; k++) {
            char *text = say(language[k], &m, (unsigned)i);
            bw_err err = {{0}};
            if (strchr(text, '{') || strchr(text, '}'))
                fail_msg("%s leaves a slot: %s", m.key, text);
            if (bw_guard_check(language[k], &m, text, &err) != BW_OK)
                fail_msg("%s: %s: %s", m.key, err.text, text);
            free(text);
        }
    }
}

static void test_the_opposite_fact_gives_the_opposite_sentence(void **state) {
    (void)state;
    for (size_t i = 0; i < N_SENTENCES * 20; i++) {
        bw_message up, down;
        bw_fact facts[2][5] = {0};
        bool has_sign = false;
        for (size_t k = 0; k < 5 && SENTENCES[i % N_SENTENCES].slots[k]; k++) {
            const char *spec = SENTENCES[i % N_SENTENCES].slots[k];
            has_sign = has_sign || either_sign(spec[strlen(spec) - 1]);
        }
        if (!has_sign || strcmp(SENTENCES[i % N_SENTENCES].key, "change.unexplained") ==
                             0) /* told by its size */
            continue;
        fill(&up, facts[0], i % N_SENTENCES, 1, 500 + i);
        fill(&down, facts[1], i % N_SENTENCES, -1, 500 + i);
        for (int k = 0; k < 2; k++) {
            char *a = say(language[k], &up, 3), *b = say(language[k], &down, 3);
            bw_err err = {{0}};
            if (strcmp(a, b) == 0)
                fail_msg("%s says the same of both: %s", up.key, a);
            bw_buf plain = {0};
            bw_unmark(b, &plain);
            if (bw_guard_check(language[k], &up, plain.text, &err) == BW_OK)
                fail_msg("%s: the guard takes the opposite: %s", up.key, plain.text);
            bw_buf_free(&plain);
            free(a);
            free(b);
        }
    }
}

/* ---- the guard on texts that someone else wrote ---- */

static bw_fact gain = {.id = "plan.gain",
                       .measure = "plan.gain",
                       .subject = "",
                       .at = "",
                       .unit = BW_MONEY,
                       .value = 8512,
                       .lo = 1960,
                       .hi = 15100,
                       .probability = 0.983,
                       .n = NAN,
                       .reference = NAN};

static bw_status judge(const char *text, bw_err *err) {
    bw_message m = {.key = "decide.gain"};
    bw_message_fact(&m, "gain", &gain);
    bw_message_name(&m, "channel", "paid social 24");
    return bw_guard_check(language[0], &m, text, err);
}

static void test_guard_lets_a_free_text_pass(void **state) {
    (void)state;
    bw_err err = {{0}};
    CHECK_OK(judge("Cutting paid social 24 should bring about €8.5k more a week; it is very likely "
                   "(98%) to pay.",
                   &err));
    CHECK_OK(judge("Expect €8,500 more, anywhere from €2.0k to €15.1k.", &err));
}

static void test_guard_catches_each_kind_of_lie(void **state) {
    (void)state;
    bw_err err = {{0}};
    CHECK_FAILS(judge("It brings €9.5k more a week.", &err), BW_EMISMATCH, "of no fact");
    CHECK_FAILS(judge("It brings €8.5k more a week in 3 regions.", &err), BW_EMISMATCH,
                "of no fact");
    CHECK_FAILS(judge("Revenue fell by €8.5k.", &err), BW_EMISMATCH, "goes against");
    CHECK_FAILS(judge("It will likely bring €8.5k more.", &err), BW_EMISMATCH, "hedge of no fact");
    CHECK_FAILS(judge("Do something about paid social 24.", &err), BW_EMISMATCH, "is not said");
    CHECK_FAILS(judge("", &err), BW_EMISMATCH, "nothing was said");
}

static void test_numbers_are_read_as_written(void **state) {
    (void)state;
    static const struct {
        const char *text;
        int language;
        bw_unit unit;
        double value;
    } CASES[] = {{"−$2.0k", 0, BW_MONEY, -2000},      {"€15.1k", 0, BW_MONEY, 15100},
                 {"1,234.5", 0, BW_MONEY, 1234.5},    {"25.1 万欧元", 1, BW_MONEY, 251000},
                 {"+3.2 亿欧元", 1, BW_MONEY, 3.2e8}, {"CHF 2.5m", 0, BW_MONEY, 2.5e6},
                 {"98%", 0, BW_SHARE, 0.98},          {"−23 points", 0, BW_POINTS, -0.23},
                 {"152", 0, BW_INDEX, 1.52},          {"3 more", 0, BW_MONEY, 3}};
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        double x = NAN, half;
        assert_true(bw_guard_number(language[CASES[i].language], CASES[i].text, CASES[i].unit, &x,
                                    &half) > 0);
        CHECK_REL(x, CASES[i].value, 1e-12);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_is_said_passes_the_guard),
        cmocka_unit_test(test_the_opposite_fact_gives_the_opposite_sentence),
        cmocka_unit_test(test_guard_lets_a_free_text_pass),
        cmocka_unit_test(test_guard_catches_each_kind_of_lie),
        cmocka_unit_test(test_numbers_are_read_as_written),
    };
    return cmocka_run_group_tests(tests, open_languages, close_languages);
}
