/* model/tokenizer/components.c - reading the small components of a tokenizer.json: normalizer,
 * pre_tokenizer, post_processor, decoder.
 *
 * Each reader takes apart the types it knows and refuses any other by its name, so that a tokenizer
 * either does exactly what the file says or does not load. */
#include "model/tokenizer/internal.h"

#include <string.h>

const char *bw_json_text(const cJSON *object, const char *name, const char *otherwise) {
    const cJSON *m = cJSON_GetObjectItemCaseSensitive(object, name);
    return cJSON_IsString(m) ? m->valuestring : otherwise;
}

bool bw_json_flag(const cJSON *object, const char *name, bool otherwise) {
    const cJSON *m = cJSON_GetObjectItemCaseSensitive(object, name);
    return cJSON_IsBool(m) ? cJSON_IsTrue(m) : otherwise;
}

static const cJSON *member(const cJSON *object, const char *name) {
    return cJSON_GetObjectItemCaseSensitive(object, name);
}

static bool is_nothing(const cJSON *c) {
    return !c || cJSON_IsNull(c);
}

static bw_status refuse(const char *name, const char *what, const char *type, bw_err *err) {
    return bw_fail(err, BW_EFORMAT, "%s: the %s '%s' is not supported", name, what, type);
}

/* --- normalizer ------------------------------------------------------------------------------ */

static bw_status add_norm(bw_tokenizer *t, bw_norm_step step, const char *name, bw_err *err) {
    if (t->n_norm == BW_NORM_MAX_STEPS)
        return bw_fail(err, BW_EFORMAT, "%s: more than %d normalisation steps", name,
                       BW_NORM_MAX_STEPS);
    t->norm[t->n_norm++] = step;
    return BW_OK;
}

/* Accents are stripped if the file says so or, where it is silent, if letters are lowered. */
static bw_status bert_normalizer(bw_tokenizer *t, const cJSON *c, const char *name, bw_err *err) {
    bool lower = bw_json_flag(c, "lowercase", true);
    bool strip = bw_json_flag(c, "strip_accents", lower);
    const struct {
        bool on;
        bw_norm_step step;
    } steps[] = {{bw_json_flag(c, "clean_text", true), BW_NORM_BERT_CLEAN},
                 {bw_json_flag(c, "handle_chinese_chars", true), BW_NORM_BERT_SPACE_HAN},
                 {strip, BW_NORM_NFD},
                 {strip, BW_NORM_STRIP_MN},
                 {lower, BW_NORM_LOWERCASE}};
    bw_status st = BW_OK;
    for (size_t i = 0; i < sizeof steps / sizeof *steps && st == BW_OK; i++)
        if (steps[i].on)
            st = add_norm(t, steps[i].step, name, err);
    return st;
}

bw_status bw_tok_read_normalizer(bw_tokenizer *t, const cJSON *c, const char *name, bw_err *err) {
    static const struct {
        const char *type;
        bw_norm_step step;
    } SIMPLE[] = {{"NFC", BW_NORM_NFC},
                  {"NFD", BW_NORM_NFD},
                  {"NFKC", BW_NORM_NFKC},
                  {"NFKD", BW_NORM_NFKD},
                  {"Lowercase", BW_NORM_LOWERCASE},
                  {"StripAccents", BW_NORM_STRIP_MARKS}};
    if (is_nothing(c))
        return BW_OK;
    const char *type = bw_json_text(c, "type", "?");
    for (size_t i = 0; i < sizeof SIMPLE / sizeof *SIMPLE; i++)
        if (!strcmp(type, SIMPLE[i].type))
            return add_norm(t, SIMPLE[i].step, name, err);
    if (!strcmp(type, "BertNormalizer"))
        return bert_normalizer(t, c, name, err);
    if (strcmp(type, "Sequence") != 0)
        return refuse(name, "normalizer", type, err);
    bw_status st = BW_OK;
    const cJSON *item;
    cJSON_ArrayForEach(item, member(c, "normalizers")) {
        if (st == BW_OK)
            st = bw_tok_read_normalizer(t, item, name, err);
    }
    return st;
}

/* --- pre_tokenizer --------------------------------------------------------------------------- */

