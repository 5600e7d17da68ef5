/* model/tokenizer/model.c - reading the vocabulary, merges, added tokens and roles of a
 * tokenizer.json. */
#include "model/tokenizer/internal.h"

#include "model/tokenizer/array.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const cJSON *member(const cJSON *object, const char *name) {
    return cJSON_GetObjectItemCaseSensitive(object, name);
}

/* A JSON number as a whole one; -1 where it is none, or absurd. */
static int64_t whole(const cJSON *number) {
    bool fits = cJSON_IsNumber(number) && fabs(number->valuedouble) < 1e15;
    return fits ? (int64_t)number->valuedouble : -1;
}

static bw_status read_vocab(bw_tokenizer *t, const cJSON *vocab, const char *name, bw_err *err) {
    if (!cJSON_IsObject(vocab) || !vocab->child)
        return bw_fail(err, BW_EFORMAT, "%s: model.vocab is missing or empty", name);
    const cJSON *item;
    cJSON_ArrayForEach(item, vocab) {
        if (!cJSON_IsNumber(item))
            return bw_fail(err, BW_EFORMAT, "%s: token '%.60s' has no number", name, item->string);
        bw_status st =
            bw_vocab_put(&t->vocab, item->string, strlen(item->string), whole(item), err);
        if (st != BW_OK)
            return bw_fail_prefix(err, st, name);
    }
    return BW_OK;
}

/* The two sides of a merge: "a b", or ["a", "b"]. false: neither. */
static bool merge_sides(const cJSON *m, const char **left, size_t *left_len, const char **right) {
    if (cJSON_IsArray(m) && cJSON_GetArraySize(m) == 2) {
        *left = cJSON_GetStringValue(m->child);
        *right = cJSON_GetStringValue(m->child->next);
        *left_len = *left ? strlen(*left) : 0;
        return *left && *right;
    }
    *left = cJSON_GetStringValue(m);
    const char *space = *left ? strchr(*left, ' ') : NULL;
    if (!space || strchr(space + 1, ' '))
        return false;
    *left_len = (size_t)(space - *left);
    *right = space + 1;
    return true;
}

static bw_status read_merge(bw_tokenizer *t, const cJSON *m, size_t rank, const char *name,
                            bw_err *err) {
    const char *left, *right;
    size_t left_len;
    if (!merge_sides(m, &left, &left_len, &right))
        return bw_fail(err, BW_EFORMAT, "%s: merge %zu is not a pair of tokens", name, rank);
    size_t right_len = strlen(right);
    char *joined = malloc(left_len + right_len + 1);
    if (!joined)
        return bw_fail_memory(err);
    memcpy(joined, left, left_len);
    memcpy(joined + left_len, right, right_len + 1);
    int32_t a = bw_vocab_find(&t->vocab, left, left_len);
    int32_t b = bw_vocab_find(&t->vocab, right, right_len);
    int32_t id = bw_vocab_find(&t->vocab, joined, left_len + right_len);
    bw_status st = BW_OK;
    if (a < 0 || b < 0 || id < 0) {
        st = bw_fail(err, BW_EFORMAT, "%s: merge %zu '%.*s' + '%s': '%s' is not in the vocabulary",
                     name, rank, (int)left_len, left, right,
                     a < 0   ? "the left side"
                     : b < 0 ? right
                             : joined);
    } else {
        t->merge_list[rank] = (bw_pair){a, b};
        bw_bpe_add(&t->bpe, a, b, id);
    }
    free(joined);
    return st;
}

static bw_status read_merges(bw_tokenizer *t, const cJSON *merges, const char *name, bw_err *err) {
    size_t n = cJSON_IsArray(merges) ? (size_t)cJSON_GetArraySize(merges) : 0;
    if (!cJSON_IsArray(merges))
        return bw_fail(err, BW_EFORMAT, "%s: model.merges is missing", name);
    bw_status st = bw_bpe_init(&t->bpe, &t->vocab, n, err);
    t->merge_list = malloc((n ? n : 1) * sizeof *t->merge_list);
    if (st != BW_OK || !t->merge_list)
        return st != BW_OK ? st : bw_fail_memory(err);
    size_t rank = 0;
    const cJSON *m;
    cJSON_ArrayForEach(m, merges) {
        if (st == BW_OK)
            st = read_merge(t, m, rank++, name, err);
    }
    return st;
}

