/* model/train/cmd_eval_text.c - bellwether eval text, bellwether eval perplexity. */
#include "model/train/cmd_eval_text.h"

#include "common/buf.h"
#include "common/command.h"
#include "common/progress.h"
#include "model/hf/hf.h"
#include "model/train/metrics.h"
#include "model/generate/perplexity.h"

#include <cjson/cJSON.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_REFS  16
#define MAX_BYTES ((size_t)1 << 31)

/* A file cut into lines; line[i] ends in NUL. */
typedef struct {
    char *text;
    const char **line;
    size_t n;
} lines;

static void lines_free(lines *l) {
    free(l->text);
    free(l->line);
    *l = (lines){0};
}

static bw_status lines_read(const char *path, lines *l, bw_err *err) {
    size_t len, count = 1, n = 0;
    *l = (lines){0};
    bw_status st = bw_file_read(path, MAX_BYTES, &l->text, &len, err);
    if (st != BW_OK)
        return st;
    for (size_t i = 0; i < len; i++)
        count += l->text[i] == '\n';
    l->line = malloc(count * sizeof *l->line);
    if (!l->line) {
        lines_free(l);
        return bw_fail_memory(err);
    }
    for (char *at = l->text, *end = l->text + len; at < end;) {
        char *stop = memchr(at, '\n', (size_t)(end - at));
        l->line[n++] = at;
        if (!stop)
            break;
        *stop = '\0';
        if (stop > at && stop[-1] == '\r')
            stop[-1] = '\0';
        at = stop + 1;
    }
    l->n = n;
    return BW_OK;
}

/* --- eval text ------------------------------------------------------------------------------- */

typedef struct {
    bw_bleu_score bleu;
    double chrf;
    bw_rouge_score rouge; /* against the first reference */
    size_t n;
} text_result;

static bw_status judge(const lines *hyps, const lines *refs, size_t n_refs, bw_words words,
                       text_result *r, bw_err *err) {
    bw_texts columns[MAX_REFS];
    for (size_t i = 0; i < n_refs; i++)
        columns[i] = refs[i].line;
    r->n = hyps->n;
    bw_status st = bw_bleu(hyps->line, columns, n_refs, hyps->n, words, &r->bleu, err);
    if (st == BW_OK)
        st = bw_chrf(hyps->line, columns, n_refs, hyps->n, &r->chrf, err);
    if (st == BW_OK)
        st = bw_rouge(hyps->line, refs[0].line, hyps->n, &r->rouge, err);
    return st;
}

static void print_text_table(const text_result *r) {
    const bw_bleu_score *b = &r->bleu;
    printf("texts    %zu\n", r->n);
    printf("BLEU     %.2f  %.1f/%.1f/%.1f/%.1f, brevity %.3f, %zu words for %zu\n", b->score,
           b->precision[0], b->precision[1], b->precision[2], b->precision[3], b->brevity,
           b->hyp_len, b->ref_len);
    printf("chrF2    %.2f\n", r->chrf);
    printf("ROUGE-1  %.4f  precision %.4f, recall %.4f\n", r->rouge.one.f, r->rouge.one.precision,
           r->rouge.one.recall);
    printf("ROUGE-2  %.4f  precision %.4f, recall %.4f\n", r->rouge.two.f, r->rouge.two.precision,
           r->rouge.two.recall);
    printf("ROUGE-L  %.4f  precision %.4f, recall %.4f\n", r->rouge.longest.f,
           r->rouge.longest.precision, r->rouge.longest.recall);
}

static void print_text_json(const text_result *r) {
    printf("{\"n\": %zu, \"bleu\": %.10g, \"chrf\": %.10g, \"rouge_1\": %.10g, \"rouge_2\": %.10g, "
           "\"rouge_l\": %.10g}\n",
           r->n, r->bleu.score, r->chrf, r->rouge.one.f, r->rouge.two.f, r->rouge.longest.f);
}

static bw_status read_words_option(const char *name, bw_words *words, bw_err *err) {
    static const char *const NAMES[] = {"13a", "zh", "none"};
    for (int i = 0; i < 3; i++)
        if (!strcmp(name, NAMES[i])) {
            *words = (bw_words)i;
            return BW_OK;
        }
    return bw_fail(err, BW_EUSAGE, "--words is '%s'; it can be 13a, zh or none", name);
}

static bw_status eval_text(char **paths, size_t n, bw_words words, bool json, bw_err *err) {
    lines file[MAX_REFS + 1] = {{0}};
    text_result r;
    bw_status st = BW_OK;
    for (size_t i = 0; i < n && st == BW_OK; i++) {
        st = lines_read(paths[i], &file[i], err);
        if (st == BW_OK && file[i].n != file[0].n)
            st = bw_fail(err, BW_EDATA, "%s has %zu lines, %s has %zu; they must go line by line",
                         paths[0], file[0].n, paths[i], file[i].n);
    }
    if (st == BW_OK && !file[0].n)
        st = bw_fail(err, BW_EDATA, "%s is empty", paths[0]);
    if (st == BW_OK)
        st = judge(&file[0], &file[1], n - 1, words, &r, err);
    if (st == BW_OK)
        (json ? print_text_json : print_text_table)(&r);
    for (size_t i = 0; i < n; i++)
        lines_free(&file[i]);
    return st;
}

