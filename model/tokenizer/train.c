/* model/tokenizer/train.c - learning a byte-level BPE vocabulary.
 *
 * Every distinct word is kept once, with its count, as a row of symbols in one array; a merge
 * shortens the row in place. For each pair of symbols there is its total count and the list of
 * words that (may) hold it. A heap hands out the most frequent pair; counts in it can be out of
 * date and are corrected when they come to the top, which is safe because counts of old pairs only
 * fall. */
#include "model/tokenizer/internal.h"

#include "model/tokenizer/array.h"
#include "model/tokenizer/utf8.h"

#include <stdlib.h>
#include <string.h>

#define DEFAULT_MAX_TOKEN 32 /* bytes: ten ideographs; keeps phrases out of the vocabulary */
#define DEFAULT_MIN_COUNT 2

typedef struct {
    size_t start; /* in bytes[] and symbols[] */
    uint32_t len; /* symbols left */
    uint64_t count;
} word;

typedef struct {
    uint64_t key; /* left << 32 | right; SIZE_MAX in slots means empty */
    int64_t count;
    uint32_t *words; /* that hold or held the pair */
    uint32_t n_words, cap_words;
} pair;

typedef struct {
    int64_t count;
    uint32_t pair;
} heap_item;

struct bw_trainer {
    bw_tokenizer_training how;
    char **specials;
    size_t n_specials;
    bw_tokenizer *splitter; /* normalises and splits as the result will */
    bw_norm norm;
    uint8_t *bytes; /* all distinct words, one behind the other */
    size_t n_bytes, cap_bytes;
    word *words;
    size_t n_words, cap_words;
    uint32_t *slots; /* word index + 1 by hash of its bytes */
    size_t n_slots;
    uint32_t *symbols;    /* [n_bytes] */
    uint32_t *symbol_len; /* [vocab] bytes of each symbol */
    pair *pairs;
    size_t n_pairs, cap_pairs;
    uint32_t *pair_slots;
    size_t n_pair_slots;
    heap_item *heap;
    size_t n_heap, cap_heap;
    bw_pair *merges; /* in symbols: 0..255 bytes, then merges */
    size_t n_merges;
    bool failed;
};

static bool grow(bw_trainer *tr, void *array, size_t *cap, size_t need, size_t item) {
    if (need <= *cap)
        return true;
    size_t bigger = *cap ? *cap : 1024;
    while (bigger < need)
        bigger += bigger / 2;
    if (!bw_array_resize(array, bigger, item)) {
        tr->failed = true;
        return false;
    }
    *cap = bigger;
    return true;
}

/* --- the form of the tokenizer to be ---------------------------------------------------------- */

static cJSON *typed(const char *type) {
    cJSON *c = cJSON_CreateObject();
    cJSON_AddStringToObject(c, "type", type);
    return c;
}

static cJSON *split_by(const char *regex) {
    cJSON *c = typed("Split"), *pattern = cJSON_AddObjectToObject(c, "pattern");
    cJSON_AddStringToObject(pattern, "Regex", regex);
    cJSON_AddStringToObject(c, "behavior", "Isolated");
    cJSON_AddBoolToObject(c, "invert", false);
    return c;
}

static cJSON *byte_level(void) {
    cJSON *c = typed("ByteLevel");
    cJSON_AddBoolToObject(c, "add_prefix_space", false);
    cJSON_AddBoolToObject(c, "trim_offsets", false);
    cJSON_AddBoolToObject(c, "use_regex", false);
    return c;
}

static cJSON *make_pre(void) {
    cJSON *pre = typed("Sequence"), *list = cJSON_AddArrayToObject(pre, "pretokenizers");
    cJSON_AddItemToArray(list, split_by(BW_PATTERN_HAN));
    cJSON_AddItemToArray(list, split_by(BW_PATTERN_QWEN2));
    cJSON_AddItemToArray(list, byte_level());
    return pre;
}

static cJSON *make_normalizer(const bw_tokenizer_training *how) {
    if (!how->lowercase)
        return how->nfc ? typed("NFC") : cJSON_CreateNull();
    cJSON *c = typed("Sequence"), *list = cJSON_AddArrayToObject(c, "normalizers");
    cJSON_AddItemToArray(list, typed("NFKC"));
    cJSON_AddItemToArray(list, typed("Lowercase"));
    return c;
}

static int place_of(const bw_trainer *tr, const char *token) {
    for (size_t i = 0; i < tr->n_specials; i++)
        if (!strcmp(tr->specials[i], token))
            return (int)i;
    return -1;
}

