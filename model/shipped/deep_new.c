/* model/shipped/deep_new.c - what a new encoder takes from its texts: a vocabulary and its n-grams.
 *
 * The tokenizer learns from equally much text of both languages. N-grams are chosen by how far their
 * presence speaks for a sentiment: |p - n| / sqrt(p + n), p and n being the labelled positive and
 * negative texts that hold them, plus a little for being frequent at all, so that phrases of texts
 * without a label have their place too. */
#include "model/shipped/deep.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FREQUENT_BONUS 0.02 /* of sqrt(texts that hold the n-gram) */

static const char *const SPECIALS[] = {"[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", NULL};

static bw_status train_tokenizer(const bw_recipe *r, const bw_dataset *d, bw_tokenizer **out,
                                 bw_err *err) {
    size_t vocab = (size_t)bw_recipe_number(r, "tokenizer", "vocab", 16384);
    size_t most = (size_t)bw_recipe_number(r, "tokenizer", "bytes", 12e6), used[2] = {0};
    bw_trainer *tr = NULL;
    bw_units u = {0};
    bw_status st = bw_trainer_new(
        &(bw_tokenizer_training){.vocab = vocab, .specials = SPECIALS, .max_token_bytes = 24}, &tr,
        err);
    /* Every 7th text, then the next ones, until each language has its share: a mix of all corpora. */
    for (size_t lane = 0; st == BW_OK && lane < 7; lane++)
        for (size_t i = lane; st == BW_OK && i < d->n; i += 7) {
            const bw_example *e = &d->example[i];
            if (used[e->zh] > most || e->part != BW_PART_TRAIN ||
                (i >= 7 && d->example[i - 7].text == e->text))
                continue;
            st = bw_units_split(&u, e->text, strlen(e->text), BW_MAX_UNITS, err);
            if (st == BW_OK)
                st = bw_trainer_add(tr, u.n ? u.norm : "", u.norm_len, err);
            used[e->zh] += u.norm_len;
        }
    if (st == BW_OK)
        st = bw_trainer_finish(tr, out, err);
    bw_trainer_free(tr);
    bw_units_free(&u);
    return st;
}

typedef struct {
    uint64_t hash;
    uint32_t positive, negative, other;
} tally;

typedef struct {
    tally *slot;
    size_t n, cap;
} tallies;

static tally *tally_of(tallies *t, uint64_t hash) {
    size_t i = bw_mix64(hash) & (t->cap - 1);
    while (t->slot[i].hash && t->slot[i].hash != hash)
        i = (i + 1) & (t->cap - 1);
    return &t->slot[i];
}

static bool grow(tallies *t) {
    tallies b = {.n = t->n, .cap = t->cap ? 2 * t->cap : 1 << 21};
    b.slot = calloc(b.cap, sizeof *b.slot);
    if (!b.slot)
        return false;
    for (size_t i = 0; i < t->cap; i++)
        if (t->slot[i].hash)
            *tally_of(&b, t->slot[i].hash) = t->slot[i];
    free(t->slot);
    *t = b;
    return true;
}

static bool tally_text(tallies *t, const bw_grams *g, int label) {
    for (size_t i = 0; i < g->n; i++) {
        if (2 * (t->n + 1) > t->cap && !grow(t))
            return false;
        tally *x = tally_of(t, g->gram[i].hash);
        t->n += !x->hash;
        x->hash = g->gram[i].hash;
        x->positive += label == BW_POSITIVE;
        x->negative += label == BW_NEGATIVE;
        x->other += label != BW_POSITIVE && label != BW_NEGATIVE;
    }
    return true;
}

static bw_status tally_texts(const bw_dataset *d, tallies *t, bw_err *err) {
    bw_units u = {0};
    bw_grams g = {0};
    bw_status st = grow(t) ? BW_OK : bw_fail_memory(err);
    for (size_t i = 0; st == BW_OK && i < d->n; i++) {
        const bw_example *e = &d->example[i];
        if (e->part != BW_PART_TRAIN || e->task == BW_TASK_ASPECT ||
            (e->task == BW_TASK_TEXT && i % 2))
            continue;
        st = bw_interrupted() ? BW_EINTERRUPTED
                              : bw_units_split(&u, e->text, strlen(e->text), BW_MAX_UNITS, err);
        if (st == BW_OK)
            st = bw_grams_extract(&g, &u, true, err);
        if (st == BW_OK &&
            !tally_text(t, &g, e->task == BW_TASK_SENTIMENT ? e->label : BW_UNLABELLED))
            st = bw_fail_memory(err);
    }
    bw_units_free(&u);
    bw_grams_free(&g);
    return st;
}

typedef struct {
    uint64_t hash;
    double score;
} choice;

