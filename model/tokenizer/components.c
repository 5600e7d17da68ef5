/* model/tokenizer/components.c - reading the small components of a tokenizer.json: normalizer,
 * pre_tokenizer, post_processor (the decoder's are in decode_chain.c).
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

/* A new last step; NULL, with *err, when there are too many. */
static bw_norm_step *new_norm(bw_tokenizer *t, bw_norm_kind kind, const char *name, bw_err *err) {
    if (t->n_norm == BW_NORM_MAX_STEPS) {
        bw_fail(err, BW_EFORMAT, "%s: more than %d normalisation steps", name, BW_NORM_MAX_STEPS);
        return NULL;
    }
    bw_norm_step *s = &t->norm[t->n_norm++];
    *s = (bw_norm_step){.kind = kind};
    return s;
}

static bw_status add_norm(bw_tokenizer *t, bw_norm_kind kind, const char *name, bw_err *err) {
    return new_norm(t, kind, name, err) ? BW_OK : BW_EFORMAT;
}

static bw_status read_prepend(bw_tokenizer *t, const cJSON *c, const char *name, bw_err *err) {
    bw_norm_step *s = new_norm(t, BW_NORM_PREPEND, name, err);
    if (!s)
        return BW_EFORMAT;
    s->to = bw_norm_code_points(bw_json_text(c, "prepend", ""), &s->n_to);
    return s->to ? BW_OK : bw_fail_memory(err);
}

/* A plain string, or the one expression that published files use: two or more spaces. */
static bw_status read_replace(bw_tokenizer *t, const cJSON *c, const char *name, bw_err *err) {
    const char *regex = bw_json_text(member(c, "pattern"), "Regex", NULL);
    const char *text = bw_json_text(member(c, "pattern"), "String", "");
    if (regex && strcmp(regex, " {2,}") != 0)
        return refuse(name, "normalizer Replace by the pattern", regex, err);
    if (!regex && !*text)
        return refuse(name, "normalizer", "Replace of an empty string", err);
    bw_norm_step *s = new_norm(t, BW_NORM_REPLACE, name, err);
    if (!s)
        return BW_EFORMAT;
    s->run = regex != NULL;
    s->from = bw_norm_code_points(regex ? " " : text, &s->n_from);
    s->to = bw_norm_code_points(bw_json_text(c, "content", ""), &s->n_to);
    return s->from && s->to ? BW_OK : bw_fail_memory(err);
}

static bw_status read_strip(bw_tokenizer *t, const cJSON *c, const char *name, bw_err *err) {
    bw_norm_step *s = new_norm(t, BW_NORM_STRIP, name, err);
    if (!s)
        return BW_EFORMAT;
    s->left = bw_json_flag(c, "strip_left", true);
    s->right = bw_json_flag(c, "strip_right", true);
    return BW_OK;
}

/* Without a table it does nothing. */
static bw_status read_precompiled(bw_tokenizer *t, const cJSON *c, const char *name, bw_err *err) {
    const char *map = bw_json_text(c, "precompiled_charsmap", "");
    if (!*map)
        return BW_OK;
    bw_norm_step *s = new_norm(t, BW_NORM_PRECOMPILED, name, err);
    if (!s)
        return BW_EFORMAT;
    bw_status st = bw_charsmap_new(map, &s->map, err);
    return st == BW_OK ? st : bw_fail_prefix(err, st, name);
}

/* Accents are stripped if the file says so or, where it is silent, if letters are lowered. */
static bw_status bert_normalizer(bw_tokenizer *t, const cJSON *c, const char *name, bw_err *err) {
    bool lower = bw_json_flag(c, "lowercase", true);
    bool strip = bw_json_flag(c, "strip_accents", lower);
    const struct {
        bool on;
        bw_norm_kind step;
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
        bw_norm_kind step;
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
    static const struct {
        const char *type;
        bw_status (*read)(bw_tokenizer *, const cJSON *, const char *, bw_err *);
    } OTHERS[] = {{"BertNormalizer", bert_normalizer},
                  {"Prepend", read_prepend},
                  {"Replace", read_replace},
                  {"Strip", read_strip},
                  {"Precompiled", read_precompiled}};
    for (size_t i = 0; i < sizeof OTHERS / sizeof *OTHERS; i++)
        if (!strcmp(type, OTHERS[i].type))
            return OTHERS[i].read(t, c, name, err);
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
    if (t->decode_bytes || t->metaspace.on) /* set below */
        return bw_fail(err, BW_EFORMAT, "%s: a pre_tokenizer after %s is not supported", name,
                       t->metaspace.on ? "Metaspace" : "ByteLevel");
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
    if (t->metaspace.on)
        return refuse(name, "pre_tokenizer", "ByteLevel after Metaspace", err);
    t->prefix_space = bw_json_flag(c, "add_prefix_space", true);
    if (t->prefix_space && (t->n_stages || t->n_norm))
        return refuse(name, "pre_tokenizer", "ByteLevel with add_prefix_space behind other steps",
                      err);
    if (bw_json_flag(c, "use_regex", true))
        st = add_stage(t, bw_split_gpt2, name, err);
    t->decode_bytes = true;
    return st;
}

/* Old files say add_prefix_space, new ones prepend_scheme. */
static bw_status read_metaspace(bw_tokenizer *t, const cJSON *c, const char *name, bw_err *err) {
    const char *mark = bw_json_text(c, "replacement", BW_METASPACE);
    const char *scheme = bw_json_text(c, "prepend_scheme", "always");
    bool first = !strcmp(scheme, "first"), never = !strcmp(scheme, "never");
    if (t->decode_bytes || t->metaspace.on)
        return refuse(name, "pre_tokenizer", "Metaspace after ByteLevel or Metaspace", err);
    if (!*mark || strlen(mark) >= sizeof t->metaspace.mark)
        return refuse(name, "Metaspace replacement", mark, err);
    if (!first && !never && strcmp(scheme, "always") != 0)
        return refuse(name, "Metaspace prepend_scheme", scheme, err);
    never = never || !bw_json_flag(c, "add_prefix_space", true);
    t->metaspace = (bw_metaspace){.on = true,
                                  .cut = bw_json_flag(c, "split", true),
                                  .prepend = never   ? BW_PREPEND_NEVER
                                             : first ? BW_PREPEND_FIRST
                                                     : BW_PREPEND_ALWAYS};
    memcpy(t->metaspace.mark, mark, strlen(mark) + 1);
    return BW_OK;
}

bw_status bw_tok_read_pre(bw_tokenizer *t, const cJSON *c, const char *name, bw_err *err) {
    if (is_nothing(c))
        return BW_OK;
    const char *type = bw_json_text(c, "type", "?");
    if (!strcmp(type, "ByteLevel"))
        return read_byte_level(t, c, name, err);
    if (!strcmp(type, "Metaspace"))
        return read_metaspace(t, c, name, err);
    if (!strcmp(type, "WhitespaceSplit"))
        return add_stage(t, bw_split_white, name, err);
    if (!strcmp(type, "Split"))
        return read_split(t, c, name, err);
    if (!strcmp(type, "Digits"))
        return add_stage(
            t, bw_json_flag(c, "individual_digits", false) ? bw_split_digits : bw_split_digit_runs,
            name, err);
    if (!strcmp(type, "BertPreTokenizer")) {
        bw_status st = add_stage(t, bw_split_white, name, err);
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

/* --- post_processor: a template for one text and one for two ---------------------------------- */

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
