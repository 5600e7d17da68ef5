/* model/tokenizer/load.c - opening a tokenizer folder.
 *
 * Everything becomes one tokenizer.json in memory first: a vocab.txt, or a vocab.json with its
 * merges.txt, is put into the form that the reference's converter gives it. So there is one
 * reader. */
#include "model/tokenizer/internal.h"

#include "common/buf.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The largest file read; published ones stay below 40 MB. */
#define MAX_FILE ((size_t)1 << 29)

static atomic_uint_fast64_t next_serial = 1;

static bw_status keep_parts(bw_tokenizer *t, const cJSON *root, const cJSON *model) {
    static const char *const NAMES[] = {"normalizer", "pre_tokenizer", "post_processor", "decoder"};
    for (int i = 0; i < BW_PART_MODEL; i++) {
        const cJSON *c = cJSON_GetObjectItemCaseSensitive(root, NAMES[i]);
        t->parts[i] = c ? cJSON_PrintUnformatted(c) : strdup("null");
        if (!t->parts[i])
            return BW_ENOMEM;
    }
    /* The model's switches without its two long lists. */
    cJSON *small = cJSON_CreateObject();
    const cJSON *m;
    cJSON_ArrayForEach(m, model) {
        if (strcmp(m->string, "vocab") && strcmp(m->string, "merges"))
            cJSON_AddItemToObject(small, m->string, cJSON_Duplicate(m, true));
    }
    t->parts[BW_PART_MODEL] = cJSON_PrintUnformatted(small);
    cJSON_Delete(small);
    return t->parts[BW_PART_MODEL] ? BW_OK : BW_ENOMEM;
}

/* The configuration overrules the tokenizer.json in these, as it does in the reference. */
static void apply_switches(cJSON *normalizer, cJSON *pre, const cJSON *config) {
    static const char *const SWITCHES[][2] = {{"do_lower_case", "lowercase"},
                                              {"strip_accents", "strip_accents"},
                                              {"tokenize_chinese_chars", "handle_chinese_chars"}};
    bool bert = !strcmp(bw_json_text(normalizer, "type", ""), "BertNormalizer");
    for (size_t i = 0; bert && i < 3; i++) {
        const cJSON *s = cJSON_GetObjectItemCaseSensitive(config, SWITCHES[i][0]);
        if (cJSON_IsBool(s))
            cJSON_ReplaceItemInObjectCaseSensitive(normalizer, SWITCHES[i][1],
                                                   cJSON_CreateBool(cJSON_IsTrue(s)));
    }
    const cJSON *space = cJSON_GetObjectItemCaseSensitive(config, "add_prefix_space");
    if (cJSON_IsBool(space) && !strcmp(bw_json_text(pre, "type", ""), "ByteLevel"))
        cJSON_ReplaceItemInObjectCaseSensitive(pre, "add_prefix_space",
                                               cJSON_CreateBool(cJSON_IsTrue(space)));
}

static bw_status build_steps(bw_tokenizer *t, const cJSON *root, const cJSON *config,
                             const char *name, bw_err *err) {
    cJSON *norm = cJSON_GetObjectItemCaseSensitive(root, "normalizer");
    cJSON *pre = cJSON_GetObjectItemCaseSensitive(root, "pre_tokenizer");
    const cJSON *model = cJSON_GetObjectItemCaseSensitive(root, "model");
    if (!cJSON_IsObject(model))
        return bw_fail(err, BW_EFORMAT, "%s: it has no \"model\"; is this a tokenizer.json?", name);
    if (config)
        apply_switches(norm, pre, config);
    bw_status st = keep_parts(t, root, model);
    if (st != BW_OK)
        return bw_fail_memory(err);
    st = bw_tok_read_normalizer(t, norm, name, err);
    if (st == BW_OK)
        st = bw_tok_read_pre(t, pre, name, err);
    if (st == BW_OK)
        st = bw_tok_read_model(t, model, name, err);
    if (st == BW_OK)
        st = bw_tok_read_post(t, cJSON_GetObjectItemCaseSensitive(root, "post_processor"), name,
                              err);
    if (st == BW_OK)
        st = bw_tok_read_decoder(t, cJSON_GetObjectItemCaseSensitive(root, "decoder"), name, err);
    if (st == BW_OK)
        st = bw_tok_read_added(t, cJSON_GetObjectItemCaseSensitive(root, "added_tokens"), config,
                               name, err);
    return st;
}

