/* model/tokenizer/encode.c - text to ids: the way described in internal.h. */
#include "model/tokenizer/internal.h"

#include "model/tokenizer/array.h"
#include "model/tokenizer/unicode.h"
#include "model/tokenizer/utf8.h"

#include <stdlib.h>
#include <string.h>

typedef struct {
    int32_t id;
    bw_span span;
} item;

/* A text's tokens before they are put into the template. */
typedef struct {
    item *items;
    size_t n, cap;
} item_list;

/* Workspace of one bw_tokens. */
typedef struct {
    uint64_t serial; /* of the tokenizer whose words the cache holds */
    bw_bpe_work *bpe;
    bw_unigram_work *unigram;
    bw_norm norm;
    item_list text[2];
    size_t cap;      /* of the result arrays */
    uint8_t *spaced; /* a text with a space, or marks for spaces, put in */
    bw_span *spaced_from;
    size_t spaced_cap;
    char *word; /* a WordPiece candidate with its prefix */
    size_t word_cap;
} workspace;

/* One encoding under way. */
typedef struct {
    const bw_tokenizer *t;
    workspace *w;
    item_list *to;
    const bw_span *byte_from; /* places of the piece's text in the source; NULL: shift by offset */
    size_t offset;
    bool failed;
} encoder;

static void work_free(workspace *w) {
    if (!w)
        return;
    bw_bpe_work_free(w->bpe);
    bw_unigram_work_free(w->unigram);
    bw_norm_free(&w->norm);
    free(w->text[0].items);
    free(w->text[1].items);
    free(w->spaced);
    free(w->spaced_from);
    free(w->word);
    free(w);
}

void bw_tokens_free(bw_tokens *tokens) {
    work_free(tokens->work);
    free(tokens->ids);
    free(tokens->types);
    free(tokens->spans);
    free(tokens->sequence);
    *tokens = (bw_tokens){0};
}

/* The workspace of out, with a word cache that is this tokenizer's own. */
static workspace *work_for(const bw_tokenizer *t, bw_tokens *out) {
    workspace *w = out->work;
    if (!w)
        w = out->work = calloc(1, sizeof *w);
    if (!w)
        return NULL;
    if (w->serial != t->serial) {
        bw_bpe_work_free(w->bpe);
        w->bpe = t->kind == BW_MODEL_BPE ? bw_bpe_work_new() : NULL;
        if (t->kind == BW_MODEL_UNIGRAM && !w->unigram)
            w->unigram = bw_unigram_work_new();
        bool made = t->kind == BW_MODEL_BPE       ? w->bpe != NULL
                    : t->kind == BW_MODEL_UNIGRAM ? w->unigram != NULL
                                                  : true;
        w->serial = made ? t->serial : 0;
    }
    return w->serial ? w : NULL;
}

static void put(encoder *e, int32_t id, bw_span span) {
    item_list *l = e->to;
    if (l->n == l->cap) {
        size_t cap = l->cap ? 2 * l->cap : 256;
        if (!bw_array_resize(&l->items, cap, sizeof *l->items)) {
            e->failed = true;
            return;
        }
        l->cap = cap;
    }
    l->items[l->n++] = (item){id, span};
}

/* Bytes [start, end) of the text being split, as a place in the source. */
static bw_span place(const encoder *e, size_t start, size_t end) {
    if (!e->byte_from)
        return (bw_span){(uint32_t)(e->offset + start), (uint32_t)(e->offset + end)};
    if (start == end)
        return (bw_span){e->byte_from[start].start, e->byte_from[start].start};
    return (bw_span){e->byte_from[start].start, e->byte_from[end - 1].end};
}

/* --- models ---------------------------------------------------------------------------------- */

/* BPE and Unigram. */
static bool encode_word(void *to, const uint8_t *piece, size_t n, size_t at) {
    encoder *e = to;
    const bw_tokenizer *t = e->t;
    const int32_t *ids;
    const uint32_t *lens;
    size_t k = t->kind == BW_MODEL_BPE
                   ? bw_bpe_word(&t->bpe, &t->vocab, e->w->bpe, piece, n, &ids, &lens)
                   : bw_unigram_word(&t->unigram, &t->vocab, e->w->unigram, piece, n, &ids, &lens);
    if (!ids)
        e->failed = true;
    for (size_t i = 0; i < k; i++) {
        put(e, ids[i], place(e, at, at + lens[i]));
        at += lens[i];
    }
    return !e->failed;
}

