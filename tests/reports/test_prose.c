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
    bw_locale_set(language[0], "term.is", "is");
    bw_locale_set(language[1], "term.is", "为");
    return 0;
}

static int close_languages(void **state) {
    (void)state;
    bw_arena_free(arena);
    return 0;
}

/* What fills a slot of that name. One letter: m money, M money of either sign, s share of either sign,
 * S share, p points of either sign, c count, w weeks, i index, x money a piece, e number of either
 * sign, f share that fell, g money that was lost, k money with last week's beside it, n name, l list of names, d day, t text. A key in front: in the sentences whose key begins so. */
static const struct {
    const char *key, *slot;
    char kind;
} SLOTS[] = {
    {"mover.aspect", "week", 'p'},
    {"voice.emerging_twins", "a", 'S'},
    {"voice.emerging_twins", "b", 'S'},
    {"voice.emerging_twins", "first", 'n'},
    {"", "since", 'd'},
    {"voice.emerging_twins", "second", 'n'},
    {"mover.aspect", "change", 'p'},
    {"mover.none.fresh", "week", 'k'},
    {"mover.event.fresh", "week", 'k'},
    {"mover.spend.fresh", "week", 'k'},
    {"mover", "change", 's'},
    {"chart.kpi", "change", 's'},
    {"outlook", "week", 'd'},
    {"voice", "week", 'd'},
    {"chart.forecast", "week", 'd'},
    {"report", "week", 't'},
    {"chart.waterfall", "up", 'l'},
    {"chart.waterfall", "down", 'l'},
    {"action.price", "from", 'm'},
    {"cell.rate", "money", 's'},
    {"cell.balance", "money", 'p'},
    {"decide.gain.once", "gain", 'M'},
    {"decide.gain.rate", "gain", 's'},
    {"decide.gain.balance", "gain", 'p'},
    {"reason.not_followed", "have", 'S'},
    {"reason.not_followed", "need", 'S'},
    {"", "sum", 'm'},
    {"", "have", 'c'},
    {"", "need", 'c'},
    {"action.price", "to", 'm'},
    {"chart.budget", "from", 'n'},
    {"channels", "to", 'm'},
    {"channels.source", "shift", 's'},
    {"channels.source", "spend", 's'},
    {"note", "to", 'm'},
    {"chart.kpi", "value", 'm'},
    {"channels", "best", 'n'},
    {"channels", "worst", 'n'},
    {"event", "year", 't'},
    {"mover", "moved", 'M'},
    {"channels.refit", "moved", 'M'},
    {"action.experiment", "weeks", 'w'},
    {"chart.waterfall", "change", 'M'},
    {"", "a", 'M'},
    {"", "aspect", 'n'},
    {"", "b", 'M'},
    {"", "below", 'm'},
    {"", "best", 'l'},
    {"", "change", 'M'},
    {"", "chance", 'S'},
    {"", "change2", 's'},
    {"", "change3", 's'},
    {"", "top", 'n'},
    {"", "bottom", 'n'},
    {"", "channel", 'n'},
    {"", "cost", 'M'},
    {"", "count", 'c'},
    {"", "data", 't'},
    {"", "day", 'd'},
    {"", "down", 'x'},
    {"", "effect", 's'},
    {"", "elasticity", 'e'},
    {"", "end", 'm'},
    {"", "engine", 't'},
    {"", "event", 'n'},
    {"", "fall", 'f'},
    {"", "faller", 'n'},
    {"", "feature", 't'},
    {"", "figure", 'n'},
    {"", "first", 'n'},
    {"", "from", 'l'},
    {"", "gain", 'm'},
    {"", "index", 'i'},
    {"", "inside", 'c'},
    {"", "lead", 'w'},
    {"", "link", 'e'},
    {"", "low", 'g'},
    {"", "mape", 'S'},
    {"", "mentions", 'c'},
    {"", "missed", 'm'},
    {"", "model", 't'},
    {"", "money", 'M'},
    {"", "move", 'M'},
    {"", "moved", 'm'},
    {"", "moves", 't'},
    {"", "name", 't'},
    {"", "negative", 'S'},
    {"", "next", 'x'},
    {"", "normal", 'm'},
    {"", "now", 'p'},
    {"", "others", 't'},
    {"", "past", 'l'},
    {"", "advice", 'n'},
    {"", "pays", 'x'},
    {"", "precision", 'x'},
    {"", "start", 'd'},
    {"", "tells", 't'},
    {"", "plan", 'm'},
    {"", "product", 'n'},
    {"", "r2", 'S'},
    {"", "rank", 'c'},
    {"", "ratio", 'x'},
    {"", "rest", 'M'},
    {"", "reviews", 'c'},
    {"", "rise", 'S'},
    {"", "riser", 'n'},
    {"", "roas", 'x'},
    {"", "room", 'l'},
    {"", "run", 't'},
    {"", "second", 'n'},
    {"", "seen", 'm'},
    {"", "settled", 'c'},
    {"", "share", 'S'},
    {"", "shift", 'p'},
    {"", "shop", 't'},
    {"", "source", 'n'},
    {"", "span", 't'},
    {"", "spend", 'm'},
    {"", "stability", 'S'},
    {"", "to", 'l'},
    {"", "topic", 'n'},
    {"", "total", 'm'},
    {"", "until", 'd'},
    {"", "up", 'x'},
    {"", "value", 't'},
    {"", "week", 'm'},
    {"", "week2", 'm'},
    {"", "weeks", 'w'},
    {"", "when", 'n'},
    {"", "worst", 'l'},
    {"", "year", 's'},
};

