/* model/train/metrics_text.c - BLEU, chrF, ROUGE.
 *
 * A text becomes an array of numbers, one per word or per character; equal ones have equal numbers.
 * N-grams are then places in such arrays, sorted by what stands there, so that counting needs no
 * table. */
#include "model/train/metrics.h"

#include "common/buf.h"
#include "model/tokenizer/unicode.h"
#include "model/tokenizer/utf8.h"
#include "model/tokenizer/vocab.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define MAX_ORDER 6 /* of chrF; BLEU goes to 4 */

/* A text as numbers. */
typedef struct {
    int32_t *id;
    size_t n, cap;
} line;

/* What one comparison uses; words are numbered as they come. */
typedef struct {
    bw_vocab words;
    line hyp, *ref; /* ref[n_refs] */
    size_t n_refs;
    bool failed;
} desk;

static void push(desk *d, line *l, int32_t id) {
    if (l->n == l->cap) {
        size_t cap = l->cap ? 2 * l->cap : 64;
        int32_t *grown = realloc(l->id, cap * sizeof *grown);
        if (!grown) {
            d->failed = true;
            return;
        }
        l->id = grown;
        l->cap = cap;
    }
    l->id[l->n++] = id;
}

static void push_word(desk *d, line *l, const char *word, size_t n) {
    int32_t id = bw_vocab_find(&d->words, word, n);
    if (id < 0) {
        id = (int32_t)d->words.size;
        d->failed = d->failed || bw_vocab_put(&d->words, word, n, id, NULL) != BW_OK;
    }
    push(d, l, id);
}

static bool desk_new(desk *d, size_t n_refs) {
    *d = (desk){.n_refs = n_refs};
    d->ref = calloc(n_refs ? n_refs : 1, sizeof *d->ref);
    return d->ref != NULL;
}

static void desk_free(desk *d) {
    bw_vocab_free(&d->words);
    free(d->hyp.id);
    for (size_t r = 0; d->ref && r < d->n_refs; r++)
        free(d->ref[r].id);
    free(d->ref);
}

/* --- words ----------------------------------------------------------------------------------- */

/* Cuts at white space and numbers the words. */
static void read_words(desk *d, line *l, const char *text, size_t len) {
    const uint8_t *s = (const uint8_t *)text;
    size_t start = 0, used;
    for (size_t at = 0; at <= len; at += used) {
        bool end = at == len;
        used = 1;
        if (!end && !bw_is_space(bw_utf8_next(s + at, len - at, &used)))
            continue;
        if (at > start)
            push_word(d, l, text + start, at - start);
        start = at + used;
    }
}

static void replace_all(bw_buf *b, const char *old, const char *new) {
    bw_buf out = {0};
    const char *at = b->text ? b->text : "", *hit;
    for (; (hit = strstr(at, old)) != NULL; at = hit + strlen(old)) {
        bw_buf_add_n(&out, at, (size_t)(hit - at));
        bw_buf_add(&out, new);
    }
    bw_buf_add(&out, at);
    bw_buf_free(b);
    *b = out;
}

/* ASCII symbols other than ' , - . stand apart: { to ~, [ to `, space to &, ( to +, : to @, /. */
static bool stands_apart(unsigned char c) {
    return (c >= '{' && c <= '~') || (c >= '[' && c <= '`') || (c >= ' ' && c <= '&') ||
           (c >= '(' && c <= '+') || (c >= ':' && c <= '@') || c == '/';
}

static bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

static bool is_point(char c) {
    return c == '.' || c == ',';
}

static void symbols_apart(bw_buf *b) {
    bw_buf out = {0};
    for (size_t i = 0; i < b->len; i++) {
        bool apart = stands_apart((unsigned char)b->text[i]);
        bw_buf_add(&out, apart ? " " : "");
        bw_buf_add_n(&out, b->text + i, 1);
        bw_buf_add(&out, apart ? " " : "");
    }
    bw_buf_free(b);
    *b = out;
}

/* The three substitutions that take off points and dashes. Each looks at two characters, writes them
 * with spaces at the places given, and goes on behind both, as a regular expression does. */