static size_t count_characters(const uint8_t *s, size_t n) {
    size_t count = 0;
    for (size_t i = 0; i < n; i++)
        count += (s[i] & 0xC0) != 0x80;
    return count;
}

/* The longest token that begins word[start], -1 if none does; *end is where it stops. Only the
 * first piece of a word has no prefix. */
static int32_t longest_token(encoder *e, const uint8_t *word, size_t n, size_t start, size_t *end) {
    const bw_tokenizer *t = e->t;
    size_t lead = start ? t->prefix_len : 0;
    char *text = e->w->word;
    memcpy(text, t->prefix, lead);
    memcpy(text + lead, word + start, n - start);
    for (size_t stop = n; stop > start;) {
        int32_t id = bw_vocab_find(&t->vocab, text, lead + stop - start);
        if (id >= 0) {
            *end = stop;
            return id;
        }
        do
            stop--;
        while (stop > start && (word[stop] & 0xC0) == 0x80);
    }
    return -1;
}

static bool encode_wordpiece(void *to, const uint8_t *word, size_t n, size_t at) {
    encoder *e = to;
    size_t first = e->to->n, start = 0;
    bool known = count_characters(word, n) <= e->t->max_word;
    if (known && n + e->t->prefix_len > e->w->word_cap) {
        size_t cap = 2 * (n + e->t->prefix_len);
        if (!bw_array_resize(&e->w->word, cap, 1)) {
            e->failed = true;
            return false;
        }
        e->w->word_cap = cap;
    }
    while (known && start < n) {
        size_t end = n;
        int32_t id = longest_token(e, word, n, start, &end);
        known = id >= 0;
        if (known)
            put(e, id, place(e, at + start, at + end));
        start = end;
    }
    if (!known) {
        e->to->n = first;
        put(e, e->t->unk, place(e, at, at + n));
    }
    return !e->failed;
}

/* --- splitting ------------------------------------------------------------------------------- */

typedef struct {
    const bw_tokenizer *t;
    bw_piece_fn *sink;
    void *to;
} splitter;

static bool split_stage(const splitter *sp, size_t stage, const uint8_t *s, size_t n, size_t at) {
    if (stage == sp->t->n_stages)
        return sp->sink(sp->to, s, n, at);
    for (size_t done = 0; done < n;) {
        bool drop;
        size_t len = sp->t->stages[stage](s + done, n - done, &drop);
        if (!drop && !split_stage(sp, stage + 1, s + done, len, at + done))
            return false;
        done += len;
    }
    return true;
}

bool bw_tok_split(const bw_tokenizer *t, const uint8_t *s, size_t n, bw_piece_fn *sink, void *to) {
    splitter sp = {t, sink, to};
    return n == 0 || split_stage(&sp, 0, s, n, 0);
}

/* --- texts between added tokens --------------------------------------------------------------- */

static bw_piece_fn *model_of(const bw_tokenizer *t) {
    return t->kind == BW_MODEL_WORDPIECE ? encode_wordpiece : encode_word;
}

static bool reserve_spaced(encoder *e, size_t n) {
    workspace *w = e->w;
    if (n <= w->spaced_cap)
        return true;
    e->failed = !bw_array_resize(&w->spaced, 2 * n, 1) ||
                !bw_array_resize(&w->spaced_from, 2 * n, sizeof *w->spaced_from);
    if (!e->failed)
        w->spaced_cap = 2 * n;
    return !e->failed;
}

/* Appends bytes that all come from one place to the text in w->spaced. */
static void put_spaced(encoder *e, size_t *len, const void *s, size_t n, bw_span from) {
    memcpy(e->w->spaced + *len, s, n);
    for (size_t i = 0; i < n; i++)
        e->w->spaced_from[(*len)++] = from;
}