/* Sentences that say the opposite of each other: which one is said is decided in code, by the sign. */
static const char *const PAIRS[][2] = {
    {"change.up.1", "change.down.1"},
    {"change.up.2", "change.down.2"},
    {"change.year.up.1", "change.year.down.1"},
    {"change.year.up.2", "change.year.down.2"},
    {"change.outcome.above", "change.outcome.below"},
    {"change.record.best", "change.record.worst"},
    {"chart.waterfall.rose", "chart.waterfall.fell"},
    {"chart.waterfall.rose_both", "chart.waterfall.fell_both"},
    {"chart.aspects.better", "chart.aspects.worse"},
    {"chart.forecast.met", "chart.forecast.missed"},
    {"chart.sources.up", "chart.sources.down"},
    {"chart.roas.best", "chart.roas.worst"},
    {"chart.curves.room", "chart.curves.past"},
    {"voice.better", "voice.worse"},
    {"voice.shift", "voice.steady"},
    {"channels.best", "channels.worst"},
    {"outlook.met", "outlook.missed"},
    {"action.budget.raise", "action.budget.cut"},
    {"verdict.above", "verdict.below"},
    {"note.fit_fair", "note.fit_poor"},
    {"quote.positive", "quote.negative"},
    {"quote.plain_positive", "quote.plain_negative"},
};
#define N_PAIRS (sizeof PAIRS / sizeof *PAIRS)

/* A sentence of the language files and its slots, as both languages and all variants use them. */
typedef struct {
    const char *key;
    struct {
        const char *name;
        char kind;
        bool directed; /* its sign is told: a part "dir" or "signed" */
    } slots[8];
    size_t n;
    int sign; /* fixed by the key, or 0 */
} sentence;

static sentence sentences[400];
static size_t n_sentences;

static char kind_of(const char *key, const char *slot) {
    for (size_t i = 0; i < sizeof SLOTS / sizeof *SLOTS; i++)
        if (strncmp(key, SLOTS[i].key, strlen(SLOTS[i].key)) == 0 &&
            strcmp(slot, SLOTS[i].slot) == 0)
            return SLOTS[i].kind;
    return '\0';
}

static bool is_term(const char *slot) {
    return strcmp(slot, "outcome") == 0 || strcmp(slot, "currency") == 0 || strcmp(slot, "is") == 0;
}

static void add_slot(sentence *s, const char *spec, size_t n) {
    size_t name_n = strcspn(spec, ":}");
    char *name = bw_arena_text_n(arena, spec, name_n);
    const char *part = spec[name_n] == ':' ? spec + name_n + 1 : "";
    size_t i = 0;
    if (is_term(name))
        return;
    while (i < s->n && strcmp(s->slots[i].name, name) != 0)
        i++;
    if (i == s->n) {
        assert_true(s->n < 8);
        s->slots[s->n].name = name;
        s->slots[s->n++].kind = kind_of(s->key, name);
        if (!s->slots[i].kind)
            fail_msg("%s: what fills {%.*s}?", s->key, (int)n, spec);
    }
    s->slots[i].directed |= strncmp(part, "dir", 3) == 0 || strncmp(part, "signed", 6) == 0;
}

static void read_slots(sentence *s) {
    for (int k = 0; k < 2; k++)
        for (size_t v = 0; v < bw_word_count(language[k], s->key); v++)
            for (const char *p = bw_word_nth(language[k], s->key, v); (p = strchr(p, '{')); p++)
                add_slot(s, p + 1, strcspn(p + 1, "}"));
    for (size_t i = 0; i < N_PAIRS; i++)
        s->sign = strcmp(s->key, PAIRS[i][0]) == 0   ? 1
                  : strcmp(s->key, PAIRS[i][1]) == 0 ? -1
                                                     : s->sign;
}