static cJSON *cls_sep_pair(const char *token, int id) {
    cJSON *c = cJSON_CreateArray();
    cJSON_AddItemToArray(c, cJSON_CreateString(token));
    cJSON_AddItemToArray(c, cJSON_CreateNumber(id));
    return c;
}

/* With [CLS] and [SEP] among the special tokens, texts are framed as BERT frames them. */
static cJSON *make_post(const bw_trainer *tr) {
    int cls = place_of(tr, "[CLS]"), sep = place_of(tr, "[SEP]");
    if (cls < 0 || sep < 0)
        return cJSON_CreateNull();
    cJSON *c = typed("BertProcessing");
    cJSON_AddItemToObject(c, "sep", cls_sep_pair("[SEP]", sep));
    cJSON_AddItemToObject(c, "cls", cls_sep_pair("[CLS]", cls));
    return c;
}

static cJSON *make_added(const bw_trainer *tr) {
    cJSON *list = cJSON_CreateArray();
    for (size_t i = 0; i < tr->n_specials; i++) {
        cJSON *a = cJSON_CreateObject();
        cJSON_AddNumberToObject(a, "id", (double)i);
        cJSON_AddStringToObject(a, "content", tr->specials[i]);
        cJSON_AddBoolToObject(a, "special", true);
        cJSON_AddItemToArray(list, a);
    }
    return list;
}

/* A tokenizer.json around the model. */
static cJSON *make_form(const bw_trainer *tr, cJSON *model) {
    cJSON *root = cJSON_CreateObject();
    cJSON_AddItemToObject(root, "added_tokens", make_added(tr));
    cJSON_AddItemToObject(root, "normalizer", make_normalizer(&tr->how));
    cJSON_AddItemToObject(root, "pre_tokenizer", make_pre());
    cJSON_AddItemToObject(root, "post_processor", make_post(tr));
    cJSON_AddItemToObject(root, "decoder", byte_level());
    cJSON_AddItemToObject(root, "model", model);
    return root;
}

/* The spelling of a symbol in the vocabulary; caller frees. */
static char *spell(const bw_trainer *tr, uint32_t symbol) {
    if (symbol < 256) {
        char *text = calloc(1, 5);
        if (text)
            bw_utf8_put(bw_byte_char((uint8_t)symbol), (uint8_t *)text);
        return text;
    }
    bw_pair m = tr->merges[symbol - 256];
    char *left = spell(tr, (uint32_t)m.left), *right = spell(tr, (uint32_t)m.right), *both = NULL;
    if (left && right && (both = malloc(strlen(left) + strlen(right) + 1)))
        strcat(strcpy(both, left), right);
    free(left);
    free(right);
    return both;
}

/* Bytes get their ids in the order of the characters that spell them, as elsewhere. */
static void add_byte_ids(const bw_trainer *tr, cJSON *vocab) {
    int id = (int)tr->n_specials;
    for (int32_t cp = 0; cp <= 0x143; cp++) {
        char text[5] = {0};
        if (bw_char_byte(cp) < 0)
            continue;
        bw_utf8_put(cp, (uint8_t *)text);
        cJSON_AddNumberToObject(vocab, text, id++);
    }
}

static cJSON *make_model(const bw_trainer *tr) {
    cJSON *model = typed("BPE"), *vocab = cJSON_CreateObject(), *merges = cJSON_CreateArray();
    for (size_t i = 0; i < tr->n_specials; i++)
        cJSON_AddNumberToObject(vocab, tr->specials[i], (double)i);
    add_byte_ids(tr, vocab);
    for (size_t i = 0; i < tr->n_merges; i++) {
        char *left = spell(tr, (uint32_t)tr->merges[i].left);
        char *right = spell(tr, (uint32_t)tr->merges[i].right);
        char *both = spell(tr, (uint32_t)(256 + i));
        cJSON *m = cJSON_CreateArray();
        cJSON_AddItemToArray(m, cJSON_CreateString(left ? left : ""));
        cJSON_AddItemToArray(m, cJSON_CreateString(right ? right : ""));
        cJSON_AddItemToArray(merges, m);
        cJSON_AddNumberToObject(vocab, both ? both : "", (double)(tr->n_specials + 256 + i));
        free(left);
        free(right);
        free(both);
    }
    cJSON_AddNullToObject(model, "unk_token");
    cJSON_AddItemToObject(model, "vocab", vocab);
    cJSON_AddItemToObject(model, "merges", merges);
    return model;
}

static bw_status build(const bw_trainer *tr, bw_tokenizer **out, bw_err *err) {
    cJSON *root = make_form(tr, make_model(tr));
    bw_status st = bw_tok_build(root, NULL, "trained vocabulary", out, err);
    cJSON_Delete(root);
    return st;
}