bw_status bw_tok_build(const cJSON *root, const cJSON *config, const char *name, bw_tokenizer **out,
                       bw_err *err) {
    bw_tokenizer *t = calloc(1, sizeof *t);
    bw_status st = t ? BW_OK : bw_fail_memory(err);
    if (t) {
        t->serial = next_serial++;
        t->unk = -1;
        st = build_steps(t, root, config, name, err);
    }
    if (st == BW_OK && config && !(t->config = cJSON_Print(config)))
        st = bw_fail_memory(err);
    if (st != BW_OK) {
        bw_tokenizer_free(t);
        t = NULL;
    }
    *out = t;
    return st;
}

void bw_tokenizer_free(bw_tokenizer *t) {
    if (!t)
        return;
    for (size_t i = 0; i < t->n_added; i++) {
        free(t->added[i].content);
        free(t->added[i].pattern);
    }
    for (int i = 0; i < BW_N_PARTS; i++)
        free(t->parts[i]);
    bw_vocab_free(&t->vocab);
    bw_bpe_free(&t->bpe);
    bw_unigram_free(&t->unigram);
    for (size_t i = 0; i < t->n_norm; i++)
        bw_norm_step_free(&t->norm[i]);
    for (size_t i = 0; i < t->n_decode; i++)
        bw_decode_step_free(&t->decode[i]);
    free(t->merge_list);
    free(t->prefix);
    free(t->added);
    free(t->special);
    free(t->config);
    free(t);
}

static bw_status parse_text(const char *json, size_t len, const char *name, cJSON **out,
                            bw_err *err) {
    const char *end = NULL;
    *out = cJSON_ParseWithLengthOpts(json, len, &end, false);
    if (*out)
        return BW_OK;
    return bw_fail(err, BW_EFORMAT, "%s: not valid JSON near byte %zu", name,
                   end ? (size_t)(end - json) : 0);
}

bw_status bw_tokenizer_parse(const char *json, size_t len, const char *name, bw_tokenizer **out,
                             bw_err *err) {
    cJSON *root;
    *out = NULL;
    bw_status st = parse_text(json, len, name, &root, err);
    if (st == BW_OK)
        st = bw_tok_build(root, NULL, name, out, err);
    cJSON_Delete(root);
    return st;
}

/* --- folders --------------------------------------------------------------------------------- */

static char *join(const char *folder, const char *file) {
    bw_buf b = {0};
    bw_buf_addf(&b, "%s/%s", folder, file);
    return bw_buf_take(&b);
}

static bool has(const char *folder, const char *file) {
    char *path = join(folder, file);
    bool yes = path && access(path, R_OK) == 0;
    free(path);
    return yes;
}

static bw_status read_file(const char *folder, const char *file, char **text, size_t *len,
                           bw_err *err) {
    *text = NULL;
    char *path = join(folder, file);
    bw_status st = path ? bw_file_read(path, MAX_FILE, text, len, err) : bw_fail_memory(err);
    free(path);
    return st;
}

static bw_status read_json(const char *folder, const char *file, cJSON **out, bw_err *err) {
    char *text, *path = join(folder, file);
    size_t len;
    *out = NULL;
    bw_status st = path ? read_file(folder, file, &text, &len, err) : bw_fail_memory(err);
    if (st == BW_OK) {
        st = parse_text(text, len, path, out, err);
        free(text);
    }
    free(path);
    return st;
}

