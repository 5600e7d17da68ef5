/* model/tokenizer/cmd_verify_processors.c - bellwether model verify --processors FILE.json
 *
 * The file holds vectors of logits and for each some chains of processors with the tokens that the
 * reference keeps, their processed scores and probabilities. Kept tokens must be equal; where the
 * file notes that a tie makes the choice depend on the sort, their number and mass must be. */
#include "model/cmd_model.h"

#include "common/buf.h"
#include "model/generate/sample.h"

#include <cjson/cJSON.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Tolerances of the reference file's description: logits, and probabilities. */
#define LOGIT_ABS       2e-5
#define LOGIT_REL       1e-5
#define PROBABILITY_ABS 5e-6

typedef struct {
    size_t cases, kept_equal, passed;
    double worst_logit, worst_probability;
} tally;

typedef struct {
    float *x;
    size_t n;
    int32_t *ids;
    size_t n_ids;
} input;

static const cJSON *member(const cJSON *object, const char *name) {
    return cJSON_GetObjectItemCaseSensitive(object, name);
}

static void input_free(input *in) {
    free(in->x);
    free(in->ids);
}

static bw_status read_input(const cJSON *vector, const cJSON *c, input *in, bw_err *err) {
    const cJSON *logits = member(vector, "logits"), *ids = member(c, "input_ids"), *e;
    *in =
        (input){.n = (size_t)cJSON_GetArraySize(logits), .n_ids = (size_t)cJSON_GetArraySize(ids)};
    if (!in->n)
        return bw_fail(err, BW_EFORMAT, "a vector has no logits");
    in->x = malloc(in->n * sizeof *in->x);
    in->ids = malloc((in->n_ids + 1) * sizeof *in->ids);
    if (!in->x || !in->ids)
        return bw_fail_memory(err);
    size_t i = 0;
    cJSON_ArrayForEach(e, logits) {
        in->x[i++] = (float)e->valuedouble;
    }
    i = 0;
    cJSON_ArrayForEach(e, ids) {
        in->ids[i++] = e->valueint;
    }
    return BW_OK;
}

/* Whether the kept tokens are exactly those listed. */
static bool same_tokens(const cJSON *kept, const float *x, size_t n) {
    size_t count = 0;
    const cJSON *e;
    cJSON_ArrayForEach(e, kept) {
        if (e->valueint < 0 || (size_t)e->valueint >= n || !(x[e->valueint] > -INFINITY))
            return false;
        count++;
    }
    for (size_t i = 0; i < n; i++)
        count -= x[i] > -INFINITY;
    return count == 0;
}

/* Largest differences over the listed tokens; false when one is beyond the tolerances. */
static bool same_values(const cJSON *c, const float *x, size_t n, tally *t) {
    const cJSON *logit = member(c, "processed_logits_of_kept");
    const cJSON *probability = member(c, "probabilities_of_kept"), *e;
    logit = logit ? logit->child : NULL;
    probability = probability ? probability->child : NULL;
    double top = -INFINITY, total = 0;
    for (size_t i = 0; i < n; i++)
        top = fmax(top, (double)x[i]);
    for (size_t i = 0; i < n; i++)
        total += exp((double)x[i] - top);
    bool good = true;
    cJSON_ArrayForEach(e, member(c, "kept")) {
        double value = (double)x[e->valueint];
        if (logit) {
            double d = fabs(value - logit->valuedouble);
            t->worst_logit = fmax(t->worst_logit, d);
            good = good && d <= LOGIT_ABS + LOGIT_REL * fabs(logit->valuedouble);
            logit = logit->next;
        }
        if (probability) {
            double d = fabs(exp(value - top) / total - probability->valuedouble);
            t->worst_probability = fmax(t->worst_probability, d);
            good = good && d <= PROBABILITY_ABS;
            probability = probability->next;
        }
    }
    return good;
}

/* For ties: as many tokens, and the same multiset of scores, in any order. */
static bool same_count(const cJSON *c, const float *x, size_t n) {
    int count = 0;
    double sum = 0, wanted = 0;
    const cJSON *e;
    for (size_t i = 0; i < n; i++)
        if (x[i] > -INFINITY) {
            count++;
            sum += exp((double)x[i]);
        }
    cJSON_ArrayForEach(e, member(c, "processed_logits_of_kept")) {
        wanted += exp(e->valuedouble);
    }
    return count == cJSON_GetArraySize(member(c, "kept")) &&
           fabs(sum - wanted) <= PROBABILITY_ABS * wanted;
}