/* The piece with a mark for each space and, where it is due, one in front. Returns the length. */
static size_t mark_spaces(encoder *e, const uint8_t *s, size_t n, size_t at) {
    const bw_metaspace *m = &e->t->metaspace;
    size_t mark = strlen(m->mark), len = 0;
    bool marked = s[0] == ' ' || (n >= mark && !memcmp(s, m->mark, mark));
    bool due = m->prepend == BW_PREPEND_ALWAYS ||
               (m->prepend == BW_PREPEND_FIRST && place(e, at, at + 1).start == 0);
    if (due && !marked)
        put_spaced(e, &len, m->mark, mark, place(e, at, at + 1));
    for (size_t i = 0; i < n; i++) {
        bw_span from = place(e, at + i, at + i + 1);
        if (s[i] == ' ')
            put_spaced(e, &len, m->mark, mark, from);
        else
            put_spaced(e, &len, s + i, 1, from);
    }
    return len;
}

/* The last pre_tokenizer, where there is one that rewrites. */
static bool encode_marked(void *to, const uint8_t *piece, size_t n, size_t at) {
    encoder *e = to;
    const bw_metaspace *m = &e->t->metaspace;
    size_t mark = strlen(m->mark);
    if (!reserve_spaced(e, (n + 1) * mark))
        return false;
    size_t len = mark_spaces(e, piece, n, at);
    encoder part = *e;
    part.byte_from = e->w->spaced_from;
    for (size_t done = 0, end; done < len && !part.failed; done = end) {
        const uint8_t *next = m->cut && len - done > mark
                                  ? memmem(e->w->spaced + done + 1, len - done - 1, m->mark, mark)
                                  : NULL;
        end = next ? (size_t)(next - e->w->spaced) : len;
        model_of(e->t)(&part, e->w->spaced + done, end - done, done);
    }
    e->failed = part.failed;
    return !e->failed;
}

/* With a space put in front, whose place in the source is empty. */
static void encode_with_space(encoder *e, const uint8_t *s, size_t n) {
    workspace *w = e->w;
    if (!reserve_spaced(e, n + 1))
        return;
    w->spaced[0] = ' ';
    memcpy(w->spaced + 1, s, n);
    size_t from = e->to->n;
    bw_span start = place(e, 0, 0);
    if (!bw_tok_split(e->t, w->spaced, n + 1, encode_word, e))
        e->failed = true;
    for (size_t i = from; !e->byte_from && i < e->to->n; i++) {
        bw_span *span = &e->to->items[i].span;
        span->start -= span->start > start.start;
        span->end -= 1;
    }
}

/* Text that is normalised and holds no added token. */
static void encode_plain(encoder *e, const uint8_t *s, size_t n) {
    if (!n || e->failed)
        return;
    if (e->t->prefix_space && s[0] != ' ')
        encode_with_space(e, s, n);
    else if (!bw_tok_split(e->t, s, n, e->t->metaspace.on ? encode_marked : model_of(e->t), e))
        e->failed = true;
}

static bool word_before(const uint8_t *s, size_t at) {
    size_t start = at, used;
    if (!at)
        return false;
    do
        start--;
    while (start && at - start < 4 && (s[start] & 0xC0) == 0x80);
    return bw_is_word(bw_utf8_next(s + start, at - start, &used));
}

static bool word_after(const uint8_t *s, size_t n, size_t at) {
    size_t used;
    return at < n && bw_is_word(bw_utf8_next(s + at, n - at, &used));
}

/* The longest added token whose text stands at s + at; NULL: none. */
static const bw_added *match(const bw_tokenizer *t, bool normalized, const uint8_t *s, size_t n,
                             size_t at) {
    const bw_added *best = NULL;
    for (size_t i = 0; i < t->n_added; i++) {
        const bw_added *a = &t->added[i];
        if (a->normalized == normalized && a->pattern_len && a->pattern_len <= n - at &&
            (!best || a->pattern_len > best->pattern_len) &&
            memcmp(s + at, a->pattern, a->pattern_len) == 0)
            best = a;
    }
    return best;
}

/* The next added token at or after *start; *start, *stop: its place with the white space that it
 * takes along, at least from. Matches are leftmost, longest; one inside a word where only single
 * words count is passed over whole, as in the reference. */
