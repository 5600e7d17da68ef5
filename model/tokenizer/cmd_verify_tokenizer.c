/* model/tokenizer/cmd_verify_tokenizer.c - bellwether model verify --tokenizer DIR CASES.json
 *
 * The cases hold texts, and for each tokenizer (a folder of that name in DIR) the ids and the
 * decoded text that the reference gives; and pairs of texts with type ids and truncation.
 * Everything must be equal. Texts are taken from utf8_hex where it is given, since JSON in C
 * cannot carry a NUL. */
#include "model/cmd_model.h"

#include "common/buf.h"
#include "common/command.h"
#include "model/tokenizer/tokenizer.h"

#include <cjson/cJSON.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_TOKENIZERS 64
#define SHOWN          5 /* differences printed for each tokenizer */

/* cJSON ends a string at NUL, so "\u0000" is read as these two noncharacters and put back. */
static const char NUL_JSON[] = "\\ufdef\\ufdee";
static const char NUL_UTF8[] = "\xEF\xB7\xAF\xEF\xB7\xAE";

typedef struct {
    char name[128];
    bw_tokenizer *t;
    size_t texts, ids_equal, decoded_equal, pairs, pairs_equal, shown;
} subject;

typedef struct {
    const char *dir;
    subject subjects[MAX_TOKENIZERS];
    size_t n;
    bw_tokens tokens;
    bw_buf notes; /* the first differences, as text */
} verifier;

/* --- reading --------------------------------------------------------------------------------- */

static char *protect_nul(const char *json, size_t len) {
    bw_buf b = {0};
    for (size_t i = 0; i < len; i++) {
        size_t run = 0;
        if (json[i] != '\\') {
            bw_buf_add_n(&b, json + i, 1);
            continue;
        }
        if (len - i >= 6 && memcmp(json + i, "\\u0000", 6) == 0) {
            bw_buf_add(&b, NUL_JSON);
            run = 6;
        } else {
            run = len - i >= 2 ? 2 : 1; /* an escaped backslash counts for itself alone */
            bw_buf_add_n(&b, json + i, run);
        }
        i += run - 1;
    }
    return bw_buf_take(&b);
}

/* The text of a JSON string with its NULs; caller frees. */
static char *restore_nul(const char *text, size_t *len) {
    bw_buf b = {0};
    const char *at;
    while ((at = strstr(text, NUL_UTF8)) != NULL) {
        bw_buf_add_n(&b, text, (size_t)(at - text));
        bw_buf_add_n(&b, "", 1);
        text = at + strlen(NUL_UTF8);
    }
    bw_buf_add(&b, text);
    *len = b.len;
    return bw_buf_take(&b);
}

static int hex_digit(char c) {
    return c >= '0' && c <= '9'                 ? c - '0'
           : (c | 32) >= 'a' && (c | 32) <= 'f' ? (c | 32) - 'a' + 10
                                                : -1;
}

static char *from_hex(const char *hex, size_t *len) {
    *len = strlen(hex) / 2;
    char *text = malloc(*len + 1);
    for (size_t i = 0; text && i < *len; i++) {
        int high = hex_digit(hex[2 * i]), low = hex_digit(hex[2 * i + 1]);
        if (high < 0 || low < 0) {
            free(text);
            return NULL;
        }
        text[i] = (char)(high << 4 | low);
    }
    return text;
}

static const char *text_member(const cJSON *object, const char *name) {
    return cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(object, name));
}

/* A case's text, caller frees; NULL: there is none. */
static char *case_text(const cJSON *c, const char *name, const char *hex_name, size_t *len) {
    const char *hex = text_member(c, hex_name), *text = text_member(c, name);
    return hex ? from_hex(hex, len) : text ? restore_nul(text, len) : NULL;
}