/* --- counting words --------------------------------------------------------------------------- */

static bw_status copy_specials(bw_trainer *tr, bw_err *err) {
    const char *const *list = tr->how.specials;
    while (list && list[tr->n_specials])
        tr->n_specials++;
    tr->specials = calloc(tr->n_specials + 1, sizeof *tr->specials);
    for (size_t i = 0; tr->specials && i < tr->n_specials; i++)
        if (!(tr->specials[i] = strdup(list[i])))
            return bw_fail_memory(err);
    tr->how.specials = NULL;
    return tr->specials ? BW_OK : bw_fail_memory(err);
}

bw_status bw_trainer_new(const bw_tokenizer_training *how, bw_trainer **out, bw_err *err) {
    *out = NULL;
    bw_trainer *tr = calloc(1, sizeof *tr);
    if (!tr)
        return bw_fail_memory(err);
    tr->how = *how;
    if (!tr->how.max_token_bytes)
        tr->how.max_token_bytes = DEFAULT_MAX_TOKEN;
    if (!tr->how.min_count)
        tr->how.min_count = DEFAULT_MIN_COUNT;
    bw_status st = copy_specials(tr, err);
    if (st == BW_OK && how->vocab < tr->n_specials + 256)
        st =
            bw_fail(err, BW_EARG,
                    "a vocabulary of %zu is too small: 256 bytes and %zu special tokens come first",
                    how->vocab, tr->n_specials);
    if (st == BW_OK && how->vocab > BW_VOCAB_MAX)
        st = bw_fail(err, BW_EARG, "a vocabulary of %zu is too large; %d is the limit", how->vocab,
                     BW_VOCAB_MAX);
    if (st == BW_OK)
        st = build(tr, &tr->splitter, err);
    if (st != BW_OK) {
        bw_trainer_free(tr);
        tr = NULL;
    }
    *out = tr;
    return st;
}

static uint32_t *word_slot(const bw_trainer *tr, const uint8_t *s, size_t n) {
    size_t mask = tr->n_slots - 1, at = bw_hash_bytes(s, n) & mask;
    for (; tr->slots[at]; at = (at + 1) & mask) {
        const word *w = &tr->words[tr->slots[at] - 1];
        if (w->len == n && memcmp(tr->bytes + w->start, s, n) == 0)
            break;
    }
    return &tr->slots[at];
}

static bool grow_word_slots(bw_trainer *tr) {
    if (2 * (tr->n_words + 1) <= tr->n_slots)
        return true;
    size_t n = tr->n_slots ? 2 * tr->n_slots : 1 << 16;
    free(tr->slots);
    tr->slots = calloc(n, sizeof *tr->slots);
    tr->n_slots = tr->slots ? n : 0;
    for (size_t i = 0; tr->slots && i < tr->n_words; i++)
        *word_slot(tr, tr->bytes + tr->words[i].start, tr->words[i].len) = (uint32_t)i + 1;
    tr->failed = tr->failed || !tr->slots;
    return tr->slots != NULL;
}

static bool count_word(void *to, const uint8_t *s, size_t n, size_t at) {
    bw_trainer *tr = to;
    (void)at;
    if (!grow_word_slots(tr))
        return false;
    uint32_t *slot = word_slot(tr, s, n);
    if (*slot) {
        tr->words[*slot - 1].count++;
        return true;
    }
    if (tr->n_words == UINT32_MAX - 1 || n > UINT32_MAX ||
        !grow(tr, &tr->bytes, &tr->cap_bytes, tr->n_bytes + n, 1) ||
        !grow(tr, &tr->words, &tr->cap_words, tr->n_words + 1, sizeof *tr->words))
        return false;
    memcpy(tr->bytes + tr->n_bytes, s, n);
    tr->words[tr->n_words++] = (word){tr->n_bytes, (uint32_t)n, 1};
    tr->n_bytes += n;
    *slot = (uint32_t)tr->n_words;
    return true;
}

bw_status bw_trainer_add(bw_trainer *tr, const char *text, size_t len, bw_err *err) {
    const bw_tokenizer *t = tr->splitter;
    const uint8_t *s = (const uint8_t *)text;
    if (!bw_normalize_keeps(t->norm, t->n_norm, s, len)) {
        bw_status st = bw_normalize(t->norm, t->n_norm, s, len, 0, &tr->norm, err);
        if (st != BW_OK)
            return st;
        s = tr->norm.bytes;
        len = tr->norm.n_bytes;
    }
    return bw_tok_split(t, s, len, count_word, tr) ? BW_OK : bw_fail_memory(err);
}