static bw_status read_unk(bw_tokenizer *t, const cJSON *c, const char *otherwise, const char *name,
                          bw_err *err) {
    const char *unk = bw_json_text(c, "unk_token", otherwise);
    t->unk = unk ? bw_vocab_find(&t->vocab, unk, strlen(unk)) : -1;
    if (unk && t->unk < 0)
        return bw_fail(err, BW_EFORMAT, "%s: unk_token '%s' is not in the vocabulary", name, unk);
    return BW_OK;
}

static bw_status read_bpe(bw_tokenizer *t, const cJSON *c, const char *name, bw_err *err) {
    const cJSON *dropout = member(c, "dropout");
    const char *why = NULL;
    bool fallback = bw_json_flag(c, "byte_fallback", false);
    if (*bw_json_text(c, "continuing_subword_prefix", ""))
        why = "continuing_subword_prefix";
    if (*bw_json_text(c, "end_of_word_suffix", ""))
        why = "end_of_word_suffix";
    if (fallback && t->decode_bytes)
        why = "byte_fallback behind ByteLevel";
    if (cJSON_IsNumber(dropout) && dropout->valuedouble > 0)
        why = "dropout";
    if (why)
        return bw_fail(err, BW_EFORMAT, "%s: BPE with %s is not supported", name, why);
    t->bpe.characters = !t->decode_bytes; /* no ByteLevel pre_tokenizer */
    t->bpe.byte_fallback = fallback;
    bw_status st = read_unk(t, c, NULL, name, err);
    if (st == BW_OK)
        st = read_merges(t, member(c, "merges"), name, err);
    t->bpe.unk = t->unk;
    t->bpe.fuse_unk = bw_json_flag(c, "fuse_unk", false);
    t->bpe.whole_words = bw_json_flag(c, "ignore_merges", false);
    return st;
}

/* ---- unigram: vocab is a list of [token, score], its place the id ---- */

static bw_status read_scored(bw_tokenizer *t, const cJSON *vocab, double *score, const char *name,
                             bw_err *err) {
    bw_status st = BW_OK;
    int64_t id = 0;
    const cJSON *pair;
    cJSON_ArrayForEach(pair, vocab) {
        const char *text = cJSON_GetStringValue(cJSON_GetArrayItem(pair, 0));
        const cJSON *s = cJSON_GetArrayItem(pair, 1);
        if (!text || !cJSON_IsNumber(s) || !isfinite(s->valuedouble))
            return bw_fail(err, BW_EFORMAT, "%s: entry %lld of model.vocab is not [token, score]",
                           name, (long long)id);
        score[id] = s->valuedouble;
        st = bw_vocab_put(&t->vocab, text, strlen(text), id++, err);
        if (st != BW_OK)
            return bw_fail_prefix(err, st, name);
    }
    return BW_OK;
}

static bw_status read_unigram(bw_tokenizer *t, const cJSON *c, const char *name, bw_err *err) {
    const cJSON *vocab = member(c, "vocab");
    size_t n = cJSON_IsArray(vocab) ? (size_t)cJSON_GetArraySize(vocab) : 0;
    int64_t unk = whole(member(c, "unk_id"));
    t->kind = BW_MODEL_UNIGRAM;
    if (!n || unk < 0 || (size_t)unk >= n)
        return bw_fail(err, BW_EFORMAT, "%s: Unigram needs a model.vocab and an unk_id within it",
                       name);
    if (t->decode_bytes)
        return bw_fail(err, BW_EFORMAT, "%s: Unigram behind ByteLevel is not supported", name);
    t->unk = (int32_t)unk;
    double *score = malloc(n * sizeof *score);
    bw_status st = score ? read_scored(t, vocab, score, name, err) : bw_fail_memory(err);
    if (st == BW_OK)
        st = bw_unigram_init(&t->unigram, &t->vocab, score, n, t->unk,
                             bw_json_flag(c, "byte_fallback", false), err);
    free(score);
    return st;
}

/* The reference's default; a longer word is [UNK] as a whole. */
#define MAX_WORD 100

static bw_status read_wordpiece(bw_tokenizer *t, const cJSON *c, const char *name, bw_err *err) {
    const cJSON *max = member(c, "max_input_chars_per_word");
    const char *prefix = bw_json_text(c, "continuing_subword_prefix", "##");
    t->kind = BW_MODEL_WORDPIECE;
    t->prefix = strdup(prefix);
    t->prefix_len = strlen(prefix);
    t->max_word =
        cJSON_IsNumber(max) && max->valuedouble >= 0 ? (size_t)max->valuedouble : MAX_WORD;
    if (!t->prefix)
        return bw_fail_memory(err);
    return read_unk(t, c, "[UNK]", name, err);
}