static bw_status find_subject(verifier *v, const char *name, subject **out, bw_err *err) {
    for (size_t i = 0; i < v->n; i++)
        if (!strcmp(v->subjects[i].name, name)) {
            *out = &v->subjects[i];
            return BW_OK;
        }
    if (v->n == MAX_TOKENIZERS || strchr(name, '/') || strlen(name) >= sizeof v->subjects[0].name)
        return bw_fail(err, BW_EFORMAT, "the cases name a tokenizer '%.60s', or too many", name);
    subject *s = *out = &v->subjects[v->n];
    snprintf(s->name, sizeof s->name, "%s", name);
    bw_buf path = {0};
    bw_buf_addf(&path, "%s/%s", v->dir, name);
    bw_status st =
        bw_buf_ok(&path) ? bw_tokenizer_load(path.text, &s->t, err) : bw_fail_memory(err);
    bw_buf_free(&path);
    v->n += st == BW_OK;
    return st;
}

/* --- comparing ------------------------------------------------------------------------------- */

/* Index of the first difference; -1: equal. */
static long differs_at(const cJSON *expected, const int32_t *ids, size_t n) {
    long i = 0;
    const cJSON *e;
    cJSON_ArrayForEach(e, expected) {
        if ((size_t)i >= n || e->valueint != ids[i])
            return i;
        i++;
    }
    return (size_t)i == n ? -1 : i;
}

static void note_ids(verifier *v, subject *s, const char *what, int id, long at,
                     const cJSON *expected) {
    if (s->shown++ >= SHOWN)
        return;
    const cJSON *e = cJSON_GetArrayItem(expected, (int)at);
    int wanted = e ? e->valueint : -1;
    int found = (size_t)at < v->tokens.n ? v->tokens.ids[at] : -1;
    const char *wanted_text = bw_tokenizer_piece(s->t, wanted);
    const char *found_text = bw_tokenizer_piece(s->t, found);
    bw_buf_addf(&v->notes, "%s: %s %d: token %ld is %d '%s', expected %d '%s'\n", s->name, what, id,
                at, found, found_text ? found_text : "", wanted, wanted_text ? wanted_text : "");
}

static bw_status check_decoded(verifier *v, subject *s, const cJSON *answer, int id, bw_err *err) {
    const char *decoded = text_member(answer, "decoded");
    s->decoded_equal += decoded == NULL; /* nothing to compare */
    if (!decoded)
        return BW_OK;
    char *text = NULL;
    size_t len, wanted_len;
    char *wanted = restore_nul(decoded, &wanted_len);
    bw_status st = bw_tokenizer_decode(s->t, v->tokens.ids, v->tokens.n, BW_DECODE_SKIP_SPECIAL,
                                       &text, &len, err);
    if (st == BW_OK && wanted && len == wanted_len && memcmp(text, wanted, len) == 0)
        s->decoded_equal++;
    else if (st == BW_OK && s->shown++ < SHOWN)
        bw_buf_addf(&v->notes, "%s: text %d decodes to '%s', expected '%s'\n", s->name, id, text,
                    decoded);
    free(text);
    free(wanted);
    return st;
}

/* One text under one tokenizer. */
static bw_status check_text(verifier *v, const cJSON *c, const cJSON *answer, int id, bw_err *err) {
    subject *s;
    size_t len;
    bw_status st = find_subject(v, answer->string, &s, err);
    if (st != BW_OK)
        return st;
    char *text = case_text(c, "text", "utf8_hex", &len);
    if (!text)
        return bw_fail(err, BW_EFORMAT, "case %d has no text, or its utf8_hex is not hexadecimal",
                       id);
    st = bw_tokenizer_encode(s->t, text, len, NULL, &v->tokens, err);
    free(text);
    if (st != BW_OK)
        return st;
    const cJSON *ids = cJSON_GetObjectItemCaseSensitive(answer, "ids");
    long at = differs_at(ids, v->tokens.ids, v->tokens.n);
    s->texts++;
    s->ids_equal += at < 0;
    if (at >= 0)
        note_ids(v, s, "text", id, at, ids);
    return check_decoded(v, s, answer, id, err);
}

static bw_status check_texts(verifier *v, const cJSON *cases, bw_err *err) {
    const cJSON *c, *answer;
    int id = 0;
    cJSON_ArrayForEach(c, cases) {
        const cJSON *number = cJSON_GetObjectItemCaseSensitive(c, "id");
        int shown_id = number ? number->valueint : id;
        cJSON_ArrayForEach(answer, c) {
            if (!cJSON_IsArray(cJSON_GetObjectItemCaseSensitive(answer, "ids")))
                continue;
            bw_status st = check_text(v, c, answer, shown_id, err);
            if (st != BW_OK)
                return st;
        }
        id++;
    }
    return BW_OK;
}