/* Patterns of the language are no sentences; subtitles say what is drawn, with numbers of their own;
 * answers to questions are tested in test_ask.c. */
static bool is_sentence(const char *key) {
    static const char *const PATTERNS[] = {"number.", "date.",   "unit.",  "currency.", "window.",
                                           "html.",   "engine.", "guard.", "ask."};
    for (size_t i = 0; i < sizeof PATTERNS / sizeof *PATTERNS; i++)
        if (strncmp(key, PATTERNS[i], strlen(PATTERNS[i])) == 0)
            return false;
    return strstr(key, ".subtitle") == NULL;
}

static void read_sentences(void) {
    const char *key;
    for (size_t i = 0; (key = bw_locale_key(language[0], i)); i++) {
        sentence s = {.key = key};
        if (!is_sentence(key))
            continue;
        read_slots(&s);
        if (s.n == 0)
            continue;
        assert_true(n_sentences < sizeof sentences / sizeof *sentences);
        sentences[n_sentences++] = s;
    }
}

static unsigned long long seed = 20261109;

static double uniform(void) {
    seed = seed * 6364136223846793005ULL + 1442695040888963407ULL;
    return (double)(seed >> 11) / 9007199254740992.0;
}

static double size_of(char kind) {
    switch (kind) {
    case 'm':
    case 'M':
    case 'g':
        return exp(uniform() * 14);
    case 's':
    case 'f':
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
    case 'e':
        return uniform() * 3 + 0.05;
    default:
        return uniform() * 9 + 0.1;
    }
}

static bw_unit unit_of(char kind) {
    switch (kind) {
    case 's':
    case 'S':
    case 'f':
        return BW_SHARE;
    case 'p':
        return BW_POINTS;
    case 'c':
        return BW_COUNT;
    case 'w':
        return BW_WEEKS;
    case 'i':
        return BW_INDEX;
    case 'e':
        return BW_NUMBER;
    default:
        return BW_MONEY;
    }
}

static bool either_sign(char kind) {
    return strchr("Mspe", kind) != NULL;
}

static const char *const NAMES[] = {"paid social", "tv_S", "短视频", "12 up", "Café & Söhne"};

static bw_fact make_fact(char kind, int sign, size_t i) {
    double size = size_of(kind), half = size * (0.05 + uniform()),
           x = either_sign(kind)    ? sign * size
               : strchr("fg", kind) ? -size
                                    : size;
    return (bw_fact){.id = bw_arena_textf(arena, "t/%zu", i),
                     .measure = "t",
                     .subject = "",
                     .at = "",
                     .unit = unit_of(kind),
                     .value = x,
                     .lo = kind == 'c' ? NAN : x - half,
                     .hi = kind == 'c' ? NAN : x + half,
                     .probability = uniform(),
                     .n = floor(uniform() * 900),

                     .reference = strchr("cSk", kind) ? size * 0.9 : NAN};
}

/* Fills the sentence's slots; sign is given to the slots that have one. */
static void fill(bw_message *m, bw_fact *facts, const sentence *s, int sign,
                 unsigned long long start) {
    seed = start;
    *m = (bw_message){.key = s->key};
    for (size_t i = 0; i < s->n; i++) {
        const char *name = s->slots[i].name;
        switch (s->slots[i].kind) {
        case 'n':
            bw_message_name(m, name, NAMES[(size_t)(uniform() * 5)]);
            break;
        case 'l':
            bw_message_names(m, name, NAMES, 1 + (size_t)(uniform() * 3));
            break;
        case 't':
            bw_message_text(m, name, NAMES[(size_t)(uniform() * 5)]);
            break;
        case 'd':
            bw_message_day(m, name, "2027-02-08");
            break;
        default:
            facts[i] = make_fact(s->slots[i].kind, sign, i);
            bw_message_fact(m, name, &facts[i]);
        }
    }
}

static char *say(const bw_locale *l, const bw_message *m, unsigned variant) {
    bw_buf b = {0};
    bw_grammar_say(l, m, variant, BW_PROSE, &b);
    return bw_buf_take(&b);
}

