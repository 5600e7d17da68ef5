/* model/shipped/spelling.c - an index from forms with a letter left out to the words they come from. */
#include "model/shipped/spelling.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define SHORTEST   5 /* letters of a word that may be a slip */
#define LONGEST    24
#define RATIO      40.0       /* how many times more frequent the word meant must be */
#define WORD_START "\xC4\xA0" /* "Ġ", how a byte-level vocabulary writes a space */

/* One form and one word it stands for; a form of several words has several entries. */
typedef struct {
    uint64_t key;
    int32_t id; /* of the word; -1 in an empty place */
} entry;

struct bw_spelling {
    const bw_tokenizer *tokenizer;
    const bw_words *words;
    entry *table;
    size_t mask;
};

static uint64_t key_of(const char *s, size_t n, size_t without) {
    uint64_t h = 0x9e3779b97f4a7c15ULL;
    for (size_t i = 0; i < n; i++)
        if (i != without)
            h = bw_mix64(h ^ (unsigned char)s[i]);
    return h;
}

static size_t letters(const char *s, size_t most) {
    size_t n = 0;
    while (n < most && s[n] >= 'a' && s[n] <= 'z')
        n++;
    return n;
}

/* A whole word of plain letters: its letters, NULL for any other piece. */
static const char *word_of(const bw_tokenizer *t, int32_t id, size_t *n) {
    const char *piece = bw_tokenizer_piece(t, id);
    size_t skip = strlen(WORD_START);
    if (!piece || strncmp(piece, WORD_START, skip) != 0)
        return NULL;
    *n = letters(piece + skip, LONGEST + 1);
    return *n >= SHORTEST - 1 && *n <= LONGEST && !piece[skip + *n] ? piece + skip : NULL;
}

static void put(bw_spelling *s, uint64_t key, int32_t id) {
    size_t i = key & s->mask;
    while (s->table[i].id >= 0)
        i = (i + 1) & s->mask;
    s->table[i] = (entry){key, id};
}

static size_t count_forms(const bw_tokenizer *t) {
    size_t forms = 0, n = 0;
    for (size_t id = 0; id < bw_tokenizer_size(t); id++)
        if (word_of(t, (int32_t)id, &n))
            forms += n + 1;
    return forms;
}

bw_status bw_spelling_new(const bw_tokenizer *t, const bw_words *words, bw_spelling **out,
                          bw_err *err) {
    size_t cap = 64, n = 0, forms = count_forms(t);
    while (cap < 2 * forms)
        cap *= 2;
    bw_spelling *s = malloc(sizeof *s);
    entry *table = malloc(cap * sizeof *table);
    if (!s || !table) {
        free(s);
        free(table);
        return bw_fail_memory(err);
    }
    for (size_t i = 0; i < cap; i++)
        table[i].id = -1;
    *s = (bw_spelling){.tokenizer = t, .words = words, .table = table, .mask = cap - 1};
    for (size_t id = 0; id < bw_tokenizer_size(t); id++) {
        const char *word = word_of(t, (int32_t)id, &n);
        for (size_t without = 1; word && without <= n; without++) /* n: nothing left out */
            put(s, key_of(word, n, without), (int32_t)id);
    }
    *out = s;
    return BW_OK;
}

void bw_spelling_free(bw_spelling *s) {
    if (!s)
        return;
    free(s->table);
    free(s);
}

/* One edit behind the first letter: the two agree up to somewhere, and after one letter (or two
 * swapped ones) again up to the end. */
static bool one_edit(const char *a, size_t n, const char *b, size_t m) {
    size_t head = 0, tail = 0, least = n < m ? n : m;
    while (head < least && a[head] == b[head])
        head++;
    while (tail < least - head && a[n - 1 - tail] == b[m - 1 - tail])
        tail++;
    size_t x = n - head - tail, y = m - head - tail;
    bool swapped = x == 2 && y == 2 && a[head] == b[head + 1] && a[head + 1] == b[head];
    return head > 0 && ((x <= 1 && y <= 1 && x + y > 0) || swapped);
}

typedef struct {
    const char *word; /* NULL: none yet */
    double count;
} candidate;

/* Looks a form of word up; the most frequent word near it is kept in *best. */
static void look_up(const bw_spelling *s, const char *word, size_t n, uint64_t key,
                    candidate *best) {
    for (size_t i = key & s->mask; s->table[i].id >= 0; i = (i + 1) & s->mask) {
        if (s->table[i].key != key)
            continue;
        size_t m = 0;
        const char *other = word_of(s->tokenizer, s->table[i].id, &m);
        if (!one_edit(word, n, other, m))
            continue;
        double count = bw_words_count(s->words, bw_unit_hash(other, m));
        if (count > best->count)
            *best = (candidate){other, count};
    }
}

static bool is_known(const bw_spelling *s, const char *word, size_t n) {
    char piece[sizeof WORD_START + LONGEST];
    memcpy(piece, WORD_START, sizeof WORD_START - 1);
    memcpy(piece + sizeof WORD_START - 1, word, n);
    piece[sizeof WORD_START - 1 + n] = '\0';
    return bw_tokenizer_id(s->tokenizer, piece) >= 0;
}

const char *bw_spelling_of(const bw_spelling *s, const char *word, size_t n) {
    if (n < SHORTEST || n > LONGEST || letters(word, n) != n || is_known(s, word, n))
        return NULL;
    candidate best = {.word = NULL};
    for (size_t without = 1; without <= n; without++) /* n: nothing left out */
        look_up(s, word, n, key_of(word, n, without), &best);
    double seen = bw_words_count(s->words, bw_unit_hash(word, n));
    return best.count >= RATIO * fmax(1, seen) ? best.word : NULL;
}

bw_status bw_spelling_mend(const bw_spelling *s, bw_units *u, bw_err *err) {
    bw_status st = BW_OK;
    for (size_t i = 0; st == BW_OK && i < u->n; i++) {
        const bw_unit *x = &u->unit[i];
        const char *meant =
            x->kind == BW_UNIT_WORD ? bw_spelling_of(s, u->norm + x->at, x->len) : NULL;
        if (meant)
            st = bw_units_rewrite(u, i, meant, err);
    }
    return st;
}