static bw_status pair_options(const cJSON *c, bw_encode_options *how, bw_err *err) {
    const cJSON *max = cJSON_GetObjectItemCaseSensitive(c, "max_length");
    const char *name = text_member(c, "truncation");
    static const char *const NAMES[] = {"longest_first", "only_first", "only_second"};
    if (cJSON_IsNumber(max) && max->valueint > 0 && name)
        how->max_tokens = (size_t)max->valueint;
    if (!name)
        return BW_OK;
    for (size_t i = 0; i < 3; i++)
        if (!strcmp(name, NAMES[i])) {
            how->truncation = (bw_truncation)i;
            return BW_OK;
        }
    return bw_fail(err, BW_EFORMAT, "the cases ask for truncation '%.40s'", name);
}

static bool pair_equal(verifier *v, subject *s, const cJSON *c, bw_status st, int id) {
    const cJSON *ids = cJSON_GetObjectItemCaseSensitive(c, "ids");
    const cJSON *types = cJSON_GetObjectItemCaseSensitive(c, "token_type_ids");
    if (!ids) { /* an error is expected */
        if (st != BW_EDATA && s->shown++ < SHOWN)
            bw_buf_addf(&v->notes, "%s: pair %d is truncated, expected a refusal\n", s->name, id);
        return st == BW_EDATA;
    }
    if (st != BW_OK) {
        if (s->shown++ < SHOWN)
            bw_buf_addf(&v->notes, "%s: pair %d is refused\n", s->name, id);
        return false;
    }
    long at = differs_at(ids, v->tokens.ids, v->tokens.n);
    if (at >= 0)
        note_ids(v, s, "pair", id, at, ids);
    long type_at = types ? differs_at(types, v->tokens.types, v->tokens.n) : -1;
    if (type_at >= 0 && s->shown++ < SHOWN)
        bw_buf_addf(&v->notes, "%s: pair %d: token %ld has another type\n", s->name, id, type_at);
    return at < 0 && type_at < 0;
}

static bw_status check_pair(verifier *v, const cJSON *c, int id, bw_err *err) {
    subject *s;
    bw_encode_options how = {0};
    const char *name = text_member(c, "tokenizer");
    size_t a_len, b_len;
    bw_status st = name ? find_subject(v, name, &s, err)
                        : bw_fail(err, BW_EFORMAT, "pair %d names no tokenizer", id);
    if (st == BW_OK)
        st = pair_options(c, &how, err);
    if (st != BW_OK)
        return st;
    char *a = case_text(c, "text_a", "utf8_hex_a", &a_len);
    char *b = case_text(c, "text_b", "utf8_hex_b", &b_len);
    if (a && b) {
        bw_err why;
        st = bw_tokenizer_encode_pair(s->t, a, a_len, b, b_len, &how, &v->tokens, &why);
        s->pairs++;
        s->pairs_equal += pair_equal(v, s, c, st, id);
        st = BW_OK;
    } else {
        st = bw_fail(err, BW_EFORMAT, "pair %d lacks text_a or text_b", id);
    }
    free(a);
    free(b);
    return st;
}

static bw_status check_pairs(verifier *v, const cJSON *pairs, bw_err *err) {
    const cJSON *c;
    int id = 0;
    cJSON_ArrayForEach(c, pairs) {
        bw_status st = check_pair(v, c, id++, err);
        if (st != BW_OK)
            return st;
    }
    return BW_OK;
}

/* --- reporting ------------------------------------------------------------------------------- */

static bool passes(const subject *s) {
    return s->ids_equal == s->texts && s->decoded_equal == s->texts && s->pairs_equal == s->pairs;
}

static bool all_pass(const verifier *v) {
    bool good = v->n > 0;
    for (size_t i = 0; i < v->n; i++)
        good = good && passes(&v->subjects[i]);
    return good;
}

