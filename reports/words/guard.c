/* reports/words/guard.c - reading a text the way a suspicious reader would. */
#include "reports/words/guard.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool starts(const char *text, const char *prefix) {
    return *prefix && strncmp(text, prefix, strlen(prefix)) == 0;
}

/* Digits with grouping and decimals: "1,234.5". */
static size_t read_digits(const bw_locale *l, const char *text, double *value, int *decimals) {
    const char *group = bw_word(l, "number.group"), *point = bw_word(l, "number.decimal"),
               *p = text;
    char plain[64];
    size_t n = 0;
    *decimals = -1;
    while (n < sizeof plain - 2) {
        if (isdigit((unsigned char)*p)) {
            plain[n++] = *p++;
            *decimals += *decimals >= 0;
        } else if (*decimals < 0 && starts(p, group) && isdigit((unsigned char)p[strlen(group)]) &&
                   n) {
            p += strlen(group);
        } else if (*decimals < 0 && starts(p, point) && isdigit((unsigned char)p[strlen(point)]) &&
                   n) {
            p += strlen(point);
            plain[n++] = '.';
            *decimals = 0;
        } else {
            break;
        }
    }
    plain[n] = '\0';
    *decimals = *decimals < 0 ? 0 : *decimals;
    *value = strtod(plain, NULL);
    return (size_t)(p - text);
}

/* "k" of the scale words right behind the digits; the exponent, and the bytes taken. */
static int read_scale(const bw_locale *l, const char *text, size_t *used) {
    const char *row, *p = text + strspn(text, " ");
    for (size_t i = 0; (row = bw_word_nth(l, "number.scale", i)); i++) {
        int exponent, word = 0;
        double from;
        if (sscanf(row, "%d %lf %n", &exponent, &from, &word) != 2 || !starts(p, row + word))
            continue;
        char after = p[strlen(row + word)];
        if (isalpha((unsigned char)after))
            continue; /* the "m" of "more" is no million */
        *used = (size_t)(p - text) + strlen(row + word);
        return exponent;
    }
    *used = 0;
    return 0;
}

size_t bw_guard_number(const bw_locale *l, const char *text, bw_unit unit, double *value,
                       double *half) {
    const char *p = text;
    int sign = 1, decimals = 0;
    if (starts(p, "\xe2\x88\x92") || *p == '+') {
        sign = *p == '+' ? 1 : -1;
        p += *p == '+' ? 1 : 3;
    }
    while (*p && !isdigit((unsigned char)*p) && p - text < 12 &&
           *p != ' ') /* a currency's symbol */
        p++;
    if (*p == ' ' && isdigit((unsigned char)p[1]))
        p++; /* "CHF 2.0k" */
    size_t n = read_digits(l, p, value, &decimals), used;
    if (n == 0)
        return 0;
    p += n;
    int exponent = unit == BW_MONEY || unit == BW_COUNT ? read_scale(l, p, &used) : 0;
    if (exponent)
        p += used;
    if (unit == BW_SHARE || unit == BW_POINTS || unit == BW_INDEX)
        exponent = -2;
    *half = 0.5 * pow(10, exponent - decimals);
    *value = sign * *value * pow(10, exponent);
    if (*p == '%')
        p++;
    return (size_t)(p - text);
}

/* ---- the checks ---- */

typedef struct {
    const bw_locale *l;
    const bw_message *m;
    bool said[8];
    bw_err *err;
} guard;

static bool near(double a, double b, double half) {
    return isfinite(b) && fabs(a - b) <= half * 1.0001 + 1e-12;
}