/* Old files do not name the model; what they hold tells. */
static const char *model_type(const cJSON *c) {
    const char *type = bw_json_text(c, "type", NULL);
    if (type)
        return type;
    if (cJSON_IsArray(member(c, "vocab")))
        return "Unigram";
    return member(c, "merges") ? "BPE" : member(c, "max_input_chars_per_word") ? "WordPiece" : "?";
}

bw_status bw_tok_read_model(bw_tokenizer *t, const cJSON *c, const char *name, bw_err *err) {
    const char *type = model_type(c);
    bool bpe = !strcmp(type, "BPE");
    if (!strcmp(type, "Unigram"))
        return read_unigram(t, c, name, err);
    if (!bpe && strcmp(type, "WordPiece") != 0)
        return bw_fail(err, BW_EFORMAT,
                       "%s: the model type '%s' is not supported; BPE, Unigram and WordPiece are",
                       name, type);
    bw_status st = read_vocab(t, member(c, "vocab"), name, err);
    if (st != BW_OK)
        return st;
    return bpe ? read_bpe(t, c, name, err) : read_wordpiece(t, c, name, err);
}

/* --- added tokens ---------------------------------------------------------------------------- */

/* Marks id as an added token; false: it was one already, or memory ran out (then *st tells). */
static bool mark_added(bw_tokenizer *t, int32_t id, bool special, bw_status *st, bw_err *err) {
    if ((size_t)id >= t->n_special) {
        size_t n = t->vocab.size;
        if (!bw_array_resize(&t->special, n, 1)) {
            *st = bw_fail_memory(err);
            return false;
        }
        memset(t->special + t->n_special, 0, n - t->n_special);
        t->n_special = n;
    }
    bool new = t->special[id] == 0;
    if (new)
        t->special[id] = special ? 1 : 2;
    return new;
}

/* Text that matches normalised text is normalised itself. */
static bw_status make_pattern(const bw_tokenizer *t, bw_added *a, bw_err *err) {
    bw_norm nm = {0};
    const uint8_t *text = (const uint8_t *)a->content;
    size_t len = a->len;
    if (a->normalized && t->n_norm) {
        bw_status st = bw_normalize(t->norm, t->n_norm, text, len, 0, &nm, err);
        if (st != BW_OK) {
            bw_norm_free(&nm);
            return st;
        }
        text = nm.bytes;
        len = nm.n_bytes;
    }
    a->pattern = malloc(len + 1);
    if (a->pattern) {
        memcpy(a->pattern, text, len);
        a->pattern[len] = '\0';
    }
    a->pattern_len = len;
    bw_norm_free(&nm);
    return a->pattern ? BW_OK : bw_fail_memory(err);
}

static bw_status append_added(bw_tokenizer *t, const bw_added *made, bw_err *err) {
    if (t->n_added == t->cap_added) {
        size_t cap = t->cap_added ? 2 * t->cap_added : 32;
        if (!bw_array_resize(&t->added, cap, sizeof *t->added))
            return bw_fail_memory(err);
        t->cap_added = cap;
    }
    bw_added *a = &t->added[t->n_added++];
    *a = *made;
    a->len = strlen(made->content);
    a->content = strdup(made->content);
    if (!a->content)
        return bw_fail_memory(err);
    bw_status st = make_pattern(t, a, err);
    if (st == BW_OK && a->pattern_len)
        t->has_head[a->normalized][(uint8_t)a->pattern[0]] = true;
    return st;
}

/* The token keeps the id it has in the vocabulary, else gets id, or the next free one for -1. */
static bw_status add_token(bw_tokenizer *t, char *content, int64_t id, const cJSON *flags,
                           bool special, const char *name, bw_err *err) {
    size_t len = strlen(content);
    if (!len)
        return BW_OK;
    bw_status st = BW_OK;
    int32_t known = bw_vocab_find(&t->vocab, content, len);
    if (known < 0) {
        known = (int32_t)(id < 0 ? (int64_t)t->vocab.size : id < BW_VOCAB_MAX ? id : BW_VOCAB_MAX);
        st = bw_vocab_put(&t->vocab, content, len, known, err);
    }
    if (st != BW_OK)
        return bw_fail_prefix(err, st, name);
    if (!mark_added(t, known, special, &st, err))
        return st;
    const bw_added made = {.id = known,
                           .special = special,
                           .content = content,
                           .single_word = bw_json_flag(flags, "single_word", false),
                           .lstrip = bw_json_flag(flags, "lstrip", false),
                           .rstrip = bw_json_flag(flags, "rstrip", false),
                           .normalized = bw_json_flag(flags, "normalized", !special)};
    return append_added(t, &made, err);
}