static const bw_added *next_added(const bw_tokenizer *t, bool normalized, const uint8_t *s,
                                  size_t n, size_t from, size_t *search, size_t *start,
                                  size_t *stop) {
    for (size_t at = *search; at < n; at++) {
        if (!t->has_head[normalized][s[at]])
            continue;
        const bw_added *a = match(t, normalized, s, n, at);
        if (!a)
            continue;
        size_t end = at + a->pattern_len, used;
        *search = end;
        if (a->single_word && (word_before(s, at) || word_after(s, n, end))) {
            at = end - 1;
            continue;
        }
        *start = at;
        while (a->lstrip && *start > from) {
            size_t back = *start;
            do
                back--;
            while (back > from && (s[back] & 0xC0) == 0x80);
            if (!bw_is_space(bw_utf8_next(s + back, n - back, &used)))
                break;
            *start = back;
        }
        while (a->rstrip && end < n && bw_is_space(bw_utf8_next(s + end, n - end, &used)))
            end += used;
        *stop = end;
        return a;
    }
    return NULL;
}

typedef void segment_fn(encoder *e, const uint8_t *s, size_t n, size_t at);

/* Calls between for the texts between added tokens and puts the tokens themselves. */
static void cut_added(encoder *e, bool normalized, const uint8_t *s, size_t n,
                      segment_fn *between) {
    size_t done = 0, search = 0, start = 0, stop = 0;
    const bw_added *a;
    while (!e->failed &&
           (a = next_added(e->t, normalized, s, n, done, &search, &start, &stop)) != NULL) {
        if (start > done)
            between(e, s + done, start - done, done);
        put(e, a->id, place(e, start, stop));
        done = stop;
        search = search < stop ? stop : search;
    }
    if (done < n)
        between(e, s + done, n - done, done);
}

static void after_normalized_cut(encoder *e, const uint8_t *s, size_t n, size_t at) {
    encoder part = *e;
    if (part.byte_from)
        part.byte_from += at;
    else
        part.offset += at;
    encode_plain(&part, s, n);
    e->failed = part.failed;
}

/* A text between raw added tokens: normalised, then cut again. */
static void after_raw_cut(encoder *e, const uint8_t *s, size_t n, size_t at) {
    const bw_tokenizer *t = e->t;
    encoder part = *e;
    part.offset = e->offset + at;
    if (!bw_normalize_keeps(t->norm, t->n_norm, s, n)) {
        bw_norm *nm = &e->w->norm;
        if (bw_normalize(t->norm, t->n_norm, s, n, part.offset, nm, NULL) != BW_OK) {
            e->failed = true;
            return;
        }
        part.byte_from = nm->byte_from;
        s = nm->bytes;
        n = nm->n_bytes;
    }
    cut_added(&part, true, s, n, after_normalized_cut);
    e->failed = part.failed;
}

static bw_status encode_text(const bw_tokenizer *t, workspace *w, int which, const char *text,
                             size_t len, bw_err *err) {
    if (len >= UINT32_MAX)
        return bw_fail(err, BW_EARG, "the text has %zu bytes; 4 GiB are allowed", len);
    item_list *to = &w->text[which];
    to->n = 0;
    encoder e = {t, w, to, NULL, 0, false};
    cut_added(&e, false, (const uint8_t *)text, len, after_raw_cut);
    return e.failed ? bw_fail_memory(err) : BW_OK;
}

/* --- truncation and template ------------------------------------------------------------------ */

/* How the longer of two texts is cut first; an odd place goes to the longer, and where both must be
 * cut the second keeps it. */
static void cut_longest(size_t *a, size_t *b, size_t room) {
    size_t shorter = *a < *b ? *a : *b, longer;
    bool swapped = *a > *b;
    longer = shorter > room ? shorter : (room - shorter > shorter ? room - shorter : shorter);
    if (shorter + longer > room) {
        shorter = room / 2;
        longer = shorter + room % 2;
    }
    *a = swapped ? longer : shorter;
    *b = swapped ? shorter : longer;
}

static bw_status cut_one(size_t *length, size_t excess, const char *which, bw_err *err) {
    if (*length <= excess)
        return bw_fail(err, BW_EDATA,
                       "cannot truncate: the %s text has %zu tokens and %zu would have to go",
                       which, *length, excess);
    *length -= excess;
    return BW_OK;
}