/* The number, read in the unit of the fact, is one of the fact's. */
static bool belongs(const guard *g, const char *text, const bw_fact *f, size_t *used) {
    double x, half;
    size_t n = bw_guard_number(g->l, text, f->unit, &x, &half);
    half = fmax(half, 0.5 * pow(10, bw_fact_style(f).place)); /* "8,500" stands for 8,512 */
    bool percent = n && text[n - 1] == '%';
    if (percent && (f->unit == BW_MONEY || f->unit == BW_COUNT))
        n = 0; /* neither money nor a count is told in percent */
    if (n &&
        (near(x, f->value, half) || (x >= 0 && *text != '+' && near(x, fabs(f->value), half)) ||
         near(x, f->lo, half) || near(x, f->hi, half) || near(x, f->reference, half))) {
        *used = n;
        return true;
    }
    n = bw_guard_number(g->l, text, BW_SHARE, &x, &half);
    if (n && strchr(text, '%') &&
        (near(x, f->probability, half) || (x >= 0.985 && f->probability >= 0.995) ||
         (x >= 0 && x <= 0.015 && f->probability < 0.005))) {
        *used = n;
        return true;
    }
    n = bw_guard_number(g->l, text, BW_COUNT, &x, &half);
    *used = n;
    return n && near(x, f->n, half);
}

static bool number_starts(const char *text, const char *p) {
    return isdigit((unsigned char)*p) && (p == text || !isalnum((unsigned char)p[-1]));
}

/* Where a number's sign and currency begin, going back from its first digit: "−€270k", "+CHF 2.0k". */
static const char *number_head(const char *text, const char *p) {
    const char *head = p;
    size_t room = (size_t)(p - text);
    if (room >= 1 && p[-1] == '$')
        head = p - 1;
    else if (room >= 2 && (strncmp(p - 2, "£", 2) == 0 || strncmp(p - 2, "¥", 2) == 0))
        head = p - 2;
    else if (room >= 3 && strncmp(p - 3, "\xe2\x82", 2) == 0) /* the block of currency symbols */
        head = p - 3;
    else if (room >= 4 && p[-1] == ' ' && isupper((unsigned char)p[-2]) &&
             isupper((unsigned char)p[-3]) && isupper((unsigned char)p[-4]))
        head = p - 4;
    if (head > text && head[-1] == '+')
        return head - 1;
    bool minus = head - text >= 3 && strncmp(head - 3, "\xe2\x88\x92", 3) == 0;
    return minus ? head - 3 : head;
}

/* Numbers that are part of the template, not of a fact: "90% interval", "four weeks" in digits. */
static bool is_constant(const bw_locale *l, const char *p) {
    const char *constant;
    for (size_t i = 0; (constant = bw_word_nth(l, "guard.constants", i)); i++)
        if (starts(p, constant) && !isdigit((unsigned char)p[strlen(constant)]))
            return true;
    return false;
}

static bw_status check_numbers(guard *g, const char *text) {
    for (const char *p = text; *p; p++) {
        if (!number_starts(text, p))
            continue;
        bool found = number_head(text, p) == p && is_constant(g->l, p); /* those have no sign */
        size_t used = found ? strspn(p, "0123456789") : 0;
        for (size_t i = 0; i < g->m->n; i++)
            if (g->m->slots[i].kind == BW_SLOT_FACT &&
                belongs(g, number_head(text, p), g->m->slots[i].fact, &used)) {
                g->said[i] = found = true; /* two facts may round to the same number */
            }
        if (!found)
            return bw_fail(g->err, BW_EMISMATCH, "the number at \"%.24s\" is of no fact", p);
        const char *digits = p + strspn(p, "0123456789.,");
        p = digits > p ? digits - 1 : p;
    }
    return BW_OK;
}

/* Names, days and plain texts come from the data as they are: what they contain is not checked. */
static void blank(char *text, const char *part) {
    size_t n = strlen(part);
    for (char *p = n ? strcasestr(text, part) : NULL; p; p = strcasestr(p + n, part))
        memset(p, '_', n);
}

/* Case does not matter: a sentence may begin with the word. */
static bool has_word(const char *text, const char *word) {
    size_t n = strlen(word);
    for (const char *p = text; (p = strcasestr(p, word)); p++) {
        bool left = p == text || !isalpha((unsigned char)p[-1]),
             right = !isalpha((unsigned char)p[n]);
        if ((unsigned char)*word > 127 || (left && right))
            return true;
    }
    return false;
}