typedef enum { POINT_AFTER_OTHER, POINT_BEFORE_OTHER, DASH_AFTER_DIGIT } rule;

static bool rule_fits(rule r, char first, char second) {
    switch (r) {
    case POINT_AFTER_OTHER:
        return !is_digit(first) && is_point(second);
    case POINT_BEFORE_OTHER:
        return is_point(first) && !is_digit(second);
    case DASH_AFTER_DIGIT:
        return is_digit(first) && second == '-';
    }
    return false;
}

static void apply_rule(bw_buf *b, rule r) {
    bw_buf out = {0};
    for (size_t i = 0; i < b->len; i++) {
        if (i + 1 == b->len || !rule_fits(r, b->text[i], b->text[i + 1])) {
            bw_buf_add_n(&out, b->text + i, 1);
            continue;
        }
        bw_buf_add(&out, r == POINT_BEFORE_OTHER ? " " : "");
        bw_buf_add_n(&out, b->text + i, 1);
        bw_buf_add(&out, " ");
        bw_buf_add_n(&out, b->text + i + 1, 1);
        bw_buf_add(&out, r == POINT_BEFORE_OTHER ? "" : " ");
        i++;
    }
    bw_buf_free(b);
    *b = out;
}

/* The Chinese characters of sacreBLEU. Its ranges for the supplementary planes are written with four
 * digits too few, which makes them U+2001 to U+2A6D and U+2F81 to U+2FA1; scores compare only if
 * these are kept. */
static bool is_chinese(int32_t cp) {
    static const int32_t RANGES[][2] = {
        {0x2001, 0x2A6D}, {0x2E80, 0x2EFF}, {0x2F00, 0x2FDF}, {0x2FF0, 0x303F},
        {0x3100, 0x312F}, {0x31A0, 0x31BF}, {0x31C0, 0x31EF}, {0x3200, 0x33FF},
        {0x3400, 0x4DB5}, {0x4E00, 0x9FBB}, {0xF900, 0xFA2D}, {0xFA30, 0xFA6A},
        {0xFA70, 0xFAD9}, {0xFE10, 0xFE1F}, {0xFE30, 0xFE4F}, {0xFF00, 0xFFEF}};
    for (size_t i = 0; i < sizeof RANGES / sizeof *RANGES; i++)
        if (cp >= RANGES[i][0] && cp <= RANGES[i][1])
            return true;
    return false;
}

static void chinese_apart(bw_buf *b) {
    bw_buf out = {0};
    for (size_t at = 0, used; at < b->len; at += used) {
        bool apart = is_chinese(bw_utf8_next((uint8_t *)b->text + at, b->len - at, &used));
        bw_buf_add(&out, apart ? " " : "");
        bw_buf_add_n(&out, b->text + at, used);
        bw_buf_add(&out, apart ? " " : "");
    }
    bw_buf_free(b);
    *b = out;
}

static void clean_13a(bw_buf *b) {
    static const char *const MAP[][2] = {{"<skipped>", ""}, {"-\n", ""},    {"\n", " "},
                                         {"&quot;", "\""},  {"&amp;", "&"}, {"&lt;", "<"},
                                         {"&gt;", ">"}};
    for (size_t i = 0; i < sizeof MAP / sizeof *MAP; i++)
        replace_all(b, MAP[i][0], MAP[i][1]);
}

static void read_bleu_line(desk *d, line *l, const char *text, bw_words words) {
    bw_buf b = {0};
    l->n = 0;
    if (words == BW_WORDS_NONE) {
        read_words(d, l, text, strlen(text));
        return;
    }
    bw_buf_addf(&b, words == BW_WORDS_13A ? " %s " : "%s", text);
    if (words == BW_WORDS_13A)
        clean_13a(&b);
    else
        chinese_apart(&b);
    symbols_apart(&b);
    apply_rule(&b, POINT_AFTER_OTHER);
    apply_rule(&b, POINT_BEFORE_OTHER);
    apply_rule(&b, DASH_AFTER_DIGIT);
    d->failed = d->failed || !bw_buf_ok(&b);
    if (!d->failed)
        read_words(d, l, b.text ? b.text : "", b.len);
    bw_buf_free(&b);
}