static bw_status truncate(size_t len[2], bool pair, size_t added, const bw_encode_options *how,
                          bw_err *err) {
    if (!how->max_tokens)
        return BW_OK;
    if (how->max_tokens < added)
        return bw_fail(err, BW_EARG,
                       "at most %zu tokens are asked for; the special tokens alone are %zu",
                       how->max_tokens, added);
    size_t room = how->max_tokens - added, total = len[0] + len[1];
    if (total <= room)
        return BW_OK;
    if (room == 0) {
        len[0] = len[1] = 0;
        return BW_OK;
    }
    if (how->truncation == BW_ONLY_SECOND)
        return pair ? cut_one(&len[1], total - room, "second", err)
                    : bw_fail(err, BW_EARG, "only_second truncation needs a second text");
    if (how->truncation == BW_ONLY_FIRST)
        return cut_one(&len[0], total - room, "first", err);
    if (pair)
        cut_longest(&len[0], &len[1], room);
    else
        len[0] = room;
    return BW_OK;
}

static bool reserve_result(bw_tokens *out, workspace *w, size_t n) {
    if (n <= w->cap)
        return true;
    size_t cap = n + n / 2 + 64;
    if (!bw_array_resize(&out->ids, cap, sizeof *out->ids) ||
        !bw_array_resize(&out->types, cap, sizeof *out->types) ||
        !bw_array_resize(&out->spans, cap, sizeof *out->spans) ||
        !bw_array_resize(&out->sequence, cap, sizeof *out->sequence))
        return false;
    w->cap = cap;
    return true;
}

static void append(bw_tokens *out, int32_t id, int32_t type, bw_span span, int8_t sequence) {
    out->ids[out->n] = id;
    out->types[out->n] = type;
    out->spans[out->n] = span;
    out->sequence[out->n++] = sequence;
}

static void fill(const workspace *w, const bw_slot *slots, size_t n_slots, const size_t len[2],
                 bool bare, bw_tokens *out) {
    out->n = 0;
    for (size_t s = 0; s < n_slots; s++) {
        if (slots[s].id >= 0) {
            if (!bare)
                append(out, slots[s].id, slots[s].type, (bw_span){0, 0}, -1);
            continue;
        }
        int which = slots[s].id == BW_TEXT_B;
        for (size_t i = 0; i < len[which]; i++)
            append(out, w->text[which].items[i].id, slots[s].type, w->text[which].items[i].span,
                   (int8_t)which);
    }
}

static bw_status finish(const bw_tokenizer *t, workspace *w, bool pair,
                        const bw_encode_options *how, bw_tokens *out, bw_err *err) {
    const bw_slot *slots = pair ? t->pair : t->single;
    size_t n_slots = pair ? t->n_pair : t->n_single, added = 0, texts = 0;
    for (size_t i = 0; i < n_slots; i++) {
        added += slots[i].id >= 0 && !how->bare;
        texts += slots[i].id < 0;
    }
    size_t len[2] = {w->text[0].n, pair ? w->text[1].n : 0};
    size_t whole = len[0] + len[1];
    bw_status st = truncate(len, pair, added, how, err);
    if (st != BW_OK)
        return st;
    if (!reserve_result(out, w, added + texts * (len[0] + len[1])))
        return bw_fail_memory(err);
    fill(w, slots, n_slots, len, how->bare, out);
    out->cut = whole - len[0] - len[1];
    return BW_OK;
}

bw_status bw_tokenizer_encode(const bw_tokenizer *t, const char *text, size_t len,
                              const bw_encode_options *how, bw_tokens *out, bw_err *err) {
    const bw_encode_options plain = {0};
    workspace *w = work_for(t, out);
    if (!w)
        return bw_fail_memory(err);
    bw_status st = encode_text(t, w, 0, text, len, err);
    return st == BW_OK ? finish(t, w, false, how ? how : &plain, out, err) : st;
}

bw_status bw_tokenizer_encode_pair(const bw_tokenizer *t, const char *a, size_t a_len,
                                   const char *b, size_t b_len, const bw_encode_options *how,
                                   bw_tokens *out, bw_err *err) {
    const bw_encode_options plain = {0};
    workspace *w = work_for(t, out);
    if (!w)
        return bw_fail_memory(err);
    bw_status st = encode_text(t, w, 0, a, a_len, err);
    if (st == BW_OK)
        st = encode_text(t, w, 1, b, b_len, err);
    return st == BW_OK ? finish(t, w, true, how ? how : &plain, out, err) : st;
}