bw_status bw_cmd_eval_text(int argc, char **argv, bw_err *err) {
    const char *name = "13a";
    bool json = false;
    bw_words words = BW_WORDS_13A;
    const bw_option options[] = {
        {"words", 0, BW_OPT_TEXT, &name, "KIND", "words of BLEU: 13a (default), zh or none"},
        BW_OPTION_JSON(json),
        {0}};
    const bw_usage usage = {
        "eval text HYPS REFS... [--words 13a|zh|none] [--json]",
        "Compares generated texts, one a line, with one or more reference files: BLEU and chrF as "
        "sacreBLEU computes them, ROUGE-1, -2 and -L against the first reference.",
        "  bellwether eval text drafts.txt written.txt\n"
        "  bellwether eval text out.zh.txt ref.zh.txt --words zh --json\n"};
    bw_status st = bw_options_parse(&usage, options, &argc, &argv, err);
    if (st == BW_OK)
        st = read_words_option(name, &words, err);
    if (st != BW_OK)
        return st;
    if (argc < 2 || argc > MAX_REFS + 1)
        return bw_fail(err, BW_EUSAGE, "usage: bellwether %s", usage.usage);
    return eval_text(argv, (size_t)argc, words, json, err);
}

/* --- eval perplexity ------------------------------------------------------------------------- */

static void print_likelihood(const bw_text_likelihood *s, bool json) {
    double perplexity = bw_perplexity(s->nll, s->tokens);
    double bits = s->bytes ? s->nll / (double)s->bytes / log(2) : (double)NAN;
    if (json)
        printf("{\"texts\": %zu, \"tokens\": %zu, \"bytes\": %zu, \"nll\": %.10g, "
               "\"perplexity\": %.10g, \"bits_per_byte\": %.10g}\n",
               s->texts, s->tokens, s->bytes, s->nll, perplexity, bits);
    else
        printf("%zu texts, %zu tokens predicted\nperplexity     %.4f\nbits per byte  %.4f\n",
               s->texts, s->tokens, perplexity, bits);
}

static bw_status add_lines(bw_likelihood *l, const lines *file, bw_text_likelihood *s,
                           bw_err *err) {
    bw_progress *progress = bw_progress_new("reading", file->n);
    bw_status st = BW_OK;
    for (size_t i = 0; i < file->n && st == BW_OK; i++) {
        if (file->line[i][0])
            st = bw_likelihood_add(l, file->line[i], strlen(file->line[i]), s, err);
        bw_progress_set(progress, i + 1, NULL);
        if (st == BW_OK && bw_interrupted())
            st = bw_fail(err, BW_EINTERRUPTED, "interrupted");
    }
    bw_progress_free(progress);
    if (st == BW_OK && !s->tokens)
        st = bw_fail(err, BW_EDATA, "no text has two tokens; there is nothing to predict");
    return st;
}

static bw_status eval_perplexity(const char *dir, const char *path, size_t window,
                                 bw_text_likelihood *s, bw_err *err) {
    bw_transformer *t = NULL;
    bw_tokenizer *k = NULL;
    bw_likelihood *l = NULL;
    lines file = {0};
    bw_status st = bw_hf_load(dir, &t, NULL, err);
    if (st == BW_OK)
        st = bw_tokenizer_load(dir, &k, err);
    if (st == BW_OK)
        st = bw_likelihood_new(t, k, window, &l, err);
    if (st == BW_OK)
        st = lines_read(path, &file, err);
    if (st == BW_OK)
        st = add_lines(l, &file, s, err);
    lines_free(&file);
    bw_likelihood_free(l);
    bw_tokenizer_free(k);
    bw_transformer_free(t);
    return st;
}

bw_status bw_cmd_eval_perplexity(int argc, char **argv, bw_err *err) {
    const char *dir = NULL;
    long window = 0;
    bool json = false;
    const bw_option options[] = {
        {"model", 'm', BW_OPT_TEXT, &dir, "DIR", "folder with a decoder and its tokenizer"},
        {"window", 0, BW_OPT_LONG, &window, "N", "tokens looked at (all the model can, or 1024)"},
        BW_OPTION_JSON(json),
        {0}};
    const bw_usage usage = {"eval perplexity --model DIR FILE [--window N] [--json]",
                            "How well a decoder predicts the texts of a file, one a line: "
                            "perplexity a token, and bits a "
                            "byte, which compare across tokenizers. Long texts are read in windows "
                            "that overlap by half.",
                            "  bellwether eval perplexity --model gpt2 reviews.txt\n"};
    bw_status st = bw_options_parse(&usage, options, &argc, &argv, err);
    if (st != BW_OK)
        return st;
    if (!dir || argc != 1 || window < 0)
        return bw_fail(err, BW_EUSAGE, "usage: bellwether %s", usage.usage);
    bw_text_likelihood s = {0};
    st = eval_perplexity(dir, argv[0], (size_t)window, &s, err);
    if (st == BW_OK)
        print_likelihood(&s, json);
    return st;
}