/* The key is the id where the list is an object (added_tokens_decoder). */
static int64_t added_id(const cJSON *a) {
    const cJSON *id = member(a, "id");
    return id ? whole(id) : a->string ? strtoll(a->string, NULL, 10) : -1;
}

static bw_status read_list(bw_tokenizer *t, const cJSON *list, const char *name, bw_err *err) {
    const cJSON *a;
    bw_status st = BW_OK;
    cJSON_ArrayForEach(a, list) {
        char *content = cJSON_GetStringValue(member(a, "content"));
        bool special = bw_json_flag(a, "special", false);
        if (st == BW_OK)
            st = content ? add_token(t, content, added_id(a), a, special, name, err)
                         : bw_fail(err, BW_EFORMAT, "%s: an added token has no content", name);
    }
    return st;
}

/* Tokens without a mark are neither special nor added. */
static bw_status finish_marks(bw_tokenizer *t, bw_err *err) {
    if (!bw_array_resize(&t->special, t->vocab.size, 1))
        return bw_fail_memory(err);
    memset(t->special + t->n_special, 0, t->vocab.size - t->n_special);
    t->n_special = t->vocab.size;
    return BW_OK;
}

/* --- roles ----------------------------------------------------------------------------------- */

static const char *const ROLE_KEYS[BW_N_ROLES] = {
    "pad_token", "unk_token", "cls_token", "sep_token", "mask_token", "bos_token", "eos_token"};

/* Where the configuration does not mention a role, the usual spellings tell it. */
static const struct {
    const char *token;
    bw_role role;
} USUAL[] = {{"[PAD]", BW_ROLE_PAD},        {"<pad>", BW_ROLE_PAD},   {"[UNK]", BW_ROLE_UNK},
             {"<unk>", BW_ROLE_UNK},        {"[CLS]", BW_ROLE_CLS},   {"[SEP]", BW_ROLE_SEP},
             {"[MASK]", BW_ROLE_MASK},      {"<mask>", BW_ROLE_MASK}, {"<s>", BW_ROLE_BOS},
             {"</s>", BW_ROLE_EOS},         {"[BOS]", BW_ROLE_BOS},   {"[EOS]", BW_ROLE_EOS},
             {"<|endoftext|>", BW_ROLE_EOS}};

/* A role is written as a text, or as an object with the token's flags. */
static char *role_text(const cJSON *config, bw_role role) {
    const cJSON *m = member(config, ROLE_KEYS[role]);
    return cJSON_GetStringValue(cJSON_IsObject(m) ? member(m, "content") : m);
}

static void find_roles(bw_tokenizer *t, const cJSON *config) {
    for (int r = 0; r < BW_N_ROLES; r++) {
        const char *text = role_text(config, (bw_role)r);
        t->role[r] = text ? bw_vocab_find(&t->vocab, text, strlen(text)) : -1;
    }
    for (size_t i = 0; i < sizeof USUAL / sizeof *USUAL; i++) {
        bw_role r = USUAL[i].role;
        if (t->role[r] < 0 && !member(config, ROLE_KEYS[r]))
            t->role[r] = bw_vocab_find(&t->vocab, USUAL[i].token, strlen(USUAL[i].token));
    }
}

/* Tokens that the configuration names and the tokenizer.json does not, as the reference
 * adds them. */
static bw_status add_configured(bw_tokenizer *t, const cJSON *config, const char *name,
                                bw_err *err) {
    bw_status st = read_list(t, member(config, "added_tokens_decoder"), name, err);
    for (int r = 0; r < BW_N_ROLES && st == BW_OK; r++) {
        char *text = role_text(config, (bw_role)r);
        if (text)
            st = add_token(t, text, -1, member(config, ROLE_KEYS[r]), true, name, err);
    }
    return st;
}

bw_status bw_tok_read_added(bw_tokenizer *t, const cJSON *list, const cJSON *config,
                            const char *name, bw_err *err) {
    bw_status st = read_list(t, list, name, err);
    if (st == BW_OK)
        st = add_configured(t, config, name, err);
    if (st == BW_OK)
        st = finish_marks(t, err);
    if (st != BW_OK)
        return st;
    find_roles(t, config);
    return BW_OK;
}