/* Letters and digits in lower case; each ideograph a word. */
static void read_rouge_line(desk *d, line *l, const char *text) {
    bw_buf b = {0};
    size_t len = strlen(text);
    l->n = 0;
    for (size_t at = 0, used; at < len; at += used) {
        int32_t cp = bw_utf8_next((const uint8_t *)text + at, len - at, &used);
        bw_class c = bw_class_of(cp);
        uint8_t low[4];
        bool word = c == BW_LETTER || c == BW_NUMBER;
        bw_buf_add(&b, !word || bw_is_han(cp) ? " " : "");
        if (word)
            bw_buf_add_n(&b, (char *)low, bw_utf8_put(bw_lower(cp), low));
        bw_buf_add(&b, bw_is_han(cp) ? " " : "");
    }
    d->failed = d->failed || !bw_buf_ok(&b);
    if (!d->failed)
        read_words(d, l, b.text ? b.text : "", b.len);
    bw_buf_free(&b);
}

static void read_characters(desk *d, line *l, const char *text) {
    size_t len = strlen(text);
    l->n = 0;
    for (size_t at = 0, used; at < len; at += used) {
        int32_t cp = bw_utf8_next((const uint8_t *)text + at, len - at, &used);
        if (!bw_is_space(cp))
            push(d, l, cp);
    }
}

/* --- n-grams --------------------------------------------------------------------------------- */

/* An n-gram: n numbers at `at`. */
typedef struct {
    const int32_t *at;
    size_t n;
} gram;

static int by_gram(const void *a, const void *b) {
    const gram *x = a, *y = b;
    for (size_t i = 0; i < x->n; i++)
        if (x->at[i] != y->at[i])
            return x->at[i] < y->at[i] ? -1 : 1;
    return 0;
}

static size_t count_grams(const line *l, size_t order) {
    return l->n >= order ? l->n - order + 1 : 0;
}

/* All n-grams of a line, sorted; caller frees. */
static gram *sorted_grams(desk *d, const line *l, size_t order) {
    size_t n = count_grams(l, order);
    gram *g = malloc((n + 1) * sizeof *g);
    if (!g) {
        d->failed = true;
        return NULL;
    }
    for (size_t i = 0; i < n; i++)
        g[i] = (gram){l->id + i, order};
    qsort(g, n, sizeof *g, by_gram);
    return g;
}

/* How often *key stands in the sorted g[0 .. n), looking from *from on, which moves along. */
static size_t occurrences(const gram *g, size_t n, const gram *key, size_t *from) {
    size_t count = 0;
    while (*from < n && by_gram(&g[*from], key) < 0)
        ++*from;
    while (*from < n && by_gram(&g[*from], key) == 0) {
        ++*from;
        count++;
    }
    return count;
}

/* N-grams of the hypothesis that stand in a reference, each as often as in the reference that has it
 * most often. refs: which of d->ref count. */
static size_t matches(desk *d, const size_t *refs, size_t n_refs, size_t order) {
    size_t n = count_grams(&d->hyp, order), sum = 0;
    gram *hyp = sorted_grams(d, &d->hyp, order);
    gram **ref = calloc(n_refs + 1, sizeof(gram *));
    size_t *from = calloc(n_refs + 1, sizeof *from);
    d->failed = d->failed || !ref || !from;
    for (size_t r = 0; !d->failed && r < n_refs; r++)
        ref[r] = sorted_grams(d, &d->ref[refs[r]], order);
    for (size_t i = 0, end; !d->failed && i < n; i = end) {
        size_t most = 0;
        for (end = i + 1; end < n && by_gram(&hyp[end], &hyp[i]) == 0; end++)
            ;
        for (size_t r = 0; r < n_refs; r++) {
            size_t k = occurrences(ref[r], count_grams(&d->ref[refs[r]], order), &hyp[i], &from[r]);
            most = k > most ? k : most;
        }
        sum += end - i < most ? end - i : most;
    }
    for (size_t r = 0; ref && r < n_refs; r++)
        free(ref[r]);
    free(ref);
    free(from);
    free(hyp);
    return sum;
}

