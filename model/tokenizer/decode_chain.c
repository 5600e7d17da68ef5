/* model/tokenizer/decode_chain.c - decoders that work on the list of tokens, step by step, before
 * it is joined: those of SentencePiece's vocabularies.
 *
 * The list is one text and the place where each token ends. A step reads one list and writes
 * another. */
#include "model/tokenizer/internal.h"

#include "common/buf.h"
#include "model/tokenizer/utf8.h"

#include <stdlib.h>
#include <string.h>

/* ---- reading ---- */

static bw_status refuse(const char *name, const char *type, bw_err *err) {
    return bw_fail(err, BW_EFORMAT, "%s: the decoder '%s' is not supported", name, type);
}

static size_t count_of(const cJSON *c, const char *key) {
    const cJSON *n = cJSON_GetObjectItemCaseSensitive(c, key);
    bool good = cJSON_IsNumber(n) && n->valuedouble > 0 && n->valuedouble < 1e6;
    return good ? (size_t)n->valuedouble : 0;
}

static bw_status read_step(const cJSON *c, const char *type, bw_decode_step *s, const char *name,
                           bw_err *err) {
    static const char *const TYPES[] = {[BW_DECODE_METASPACE] = "Metaspace",
                                        [BW_DECODE_REPLACE] = "Replace",
                                        [BW_DECODE_BYTE_FALLBACK] = "ByteFallback",
                                        [BW_DECODE_FUSE] = "Fuse",
                                        [BW_DECODE_STRIP] = "Strip"};
    int kind = 0, n = sizeof TYPES / sizeof *TYPES;
    while (kind < n && strcmp(type, TYPES[kind]) != 0)
        kind++;
    if (kind == n)
        return refuse(name, type, err);
    const cJSON *pattern = cJSON_GetObjectItemCaseSensitive(c, "pattern");
    const char *from = kind == BW_DECODE_REPLACE     ? bw_json_text(pattern, "String", "")
                       : kind == BW_DECODE_METASPACE ? bw_json_text(c, "replacement", BW_METASPACE)
                                                     : bw_json_text(c, "content", "");
    *s = (bw_decode_step){.kind = (bw_decode_kind)kind,
                          .from = strdup(from),
                          .to = strdup(bw_json_text(c, "content", "")),
                          .start = count_of(c, "start"),
                          .stop = count_of(c, "stop"),
                          .keep_first = !bw_json_flag(c, "add_prefix_space", true) ||
                                        !strcmp(bw_json_text(c, "prepend_scheme", ""), "never")};
    if (kind == BW_DECODE_REPLACE && !*from)
        return refuse(name, "Replace by anything but a plain string", err);
    return s->from && s->to ? BW_OK : bw_fail_memory(err);
}

static bw_status read_steps(bw_tokenizer *t, const cJSON *c, const char *name, bw_err *err) {
    const char *type = bw_json_text(c, "type", "?");
    if (strcmp(type, "Sequence") == 0) {
        bw_status st = BW_OK;
        const cJSON *item;
        cJSON_ArrayForEach(item, cJSON_GetObjectItemCaseSensitive(c, "decoders")) {
            if (st == BW_OK)
                st = read_steps(t, item, name, err);
        }
        return st;
    }
    if (t->n_decode == BW_MAX_STAGES)
        return bw_fail(err, BW_EFORMAT, "%s: more than %d decoders", name, BW_MAX_STAGES);
    return read_step(c, type, &t->decode[t->n_decode++], name, err);
}

bw_status bw_tok_read_decoder(bw_tokenizer *t, const cJSON *c, const char *name, bw_err *err) {
    t->decode_bytes = t->decode_wordpiece = false;
    if (!c || cJSON_IsNull(c))
        return BW_OK;
    const char *type = bw_json_text(c, "type", "?");
    t->decode_bytes = !strcmp(type, "ByteLevel");
    t->decode_wordpiece = !strcmp(type, "WordPiece");
    t->cleanup = bw_json_flag(c, "cleanup", true);
    return t->decode_bytes || t->decode_wordpiece ? BW_OK : read_steps(t, c, name, err);
}

void bw_decode_step_free(bw_decode_step *s) {
    free(s->from);
    free(s->to);
}

/* ---- the steps ---- */

void bw_pieces_free(bw_pieces *p) {
    bw_buf_free(&p->text);
    free(p->end);
    *p = (bw_pieces){0};
}

/* Ends a token where the text ends now. */
void bw_pieces_close(bw_pieces *p) {
    if (p->n == p->cap) {
        size_t cap = p->cap ? 2 * p->cap : 64;
        size_t *grown = realloc(p->end, cap * sizeof *grown);
        if (!grown) {
            p->text.failed = true;
            return;
        }
        p->end = grown;
        p->cap = cap;
    }
    p->end[p->n++] = p->text.len;
}