static bw_status check_case(const cJSON *vector, const cJSON *c, tally *t, bw_err *err) {
    const char *chain = cJSON_GetStringValue(member(c, "processors"));
    bw_processors p = {0};
    input in = {0};
    bw_sampler *s = NULL;
    bw_status st = bw_processors_parse(&p, chain ? chain : "", err);
    if (st == BW_OK)
        st = read_input(vector, c, &in, err);
    if (st == BW_OK && !(s = bw_sampler_new(in.n)))
        st = bw_fail_memory(err);
    if (st == BW_OK) {
        bw_history h = {.ids = in.ids, .n = in.n_ids};
        bw_sampler_apply(s, &p, &h, in.x);
        bool same = same_tokens(member(c, "kept"), in.x, in.n);
        bool good =
            same ? same_values(c, in.x, in.n, t) : member(c, "note") && same_count(c, in.x, in.n);
        t->cases++;
        t->kept_equal += same;
        t->passed += good;
        if (!good)
            fprintf(stderr, "%s: %s: the result differs\n",
                    cJSON_GetStringValue(member(vector, "name")), chain);
    }
    bw_sampler_free(s);
    input_free(&in);
    return st;
}

static bw_status check_all(const cJSON *root, tally *t, bw_err *err) {
    const cJSON *vector, *c;
    cJSON_ArrayForEach(vector, member(root, "vectors")) {
        cJSON_ArrayForEach(c, member(vector, "cases")) {
            bw_status st = check_case(vector, c, t, err);
            if (st != BW_OK)
                return st;
        }
    }
    return t->cases ? BW_OK : bw_fail(err, BW_EFORMAT, "the file holds no cases");
}

static void print_result(const tally *t, bool json) {
    bool pass = t->passed == t->cases;
    if (json)
        printf(
            "{\"cases\": %zu, \"kept_equal\": %zu, \"passed\": %zu, \"max_abs_diff_logits\": %.3g, "
            "\"max_abs_diff_probabilities\": %.3g, \"pass\": %s}\n",
            t->cases, t->kept_equal, t->passed, t->worst_logit, t->worst_probability,
            pass ? "true" : "false");
    else
        printf("%zu cases, kept tokens equal in %zu, largest difference of a logit %.2g, of a "
               "probability %.2g: %s\n",
               t->cases, t->kept_equal, t->worst_logit, t->worst_probability,
               pass ? "pass" : "DIFFERS");
}

static bw_status verify(const char *path, tally *t, bw_err *err) {
    char *text;
    size_t len;
    bw_status st = bw_file_read(path, (size_t)1 << 28, &text, &len, err);
    if (st != BW_OK)
        return st;
    cJSON *root = cJSON_ParseWithLength(text, len);
    free(text);
    st = root ? check_all(root, t, err) : bw_fail(err, BW_EFORMAT, "not valid JSON");
    cJSON_Delete(root);
    return st == BW_OK ? st : bw_fail_prefix(err, st, path);
}

bw_status bw_cmd_verify_processors(int argc, char **argv, bw_err *err) {
    const char *path = NULL;
    bool json = false;
    const bw_option options[] = {
        {"processors", 0, BW_OPT_TEXT, &path, "FILE", "vectors, chains and what they keep"},
        BW_OPTION_JSON(json),
        {0}};
    const bw_usage usage = {
        "model verify --processors FILE.json [--json]",
        "Compares what chains of logits processors keep with the reference; exit "
        "status 1 when one differs.",
        "  bellwether model verify --processors logits_processors.json\n"};
    bw_status st = bw_options_parse(&usage, options, &argc, &argv, err);
    if (st != BW_OK)
        return st;
    if (!path || argc != 0)
        return bw_fail(err, BW_EUSAGE, "usage: bellwether %s", usage.usage);
    tally t = {0};
    st = verify(path, &t, err);
    if (st == BW_OK) {
        print_result(&t, json);
        st = t.passed == t.cases ? BW_OK : BW_EMISMATCH;
    }
    return st;
}