/* Which references text i has; returns their number. */
static size_t present(const bw_texts *refs, size_t n_refs, size_t i, size_t *which) {
    size_t n = 0;
    for (size_t r = 0; r < n_refs; r++)
        if (refs[r][i] && *refs[r][i])
            which[n++] = r;
    return n;
}

/* --- BLEU ------------------------------------------------------------------------------------ */

/* The reference length nearest to the hypothesis's, the shorter of two equally near. */
static size_t closest_length(const desk *d, const size_t *which, size_t n) {
    size_t best = 0, best_gap = SIZE_MAX;
    for (size_t r = 0; r < n; r++) {
        size_t len = d->ref[which[r]].n;
        size_t gap = len > d->hyp.n ? len - d->hyp.n : d->hyp.n - len;
        if (gap < best_gap || (gap == best_gap && len < best)) {
            best = len;
            best_gap = gap;
        }
    }
    return best;
}

/* An order without matches counts 1/2, 1/4, ... of a match (sacreBLEU's "exp"). */
static void finish_bleu(bw_bleu_score *b) {
    double smooth = 1, logs = 0;
    b->brevity = b->hyp_len >= b->ref_len ? 1
                 : b->hyp_len             ? exp(1 - (double)b->ref_len / (double)b->hyp_len)
                                          : 0;
    if (!(b->correct[0] || b->correct[1] || b->correct[2] || b->correct[3]))
        return;
    for (int n = 0; n < 4; n++) {
        if (!b->total[n])
            return; /* an order that does not occur: BLEU is 0 */
        if (!b->correct[n])
            smooth *= 2;
        b->precision[n] =
            100 * (b->correct[n] ? (double)b->correct[n] : 1 / smooth) / (double)b->total[n];
        logs += log(b->precision[n]) / 4;
    }
    b->score = b->brevity * exp(logs);
}

bw_status bw_bleu(bw_texts hyps, const bw_texts *refs, size_t n_refs, size_t n, bw_words words,
                  bw_bleu_score *out, bw_err *err) {
    desk d;
    *out = (bw_bleu_score){0};
    size_t *which = malloc((n_refs + 1) * sizeof *which);
    if (!desk_new(&d, n_refs) || !which)
        d.failed = true;
    for (size_t i = 0; !d.failed && i < n; i++) {
        size_t k = present(refs, n_refs, i, which);
        read_bleu_line(&d, &d.hyp, hyps[i], words);
        for (size_t r = 0; r < k; r++)
            read_bleu_line(&d, &d.ref[which[r]], refs[which[r]][i], words);
        for (size_t order = 1; order <= 4; order++) {
            out->correct[order - 1] += matches(&d, which, k, order);
            out->total[order - 1] += count_grams(&d.hyp, order);
        }
        out->hyp_len += d.hyp.n;
        out->ref_len += closest_length(&d, which, k);
    }
    bool failed = d.failed;
    desk_free(&d);
    free(which);
    if (failed)
        return bw_fail_memory(err);
    finish_bleu(out);
    return BW_OK;
}

/* --- chrF ------------------------------------------------------------------------------------ */

typedef struct {
    double hyp[MAX_ORDER], ref[MAX_ORDER], match[MAX_ORDER];
} chrf_counts;

#define CHRF_BETA 2.0

/* Precision and recall are averaged over the orders that both sides have. */
static double chrf_score(const chrf_counts *c) {
    double precision = 0, recall = 0, orders = 0, weight = CHRF_BETA * CHRF_BETA;
    for (int n = 0; n < MAX_ORDER; n++)
        if (c->hyp[n] > 0 && c->ref[n] > 0) {
            precision += c->match[n] / c->hyp[n];
            recall += c->match[n] / c->ref[n];
            orders++;
        }
    double below = weight * precision + recall;
    return below > 0 ? 100 * (1 + weight) * precision * recall / (below * orders) : 0;
}

