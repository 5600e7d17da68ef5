/* model/tokenizer/internal.h - the inside of a tokenizer, shared by the files that read, write,
 * train and run one. Nothing outside model/tokenizer includes it.
 *
 * The way of a text:  added tokens cut out -> normalise -> added tokens that match normalised text
 * cut out -> split into pieces, stage by stage -> spaces marked (Metaspace) -> model (BPE, Unigram
 * or WordPiece) -> template. */
#ifndef BW_MODEL_TOK_INTERNAL_H
#define BW_MODEL_TOK_INTERNAL_H

#include "model/tokenizer/bpe.h"
#include "model/tokenizer/normalize.h"
#include "model/tokenizer/split.h"
#include "common/buf.h"
#include "model/tokenizer/tokenizer.h"
#include "model/tokenizer/unigram.h"
#include "model/tokenizer/vocab.h"

#include <cjson/cJSON.h>

/* A token found by its text ahead of the model. */
typedef struct {
    int32_t id;
    bool special, single_word, lstrip, rstrip, normalized;
    char *content;
    size_t len;
    char *pattern; /* what is searched for: content, normalised where it matches normalised text */
    size_t pattern_len;
} bw_added;

/* One place of a template: a token, or a text. */
typedef struct {
    int32_t id; /* BW_TEXT_A, BW_TEXT_B or a token */
    int32_t type;
} bw_slot;
#define BW_TEXT_A    (-1)
#define BW_TEXT_B    (-2)
#define BW_MAX_SLOTS 32

#define BW_MAX_STAGES 8

/* The Metaspace pre_tokenizer of SentencePiece's vocabularies: spaces become a visible mark, one
 * is put in front, and the text is cut before each. It comes last, since it rewrites the text. */
#define BW_METASPACE "\xE2\x96\x81" /* U+2581, the usual mark */
typedef enum { BW_PREPEND_ALWAYS, BW_PREPEND_FIRST, BW_PREPEND_NEVER } bw_prepend;
typedef struct {
    bool on, cut;
    bw_prepend prepend; /* FIRST: only where the text begins */
    char mark[5];
} bw_metaspace;

/* A decoder that works on the list of tokens. */
typedef enum {
    BW_DECODE_METASPACE,     /* `from` becomes a space, in the first token nothing */
    BW_DECODE_REPLACE,       /* `from` becomes `to` */
    BW_DECODE_BYTE_FALLBACK, /* runs of <0x..> become their bytes */
    BW_DECODE_FUSE,          /* all tokens become one */
    BW_DECODE_STRIP          /* at most `start` and `stop` of `from` go from the ends of each */
} bw_decode_kind;
typedef struct {
    bw_decode_kind kind;
    char *from, *to; /* owned */
    size_t start, stop;
    bool keep_first; /* METASPACE: the first token is no exception */
} bw_decode_step;
void bw_decode_step_free(bw_decode_step *s);

/* A list of tokens: one text, and where each ends. Start from {0}; memory as in bw_buf. */
typedef struct {
    bw_buf text;
    size_t *end; /* [n] */
    size_t n, cap;
} bw_pieces;
void bw_pieces_close(bw_pieces *p);
void bw_pieces_free(bw_pieces *p);

/* Components kept as JSON text, so that saving writes what was read. */
enum { BW_PART_NORMALIZER, BW_PART_PRE, BW_PART_POST, BW_PART_DECODER, BW_PART_MODEL, BW_N_PARTS };

typedef struct {
    int32_t left, right;
} bw_pair;

typedef enum { BW_MODEL_BPE, BW_MODEL_WORDPIECE, BW_MODEL_UNIGRAM } bw_model_kind;

struct bw_tokenizer {
    uint64_t serial; /* tells workspaces apart */
    bw_vocab vocab;  /* the model's and the added tokens */
    bw_model_kind kind;
    bw_bpe bpe;
    bw_pair *merge_list; /* [bpe.n_merges] for saving */
    bw_unigram unigram;
    char *prefix;                /* WordPiece: marks a continuation, "##" */
    size_t prefix_len, max_word; /* characters of the longest word that is not unknown at once */
    int32_t unk;                 /* of the model; -1: none */
    bw_norm_step norm[BW_NORM_MAX_STEPS];
    size_t n_norm;
    bool prefix_space; /* a space goes in front of a text that does not begin with one */
    bw_split_fn *stages[BW_MAX_STAGES];
    size_t n_stages;
    bw_metaspace metaspace;
    bw_added *added;
    size_t n_added, cap_added;
    uint8_t *special;      /* [n_special] 1 for special tokens, 2 for other added ones */
    size_t n_special;      /* vocab.size once loaded */
    bool has_head[2][256]; /* by normalized: first bytes of the patterns */
    bw_slot single[BW_MAX_SLOTS], pair[BW_MAX_SLOTS];
    size_t n_single, n_pair;
    bool decode_wordpiece, decode_bytes, cleanup;
    bw_decode_step decode[BW_MAX_STAGES]; /* none, nor the above: tokens joined by spaces */
    size_t n_decode;
    int32_t role[BW_N_ROLES];
    char *parts[BW_N_PARTS];
    char *config; /* tokenizer_config.json as read, or NULL */
};

/* Builds a tokenizer from a parsed tokenizer.json and, unless NULL, tokenizer_config.json. */
bw_status bw_tok_build(const cJSON *root, const cJSON *config, const char *name, bw_tokenizer **out,
                       bw_err *err);
/* The components' own readers; root is the component. */
bw_status bw_tok_read_normalizer(bw_tokenizer *t, const cJSON *c, const char *name, bw_err *err);
bw_status bw_tok_read_pre(bw_tokenizer *t, const cJSON *c, const char *name, bw_err *err);
bw_status bw_tok_read_post(bw_tokenizer *t, const cJSON *c, const char *name, bw_err *err);
bw_status bw_tok_read_decoder(bw_tokenizer *t, const cJSON *c, const char *name, bw_err *err);
bw_status bw_tok_read_model(bw_tokenizer *t, const cJSON *c, const char *name, bw_err *err);
bw_status bw_tok_read_added(bw_tokenizer *t, const cJSON *list, const cJSON *config,
                            const char *name, bw_err *err);

/* Runs the steps of t->decode over the tokens. bytes: what is not UTF-8 stays. */
void bw_decode_chain(const bw_tokenizer *t, bw_pieces *p, bool bytes);

/* Calls sink for each piece of a normalised text. A sink returns false to stop. */
typedef bool bw_piece_fn(void *to, const uint8_t *piece, size_t n, size_t at);
bool bw_tok_split(const bw_tokenizer *t, const uint8_t *s, size_t n, bw_piece_fn *sink, void *to);

/* Members of an object with a default. */
const char *bw_json_text(const cJSON *object, const char *name, const char *otherwise);
bool bw_json_flag(const cJSON *object, const char *name, bool otherwise);

#endif
