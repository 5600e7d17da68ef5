/* demo/style.c - each habit is one pass with its own chance; most reviews keep most of their text. */
#include "demo/style.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

static bool chance(gsl_rng *r, double p) {
    return gsl_rng_uniform(r) < p;
}

/* The first letter of each sentence; grammar lines begin in small letters where they may. */
static void capitalise(bw_buf *t) {
    bool start = true;
    for (size_t i = 0; i < t->len; i++) {
        unsigned char c = (unsigned char)t->text[i];
        if (start && isalpha(c))
            t->text[i] = (char)toupper(c);
        if (isalnum(c))
            start = false;
        bool ends = c == '.' || c == '!' || c == '?' || c == '\n';
        if (ends && (i + 1 == t->len || isspace((unsigned char)t->text[i + 1]) || c == '\n'))
            start = true;
    }
}

static void lower_all(bw_buf *t) {
    for (size_t i = 0; i < t->len; i++)
        t->text[i] = (char)tolower((unsigned char)t->text[i]);
}

static void shout(bw_buf *t) {
    for (size_t i = 0; i < t->len; i++)
        t->text[i] = (char)toupper((unsigned char)t->text[i]);
}

/* A place inside a plain word of five letters or more, at which p[-1], p[0], p[1] are letters; 0: none. */
static size_t inside_word(const bw_buf *t, gsl_rng *r) {
    for (int tries = 0; tries < 12; tries++) {
        size_t i = gsl_rng_uniform_int(r, t->len), from = i, to = i;
        while (from > 0 && !isspace((unsigned char)t->text[from - 1]))
            from--;
        while (to < t->len && !isspace((unsigned char)t->text[to]))
            to++;
        bool plain = to - from >= 5;
        for (size_t k = from; k < to && plain; k++)
            plain = isalpha((unsigned char)t->text[k]) ||
                    (k + 1 == to && ispunct((unsigned char)t->text[k]));
        if (plain && i > from + 1 && i + 2 < to)
            return i;
    }
    return 0;
}

/* Swaps two letters, drops one, or doubles one, as fingers do. */
static bw_status mistype(bw_buf *t, gsl_rng *r, bw_err *err) {
    size_t i = t->len ? inside_word(t, r) : 0;
    if (i == 0)
        return BW_OK;
    char c = t->text[i];
    switch (gsl_rng_uniform_int(r, 3)) {
    case 0:
        t->text[i] = t->text[i - 1];
        t->text[i - 1] = c;
        break;
    case 1:
        memmove(t->text + i, t->text + i + 1, t->len - i);
        t->len--;
        break;
    default:
        bw_buf_add(t, " ");
        if (!bw_buf_ok(t))
            return bw_fail_memory(err);
        memmove(t->text + i + 1, t->text + i, t->len - 1 - i);
    }
    return BW_OK;
}

/* Takes the last full stop away, in either script. */
static void drop_stop(bw_buf *t) {
    static const char *const STOPS[] = {".", "。", "！", "!"};
    for (size_t i = 0; i < sizeof STOPS / sizeof *STOPS; i++) {
        size_t n = strlen(STOPS[i]);
        if (t->len > n && memcmp(t->text + t->len - n, STOPS[i], n) == 0) {
            t->len -= n;
            t->text[t->len] = '\0';
            return;
        }
    }
}

/* Replaces each occurrence; both texts have the same length in bytes. */
static void replace_all(bw_buf *t, const char *from, const char *to) {
    size_t n = strlen(from);
    for (char *p = t->text; (p = strstr(p, from)); p += n)
        memcpy(p, to, n);
}

static void replace_first(bw_buf *t, const char *from, const char *to) {
    char *p = strstr(t->text, from);
    if (p)
        memcpy(p, to, strlen(from));
}

/* Homophones that input methods offer first. */
static void mistype_zh(bw_buf *t, gsl_rng *r) {
    static const char *const PAIRS[][2] = {
        {"得", "的"}, {"再", "在"}, {"已", "以"}, {"做", "作"}, {"哪", "那"}};
    size_t i = gsl_rng_uniform_int(r, sizeof PAIRS / sizeof *PAIRS);
    replace_first(t, PAIRS[i][0], PAIRS[i][1]);
}

static const char *const EMOJI[3][8] = {{"😡", "🙄", "😤", "👎", "😞", "💔", "😠", "🤦"},
                                        {"🤔", "😐", "🤷", "😅", "🙂", "😶", "😬", "🙃"},
                                        {"😍", "👍", "❤️", "😊", "🔥", "🎉", "👏", "🥰"}};

static void add_emoji(bw_buf *t, bool zh, int tone, gsl_rng *r) {
    const char *e = EMOJI[tone + 1][gsl_rng_uniform_int(r, 8)];
    int times = chance(r, 0.2) ? 3 : 1;
    if (!zh)
        bw_buf_add(t, " ");
    for (int i = 0; i < times; i++)
        bw_buf_add(t, e);
}

static bw_status style_en(bw_buf *t, int tone, gsl_rng *r, bw_err *err) {
    bw_status st = BW_OK;
    capitalise(t);
    bool address = strchr(t->text, '@') != NULL;
    if (chance(r, 0.14))
        lower_all(t);
    else if (t->len < 80 && chance(r, 0.03) && !address)
        shout(t);
    for (int n = chance(r, 0.13) ? 1 + chance(r, 0.3) : 0; st == BW_OK && n > 0 && !address; n--)
        st = mistype(t, r, err);
    if (chance(r, 0.12))
        drop_stop(t);
    else if (tone != 0 && chance(r, 0.06)) {
        drop_stop(t);
        bw_buf_add(t, chance(r, 0.5) ? "!!" : "!!!");
    }
    return st;
}

static void style_zh(bw_buf *t, int tone, gsl_rng *r) {
    if (chance(r, 0.06))
        mistype_zh(t, r);
    if (chance(r, 0.07))
        replace_all(t, "。", "，");
    if (chance(r, 0.18))
        drop_stop(t);
    else if (tone > 0 && chance(r, 0.06)) {
        drop_stop(t);
        bw_buf_add(t, "～");
    }
}

bw_status style_apply(bw_buf *t, bool zh, int tone, gsl_rng *r, bw_err *err) {
    bw_status st = BW_OK;
    if (zh)
        style_zh(t, tone, r);
    else
        st = style_en(t, tone, r, err);
    if (st == BW_OK && chance(r, 0.11))
        add_emoji(t, zh, tone, r);
    return st == BW_OK && !bw_buf_ok(t) ? bw_fail_memory(err) : st;
}
