/* model/tokenizer/cmd_tokenizer.c - bellwether model tokenizer train | encode | decode. */
#include "model/cmd_model.h"

#include "common/buf.h"
#include "common/progress.h"
#include "model/tokenizer/tokenizer.h"

#include <cjson/cJSON.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <zlib.h>

/* --- train ----------------------------------------------------------------------------------- */

#define MAX_SPECIALS    64
#define DEFAULT_SPECIAL "[PAD],[UNK],[CLS],[SEP],[MASK],<|endoftext|>"

/* One line of a text file, gzipped or not; false at the end. */
static bool read_line(gzFile f, bw_buf *line) {
    char chunk[8192];
    bw_buf_clear(line);
    while (gzgets(f, chunk, sizeof chunk)) {
        bw_buf_add(line, chunk);
        if (line->len && line->text[line->len - 1] == '\n')
            return true;
    }
    return line->len > 0;
}

static bw_status count_file(bw_trainer *tr, const char *path, size_t *lines, bw_progress *progress,
                            bw_err *err) {
    gzFile f = gzopen(path, "rb");
    if (!f)
        return bw_fail(err, BW_EIO, "%s: %s", path, strerror(errno));
    bw_buf line = {0};
    bw_status st = BW_OK;
    while (st == BW_OK && read_line(f, &line)) {
        st = bw_buf_ok(&line) ? bw_trainer_add(tr, line.text, line.len, err) : bw_fail_memory(err);
        bw_progress_set(progress, ++*lines, NULL);
        if (st == BW_OK && bw_interrupted())
            st = bw_fail(err, BW_EINTERRUPTED, "interrupted; nothing was written");
    }
    int code;
    const char *why = gzerror(f, &code);
    if (st == BW_OK && code < 0)
        st = bw_fail(err, BW_EIO, "%s: %s", path, code == Z_ERRNO ? strerror(errno) : why);
    gzclose(f);
    bw_buf_free(&line);
    return st;
}

/* Cuts a copy of the comma-separated list in place. */
static bw_status split_specials(char *list, const char *names[MAX_SPECIALS + 1], bw_err *err) {
    size_t n = 0;
    for (char *name = strtok(list, ","); name; name = strtok(NULL, ",")) {
        if (n == MAX_SPECIALS)
            return bw_fail(err, BW_EUSAGE, "--special: more than %d tokens", MAX_SPECIALS);
        names[n++] = name;
    }
    names[n] = NULL;
    return BW_OK;
}

static bw_status learn(const bw_tokenizer_training *how, char **files, int n, bw_tokenizer **out,
                       size_t *lines, bw_err *err) {
    bw_trainer *tr;
    bw_status st = bw_trainer_new(how, &tr, err);
    if (st != BW_OK)
        return st;
    bw_progress *progress = bw_progress_new("reading", 0);
    for (int i = 0; i < n && st == BW_OK; i++)
        st = count_file(tr, files[i], lines, progress, err);
    bw_progress_free(progress);
    if (st == BW_OK)
        st = bw_trainer_finish(tr, out, err);
    bw_trainer_free(tr);
    return st;
}

static bw_status make_folder(const char *path, bw_err *err) {
    if (mkdir(path, 0777) == 0 || errno == EEXIST)
        return BW_OK;
    return bw_fail(err, BW_EIO, "%s: the folder cannot be made: %s", path, strerror(errno));
}

static bw_status train(const bw_tokenizer_training *how, char **files, int n, const char *folder,
                       bw_err *err) {
    bw_tokenizer *t = NULL;
    size_t lines = 0;
    bw_status st = learn(how, files, n, &t, &lines, err);
    if (st == BW_OK)
        st = make_folder(folder, err);
    if (st == BW_OK)
        st = bw_tokenizer_save(t, folder, err);
    if (st == BW_OK)
        printf("%zu tokens from %zu lines, written to %s\n", bw_tokenizer_size(t), lines, folder);
    if (st == BW_OK && bw_tokenizer_size(t) < how->vocab)
        fprintf(stderr, "note: the text has no more repeated pairs; %zu tokens were asked for\n",
                how->vocab);
    bw_tokenizer_free(t);
    return st;
}