static bw_status add_stage(bw_tokenizer *t, bw_split_fn *fn, const char *name, bw_err *err) {
    if (t->decode_bytes) /* set by ByteLevel below */
        return bw_fail(err, BW_EFORMAT, "%s: a pre_tokenizer after ByteLevel is not supported",
                       name);
    if (t->n_stages == BW_MAX_STAGES)
        return bw_fail(err, BW_EFORMAT, "%s: more than %d pre_tokenizers", name, BW_MAX_STAGES);
    t->stages[t->n_stages++] = fn;
    return BW_OK;
}

/* Each known expression matches all of a text, except that for Han runs, which leaves the rest
 * between its matches; so "Isolated" and "Removed, inverted" keep the same pieces. */
static bw_status read_split(bw_tokenizer *t, const cJSON *c, const char *name, bw_err *err) {
    const char *regex = bw_json_text(member(c, "pattern"), "Regex", NULL);
    const char *behavior = bw_json_text(c, "behavior", "?");
    bool invert = bw_json_flag(c, "invert", false);
    if (!regex)
        return refuse(name, "pre_tokenizer", "Split by a plain string", err);
    bw_split_fn *fn = bw_split_by_pattern(regex);
    if (!fn)
        return refuse(name, "split pattern", regex, err);
    bool isolated = !strcmp(behavior, "Isolated") && !invert;
    if (!isolated && (strcmp(behavior, "Removed") || !invert || fn == bw_split_han))
        return refuse(name, "split behavior", behavior, err);
    return add_stage(t, fn, name, err);
}

static bw_status read_byte_level(bw_tokenizer *t, const cJSON *c, const char *name, bw_err *err) {
    bw_status st = BW_OK;
    t->prefix_space = bw_json_flag(c, "add_prefix_space", true);
    if (t->prefix_space && (t->n_stages || t->n_norm))
        return refuse(name, "pre_tokenizer", "ByteLevel with add_prefix_space behind other steps",
                      err);
    if (bw_json_flag(c, "use_regex", true))
        st = add_stage(t, bw_split_gpt2, name, err);
    t->decode_bytes = true;
    return st;
}

bw_status bw_tok_read_pre(bw_tokenizer *t, const cJSON *c, const char *name, bw_err *err) {
    if (is_nothing(c))
        return BW_OK;
    const char *type = bw_json_text(c, "type", "?");
    if (!strcmp(type, "ByteLevel"))
        return read_byte_level(t, c, name, err);
    if (!strcmp(type, "Split"))
        return read_split(t, c, name, err);
    if (!strcmp(type, "Digits"))
        return add_stage(
            t, bw_json_flag(c, "individual_digits", false) ? bw_split_digits : bw_split_digit_runs,
            name, err);
    if (!strcmp(type, "BertPreTokenizer")) {
        bw_status st = add_stage(t, bw_split_bert_space, name, err);
        return st == BW_OK ? add_stage(t, bw_split_bert_punct, name, err) : st;
    }
    if (strcmp(type, "Sequence") != 0)
        return refuse(name, "pre_tokenizer", type, err);
    bw_status st = BW_OK;
    const cJSON *item;
    cJSON_ArrayForEach(item, member(c, "pretokenizers")) {
        if (st == BW_OK)
            st = bw_tok_read_pre(t, item, name, err);
    }
    return st;
}

/* --- post_processor: a template for one text and one for two ----------------------------------- */

static bw_status add_slot(bw_slot *slots, size_t *n, int32_t id, int32_t type, const char *name,
                          bw_err *err) {
    if (*n == BW_MAX_SLOTS)
        return bw_fail(err, BW_EFORMAT, "%s: the template has more than %d places", name,
                       BW_MAX_SLOTS);
    slots[(*n)++] = (bw_slot){id, type};
    return BW_OK;
}

/* The ids that a special token of a template stands for (nearly always one). */
static bw_status add_special(const cJSON *post, const cJSON *place, bw_slot *slots, size_t *n,
                             const char *name, bw_err *err) {
    const char *token = bw_json_text(place, "id", "?");
    const cJSON *type = member(place, "type_id");
    const cJSON *ids = member(member(member(post, "special_tokens"), token), "ids"), *id;
    if (!cJSON_IsArray(ids))
        return bw_fail(err, BW_EFORMAT, "%s: the template uses '%s', which it does not define",
                       name, token);
    bw_status st = BW_OK;
    cJSON_ArrayForEach(id, ids) {
        if (st == BW_OK)
            st = id->valueint < 0
                     ? refuse(name, "template token", token, err)
                     : add_slot(slots, n, id->valueint, type ? type->valueint : 0, name, err);
    }
    return st;
}