static int by_score(const void *a, const void *b) {
    const choice *x = a, *y = b;
    if (x->score != y->score)
        return x->score < y->score ? 1 : -1;
    return x->hash < y->hash ? -1 : x->hash > y->hash;
}

static bw_status choose_ngrams(const bw_recipe *r, const bw_dataset *d, bw_deep *m, bw_err *err) {
    size_t sets = (size_t)bw_recipe_number(r, "ngrams", "slots", 98304) / BW_GRAM_WAYS, n = 0;
    uint32_t min_count = (uint32_t)bw_recipe_number(r, "ngrams", "min_count", 8);
    tallies t = {0};
    bw_status st = tally_texts(d, &t, err);
    choice *c = st == BW_OK ? malloc((t.n + 1) * sizeof *c) : NULL;
    m->marks = calloc(BW_GRAM_WAYS * sets + 1, 1);
    m->table = (bw_gram_table){sets, m->marks};
    if (st == BW_OK && (!c || !m->marks))
        st = bw_fail_memory(err);
    for (size_t i = 0; st == BW_OK && i < t.cap; i++) {
        double p = t.slot[i].positive, q = t.slot[i].negative, all = p + q + t.slot[i].other;
        if (all >= min_count)
            c[n++] = (choice){t.slot[i].hash,
                              fabs(p - q) / sqrt(p + q + 1) + FREQUENT_BONUS * sqrt(all)};
    }
    if (st == BW_OK) {
        qsort(c, n, sizeof *c, by_score);
        for (size_t i = 0; i < n; i++)
            bw_gram_put(&m->table, m->marks, c[i].hash);
    }
    free(c);
    free(t.slot);
    return st;
}

static bw_status make_config(const bw_recipe *r, const bw_deep *m, bw_tf_config *config,
                             bw_err *err) {
    char json[512];
    size_t sets = 0;
    snprintf(
        json, sizeof json,
        "{\"vocab\": %zu, \"dim\": %g, \"embed\": %g, \"layers\": %g, \"heads\": %g, \"ffn\": %g, "
        "\"ngram_sets\": %zu, \"dropout\": %g}",
        bw_tokenizer_size(m->tokenizer), bw_recipe_number(r, "encoder", "dim", 128),
        bw_recipe_number(r, "encoder", "embed", 0), bw_recipe_number(r, "encoder", "layers", 3),
        bw_recipe_number(r, "encoder", "heads", 4), bw_recipe_number(r, "encoder", "ffn", 384),
        m->table.sets, bw_recipe_number(r, "encoder", "dropout", 0.1));
    return bw_deep_config_parse(json, config, &sets, err);
}

/* Layers and heads of the recipe's shape, with random weights. */
static bw_status make_layers(const bw_recipe *r, uint64_t seed, bw_deep *m, bw_err *err) {
    bw_tf_config config;
    bw_status st = make_config(r, m, &config, err);
    if (st == BW_OK)
        st = bw_transformer_new(&config, &m->tf, err);
    if (st == BW_OK)
        st = bw_readout_new(&m->heads, config.dim, err);
    if (st != BW_OK)
        return st;
    bw_transformer_init(m->tf, seed);
    bw_readout_init(&m->heads, seed + 1);
    return BW_OK;
}

bw_status bw_deep_new(const bw_recipe *r, const bw_dataset *d, uint64_t seed, bw_deep *out,
                      bw_err *err) {
    *out = (bw_deep){0};
    bw_status st = train_tokenizer(r, d, &out->tokenizer, err);
    if (st == BW_OK)
        st = choose_ngrams(r, d, out, err);
    if (st == BW_OK)
        st = make_layers(r, seed, out, err);
    if (st != BW_OK)
        bw_deep_free(out);
    return st;
}

static bw_status copy_table(const bw_params *from, bw_params *to, const char *name, bw_err *err) {
    size_t a = bw_params_find(from, name), b = bw_params_find(to, name);
    if (from->table[a].size != to->table[b].size)
        return bw_fail(err, BW_EARG,
                       "the recipe's encoder.embed must be %zu, the width of %s in these weights",
                       from->table[a].dim[1], name);
    memcpy(bw_param_data(to, b), bw_param_data(from, a), from->table[a].size * sizeof(float));
    return BW_OK;
}

bw_status bw_deep_regrow(const bw_recipe *r, uint64_t seed, bw_deep *m, bw_err *err) {
    bw_transformer *old = m->tf;
    bw_readout heads = m->heads;
    m->tf = NULL;
    m->heads = (bw_readout){0};
    bw_status st = make_layers(r, seed, m, err);
    const char *const tables[] = {"embed.token.weight", "embed.ngram.weight"};
    for (size_t i = 0; st == BW_OK && i < 2; i++)
        st = copy_table(bw_transformer_params(old), bw_transformer_params(m->tf), tables[i], err);
    bw_transformer_free(old);
    bw_readout_free(&heads);
    return st;
}