/* Reads the lines of a text file into a JSON object (token: line number) or array (lines). */
static bw_status read_lines(const char *folder, const char *file, bool numbered, cJSON *into,
                            bw_err *err) {
    char *text;
    size_t len;
    bw_status st = read_file(folder, file, &text, &len, err);
    if (st != BW_OK)
        return st;
    int number = 0;
    for (char *line = text, *end = text + len; line < end;) {
        char *stop = memchr(line, '\n', (size_t)(end - line));
        char *next = stop ? stop + 1 : end;
        stop = stop ? stop : end; /* the buffer has a NUL behind its end */
        if (stop > line && stop[-1] == '\r')
            stop--;
        *stop = '\0';
        if (numbered)
            cJSON_AddNumberToObject(into, line, number++);
        else if (*line && strncmp(line, "#version", 8) != 0)
            cJSON_AddItemToArray(into, cJSON_CreateString(line));
        line = next;
    }
    free(text);
    return BW_OK;
}

/* What the reference's converter writes for a vocab.txt. {0}, {1}: ids of [CLS] and [SEP]. */
static const char BERT_FORM[] =
    "{\"normalizer\":{\"type\":\"BertNormalizer\",\"clean_text\":true,\"handle_chinese_chars\":"
    "true,"
    "\"strip_accents\":null,\"lowercase\":true},\"pre_tokenizer\":{\"type\":\"BertPreTokenizer\"},"
    "\"post_processor\":{\"type\":\"BertProcessing\",\"sep\":[\"[SEP]\",-1],\"cls\":[\"[CLS]\",-1]}"
    ","
    "\"decoder\":{\"type\":\"WordPiece\",\"prefix\":\"##\",\"cleanup\":true},"
    "\"model\":{\"type\":\"WordPiece\",\"unk_token\":\"[UNK]\",\"continuing_subword_prefix\":\"##"
    "\","
    "\"max_input_chars_per_word\":100}}";

static const char GPT2_FORM[] =
    "{\"normalizer\":null,\"pre_tokenizer\":{\"type\":\"ByteLevel\",\"add_prefix_space\":false,"
    "\"trim_offsets\":true,\"use_regex\":true},\"post_processor\":null,"
    "\"decoder\":{\"type\":\"ByteLevel\",\"add_prefix_space\":false,\"trim_offsets\":true,"
    "\"use_regex\":true},\"model\":{\"type\":\"BPE\"}}";

static const char QWEN2_FORM[] =
    "{\"normalizer\":{\"type\":\"NFC\"},\"pre_tokenizer\":{\"type\":\"Sequence\",\"pretokenizers\":"
    "["
    "{\"type\":\"Split\",\"pattern\":{\"Regex\":\"\"},\"behavior\":\"Isolated\",\"invert\":false},"
    "{\"type\":\"ByteLevel\",\"add_prefix_space\":false,\"trim_offsets\":false,"
    "\"use_regex\":false}]},\"post_processor\":null,\"decoder\":{\"type\":\"ByteLevel\","
    "\"add_prefix_space\":false,\"trim_offsets\":false,\"use_regex\":false},\"model\":{\"type\":"
    "\"BPE\"}}";

/* BART and RoBERTa: GPT-2's with <s> text </s>. */
static const char ROBERTA_FORM[] =
    "{\"normalizer\":null,\"pre_tokenizer\":{\"type\":\"ByteLevel\",\"add_prefix_space\":false,"
    "\"trim_offsets\":true,\"use_regex\":true},\"post_processor\":{\"type\":\"RobertaProcessing\","
    "\"sep\":[\"</s>\",-1],\"cls\":[\"<s>\",-1],\"trim_offsets\":true,\"add_prefix_space\":false},"
    "\"decoder\":{\"type\":\"ByteLevel\",\"add_prefix_space\":false,\"trim_offsets\":true,"
    "\"use_regex\":true},\"model\":{\"type\":\"BPE\"}}";

/* Puts the id of a special token into ["[SEP]", -1]; names come from the configuration if it has
 * them. A token that the vocabulary lacks takes the whole post-processor away. */
