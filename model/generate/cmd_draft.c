/* model/generate/cmd_draft.c - bellwether draft: copy from a generator, several versions to choose
 * from. */
#include "model/generate/cmd_draft.h"

#include "common/buf.h"
#include "common/command.h"
#include "model/generate/generator.h"

#include <cjson/cJSON.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
    const char *model, *prompt, *precision;
    bw_text_list stop;
    bw_pack_kind kind;
    long n, top_k, max_length, seed, beams, no_repeat;
    double temperature, top_p, min_p, repetition;
    bool greedy, json;
} arguments;

static const char *const ENDED[] = {"length", "end", "stop", "barred"};

/* "\n", "\t" and "\\" as they are written on a command line; caller frees. */
static char *unescape(const char *text) {
    bw_buf b = {0};
    for (; *text; text++) {
        const char *known = text[0] == '\\' && text[1] ? strchr("n\nt\t\\\\", text[1]) : NULL;
        bw_buf_add_n(&b, known ? known + 1 : text, 1);
        text += known != NULL;
    }
    return bw_buf_take(&b);
}

#define MOST_STOPS (sizeof((bw_text_list *)0)->text / sizeof(char *))

/* stops [list->n]: caller frees each. An empty one would end every draft at once and is passed
 * over. */
static bw_status read_stops(const bw_text_list *list, char *stops[], size_t *n, bw_err *err) {
    *n = 0;
    for (size_t i = 0; i < list->n; i++) {
        if (!*list->text[i])
            continue;
        stops[*n] = unescape(list->text[i]);
        if (!stops[(*n)++])
            return bw_fail_memory(err);
    }
    return BW_OK;
}

/* The chain, in the order in which the reference applies it. */
static bw_status add_processors(const arguments *a, bw_processors *p, bw_err *err) {
    const struct {
        bool on;
        bw_proc_kind kind;
        double value;
    } steps[] = {{a->repetition != 1, BW_PROC_REPETITION_PENALTY, a->repetition},
                 {a->no_repeat > 0, BW_PROC_NO_REPEAT_NGRAM, (double)a->no_repeat},
                 {!a->greedy && a->temperature != 1, BW_PROC_TEMPERATURE, a->temperature},
                 {!a->greedy && a->top_k > 0, BW_PROC_TOP_K, (double)a->top_k},
                 {!a->greedy && a->top_p != 1, BW_PROC_TOP_P, a->top_p},
                 {!a->greedy && a->min_p != 0, BW_PROC_MIN_P, a->min_p}};
    bw_status st = BW_OK;
    for (size_t i = 0; i < sizeof steps / sizeof *steps && st == BW_OK; i++)
        if (steps[i].on)
            st = bw_processors_add(p, steps[i].kind, steps[i].value, err);
    return st == BW_EARG ? BW_EUSAGE : st;
}

static bw_status check(const arguments *a, bw_err *err) {
    if (!a->model)
        return bw_fail(err, BW_EUSAGE,
                       "--model DIR is missing: a folder with a generator (GPT-2, "
                       "Llama, SmolLM2, Qwen2, Mistral, BART or T5) and its tokenizer");
    if (!a->prompt)
        return bw_fail(err, BW_EUSAGE, "--prompt TEXT is missing");
    if (a->n < 1 || a->n > 1000)
        return bw_fail(err, BW_EUSAGE, "-n is %ld; between 1 and 1000 drafts can be written", a->n);
    if (a->max_length < 2)
        return bw_fail(err, BW_EUSAGE, "--max-length is %ld; at least 2 tokens are needed",
                       a->max_length);
    if (a->seed < 0 || a->beams < 0 || a->top_k < 0 || a->no_repeat < 0)
        return bw_fail(err, BW_EUSAGE,
                       "--seed, --beams, --top-k and --no-repeat cannot be negative");
    return BW_OK;
}