static bw_status cmd_train(int argc, char **argv, bw_err *err) {
    const char *folder = NULL, *specials = DEFAULT_SPECIAL;
    long vocab = 16000, min_count = 2;
    bool lowercase = false, nfc = false;
    const bw_option options[] = {
        {"out", 'o', BW_OPT_TEXT, &folder, "DIR", "folder for tokenizer.json; made if missing"},
        {"vocab", 0, BW_OPT_LONG, &vocab, "N", "size of the vocabulary (16000)"},
        {"special", 0, BW_OPT_TEXT, &specials, "LIST",
         "special tokens, first ids (" DEFAULT_SPECIAL ")"},
        {"min-count", 0, BW_OPT_LONG, &min_count, "N", "rarest pair that is merged (2)"},
        {"lowercase", 0, BW_OPT_FLAG, &lowercase, NULL,
         "NFKC and lower case first; loses the case"},
        {"nfc", 0, BW_OPT_FLAG, &nfc, NULL, "compose accents first (NFC)"},
        {0}};
    const bw_usage usage = {
        "model tokenizer train FILE... --out DIR [options]",
        "Learns a byte-level BPE vocabulary from text files, one text a line, gzipped or not. "
        "Chinese "
        "and other scripts are kept apart. The same files give the same vocabulary.",
        "  bellwether model tokenizer train reviews.txt --vocab 8000 --out tokenizer\n"};
    bw_status st = bw_options_parse(&usage, options, &argc, &argv, err);
    if (st != BW_OK)
        return st;
    if (argc < 1 || !folder)
        return bw_fail(err, BW_EUSAGE, "usage: bellwether %s", usage.usage);
    if (vocab < 1 || min_count < 1)
        return bw_fail(err, BW_EUSAGE, "--vocab and --min-count are counts, at least 1");
    const char *names[MAX_SPECIALS + 1];
    char *list = strdup(specials);
    st = list ? split_specials(list, names, err) : bw_fail_memory(err);
    bw_tokenizer_training how = {.vocab = (size_t)vocab,
                                 .specials = names,
                                 .lowercase = lowercase,
                                 .nfc = nfc,
                                 .min_count = (size_t)min_count};
    if (st == BW_OK)
        st = train(&how, argv, argc, folder, err);
    free(list);
    return st;
}

/* --- encode ---------------------------------------------------------------------------------- */

static void print_rows(const bw_tokenizer *t, const bw_tokens *k) {
    printf("%8s  %-20s %6s %6s\n", "id", "token", "start", "end");
    for (size_t i = 0; i < k->n; i++)
        printf("%8d  %-20s %6u %6u\n", k->ids[i], bw_tokenizer_piece(t, k->ids[i]),
               k->spans[i].start, k->spans[i].end);
    if (k->cut)
        printf("%zu more tokens were cut off\n", k->cut);
}

static bw_status print_json(const bw_tokenizer *t, const bw_tokens *k, bw_err *err) {
    cJSON *o = cJSON_CreateObject(), *ids = cJSON_AddArrayToObject(o, "ids");
    cJSON *tokens = cJSON_AddArrayToObject(o, "tokens"),
          *spans = cJSON_AddArrayToObject(o, "spans");
    cJSON_AddNumberToObject(o, "cut", (double)k->cut);
    for (size_t i = 0; i < k->n; i++) {
        const int place[] = {(int)k->spans[i].start, (int)k->spans[i].end};
        cJSON_AddItemToArray(ids, cJSON_CreateNumber(k->ids[i]));
        cJSON_AddItemToArray(tokens, cJSON_CreateString(bw_tokenizer_piece(t, k->ids[i])));
        cJSON_AddItemToArray(spans, cJSON_CreateIntArray(place, 2));
    }
    char *text = cJSON_PrintUnformatted(o);
    cJSON_Delete(o);
    if (!text)
        return bw_fail_memory(err);
    puts(text);
    cJSON_free(text);
    return BW_OK;
}

typedef struct {
    const bw_tokenizer *t;
    bw_encode_options how;
    bool json, ids;
    bw_tokens tokens;
} encoding;

static bw_status encode_one(encoding *e, const char *text, size_t len, bw_err *err) {
    bw_status st = bw_tokenizer_encode(e->t, text, len, &e->how, &e->tokens, err);
    if (st != BW_OK)
        return st;
    if (e->json)
        return print_json(e->t, &e->tokens, err);
    if (!e->ids) {
        print_rows(e->t, &e->tokens);
        return BW_OK;
    }
    for (size_t i = 0; i < e->tokens.n; i++)
        printf(i ? " %d" : "%d", e->tokens.ids[i]);
    putchar('\n');
    return BW_OK;
}

