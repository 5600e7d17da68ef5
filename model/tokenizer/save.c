/* model/tokenizer/save.c - writing tokenizer.json and tokenizer_config.json.
 *
 * The components go out as they came in; vocabulary, merges and added tokens are written from the
 * tables, one a line, in the order of ids and ranks, so that equal tokenizers give equal files. */
#include "model/tokenizer/internal.h"

#include "common/buf.h"

#include <stdlib.h>
#include <string.h>

static void add_json_text(bw_buf *b, const char *text, size_t len) {
    bw_buf_add(b, "\"");
    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)text[i];
        if (c == '"' || c == '\\')
            bw_buf_addf(b, "\\%c", c);
        else if (c < 0x20)
            bw_buf_addf(b, "\\u%04x", c);
        else
            bw_buf_add_n(b, &text[i], 1);
    }
    bw_buf_add(b, "\"");
}

static const char *truth(bool b) {
    return b ? "true" : "false";
}

static void add_added(bw_buf *b, const bw_tokenizer *t) {
    bw_buf_add(b, "\"added_tokens\":[");
    for (size_t i = 0; i < t->n_added; i++) {
        const bw_added *a = &t->added[i];
        bw_buf_addf(b, "%s\n{\"id\":%d,\"content\":", i ? "," : "", a->id);
        add_json_text(b, a->content, a->len);
        bw_buf_addf(b,
                    ",\"single_word\":%s,\"lstrip\":%s,\"rstrip\":%s,\"normalized\":%s,"
                    "\"special\":%s}",
                    truth(a->single_word), truth(a->lstrip), truth(a->rstrip), truth(a->normalized),
                    truth(a->special));
    }
    bw_buf_add(b, "]");
}

/* Added tokens that lie past the model's own vocabulary stay out of it. */
static size_t model_size(const bw_tokenizer *t) {
    size_t size = t->vocab.size;
    for (bool again = true; again && size;) {
        again = false;
        for (size_t i = 0; i < t->n_added && !again; i++)
            again = (size_t)t->added[i].id == size - 1;
        size -= again;
    }
    return size;
}

static void add_vocab(bw_buf *b, const bw_tokenizer *t) {
    size_t size = t->kind == BW_MODEL_WORDPIECE ? t->vocab.size : model_size(t), len;
    bool first = true;
    bw_buf_add(b, "\"vocab\":{");
    for (size_t id = 0; id < size; id++) {
        const char *text = bw_vocab_text(&t->vocab, (int32_t)id, &len);
        if (!text)
            continue;
        bw_buf_add(b, first ? "\n" : ",\n");
        add_json_text(b, text, len);
        bw_buf_addf(b, ":%zu", id);
        first = false;
    }
    bw_buf_add(b, "}");
}

/* Seventeen digits give a double back exactly. */
static void add_scored_vocab(bw_buf *b, const bw_tokenizer *t) {
    bw_buf_add(b, "\"vocab\":[");
    for (size_t id = 0; id < t->unigram.n; id++) {
        size_t len = 0;
        const char *text = bw_vocab_text(&t->vocab, (int32_t)id, &len);
        bw_buf_add(b, id ? ",\n[" : "\n[");
        add_json_text(b, text ? text : "", len);
        bw_buf_addf(b, ",%.17g]", t->unigram.score[id]);
    }
    bw_buf_add(b, "]");
}

/* As pairs where a side holds a space, else as "a b", which every version reads. */
static void add_merges(bw_buf *b, const bw_tokenizer *t) {
    bw_buf_add(b, ",\"merges\":[");
    for (size_t i = 0; i < t->bpe.n_merges; i++) {
        size_t left_len, right_len;
        const char *left = bw_vocab_text(&t->vocab, t->merge_list[i].left, &left_len);
        const char *right = bw_vocab_text(&t->vocab, t->merge_list[i].right, &right_len);
        bool pair = memchr(left, ' ', left_len) || memchr(right, ' ', right_len);
        bw_buf joined = {0};
        bw_buf_add(b, i ? ",\n" : "\n");
        if (pair) {
            bw_buf_add(b, "[");
            add_json_text(b, left, left_len);
            bw_buf_add(b, ",");
            add_json_text(b, right, right_len);
            bw_buf_add(b, "]");
        } else {
            bw_buf_addf(&joined, "%s %s", left, right);
            add_json_text(b, joined.text ? joined.text : "", joined.len);
        }
        b->failed = b->failed || joined.failed;
        bw_buf_free(&joined);
    }
    bw_buf_add(b, "]");
}

/* The model's switches are an object; its last brace makes room for the lists. */
static void add_model(bw_buf *b, const bw_tokenizer *t) {
    const char *switches = t->parts[BW_PART_MODEL];
    size_t n = strlen(switches) - 1;
    bw_buf_add(b, "\"model\":");
    bw_buf_add_n(b, switches, n);
    bw_buf_add(b, n > 1 ? "," : "");
    if (t->kind == BW_MODEL_UNIGRAM)
        add_scored_vocab(b, t);
    else
        add_vocab(b, t);
    if (t->kind == BW_MODEL_BPE)
        add_merges(b, t);
    bw_buf_add(b, "}");
}

static char *tokenizer_json(const bw_tokenizer *t) {
    bw_buf b = {0};
    bw_buf_add(&b, "{\"version\":\"1.0\",\"truncation\":null,\"padding\":null,\n");
    add_added(&b, t);
    bw_buf_addf(&b,
                ",\n\"normalizer\":%s,\n\"pre_tokenizer\":%s,\n\"post_processor\":%s,\n"
                "\"decoder\":%s,\n",
                t->parts[BW_PART_NORMALIZER], t->parts[BW_PART_PRE], t->parts[BW_PART_POST],
                t->parts[BW_PART_DECODER]);
    add_model(&b, t);
    bw_buf_add(&b, "}\n");
    return bw_buf_take(&b);
}

static char *config_json(const bw_tokenizer *t) {
    static const char *const KEYS[BW_N_ROLES] = {
        "pad_token", "unk_token", "cls_token", "sep_token", "mask_token", "bos_token", "eos_token"};
    if (t->config)
        return strdup(t->config);
    bw_buf b = {0};
    bw_buf_addf(&b, "{\n  \"tokenizer_class\": \"%s\",\n  \"clean_up_tokenization_spaces\": false",
                t->kind == BW_MODEL_WORDPIECE ? "BertTokenizerFast" : "PreTrainedTokenizerFast");
    for (int r = 0; r < BW_N_ROLES; r++) {
        if (t->role[r] < 0)
            continue;
        const char *text = bw_tokenizer_piece(t, t->role[r]);
        bw_buf_addf(&b, ",\n  \"%s\": ", KEYS[r]);
        add_json_text(&b, text, strlen(text));
    }
    bw_buf_add(&b, "\n}\n");
    return bw_buf_take(&b);
}

static bw_status write_file(const char *folder, const char *file, char *text, bw_err *err) {
    bw_buf path = {0};
    bw_buf_addf(&path, "%s/%s", folder, file);
    bw_status st = text && bw_buf_ok(&path) ? bw_file_write(path.text, text, strlen(text), err)
                                            : bw_fail_memory(err);
    bw_buf_free(&path);
    free(text);
    return st;
}

bw_status bw_tokenizer_save(const bw_tokenizer *t, const char *folder, bw_err *err) {
    bw_status st = write_file(folder, "tokenizer.json", tokenizer_json(t), err);
    return st == BW_OK ? write_file(folder, "tokenizer_config.json", config_json(t), err) : st;
}