static bw_status read_precision(arguments *a, bw_err *err) {
    static const char *const NAMES[] = {"f32", "bf16", "int8"};
    static const bw_pack_kind KINDS[] = {BW_PACK_F32, BW_PACK_BF16, BW_PACK_INT8};
    for (size_t i = 0; i < 3; i++)
        if (!strcmp(a->precision, NAMES[i])) {
            a->kind = KINDS[i];
            return BW_OK;
        }
    return bw_fail(err, BW_EUSAGE, "--precision is '%s'; it can be f32, bf16 or int8",
                   a->precision);
}

/* The prompt and its continuation belong together; a control character could drive the terminal. */
static void print_text(const char *text) {
    for (const char *p = text; *p; p++)
        if ((unsigned char)*p >= ' ' || *p == '\n' || *p == '\t')
            putchar(*p);
}

static void print_drafts(const arguments *a, const bw_drafts *d, bool continues) {
    for (size_t i = 0; i < d->n; i++) {
        if (d->n > 1)
            printf("%s[%zu] ", i ? "\n" : "", i + 1);
        if (continues)
            print_text(a->prompt);
        print_text(d->draft[i].text);
        putchar('\n');
    }
}

static bw_status print_json(const arguments *a, const bw_drafts *d, bw_err *err) {
    cJSON *o = cJSON_CreateObject();
    cJSON_AddStringToObject(o, "prompt", a->prompt);
    cJSON_AddNumberToObject(o, "prompt_tokens", (double)d->prompt_tokens);
    cJSON_AddNumberToObject(o, "prompt_tokens_cut", (double)d->prompt_cut);
    cJSON_AddNumberToObject(o, "max_length", (double)d->max_length);
    cJSON_AddNumberToObject(o, "seed", (double)a->seed);
    cJSON *list = cJSON_AddArrayToObject(o, "drafts");
    for (size_t i = 0; i < d->n; i++) {
        cJSON *one = cJSON_CreateObject();
        cJSON_AddStringToObject(one, "text", d->draft[i].text);
        cJSON_AddNumberToObject(one, "tokens", (double)d->draft[i].tokens);
        cJSON_AddNumberToObject(one, a->beams > 1 ? "score" : "logprob", d->draft[i].logprob);
        cJSON_AddStringToObject(one, "ended", ENDED[d->draft[i].ended]);
        cJSON_AddItemToArray(list, one);
    }
    char *text = cJSON_Print(o);
    cJSON_Delete(o);
    if (!text)
        return bw_fail_memory(err);
    puts(text);
    cJSON_free(text);
    return BW_OK;
}

static void print_notes(const arguments *a, const bw_drafts *d) {
    if (d->prompt_cut)
        fprintf(stderr,
                "note: the prompt is too long; %zu of its tokens were left out, %zu were read\n",
                d->prompt_cut, d->prompt_tokens);
    if (d->max_length < (size_t)a->max_length)
        fprintf(stderr, "note: the model holds %zu tokens; --max-length %ld was lowered to that\n",
                d->max_length, a->max_length);
}

static bw_status draft(const arguments *a, const bw_writing *how, bw_err *err) {
    bw_generator *g;
    bw_drafts d = {0};
    bw_status st = bw_generator_load(a->model, a->kind, &g, err);
    if (st == BW_OK)
        st = bw_generator_write(g, a->prompt, strlen(a->prompt), how, &d, err);
    if (st == BW_OK) {
        print_notes(a, &d);
        if (a->json)
            st = print_json(a, &d, err);
        else
            print_drafts(a, &d, bw_generator_continues(g));
    }
    bw_drafts_free(&d);
    bw_generator_free(g);
    return st;
}

static const bw_usage USAGE = {
    "draft --model DIR --prompt TEXT [options]",
    "Writes drafts with a generator: campaign copy, subject lines, answers. A decoder continues "
    "the "
    "prompt, an encoder-decoder rewrites it. The same seed gives the same drafts. Drafts are "
    "ideas: "
    "nothing checks what they claim.",
    "  bellwether draft --model SmolLM2-135M --prompt \"Subject: Summer sale\" -n 3\n"
    "  bellwether draft --model gpt2 --prompt \"Our new hand cream\" --top-k 50 --top-p 0.95 \\\n"
    "      --max-length 200 --stop '\\n\\n' --stop '###' --seed 7\n"
    "  bellwether draft --model bart-summary --prompt \"$(cat text)\" --beams 4 -n 1\n"};