/* --- pairs ------------------------------------------------------------------------------------ */

static uint64_t key_of(uint32_t left, uint32_t right) {
    return (uint64_t)left << 32 | right;
}

static uint32_t *pair_slot(const bw_trainer *tr, uint64_t key) {
    size_t mask = tr->n_pair_slots - 1, at = (key * 0x9E3779B97F4A7C15u >> 20) & mask;
    while (tr->pair_slots[at] && tr->pairs[tr->pair_slots[at] - 1].key != key)
        at = (at + 1) & mask;
    return &tr->pair_slots[at];
}

static bool grow_pair_slots(bw_trainer *tr) {
    if (2 * (tr->n_pairs + 1) <= tr->n_pair_slots)
        return true;
    size_t n = tr->n_pair_slots ? 2 * tr->n_pair_slots : 1 << 16;
    free(tr->pair_slots);
    tr->pair_slots = calloc(n, sizeof *tr->pair_slots);
    tr->n_pair_slots = tr->pair_slots ? n : 0;
    for (size_t i = 0; tr->pair_slots && i < tr->n_pairs; i++)
        *pair_slot(tr, tr->pairs[i].key) = (uint32_t)i + 1;
    tr->failed = tr->failed || !tr->pair_slots;
    return tr->pair_slots != NULL;
}

static pair *find_pair(bw_trainer *tr, uint32_t left, uint32_t right) {
    if (!grow_pair_slots(tr))
        return NULL;
    uint32_t *slot = pair_slot(tr, key_of(left, right));
    if (!*slot) {
        if (!grow(tr, &tr->pairs, &tr->cap_pairs, tr->n_pairs + 1, sizeof *tr->pairs))
            return NULL;
        tr->pairs[tr->n_pairs++] = (pair){.key = key_of(left, right)};
        *slot = (uint32_t)tr->n_pairs;
    }
    return &tr->pairs[*slot - 1];
}

/* Adds by (negative to take away) to the count of a pair; a word is noted when it gains one. */
static void count_pair(bw_trainer *tr, uint32_t left, uint32_t right, int64_t by, uint32_t where) {
    pair *p = find_pair(tr, left, right);
    if (!p)
        return;
    p->count += by;
    if (by < 0 || (p->n_words && p->words[p->n_words - 1] == where))
        return;
    if (p->n_words == p->cap_words) {
        uint32_t cap = p->cap_words ? 2 * p->cap_words : 4;
        uint32_t *words = realloc(p->words, cap * sizeof *words);
        if (!words) {
            tr->failed = true;
            return;
        }
        p->words = words;
        p->cap_words = cap;
    }
    p->words[p->n_words++] = where;
}

static bool before(const bw_trainer *tr, heap_item a, heap_item b) {
    return a.count != b.count ? a.count > b.count : tr->pairs[a.pair].key < tr->pairs[b.pair].key;
}

static void push(bw_trainer *tr, heap_item x) {
    if (!grow(tr, &tr->heap, &tr->cap_heap, tr->n_heap + 1, sizeof *tr->heap))
        return;
    size_t i = tr->n_heap++;
    for (; i && before(tr, x, tr->heap[(i - 1) / 2]); i = (i - 1) / 2)
        tr->heap[i] = tr->heap[(i - 1) / 2];
    tr->heap[i] = x;
}

static heap_item pop(bw_trainer *tr) {
    heap_item top = tr->heap[0], last = tr->heap[--tr->n_heap];
    size_t i = 0;
    for (size_t child; (child = 2 * i + 1) < tr->n_heap; i = child) {
        if (child + 1 < tr->n_heap && before(tr, tr->heap[child + 1], tr->heap[child]))
            child++;
        if (!before(tr, tr->heap[child], last))
            break;
        tr->heap[i] = tr->heap[child];
    }
    tr->heap[i] = last;
    return top;
}

/* --- merging ---------------------------------------------------------------------------------- */

