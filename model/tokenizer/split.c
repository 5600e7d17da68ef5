/* model/tokenizer/split.c - hand-written scanners for the split patterns in use. See split.h.
 *
 * Each function below stands for one alternative of the patterns and returns the length it matches,
 * 0 for none; a scanner tries them in the order of the pattern, as a regular expression does. */
#include "model/tokenizer/split.h"

#include "model/tokenizer/unicode.h"
#include "model/tokenizer/utf8.h"

#include <string.h>

const char BW_PATTERN_QWEN2[] = "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}|"
                                " ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*"
                                "|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+";
const char BW_PATTERN_HAN[] = "[\xE3\x90\x80-\xE4\xB6\xBF\xE4\xB8\x80-\xE9\xBF\xBF]+";

static bw_class class_at(const uint8_t *s, size_t n, size_t *used) {
    if (s[0] >= 0x80)
        return bw_class_of(bw_utf8_next(s, n, used));
    *used = 1;
    return bw_class_of(s[0]);
}

/* Length of the run of one class at s, at most max characters. */
static size_t run_of(bw_class class, const uint8_t *s, size_t n, size_t max) {
    size_t at = 0, used;
    for (; at < n && max && class_at(s + at, n - at, &used) == class; max--)
        at += used;
    return at;
}

/* ` ?X+`: a run with at most one space in front. */
static size_t spaced_run(bw_class class, const uint8_t *s, size_t n) {
    size_t space = s[0] == ' ';
    size_t run = run_of(class, s + space, n - space, SIZE_MAX);
    return run ? space + run : 0;
}

/* 's 't 're 've 'm 'll 'd in lower case. */
static size_t contraction(const uint8_t *s, size_t n) {
    if (n < 2 || s[0] != '\'')
        return 0;
    if (strchr("stmd", s[1]) && s[1])
        return 2;
    bool two = n > 2 && ((s[1] == 'r' && s[2] == 'e') || (s[1] == 'v' && s[2] == 'e') ||
                         (s[1] == 'l' && s[2] == 'l'));
    return two ? 3 : 0;
}

/* The same in any case. U+017F, the long s, is a small form of S too. */
static size_t contraction_any_case(const uint8_t *s, size_t n) {
    uint8_t folded[3] = {0};
    for (size_t i = 0; i < 3 && i < n; i++)
        folded[i] = s[i] >= 'A' && s[i] <= 'Z' ? s[i] | 32 : s[i];
    size_t len = contraction(folded, n < 3 ? n : 3);
    return !len && n > 2 && memcmp(s, "'\xC5\xBF", 3) == 0 ? 3 : len;
}

/* White space at s: all of it at the end of the text, else all but its last character, which goes
 * with what follows, but never nothing: `\s+(?!\S)|\s+`. */
static size_t spaces(const uint8_t *s, size_t n) {
    size_t at = 0, last = 0, used;
    while (at < n) {
        bw_class class = class_at(s + at, n - at, &used);
        if (class != BW_SPACE && class != BW_NEWLINE)
            break;
        last = at;
        at += used;
    }
    return at == n || last == 0 ? at : last;
}

/* `\s*[\r\n]+`: white space up to and including its last line break. */
static size_t spaces_to_newline(const uint8_t *s, size_t n) {
    size_t at = 0, end = 0, used;
    while (at < n) {
        bw_class class = class_at(s + at, n - at, &used);
        if (class != BW_SPACE && class != BW_NEWLINE)
            break;
        at += used;
        if (class == BW_NEWLINE)
            end = at;
    }
    return end;
}

/* `[^\r\n\p{L}\p{N}]?\p{L}+`: letters, behind at most one character that is neither. */
static size_t led_letters(const uint8_t *s, size_t n) {
    size_t used;
    bw_class class = class_at(s, n, &used);
    if (class == BW_LETTER)
        return run_of(BW_LETTER, s, n, SIZE_MAX);
    if (class == BW_NEWLINE || class == BW_NUMBER)
        return 0;
    size_t run = run_of(BW_LETTER, s + used, n - used, SIZE_MAX);
    return run ? used + run : 0;
}

/* ` ?[^\s\p{L}\p{N}]+[\r\n]*` */
static size_t marks_and_newlines(const uint8_t *s, size_t n) {
    size_t len = spaced_run(BW_OTHER, s, n);
    return len ? len + run_of(BW_NEWLINE, s + len, n - len, SIZE_MAX) : 0;
}

size_t bw_split_gpt2(const uint8_t *s, size_t n, bool *drop) {
    *drop = false;
    size_t len = contraction(s, n);
    if (!len)
        len = spaced_run(BW_LETTER, s, n);
    if (!len)
        len = spaced_run(BW_NUMBER, s, n);
    if (!len)
        len = spaced_run(BW_OTHER, s, n);
    return len ? len : spaces(s, n);
}

/* Qwen2 and Llama 3 differ in how many digits stay together. */
static size_t split_modern(const uint8_t *s, size_t n, size_t digits) {
    size_t len = contraction_any_case(s, n);
    if (!len)
        len = led_letters(s, n);
    if (!len)
        len = run_of(BW_NUMBER, s, n, digits);
    if (!len)
        len = marks_and_newlines(s, n);
    if (!len)
        len = spaces_to_newline(s, n);
    return len ? len : spaces(s, n);
}

size_t bw_split_qwen2(const uint8_t *s, size_t n, bool *drop) {
    *drop = false;
    return split_modern(s, n, 1);
}

size_t bw_split_llama3(const uint8_t *s, size_t n, bool *drop) {
    *drop = false;
    return split_modern(s, n, 3);
}

/* Cuts between runs where a test holds and runs where it does not. */
static size_t alternate(bool (*test)(int32_t), const uint8_t *s, size_t n, bool alone) {
    size_t used, at = 0;
    bool first = test(bw_utf8_next(s, n, &used));
    if (first && alone)
        return used;
    while (at < n && test(bw_utf8_next(s + at, n - at, &used)) == first)
        at += used;
    return at;
}

size_t bw_split_digits(const uint8_t *s, size_t n, bool *drop) {
    *drop = false;
    return alternate(bw_is_numeric, s, n, true);
}

size_t bw_split_digit_runs(const uint8_t *s, size_t n, bool *drop) {
    *drop = false;
    return alternate(bw_is_numeric, s, n, false);
}

size_t bw_split_han(const uint8_t *s, size_t n, bool *drop) {
    *drop = false;
    return alternate(bw_is_han, s, n, false);
}

size_t bw_split_white(const uint8_t *s, size_t n, bool *drop) {
    size_t used;
    *drop = bw_is_space(bw_utf8_next(s, n, &used));
    return alternate(bw_is_space, s, n, false);
}

size_t bw_split_bert_punct(const uint8_t *s, size_t n, bool *drop) {
    *drop = false;
    return alternate(bw_is_punct, s, n, true);
}

bw_split_fn *bw_split_by_pattern(const char *regex) {
    static const struct {
        const char *regex;
        bw_split_fn *fn;
    } KNOWN[] = {
        {BW_PATTERN_QWEN2, bw_split_qwen2},
        {BW_PATTERN_HAN, bw_split_han},
        {"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}{1,3}"
         "| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+",
         bw_split_llama3},
        {"'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+",
         bw_split_gpt2},
    };
    for (size_t i = 0; i < sizeof KNOWN / sizeof *KNOWN; i++)
        if (strcmp(regex, KNOWN[i].regex) == 0)
            return KNOWN[i].fn;
    return NULL;
}