static bw_status parse(arguments *a, int argc, char **argv, bw_err *err) {
    const bw_option options[] = {
        {"model", 'm', BW_OPT_TEXT, &a->model, "DIR", "folder with the generator"},
        {"prompt", 'p', BW_OPT_TEXT, &a->prompt, "TEXT", "how the text begins, or what to rewrite"},
        {"n", 'n', BW_OPT_LONG, &a->n, "N", "drafts to write (3)"},
        {"top-k", 0, BW_OPT_LONG, &a->top_k, "K", "draw from the K likeliest tokens (50; 0: all)"},
        {"top-p", 0, BW_OPT_REAL, &a->top_p, "P", "draw from the likeliest that make up P (0.95)"},
        {"min-p", 0, BW_OPT_REAL, &a->min_p, "P", "drop tokens below P times the likeliest (0)"},
        {"temperature", 't', BW_OPT_REAL, &a->temperature, "T",
         "below 1 tamer, above 1 wilder (1)"},
        {"repetition-penalty", 0, BW_OPT_REAL, &a->repetition, "R", "above 1 repeats less (1)"},
        {"no-repeat", 0, BW_OPT_LONG, &a->no_repeat, "N", "no N tokens twice in a row (0: off)"},
        {"max-length", 0, BW_OPT_LONG, &a->max_length, "N", "tokens in all, prompt included (200)"},
        {"stop", 0, BW_OPT_LIST, &a->stop, "TEXT",
         "end in front of TEXT; \\n is a line break; may be given again"},
        {"seed", 0, BW_OPT_LONG, &a->seed, "N", "start of the random numbers (1)"},
        {"precision", 0, BW_OPT_TEXT, &a->precision, "P", "f32 (exact), bf16 or int8 (faster)"},
        {"greedy", 0, BW_OPT_FLAG, &a->greedy, NULL, "always the likeliest token; one draft"},
        {"beams", 0, BW_OPT_LONG, &a->beams, "N", "beam search instead of drawing"},
        BW_OPTION_JSON(a->json),
        {0}};
    bw_status st = bw_options_parse(&USAGE, options, &argc, &argv, err);
    if (st == BW_OK && argc)
        st = bw_fail(err, BW_EUSAGE, "'%s' is not understood; the prompt goes behind --prompt",
                     argv[0]);
    if (st == BW_OK)
        st = check(a, err);
    return st == BW_OK ? read_precision(a, err) : st;
}

bw_status bw_cmd_draft(int argc, char **argv, bw_err *err) {
    arguments a = {.n = 3,
                   .top_k = 50,
                   .top_p = 0.95,
                   .temperature = 1,
                   .repetition = 1,
                   .max_length = 200,
                   .precision = "f32",
                   .seed = 1};
    bw_status st = parse(&a, argc, argv, err);
    if (st != BW_OK)
        return st;
    bool beams = a.beams > 1;
    bw_writing how = {.n = a.greedy && !beams ? 1 : (size_t)a.n,
                      .max_length = (size_t)a.max_length,
                      .seed = (uint64_t)a.seed,
                      .sample = !a.greedy && !beams,
                      .beams = (size_t)a.beams,
                      .length_penalty = 1};
    char *stops[MOST_STOPS] = {0};
    how.stop = (const char *const *)stops;
    st = read_stops(&a.stop, stops, &how.n_stop, err);
    a.greedy = a.greedy || beams; /* neither draws */
    if (st == BW_OK)
        st = add_processors(&a, &how.processors, err);
    if (st == BW_OK)
        st = draft(&a, &how, err);
    for (size_t i = 0; i < a.stop.n; i++)
        free(stops[i]);
    return st;
}