/* Each line of standard input is a text. */
static bw_status encode_lines(encoding *e, bw_err *err) {
    char *line = NULL;
    size_t cap = 0;
    ssize_t n;
    bw_status st = BW_OK;
    while (st == BW_OK && (n = getline(&line, &cap, stdin)) >= 0) {
        n -= n && line[n - 1] == '\n';
        st = encode_one(e, line, (size_t)n, err);
    }
    free(line);
    return st;
}

static bw_status cmd_encode(int argc, char **argv, bw_err *err) {
    encoding e = {0};
    long max = 0;
    const bw_option options[] = {
        {"ids", 0, BW_OPT_FLAG, &e.ids, NULL, "ids alone, one text a line"},
        BW_OPTION_JSON(e.json),
        {"bare", 0, BW_OPT_FLAG, &e.how.bare, NULL, "without the tokens the tokenizer adds"},
        {"max-tokens", 0, BW_OPT_LONG, &max, "N", "cut to N tokens"},
        {0}};
    const bw_usage usage = {
        "model tokenizer encode DIR [TEXT...] [options]",
        "Prints the tokens of each text, or of each line of standard input, with the bytes that "
        "each "
        "token stands for.",
        "  bellwether model tokenizer encode tokenizer \"The courier was late\"\n"
        "  bellwether model tokenizer encode tokenizer --ids < reviews.txt\n"};
    bw_status st = bw_options_parse(&usage, options, &argc, &argv, err);
    if (st != BW_OK)
        return st;
    if (argc < 1 || max < 0)
        return bw_fail(err, BW_EUSAGE, "usage: bellwether %s", usage.usage);
    e.how.max_tokens = (size_t)max;
    bw_tokenizer *t;
    st = bw_tokenizer_load(argv[0], &t, err);
    e.t = t;
    for (int i = 1; i < argc && st == BW_OK; i++)
        st = encode_one(&e, argv[i], strlen(argv[i]), err);
    if (st == BW_OK && argc == 1)
        st = encode_lines(&e, err);
    bw_tokens_free(&e.tokens);
    bw_tokenizer_free(t);
    return st;
}

/* --- decode ---------------------------------------------------------------------------------- */

static bw_status read_ids(int argc, char **argv, int32_t *ids, bw_err *err) {
    for (int i = 0; i < argc; i++) {
        char *end;
        long id = strtol(argv[i], &end, 10);
        if (*end || end == argv[i] || id < 0 || id > INT32_MAX)
            return bw_fail(err, BW_EUSAGE, "'%s' is not a token id", argv[i]);
        ids[i] = (int32_t)id;
    }
    return BW_OK;
}

static bw_status decode(const char *folder, const int32_t *ids, size_t n, bool skip, bw_err *err) {
    bw_tokenizer *t;
    char *text;
    size_t len;
    bw_status st = bw_tokenizer_load(folder, &t, err);
    if (st != BW_OK)
        return st;
    st = bw_tokenizer_decode(t, ids, n, skip ? BW_DECODE_SKIP_SPECIAL : 0, &text, &len, err);
    if (st == BW_OK) {
        fwrite(text, 1, len, stdout);
        putchar('\n');
        free(text);
    }
    bw_tokenizer_free(t);
    return st;
}

static bw_status cmd_decode(int argc, char **argv, bw_err *err) {
    bool keep = false;
    const bw_option options[] = {
        {"special", 0, BW_OPT_FLAG, &keep, NULL, "show special tokens too"}, {0}};
    const bw_usage usage = {"model tokenizer decode DIR ID... [--special]",
                            "Prints the text of token ids.",
                            "  bellwether model tokenizer decode tokenizer 2 812 1043 3\n"};
    bw_status st = bw_options_parse(&usage, options, &argc, &argv, err);
    if (st != BW_OK)
        return st;
    if (argc < 2)
        return bw_fail(err, BW_EUSAGE, "usage: bellwether %s", usage.usage);
    int32_t *ids = malloc((size_t)argc * sizeof *ids);
    st = ids ? read_ids(argc - 1, argv + 1, ids, err) : bw_fail_memory(err);
    if (st == BW_OK)
        st = decode(argv[0], ids, (size_t)argc - 1, !keep, err);
    free(ids);
    return st;
}

bw_status bw_cmd_tokenizer(int argc, char **argv, bw_err *err) {
    static const bw_command PARTS[] = {
        {"train", "learn a byte-level BPE vocabulary from text files", cmd_train},
        {"encode", "show the tokens of texts", cmd_encode},
        {"decode", "show the text of token ids", cmd_decode},
        {0}};
    return bw_cmd_parts("model tokenizer", PARTS, argc, argv, err);
}