static chrf_counts compare_characters(desk *d, size_t ref) {
    chrf_counts c = {0};
    for (size_t n = 0; n < MAX_ORDER; n++) {
        c.ref[n] = (double)count_grams(&d->ref[ref], n + 1);
        c.hyp[n] = c.ref[n] > 0 ? (double)count_grams(&d->hyp, n + 1) : 0;
        c.match[n] = (double)matches(d, &ref, 1, n + 1);
    }
    return c;
}

bw_status bw_chrf(bw_texts hyps, const bw_texts *refs, size_t n_refs, size_t n, double *score,
                  bw_err *err) {
    desk d;
    chrf_counts sum = {0};
    size_t *which = malloc((n_refs + 1) * sizeof *which);
    if (!desk_new(&d, n_refs) || !which)
        d.failed = true;
    for (size_t i = 0; !d.failed && i < n; i++) {
        size_t k = present(refs, n_refs, i, which);
        chrf_counts best = {0};
        double best_score = -1;
        read_characters(&d, &d.hyp, hyps[i]);
        for (size_t r = 0; r < k; r++) {
            read_characters(&d, &d.ref[which[r]], refs[which[r]][i]);
            chrf_counts c = compare_characters(&d, which[r]);
            if (chrf_score(&c) > best_score) {
                best_score = chrf_score(&c);
                best = c;
            }
        }
        for (size_t o = 0; o < MAX_ORDER; o++) {
            sum.hyp[o] += best.hyp[o];
            sum.ref[o] += best.ref[o];
            sum.match[o] += best.match[o];
        }
    }
    bool failed = d.failed;
    desk_free(&d);
    free(which);
    *score = chrf_score(&sum);
    return failed ? bw_fail_memory(err) : BW_OK;
}

/* --- ROUGE ----------------------------------------------------------------------------------- */

static bw_overlap overlap(size_t match, size_t hyp, size_t ref) {
    bw_overlap o = {hyp ? (double)match / (double)hyp : 0, ref ? (double)match / (double)ref : 0,
                    0};
    if (match)
        o.f = 2 * o.precision * o.recall / (o.precision + o.recall);
    return o;
}

/* Longest common subsequence, one row of the table at a time. */
static size_t common(desk *d, const line *a, const line *b) {
    size_t *row = calloc(b->n + 1, sizeof *row);
    if (!row) {
        d->failed = true;
        return 0;
    }
    for (size_t i = 0; i < a->n; i++)
        for (size_t j = 0, diagonal = 0; j < b->n; j++) {
            size_t above = row[j + 1];
            size_t longer = above > row[j] ? above : row[j];
            row[j + 1] = a->id[i] == b->id[j] ? diagonal + 1 : longer;
            diagonal = above;
        }
    size_t length = row[b->n];
    free(row);
    return length;
}

static void add_overlap(bw_overlap *sum, bw_overlap o, double n) {
    sum->precision += o.precision / n;
    sum->recall += o.recall / n;
    sum->f += o.f / n;
}

bw_status bw_rouge(bw_texts hyps, bw_texts refs, size_t n, bw_rouge_score *out, bw_err *err) {
    desk d;
    *out = (bw_rouge_score){0};
    if (!desk_new(&d, 1))
        d.failed = true;
    for (size_t i = 0; !d.failed && i < n; i++) {
        const size_t first = 0;
        line *hyp = &d.hyp, *ref = &d.ref[0];
        read_rouge_line(&d, hyp, hyps[i]);
        read_rouge_line(&d, ref, refs[i] ? refs[i] : "");
        bw_overlap one = overlap(matches(&d, &first, 1, 1), hyp->n, ref->n);
        bw_overlap two =
            overlap(matches(&d, &first, 1, 2), count_grams(hyp, 2), count_grams(ref, 2));
        add_overlap(&out->one, one, (double)n);
        add_overlap(&out->two, two, (double)n);
        add_overlap(&out->longest, overlap(common(&d, hyp, ref), hyp->n, ref->n), (double)n);
    }
    bool failed = d.failed;
    desk_free(&d);
    return failed ? bw_fail_memory(err) : BW_OK;
}