static const char *piece_at(const bw_pieces *p, size_t i, size_t *len) {
    size_t start = i ? p->end[i - 1] : 0;
    *len = p->end[i] - start;
    return p->text.text ? p->text.text + start : "";
}

/* Copies s with each `from` as `to`. */
static void add_replaced(bw_buf *b, const char *s, size_t n, const char *from, const char *to) {
    size_t n_from = strlen(from);
    for (const char *at; (at = memmem(s, n, from, n_from)) != NULL;) {
        bw_buf_add_n(b, s, (size_t)(at - s));
        bw_buf_add(b, to);
        n -= (size_t)(at - s) + n_from;
        s = at + n_from;
    }
    bw_buf_add_n(b, s, n);
}

/* The byte that a token <0x41> stands for; -1: it is another token. */
static int fallback_byte(const char *s, size_t n) {
    static const char DIGITS[] = "0123456789abcdef";
    if (n != 6 || memcmp(s, "<0x", 3) != 0 || s[5] != '>')
        return -1;
    int value = 0;
    for (int i = 3; i < 5; i++) {
        const char *at =
            s[i] ? strchr(DIGITS, s[i] >= 'A' && s[i] <= 'F' ? s[i] | 32 : s[i]) : NULL;
        if (!at)
            return -1;
        value = value * 16 + (int)(at - DIGITS);
    }
    return value;
}

static bool is_utf8(const uint8_t *s, size_t n) {
    for (size_t i = 0, used; i < n; i += used)
        if (bw_utf8_next(s + i, n - i, &used) >= BW_RAW_BYTE)
            return false;
    return true;
}

/* A run of bytes that is not UTF-8 becomes one U+FFFD a byte, all of it, unless bytes may stay. */
static void add_byte_run(bw_pieces *to, const bw_buf *run, bool bytes) {
    if (!run->len)
        return;
    bool good = bytes || is_utf8((const uint8_t *)run->text, run->len);
    if (good)
        bw_buf_add_n(&to->text, run->text, run->len);
    for (size_t i = 0; !good && i < run->len; i++)
        bw_buf_add(&to->text, "\xEF\xBF\xBD");
    bw_pieces_close(to);
}

static void byte_fallback(const bw_pieces *from, bw_pieces *to, bool bytes) {
    bw_buf run = {0};
    for (size_t i = 0; i < from->n; i++) {
        size_t len;
        const char *s = piece_at(from, i, &len);
        int byte = fallback_byte(s, len);
        if (byte >= 0) {
            bw_buf_add_n(&run, &(char){(char)byte}, 1);
            continue;
        }
        add_byte_run(to, &run, bytes);
        bw_buf_clear(&run);
        bw_buf_add_n(&to->text, s, len);
        bw_pieces_close(to);
    }
    add_byte_run(to, &run, bytes);
    to->text.failed = to->text.failed || run.failed;
    bw_buf_free(&run);
}

/* Without the first `start` and last `stop` of the character, as far as they are there. */
static void add_stripped(bw_buf *b, const bw_decode_step *s, const char *piece, size_t len) {
    size_t n = strlen(s->from);
    for (size_t i = 0; n && i < s->start && len >= n && !memcmp(piece, s->from, n); i++) {
        piece += n;
        len -= n;
    }
    for (size_t i = 0; n && i < s->stop && len >= n && !memcmp(piece + len - n, s->from, n); i++)
        len -= n;
    bw_buf_add_n(b, piece, len);
}

static void run_step(const bw_decode_step *s, const bw_pieces *from, bw_pieces *to, bool bytes) {
    if (s->kind == BW_DECODE_BYTE_FALLBACK) {
        byte_fallback(from, to, bytes);
        return;
    }
    for (size_t i = 0; i < from->n; i++) {
        size_t len;
        const char *piece = piece_at(from, i, &len);
        if (s->kind == BW_DECODE_STRIP)
            add_stripped(&to->text, s, piece, len);
        else if (s->kind == BW_DECODE_REPLACE)
            add_replaced(&to->text, piece, len, s->from, s->to);
        else if (s->kind == BW_DECODE_METASPACE)
            add_replaced(&to->text, piece, len, s->from, i || s->keep_first ? " " : "");
        else
            bw_buf_add_n(&to->text, piece, len);
        if (s->kind != BW_DECODE_FUSE || i + 1 == from->n)
            bw_pieces_close(to);
    }
}

void bw_decode_chain(const bw_tokenizer *t, bw_pieces *p, bool bytes) {
    for (size_t i = 0; i < t->n_decode; i++) {
        bw_pieces next = {0};
        run_step(&t->decode[i], p, &next, bytes);
        next.text.failed = next.text.failed || p->text.failed;
        bw_pieces_free(p);
        *p = next;
    }
}