static bool prepare(bw_trainer *tr) {
    tr->symbols = malloc((tr->n_bytes + 1) * sizeof *tr->symbols);
    tr->symbol_len = malloc((tr->how.vocab + 256) * sizeof *tr->symbol_len);
    tr->merges = malloc((tr->how.vocab + 1) * sizeof *tr->merges);
    if (!tr->symbols || !tr->symbol_len || !tr->merges)
        return false;
    for (size_t i = 0; i < tr->n_bytes; i++)
        tr->symbols[i] = tr->bytes[i];
    for (size_t i = 0; i < 256; i++)
        tr->symbol_len[i] = 1;
    for (size_t i = 0; i < tr->n_words && !tr->failed; i++) {
        const word *w = &tr->words[i];
        const uint32_t *s = tr->symbols + w->start;
        for (uint32_t k = 0; k + 1 < w->len; k++)
            count_pair(tr, s[k], s[k + 1], (int64_t)w->count, (uint32_t)i);
    }
    for (size_t i = 0; i < tr->n_pairs; i++)
        push(tr, (heap_item){tr->pairs[i].count, (uint32_t)i});
    return !tr->failed;
}

/* Replaces the pair by symbol made in one word and moves the counts of its neighbours. */
static void merge_in_word(bw_trainer *tr, uint32_t where, uint32_t left, uint32_t right,
                          uint32_t made) {
    word *w = &tr->words[where];
    uint32_t *s = tr->symbols + w->start, out = 0;
    int64_t c = (int64_t)w->count;
    for (uint32_t k = 0; k < w->len; k++) {
        if (k + 1 >= w->len || s[k] != left || s[k + 1] != right) {
            s[out++] = s[k];
            continue;
        }
        if (out) {
            count_pair(tr, s[out - 1], left, -c, where);
            count_pair(tr, s[out - 1], made, c, where);
        }
        if (k + 2 < w->len) {
            count_pair(tr, right, s[k + 2], -c, where);
            count_pair(tr, made, s[k + 2], c, where);
        }
        s[out++] = made;
        k++;
    }
    w->len = out;
}

static void merge_pair(bw_trainer *tr, uint32_t which) {
    uint64_t key = tr->pairs[which].key;
    uint32_t left = (uint32_t)(key >> 32), right = (uint32_t)key;
    uint32_t made = 256 + (uint32_t)tr->n_merges, *words = tr->pairs[which].words;
    uint32_t n = tr->pairs[which].n_words;
    size_t old_pairs = tr->n_pairs;
    tr->pairs[which].words = NULL; /* the table may move while neighbours are counted */
    tr->pairs[which].n_words = tr->pairs[which].cap_words = 0;
    tr->merges[tr->n_merges++] = (bw_pair){(int32_t)left, (int32_t)right};
    tr->symbol_len[made] = tr->symbol_len[left] + tr->symbol_len[right];
    for (uint32_t i = 0; i < n && !tr->failed; i++)
        merge_in_word(tr, words[i], left, right, made);
    free(words);
    for (size_t i = old_pairs; i < tr->n_pairs; i++)
        push(tr, (heap_item){tr->pairs[i].count, (uint32_t)i});
}

static bool fits(const bw_trainer *tr, const pair *p) {
    return tr->symbol_len[p->key >> 32] + tr->symbol_len[(uint32_t)p->key] <=
           tr->how.max_token_bytes;
}

static bw_status learn(bw_trainer *tr, bw_err *err) {
    size_t wanted = tr->how.vocab - 256 - tr->n_specials;
    while (tr->n_merges < wanted && tr->n_heap && !tr->failed) {
        heap_item top = pop(tr);
        pair *p = &tr->pairs[top.pair];
        if (p->count < (int64_t)tr->how.min_count || !fits(tr, p))
            continue;
        if (p->count != top.count)
            push(tr, (heap_item){p->count, top.pair});
        else
            merge_pair(tr, top.pair);
        if (bw_interrupted())
            return bw_fail(err, BW_EINTERRUPTED, "interrupted; no vocabulary was made");
    }
    return tr->failed ? bw_fail_memory(err) : BW_OK;
}

bw_status bw_trainer_finish(bw_trainer *tr, bw_tokenizer **out, bw_err *err) {
    *out = NULL;
    if (!prepare(tr))
        return bw_fail_memory(err);
    bw_status st = learn(tr, err);
    return st == BW_OK ? build(tr, out, err) : st;
}

void bw_trainer_free(bw_trainer *tr) {
    if (!tr)
        return;
    for (size_t i = 0; tr->specials && i < tr->n_specials; i++)
        free(tr->specials[i]);
    for (size_t i = 0; i < tr->n_pairs; i++)
        free(tr->pairs[i].words);
    free(tr->specials);
    bw_tokenizer_free(tr->splitter);
    bw_norm_free(&tr->norm);
    free(tr->bytes);
    free(tr->words);
    free(tr->slots);
    free(tr->symbols);
    free(tr->symbol_len);
    free(tr->pairs);
    free(tr->pair_slots);
    free(tr->heap);
    free(tr->merges);
    free(tr);
}