/* Every variant of every sentence, on facts of both signs and of every probability. */
static void test_what_is_said_passes_the_guard(void **state) {
    (void)state;
    read_sentences();
    assert_true(n_sentences > 120);
    for (size_t i = 0; i < n_sentences * 24; i++) {
        const sentence *s = &sentences[i % n_sentences];
        bw_message m;
        bw_fact facts[8] = {0};
        fill(&m, facts, s, s->sign ? s->sign : i / n_sentences % 3 == 0 ? -1 : 1, 77 + i);
        for (int k = 0; k < 2; k++) {
            char *text = say(language[k], &m, (unsigned)(i / n_sentences));
            bw_err err = {{0}};
            if (strchr(text, '{') || strchr(text, '}') || strstr(text, "term."))
                fail_msg("%s leaves a slot: %s", m.key, text);
            if (strstr(text, "  ") || strstr(text, " ."))
                fail_msg("%s: loose spaces: %s", m.key, text);
            if (strcmp(m.key, "record.first") != 0 && /* says its two facts without their digits */
                bw_guard_check(language[k], &m, text, &err) != BW_OK)
                fail_msg("%s: %s: %s", m.key, err.text, text);
            free(text);
        }
    }
}

static bool is_directed(const sentence *s) {
    for (size_t i = 0; i < s->n; i++)
        if (s->slots[i].directed && either_sign(s->slots[i].kind) && !s->sign)
            return true;
    return false;
}

static void test_the_opposite_fact_gives_the_opposite_sentence(void **state) {
    (void)state;
    size_t tried = 0;
    for (size_t i = 0; i < n_sentences * 20; i++) {
        const sentence *s = &sentences[i % n_sentences];
        bw_message up, down;
        bw_fact facts[2][8] = {0};
        if (!is_directed(s))
            continue;
        tried++;
        fill(&up, facts[0], s, 1, 500 + i);
        fill(&down, facts[1], s, -1, 500 + i);
        for (int k = 0; k < 2; k++) {
            char *a = say(language[k], &up, (unsigned)i), *b = say(language[k], &down, (unsigned)i);
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
    assert_true(tried >= 20 * 20);
}

static const sentence *sentence_named(const char *key, sentence *bare) {
    for (size_t i = 0; i < n_sentences; i++)
        if (strcmp(sentences[i].key, key) == 0)
            return &sentences[i];
    *bare = (sentence){.key = key};
    return bare;
}

/* Where code chooses between two sentences, no variant of the one may read like one of the other. */
static void test_sentences_of_opposite_meaning_differ(void **state) {
    (void)state;
    for (size_t i = 0; i < N_PAIRS; i++)
        for (int k = 0; k < 2; k++)
            for (unsigned v = 0; v < 4; v++) {
                bw_message m;
                bw_fact facts[8] = {0};
                sentence bare[2];
                fill(&m, facts, sentence_named(PAIRS[i][0], &bare[0]), 1, 900 + i);
                char *good = say(language[k], &m, v);
                fill(&m, facts, sentence_named(PAIRS[i][1], &bare[1]), 1, 900 + i);
                for (unsigned w = 0; w < 2; w++) {
                    char *bad = say(language[k], &m, w);
                    if (strcmp(good, bad) == 0)
                        fail_msg("%s and %s: %s", PAIRS[i][0], PAIRS[i][1], good);
                    free(bad);
                }
                free(good);
            }
}

/* "Almost certain" may not stand where only an adverb can: every hedge reads well in every sentence
 * that holds one, because all of them are adjectives in English. */
static void test_hedges_fit_the_sentences_that_hold_them(void **state) {
    (void)state;
    static const char *const ADVERB_PLACES[] = {"will \001", "should \001", "would \001"};
    bw_fact f = {.id = "t/0", .unit = BW_MONEY, .value = 5000, .lo = 4000, .hi = 6000};
    static const double CLASSES[] = {0.001, 0.05, 0.2, 0.5, 0.8, 0.95, 0.999};
    for (size_t i = 0; i < n_sentences; i++)
        for (size_t c = 0; c < 7; c++) {
            bw_message m = {.key = sentences[i].key};
            f.probability = CLASSES[c];
            for (size_t k = 0; k < sentences[i].n; k++)
                if (strchr("mM", sentences[i].slots[k].kind))
                    bw_message_fact(&m, sentences[i].slots[k].name, &f);
            char *text = say(language[0], &m, (unsigned)c);
            for (size_t a = 0; a < 3; a++) {
                const char *at = strstr(text, ADVERB_PLACES[a]);
                if (at && at[strlen(ADVERB_PLACES[a])] == 'w')
                    fail_msg("%s: %s", m.key, text);
            }
            free(text);
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
        cmocka_unit_test(test_sentences_of_opposite_meaning_differ),
        cmocka_unit_test(test_hedges_fit_the_sentences_that_hold_them),
        cmocka_unit_test(test_guard_lets_a_free_text_pass),
        cmocka_unit_test(test_guard_catches_each_kind_of_lie),
        cmocka_unit_test(test_numbers_are_read_as_written),
    };
    return cmocka_run_group_tests(tests, open_languages, close_languages);
}