static bw_status read_template(const cJSON *post, const char *which, bw_slot *slots, size_t *n,
                               const char *name, bw_err *err) {
    const cJSON *item;
    bw_status st = BW_OK;
    *n = 0;
    cJSON_ArrayForEach(item, member(post, which)) {
        const cJSON *token = member(item, "SpecialToken"), *text = member(item, "Sequence");
        if (st != BW_OK)
            break;
        if (token) {
            st = add_special(post, token, slots, n, name, err);
        } else {
            const cJSON *type = member(text, "type_id");
            bool b = !strcmp(bw_json_text(text, "id", "A"), "B");
            st =
                add_slot(slots, n, b ? BW_TEXT_B : BW_TEXT_A, type ? type->valueint : 0, name, err);
        }
    }
    return st;
}

/* BertProcessing and RobertaProcessing name their tokens as ["[SEP]", 102]. */
static bw_status read_cls_sep(bw_tokenizer *t, const cJSON *c, bool roberta, const char *name,
                              bw_err *err) {
    const cJSON *cls_id = cJSON_GetArrayItem(member(c, "cls"), 1);
    const cJSON *sep_id = cJSON_GetArrayItem(member(c, "sep"), 1);
    bool good = cJSON_IsNumber(cls_id) && cJSON_IsNumber(sep_id) && cls_id->valueint >= 0 &&
                sep_id->valueint >= 0;
    if (!good)
        return bw_fail(err, BW_EFORMAT, "%s: the post_processor lacks its cls or sep token", name);
    int32_t cls = cls_id->valueint, sep = sep_id->valueint, b = roberta ? 0 : 1;
    const bw_slot one[] = {{cls, 0}, {BW_TEXT_A, 0}, {sep, 0}};
    const bw_slot two[] = {{cls, 0}, {BW_TEXT_A, 0}, {sep, 0}, {BW_TEXT_B, b}, {sep, b}};
    const bw_slot two_roberta[] = {{cls, 0}, {BW_TEXT_A, 0}, {sep, 0},
                                   {sep, 0}, {BW_TEXT_B, 0}, {sep, 0}};
    memcpy(t->single, one, sizeof one);
    t->n_single = 3;
    memcpy(t->pair, roberta ? two_roberta : two, roberta ? sizeof two_roberta : sizeof two);
    t->n_pair = roberta ? 6 : 5;
    return BW_OK;
}

static void plain_template(bw_tokenizer *t) {
    t->single[0] = t->pair[0] = (bw_slot){BW_TEXT_A, 0};
    t->pair[1] = (bw_slot){BW_TEXT_B, 1};
    t->n_single = 1;
    t->n_pair = 2;
}

bw_status bw_tok_read_post(bw_tokenizer *t, const cJSON *c, const char *name, bw_err *err) {
    if (!t->n_single)
        plain_template(t);
    if (is_nothing(c))
        return BW_OK;
    const char *type = bw_json_text(c, "type", "?");
    bw_status st = BW_OK;
    if (!strcmp(type, "ByteLevel"))
        return BW_OK; /* it trims offsets and nothing else */
    if (!strcmp(type, "TemplateProcessing")) {
        st = read_template(c, "single", t->single, &t->n_single, name, err);
        return st == BW_OK ? read_template(c, "pair", t->pair, &t->n_pair, name, err) : st;
    }
    if (!strcmp(type, "BertProcessing") || !strcmp(type, "RobertaProcessing"))
        return read_cls_sep(t, c, type[0] == 'R', name, err);
    if (strcmp(type, "Sequence") != 0)
        return refuse(name, "post_processor", type, err);
    const cJSON *item;
    cJSON_ArrayForEach(item, member(c, "processors")) {
        if (st == BW_OK)
            st = bw_tok_read_post(t, item, name, err);
    }
    return st;
}

/* --- decoder --------------------------------------------------------------------------------- */

bw_status bw_tok_read_decoder(bw_tokenizer *t, const cJSON *c, const char *name, bw_err *err) {
    t->decode_bytes = t->decode_wordpiece = false;
    if (is_nothing(c))
        return BW_OK;
    const char *type = bw_json_text(c, "type", "?");
    t->decode_bytes = !strcmp(type, "ByteLevel");
    t->decode_wordpiece = !strcmp(type, "WordPiece");
    if (!t->decode_bytes && !t->decode_wordpiece)
        return refuse(name, "decoder", type, err);
    t->cleanup = bw_json_flag(c, "cleanup", true);
    return BW_OK;
}
