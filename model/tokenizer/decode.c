/* model/tokenizer/decode.c - ids to text. */
#include "model/tokenizer/internal.h"

#include "common/buf.h"
#include "model/tokenizer/utf8.h"

#include <stdlib.h>
#include <string.h>

/* A byte-level token: each character stands for a byte, unless one of them stands for none; then
 * the token is taken as it is. */
static void add_bytes(bw_buf *b, const char *token, size_t len) {
    size_t from = b->len, used;
    for (size_t i = 0; i < len; i += used) {
        int byte = bw_char_byte(bw_utf8_next((const uint8_t *)token + i, len - i, &used));
        if (byte < 0) {
            b->len = from;
            bw_buf_add_n(b, token, len);
            return;
        }
        bw_buf_add_n(b, &(char){(char)byte}, 1);
    }
}

static void replace(bw_buf *b, size_t from, const char *old, const char *new) {
    size_t n_old = strlen(old), n_new = strlen(new);
    char *at = b->text ? b->text + from : NULL;
    while (at && (at = memmem(at, b->len - (size_t)(at - b->text), old, n_old)) != NULL) {
        size_t rest = b->len - (size_t)(at - b->text) - n_old;
        memcpy(at, new, n_new); /* never longer than old */
        memmove(at + n_new, at + n_old, rest + 1);
        b->len -= n_old - n_new;
        at += n_new;
    }
}

/* The reference cleans up token by token, in this order. */
static void clean_up(bw_buf *b, size_t from) {
    static const char *const RULES[][2] = {{" .", "."},     {" ?", "?"},           {" !", "!"},
                                           {" ,", ","},     {" ' ", "'"},          {" n't", "n't"},
                                           {" 'm", "'m"},   {" do not", " don't"}, {" 's", "'s"},
                                           {" 've", "'ve"}, {" 're", "'re"}};
    for (size_t i = 0; i < sizeof RULES / sizeof *RULES; i++)
        replace(b, from, RULES[i][0], RULES[i][1]);
}

static void add_wordpiece(bw_buf *b, const bw_tokenizer *t, const char *token, size_t len,
                          bool first) {
    size_t from = b->len;
    bool continues = len >= t->prefix_len && !memcmp(token, t->prefix, t->prefix_len);
    if (first) {
        bw_buf_add_n(b, token, len);
    } else if (continues) {
        bw_buf_add_n(b, token + t->prefix_len, len - t->prefix_len);
    } else {
        bw_buf_add(b, " ");
        bw_buf_add_n(b, token, len);
    }
    if (t->cleanup)
        clean_up(b, from);
}

/* Replaces what is not UTF-8. */
static bool repair(bw_buf *b) {
    bw_buf whole = {0};
    uint8_t *out = malloc(3 * b->len + 1);
    if (!out)
        return false;
    size_t n = bw_utf8_repair((const uint8_t *)b->text, b->len, out);
    bw_buf_add_n(&whole, (const char *)out, n);
    free(out);
    bw_buf_free(b);
    *b = whole;
    return bw_buf_ok(b);
}

/* The tokens as a list, through the steps of t->decode. */
static bw_status decode_list(const bw_tokenizer *t, const int32_t *ids, size_t n, unsigned flags,
                             bw_buf *b, bw_err *err) {
    bw_pieces p = {0};
    bw_status st = BW_OK;
    for (size_t i = 0; i < n && st == BW_OK; i++) {
        size_t len;
        const char *token = bw_vocab_text(&t->vocab, ids[i], &len);
        if (!token) {
            st = bw_fail(err, BW_EARG, "token %zu: the vocabulary has no id %d", i, ids[i]);
        } else if (!(flags & BW_DECODE_SKIP_SPECIAL) || !bw_tokenizer_is_special(t, ids[i])) {
            bw_buf_add_n(&p.text, token, len);
            bw_pieces_close(&p);
        }
    }
    bw_decode_chain(t, &p, flags & BW_DECODE_BYTES);
    bw_buf_add_n(b, p.text.text ? p.text.text : "", p.text.len);
    b->failed = b->failed || p.text.failed;
    bw_pieces_free(&p);
    return st;
}

static bw_status decode_tokens(const bw_tokenizer *t, const int32_t *ids, size_t n, unsigned flags,
                               bw_buf *b, bw_err *err) {
    bool first = true;
    for (size_t i = 0; i < n; i++) {
        size_t len;
        const char *token = bw_vocab_text(&t->vocab, ids[i], &len);
        if (!token)
            return bw_fail(err, BW_EARG, "token %zu: the vocabulary has no id %d", i, ids[i]);
        if ((flags & BW_DECODE_SKIP_SPECIAL) && bw_tokenizer_is_special(t, ids[i]))
            continue;
        if (t->decode_bytes) {
            add_bytes(b, token, len);
        } else if (t->decode_wordpiece) {
            add_wordpiece(b, t, token, len, first);
        } else {
            bw_buf_add(b, first ? "" : " ");
            bw_buf_add_n(b, token, len);
        }
        first = false;
    }
    return BW_OK;
}

bw_status bw_tokenizer_decode(const bw_tokenizer *t, const int32_t *ids, size_t n, unsigned flags,
                              char **text, size_t *len, bw_err *err) {
    bw_buf b = {0};
    *text = NULL;
    bw_buf_add_n(&b, "", 0);
    bw_status st = (t->n_decode ? decode_list : decode_tokens)(t, ids, n, flags, &b, err);
    bool good = bw_buf_ok(&b);
    if (good && st == BW_OK && t->decode_bytes && !(flags & BW_DECODE_BYTES))
        good = repair(&b);
    if (st == BW_OK && !good)
        st = bw_fail_memory(err);
    if (st != BW_OK) {
        bw_buf_free(&b);
        return st;
    }
    if (len)
        *len = b.len;
    *text = bw_buf_take(&b);
    return *text ? BW_OK : bw_fail_memory(err);
}