static void print_json(const verifier *v) {
    cJSON *root = cJSON_CreateObject(), *list = cJSON_AddArrayToObject(root, "tokenizers");
    for (size_t i = 0; i < v->n; i++) {
        const subject *s = &v->subjects[i];
        cJSON *o = cJSON_CreateObject();
        cJSON_AddStringToObject(o, "name", s->name);
        cJSON_AddNumberToObject(o, "texts", (double)s->texts);
        cJSON_AddNumberToObject(o, "ids_equal", (double)s->ids_equal);
        cJSON_AddNumberToObject(o, "decoded_equal", (double)s->decoded_equal);
        cJSON_AddNumberToObject(o, "pairs", (double)s->pairs);
        cJSON_AddNumberToObject(o, "pairs_equal", (double)s->pairs_equal);
        cJSON_AddBoolToObject(o, "pass", passes(s));
        cJSON_AddItemToArray(list, o);
    }
    cJSON_AddBoolToObject(root, "pass", all_pass(v));
    char *text = cJSON_Print(root);
    puts(text ? text : "{}");
    cJSON_free(text);
    cJSON_Delete(root);
}

static void print_table(const verifier *v) {
    printf("%-18s %6s %10s %14s %6s %12s\n", "tokenizer", "texts", "ids equal", "decoded equal",
           "pairs", "pairs equal");
    for (size_t i = 0; i < v->n; i++) {
        const subject *s = &v->subjects[i];
        printf("%-18s %6zu %10zu %14zu %6zu %12zu  %s\n", s->name, s->texts, s->ids_equal,
               s->decoded_equal, s->pairs, s->pairs_equal, passes(s) ? "pass" : "DIFFERS");
    }
}

/* --- the command ----------------------------------------------------------------------------- */

static bw_status read_cases(const char *path, cJSON **out, bw_err *err) {
    char *text;
    size_t len;
    *out = NULL;
    bw_status st = bw_file_read(path, (size_t)1 << 28, &text, &len, err);
    if (st != BW_OK)
        return st;
    char *safe = protect_nul(text, len);
    *out = safe ? cJSON_Parse(safe) : NULL;
    free(safe);
    free(text);
    return *out ? BW_OK : bw_fail(err, BW_EFORMAT, "%s: not valid JSON", path);
}

static bw_status verify(verifier *v, const char *path, bw_err *err) {
    cJSON *root;
    bw_status st = read_cases(path, &root, err);
    if (st == BW_OK)
        st = check_texts(v, cJSON_GetObjectItemCaseSensitive(root, "cases"), err);
    const cJSON *list;
    cJSON_ArrayForEach(list, root) { /* "bert_pairs" */
        size_t n = strlen(list->string);
        if (st == BW_OK && n >= 5 && !strcmp(list->string + n - 5, "pairs"))
            st = check_pairs(v, list, err);
    }
    cJSON_Delete(root);
    if (st == BW_OK && v->n == 0)
        st = bw_fail(err, BW_EFORMAT, "%s: it holds no tokenizer cases", path);
    return st;
}

bw_status bw_cmd_verify_tokenizer(int argc, char **argv, bw_err *err) {
    const char *dir = NULL;
    bool json = false;
    const bw_option options[] = {
        {"tokenizer", 0, BW_OPT_TEXT, &dir, "DIR", "folder with one folder per tokenizer"},
        BW_OPTION_JSON(json),
        {0}};
    const bw_usage usage = {"model verify --tokenizer DIR CASES.json [--json]",
                            "Compares ids, decoded texts and pairs with those of the reference, "
                            "which must all be equal; exit status 1 when one is not.",
                            "  bellwether model verify --tokenizer tokenizers cases.json\n"};
    bw_status st = bw_options_parse(&usage, options, &argc, &argv, err);
    if (st != BW_OK)
        return st;
    if (!dir || argc != 1)
        return bw_fail(err, BW_EUSAGE, "usage: bellwether %s", usage.usage);
    verifier v = {.dir = dir};
    st = verify(&v, argv[0], err);
    if (st == BW_OK) {
        (json ? print_json : print_table)(&v);
        if (!all_pass(&v)) {
            fputs(v.notes.text ? v.notes.text : "", stderr);
            st = BW_EMISMATCH;
        }
    }
    for (size_t i = 0; i < v.n; i++)
        bw_tokenizer_free(v.subjects[i].t);
    bw_tokens_free(&v.tokens);
    bw_buf_free(&v.notes);
    return st;
}