static void set_special(cJSON *root, const char *which, const cJSON *vocab, const char *token) {
    cJSON *post = cJSON_GetObjectItemCaseSensitive(root, "post_processor");
    cJSON *place = cJSON_GetObjectItemCaseSensitive(post, which);
    const cJSON *id = cJSON_GetObjectItemCaseSensitive(vocab, token);
    if (!place)
        return;
    if (id) {
        cJSON_ReplaceItemInArray(place, 0, cJSON_CreateString(token));
        cJSON_ReplaceItemInArray(place, 1, cJSON_CreateNumber(id->valuedouble));
    } else {
        cJSON_ReplaceItemInObjectCaseSensitive(root, "post_processor", cJSON_CreateNull());
    }
}

static const char *config_token(const cJSON *config, const char *key, const char *usual) {
    const cJSON *m = cJSON_GetObjectItemCaseSensitive(config, key);
    return cJSON_IsObject(m) ? bw_json_text(m, "content", usual) : bw_json_text(config, key, usual);
}

/* Special tokens of a class: the key in the configuration, and what it is where that is silent. */
typedef const char *const role_default[2];

static void add_specials(cJSON *root, const cJSON *config, const cJSON *vocab, role_default *roles,
                         size_t n) {
    cJSON *list = cJSON_AddArrayToObject(root, "added_tokens");
    for (size_t i = 0; i < n; i++) {
        const char *token = config_token(config, roles[i][0], roles[i][1]);
        if (!cJSON_GetObjectItemCaseSensitive(vocab, token))
            continue;
        cJSON *a = cJSON_CreateObject();
        cJSON_AddStringToObject(a, "content", token);
        cJSON_AddBoolToObject(a, "special", true);
        cJSON_AddBoolToObject(a, "lstrip",
                              !strcmp(token, "<mask>")); /* RoBERTa's takes the space */
        cJSON_AddItemToArray(list, a);
    }
}

static role_default BERT_ROLES[] = {{"pad_token", "[PAD]"},
                                    {"unk_token", "[UNK]"},
                                    {"cls_token", "[CLS]"},
                                    {"sep_token", "[SEP]"},
                                    {"mask_token", "[MASK]"}};
static role_default GPT2_ROLES[] = {{"eos_token", "<|endoftext|>"}};
static role_default ROBERTA_ROLES[] = {{"bos_token", "<s>"},
                                       {"pad_token", "<pad>"},
                                       {"eos_token", "</s>"},
                                       {"unk_token", "<unk>"},
                                       {"mask_token", "<mask>"}};
#define N_ROLES(table) (sizeof table / sizeof *table)

static bw_status from_vocab_txt(const char *folder, const cJSON *config, cJSON *root, bw_err *err) {
    cJSON *vocab = cJSON_CreateObject();
    bw_status st = read_lines(folder, "vocab.txt", true, vocab, err);
    set_special(root, "cls", vocab, config_token(config, "cls_token", "[CLS]"));
    set_special(root, "sep", vocab, config_token(config, "sep_token", "[SEP]"));
    add_specials(root, config, vocab, BERT_ROLES, N_ROLES(BERT_ROLES));
    cJSON *model = cJSON_GetObjectItemCaseSensitive(root, "model");
    const char *unk = config_token(config, "unk_token", "[UNK]");
    cJSON_ReplaceItemInObjectCaseSensitive(model, "unk_token", cJSON_CreateString(unk));
    cJSON_AddItemToObject(model, "vocab", vocab);
    return st;
}

/* What folders of this kind hold is told by the class they name; GPT-2 where they name none. */
static bool is_class(const cJSON *config, const char *start) {
    return strncmp(bw_json_text(config, "tokenizer_class", ""), start, strlen(start)) == 0;
}

static const char *bpe_form(const cJSON *config) {
    if (is_class(config, "Qwen2"))
        return QWEN2_FORM;
    return is_class(config, "Bart") || is_class(config, "Roberta") ? ROBERTA_FORM : GPT2_FORM;
}

static void set_qwen_pattern(cJSON *root) {
    cJSON *pre = cJSON_GetObjectItemCaseSensitive(root, "pre_tokenizer");
    cJSON *split = cJSON_GetArrayItem(cJSON_GetObjectItemCaseSensitive(pre, "pretokenizers"), 0);
    cJSON *pattern = cJSON_GetObjectItemCaseSensitive(split, "pattern");
    cJSON_ReplaceItemInObjectCaseSensitive(pattern, "Regex", cJSON_CreateString(BW_PATTERN_QWEN2));
}