/* A word of direction needs a fact that goes that way: up, or down. */
static bw_status check_direction(guard *g, const char *text, const char *key, int way) {
    const char *word;
    for (size_t i = 0; (word = bw_word_nth(g->l, key, i)); i++) {
        if (!has_word(text, word))
            continue;
        bool agrees = false, any = false;
        for (size_t k = 0; k < g->m->n; k++) {
            const bw_fact *f = g->m->slots[k].fact;
            if (g->m->slots[k].kind != BW_SLOT_FACT)
                continue;
            any = true;
            double d = isfinite(f->reference) && f->value > 0 && f->reference > 0
                           ? f->value - f->reference
                           : f->value;
            agrees = agrees || d * way > 0 || f->value * way > 0;
        }
        if (any && !agrees)
            return bw_fail(g->err, BW_EMISMATCH, "\"%s\" goes against every fact", word);
    }
    return BW_OK;
}

/* A longer hedge hides a shorter one in it: "very likely" is not "likely". */
static bw_status check_hedges(guard *g, char *text) {
    static const int ORDER[] = {0, 6, 3, 1, 5, 2, 4};
    for (size_t k = 0; k < sizeof ORDER / sizeof *ORDER; k++) {
        char key[16];
        snprintf(key, sizeof key, "hedge.%d", ORDER[k]);
        const char *hedge = bw_word(g->l, key);
        if (!has_word(text, hedge))
            continue;
        bool agrees = false;
        for (size_t i = 0; i < g->m->n; i++) {
            const bw_fact *f = g->m->slots[i].fact;
            bool same = g->m->slots[i].kind == BW_SLOT_FACT && isfinite(f->probability) &&
                        bw_hedge_class(f->probability) == (size_t)ORDER[k];
            agrees = agrees || same;
            g->said[i] = g->said[i] || same;
        }
        if (!agrees)
            return bw_fail(g->err, BW_EMISMATCH, "\"%s\" is the hedge of no fact", hedge);
        blank(text, hedge);
    }
    return BW_OK;
}

static bw_status check_told(guard *g) {
    for (size_t i = 0; i < g->m->n; i++)
        if (g->m->slots[i].kind == BW_SLOT_FACT && !g->said[i])
            return bw_fail(g->err, BW_EMISMATCH, "the fact %s is not said",
                           g->m->slots[i].fact->id);
    return BW_OK;
}

static bw_status check_names(guard *g, char *text) {
    for (size_t i = 0; i < g->m->n; i++) {
        const bw_slot *s = &g->m->slots[i];
        if (s->kind == BW_SLOT_NAME || s->kind == BW_SLOT_TEXT)
            blank(text, s->text);
        for (size_t k = 0; s->kind == BW_SLOT_NAMES && k < s->n; k++)
            blank(text, s->items[k]);
        if (s->kind == BW_SLOT_DAY) {
            bw_buf day = {0};
            bw_format_day(g->l, &day, s->text, true);
            blank(text, day.text ? day.text : "");
            bw_buf_clear(&day);
            bw_format_day(g->l, &day, s->text, false);
            blank(text, day.text ? day.text : "");
            bw_buf_free(&day);
        }
    }
    return BW_OK;
}

bw_status bw_guard_check(const bw_locale *l, const bw_message *m, const char *text, bw_err *err) {
    guard g = {.l = l, .m = m, .err = err};
    bw_buf plain = {0};
    bw_unmark(text, &plain);
    if (!bw_buf_ok(&plain) || !plain.text)
        return bw_buf_ok(&plain) ? bw_fail(err, BW_EMISMATCH, "nothing was said")
                                 : bw_fail_memory(err);
    bw_status st = check_names(&g, plain.text);
    if (st == BW_OK)
        st = check_hedges(&g, plain.text);
    if (st == BW_OK)
        st = check_numbers(&g, plain.text);
    if (st == BW_OK)
        st = check_direction(&g, plain.text, "guard.up", 1);
    if (st == BW_OK)
        st = check_direction(&g, plain.text, "guard.down", -1);
    if (st == BW_OK)
        st = check_told(&g);
    bw_buf_free(&plain);
    return st;
}