static bw_status from_vocab_json(const char *folder, const cJSON *config, cJSON *root,
                                 bw_err *err) {
    cJSON *vocab, *merges = cJSON_CreateArray();
    const char *form = bpe_form(config);
    bw_status st = read_json(folder, "vocab.json", &vocab, err);
    if (st == BW_OK)
        st = read_lines(folder, "merges.txt", false, merges, err);
    if (form == QWEN2_FORM) {
        set_qwen_pattern(root);
    } else if (form == ROBERTA_FORM) {
        set_special(root, "cls", vocab, config_token(config, "cls_token", "<s>"));
        set_special(root, "sep", vocab, config_token(config, "sep_token", "</s>"));
        add_specials(root, config, vocab, ROBERTA_ROLES, N_ROLES(ROBERTA_ROLES));
    } else {
        add_specials(root, config, vocab, GPT2_ROLES, N_ROLES(GPT2_ROLES));
    }
    cJSON *model = cJSON_GetObjectItemCaseSensitive(root, "model");
    if (vocab)
        cJSON_AddItemToObject(model, "vocab", vocab);
    cJSON_AddItemToObject(model, "merges", merges);
    return st;
}

static bw_status read_root(const char *folder, const cJSON *config, cJSON **root, bw_err *err) {
    *root = NULL;
    if (has(folder, "tokenizer.json"))
        return read_json(folder, "tokenizer.json", root, err);
    bool bert = has(folder, "vocab.txt");
    if (!bert && !(has(folder, "vocab.json") && has(folder, "merges.txt")))
        return bw_fail(err, BW_EIO,
                       "%s: no tokenizer here: neither tokenizer.json, nor vocab.txt, nor "
                       "vocab.json with merges.txt%s",
                       folder,
                       has(folder, "tokenizer.model") ? " (SentencePiece's tokenizer.model is not "
                                                        "read here)"
                                                      : "");
    *root = cJSON_Parse(bert ? BERT_FORM : bpe_form(config));
    if (!*root)
        return bw_fail_memory(err);
    return bert ? from_vocab_txt(folder, config, *root, err)
                : from_vocab_json(folder, config, *root, err);
}

static bw_status load_folder(const char *folder, bw_tokenizer **out, bw_err *err) {
    cJSON *config = NULL, *root = NULL;
    bw_status st = BW_OK;
    if (has(folder, "tokenizer_config.json"))
        st = read_json(folder, "tokenizer_config.json", &config, err);
    if (st == BW_OK)
        st = read_root(folder, config, &root, err);
    if (st == BW_OK)
        st = bw_tok_build(root, config, folder, out, err);
    cJSON_Delete(root);
    cJSON_Delete(config);
    return st;
}

bw_status bw_tokenizer_load(const char *path, bw_tokenizer **out, bw_err *err) {
    *out = NULL;
    size_t n = strlen(path);
    if (n < 5 || strcmp(path + n - 5, ".json") != 0)
        return load_folder(path, out, err);
    char *text;
    size_t len;
    bw_status st = bw_file_read(path, MAX_FILE, &text, &len, err);
    if (st == BW_OK) {
        st = bw_tokenizer_parse(text, len, path, out, err);
        free(text);
    }
    return st;
}

/* --- asking ---------------------------------------------------------------------------------- */

size_t bw_tokenizer_size(const bw_tokenizer *t) {
    return t->vocab.size;
}

int32_t bw_tokenizer_id(const bw_tokenizer *t, const char *token) {
    return bw_vocab_find(&t->vocab, token, strlen(token));
}

const char *bw_tokenizer_piece(const bw_tokenizer *t, int32_t id) {
    return bw_vocab_text(&t->vocab, id, NULL);
}

bool bw_tokenizer_is_special(const bw_tokenizer *t, int32_t id) {
    return id >= 0 && (size_t)id < t->vocab.size && t->special[id] == 1;
}

int32_t bw_tokenizer_role(const bw_tokenizer *t, bw_role role) {
    return t->role[role];
}
