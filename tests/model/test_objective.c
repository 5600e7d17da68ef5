/* Losses and heads: gradients against differences, labels, and models that learn a tiny corpus by
 * heart. */
#include "model/core/objective.h"
#include "model/core/optimizer.h"
#include "tests/model/shapes.h"

static bw_err err;

/* ---- losses on scores ---- */

/* The derivative of f(data) with respect to *x by central differences. */
static double quotient(float *x, float h, double (*f)(void *data), void *data) {
    float saved = *x;
    *x = saved + h;
    double up = f(data), moved = (double)*x;
    *x = saved - h;
    double down = f(data);
    moved -= (double)*x;
    *x = saved;
    return (up - down) / moved;
}

static void test_cross_entropy_by_hand(void **state) {
    (void)state;
    const float logits[] = {1, 2, 4, 0, 0, 0, 9, 9, 9};
    const int32_t labels[] = {1, 2, BW_IGNORE};
    float d[9];
    /* Row 1: log(e^1 + e^2 + e^4) - 2; row 2: log 3; row 3 is ignored. */
    double first = log(exp(1) + exp(2) + exp(4)) - 2;
    CHECK_NEAR(bw_cross_entropy(d, logits, labels, 3, 3, 0, 1), first + log(3), 1e-6);
    CHECK_NEAR((double)d[5], 1.0 / 3 - 1, 1e-6);
    assert_true(d[6] == 0 && d[8] == 0);
    /* Smoothed: 0.7 of the label's loss and 0.3 of the mean loss of all three. */
    double lse = log(exp(1) + exp(2) + exp(4));
    CHECK_NEAR(bw_cross_entropy(NULL, logits, labels, 1, 3, 0.3f, 1),
               0.7 * (lse - 2) + 0.3 * (lse - 7.0 / 3), 1e-6);
}

/* Scores and targets of the losses below. */
typedef struct {
    float x[12], soft[12], multi[12];
    int32_t labels[3];
} scores;

static double hard_loss(void *data) {
    scores *s = data;
    return bw_cross_entropy(NULL, s->x, s->labels, 3, 4, 0.1f, 1);
}

static double soft_loss(void *data) {
    scores *s = data;
    return bw_cross_entropy_soft(NULL, s->x, s->soft, 3, 4, 1);
}

static double multi_loss(void *data) {
    scores *s = data;
    size_t counted;
    return bw_binary_cross_entropy(NULL, s->x, s->multi, 3, 4, 1, &counted);
}

static void test_loss_gradients(void **state) {
    (void)state;
    scores s = {.labels = {2, 0, 3}};
    float d[12];
    size_t counted;
    for (size_t i = 0; i < 12; i++) {
        s.x[i] = (float)sin((double)i) * 2;
        s.soft[i] = (float)(i % 4 + 1) / 10;
        s.multi[i] = i % 5 == 4 ? -1 : (float)(i % 3) / 2;
    }
    bw_cross_entropy(d, s.x, s.labels, 3, 4, 0.1f, 0.5f);
    for (size_t i = 0; i < 12; i++)
        CHECK_NEAR((double)d[i], 0.5 * quotient(&s.x[i], 1e-2f, hard_loss, &s), 1e-4);
    bw_cross_entropy_soft(d, s.x, s.soft, 3, 4, 2);
    for (size_t i = 0; i < 12; i++)
        CHECK_NEAR((double)d[i], 2 * quotient(&s.x[i], 1e-2f, soft_loss, &s), 1e-4);
    bw_binary_cross_entropy(d, s.x, s.multi, 3, 4, 1, &counted);
    assert_int_equal(counted, 10);
    for (size_t i = 0; i < 12; i++)
        CHECK_NEAR((double)d[i], quotient(&s.x[i], 1e-2f, multi_loss, &s), 1e-4);
}

static void test_binary_loss_of_extreme_scores(void **state) {
    (void)state;
    const float x[] = {200, -200}, wrong[] = {0, 1};
    size_t counted;
    CHECK_NEAR(bw_binary_cross_entropy(NULL, x, wrong, 1, 2, 1, &counted), 400, 1e-9);
}

enum { PAIRS = 3, DIM = 5 };
typedef struct {
    float a[PAIRS * DIM], b[PAIRS * DIM], da[PAIRS * DIM], db[PAIRS * DIM];
    float scratch[PAIRS * PAIRS + 2 * PAIRS * DIM + 4 * PAIRS];
} pairs;

static double pair_loss(void *data) {
    pairs *p = data;
    return bw_contrastive(NULL, NULL, p->a, p->b, PAIRS, DIM, 0.5f, 1, p->scratch);
}

static void test_contrastive(void **state) {
    (void)state;
    pairs p = {0};
    for (size_t i = 0; i < PAIRS * DIM; i++) {
        p.a[i] = (float)sin(3.0 * (double)i);
        p.b[i] = (float)cos((double)i) + 0.3f * p.a[i];
    }
    bw_contrastive(p.da, p.db, p.a, p.b, PAIRS, DIM, 0.5f, 1, p.scratch);
    for (size_t i = 0; i < PAIRS * DIM; i++) {
        CHECK_NEAR((double)p.da[i], quotient(&p.a[i], 1e-2f, pair_loss, &p), 2e-4);
        CHECK_NEAR((double)p.db[i], quotient(&p.b[i], 1e-2f, pair_loss, &p), 2e-4);
    }
    /* Equal pairs, orthogonal to all others: each row's loss is log(1 + 2 e^(-1/t)). */
    memset(p.a, 0, sizeof p.a);
    for (size_t i = 0; i < PAIRS; i++)
        p.a[i * DIM + i] = 2;
    memcpy(p.b, p.a, sizeof p.a);
    CHECK_NEAR(pair_loss(&p), log(1 + 2 * exp(-1 / 0.5)), 1e-6);
}

/* ---- masking ---- */

static void test_masking_shares(void **state) {
    (void)state;
    enum { SEQS = 400, LEN = 50 };
    int32_t *ids = malloc(SEQS * LEN * sizeof *ids), *labels = malloc(SEQS * LEN * sizeof *labels);
    size_t start[SEQS + 1];
    bool special[100] = {[1] = true, [2] = true};
    for (size_t i = 0; i <= SEQS; i++)
        start[i] = i * LEN;
    for (size_t i = 0; i < SEQS * LEN; i++)
        ids[i] = i % LEN == 0 ? 1 : i % LEN == LEN - 1 ? 2 : (int32_t)(10 + i % 80);
    bw_batch b = {.ids = ids, .start = start, .n_seq = SEQS, .n_tokens = SEQS * LEN};
    bw_mlm m = {
        .rate = 0.15, .mask = 4, .vocab = 100, .first_word = 5, .special = special, .seed = 3};
    size_t chosen = bw_mlm_mask(&m, &b, ids, labels), masked = 0, same = 0, n = 0;
    for (size_t i = 0; i < SEQS * LEN; i++) {
        assert_true(!special[ids[i]] || labels[i] == BW_IGNORE);
        assert_in_range(ids[i], 1, 99);
        if (labels[i] < 0)
            continue;
        n++;
        masked += ids[i] == 4;
        same += ids[i] == labels[i];
    }
    assert_int_equal(n, chosen);
    /* 48 of 50 tokens can be chosen; four standard errors of a share of 19200 and of 2880 draws. */
    CHECK_NEAR((double)chosen / (SEQS * 48), 0.15, 4 * sqrt(0.15 * 0.85 / (SEQS * 48)));
    CHECK_NEAR((double)masked / (double)chosen, 0.8, 4 * sqrt(0.16 / (double)chosen));
    CHECK_NEAR((double)same / (double)chosen, 0.1 + 0.1 / 95, 4 * sqrt(0.09 / (double)chosen));
    free(ids), free(labels);
}

static void test_masking_leaves_no_sequence_without_a_label(void **state) {
    (void)state;
    int32_t ids[] = {7, 8, 9, 7}, labels[4];
    const size_t start[] = {0, 1, 2, 4};
    bw_batch b = {.ids = ids, .start = start, .n_seq = 3, .n_tokens = 4};
    bw_mlm m = {.rate = 0, .mask = 4, .vocab = 10, .first_word = 5, .seed = 1};
    assert_int_equal(bw_mlm_mask(&m, &b, ids, labels), 3);
    assert_true(labels[0] == 7 && labels[1] == 8);
}

/* ---- heads: the gradient of the loss with respect to the model's parameters and hidden states
 * ---- */

typedef struct {
    bw_transformer *t;
    bw_objective *o;
    sample s;
    float hidden[32 * 12], d[32 * 12];
    int32_t labels[32];
    int kind; /* 0 tokens, 1 classes, 2 classes soft, 3 NSP */
} head_fixture;

static double head_loss(head_fixture *f, float *d) {
    double loss = 0;
    static const float SOFT[] = {0.2f, 0.5f, 0.3f, 0, 1, 0};
    bw_targets targets = {
        .labels = f->kind == 2 ? NULL : f->labels, .soft = SOFT, .smoothing = 0.1f};
    if (f->kind == 0)
        CHECK_OK(bw_loss_tokens(f->t, f->o, f->hidden, f->labels, f->s.batch.n_tokens, 0.1f, 1.5,
                                &loss, NULL, NULL, d, &err));
    else if (f->kind == 3)
        CHECK_OK(bw_loss_nsp(f->t, f->o, &f->s.batch, f->hidden, &targets, 1.5, &loss, d, &err));
    else
        CHECK_OK(
            bw_loss_classes(f->t, f->o, &f->s.batch, f->hidden, &targets, 1.5, &loss, d, &err));
    return 1.5 * loss;
}

static double head_loss_alone(void *data) {
    return head_loss(data, NULL);
}

static void check_head(const bw_tf_config *c, int kind) {
    head_fixture *f = calloc(1, sizeof *f);
    f->kind = kind;
    CHECK_OK(bw_transformer_new(c, &f->t, &err));
    bw_transformer_init(f->t, 4);
    f->o = bw_objective_new();
    fill_sample(&f->s, c, (size_t[]){5, 3, 0}, 4);
    size_t n = f->s.batch.n_tokens * c->dim;
    for (size_t i = 0; i < n; i++)
        f->hidden[i] = (float)sin(1.7 * (double)i);
    for (size_t i = 0; i < f->s.batch.n_tokens; i++)
        f->labels[i] = kind ? (int32_t)(i % 2) : i % 3 == 1 ? BW_IGNORE : (int32_t)(5 * i % 37);
    head_loss(f, f->d);
    for (size_t i = 0; i < n; i += 5)
        CHECK_NEAR((double)f->d[i], quotient(&f->hidden[i], 1e-2f, head_loss_alone, f), 1e-3);
    bw_params *p = bw_transformer_params(f->t);
    for (size_t i = 0; i < p->n; i++)
        for (size_t j = 0; j < p->table[i].size && !(p->table[i].flags & BW_PARAM_FIXED); j += 7) {
            float *w = bw_param_data(p, i);
            double q = quotient(&w[j], 1e-2f, head_loss_alone, f);
            if (fabs((double)bw_param_grad(p, i)[j] - q) > 1e-3)
                fail_msg("kind %d, %s[%zu]: %g, quotient %g", kind, p->table[i].name, j,
                         (double)bw_param_grad(p, i)[j], q);
        }
    bw_transformer_free(f->t);
    bw_objective_free(f->o);
    free(f);
}

static bw_tf_config with_heads(const char *name) {
    for (size_t i = 0; i < N_SHAPES; i++)
        if (strcmp(SHAPES[i].name, name) == 0)
            return SHAPES[i].config;
    fail_msg("no shape %s", name);
    return SHAPES[0].config;
}

static void test_head_gradients(void **state) {
    (void)state;
    bw_tf_config c = with_heads("bert");
    c.pooler = c.nsp = c.mlm = c.tied = true;
    c.pooler_act = BW_ACT_TANH;
    c.labels = 3;
    for (int kind = 0; kind < 4; kind++)
        check_head(&c, kind);
    c.tied = c.pooler = c.nsp = false;
    check_head(&c, 0);
    check_head(&c, 1);
    bw_tf_config lm = with_heads("t5");
    lm.lm = lm.tied = true;
    lm.lm_scale = 0.3f;
    check_head(&lm, 0);
    lm = with_heads("bart");
    lm.lm = lm.lm_bias = true;
    check_head(&lm, 0);
}

static void test_wrong_heads_and_labels_are_refused(void **state) {
    (void)state;
    head_fixture f = {0};
    double loss;
    CHECK_OK(bw_transformer_new(&SHAPES[0].config, &f.t, &err));
    f.o = bw_objective_new();
    fill_sample(&f.s, &SHAPES[0].config, (size_t[]){4, 0}, 4);
    CHECK_FAILS(bw_head_classes(f.t, f.o, &f.s.batch, f.hidden, f.d, &err), BW_EARG, "no such");
    CHECK_FAILS(
        bw_loss_tokens(f.t, f.o, f.hidden, f.labels, 4, 0, 1, &loss, NULL, NULL, NULL, &err),
        BW_EARG, "no head");
    f.labels[2] = 37;
    CHECK_FAILS(
        bw_loss_tokens(f.t, f.o, f.hidden, f.labels, 4, 0, 1, &loss, NULL, NULL, NULL, &err),
        BW_EARG, "label 37");
    bw_transformer_free(f.t);
    bw_objective_free(f.o);
}

/* ---- by heart ---- */

/* Trains on one batch until the loss is below `enough`; returns the last loss. */
static double memorise(const bw_tf_config *config, const bw_batch *in, const bw_batch *target,
                       const int32_t *labels, size_t n_labels, int steps) {
    bw_transformer *t = NULL;
    bw_optimizer *o = NULL;
    bw_objective *head = bw_objective_new();
    bw_tf_workspace *ws = bw_tf_workspace_new();
    CHECK_OK(bw_transformer_new(config, &t, &err));
    bw_transformer_init(t, 1);
    CHECK_OK(bw_optimizer_new(&(bw_adamw){.lr = 0.02, .clip = 1, .warmup = 10}, &o, &err));
    CHECK_OK(bw_optimizer_add(o, "t", bw_transformer_params(t), (bw_group){0}, &err));
    float *d = malloc(n_labels * config->dim * sizeof *d);
    double loss = 0;
    for (int k = 0; k < steps; k++) {
        CHECK_OK(bw_transformer_forward(t, ws, in, target, &(bw_tf_mode){.train = true}, &err));
        memset(d, 0, n_labels * config->dim * sizeof *d);
        CHECK_OK(bw_loss_tokens(t, head, bw_tf_hidden(ws), labels, n_labels, 0, 1, &loss, NULL,
                                NULL, d, &err));
        CHECK_OK(bw_transformer_backward(t, ws, d, &err));
        CHECK_OK(bw_optimizer_step(o, NULL, &err));
    }
    free(d);
    bw_transformer_free(t);
    bw_optimizer_free(o);
    bw_objective_free(head);
    bw_tf_workspace_free(ws);
    return loss;
}

static void test_mlm_learns_by_heart(void **state) {
    (void)state;
    bw_tf_config c = with_heads("bert");
    c.mlm = c.tied = true;
    c.init_std = 0.1f;
    sample s;
    int32_t labels[64];
    fill_sample(&s, &c, (size_t[]){12, 9, 15, 0}, 3);
    bw_mlm m = {.rate = 0.3, .mask = 0, .vocab = 37, .first_word = 1, .seed = 2};
    bw_mlm_mask(&m, &s.batch, s.ids, labels);
    assert_true(memorise(&c, &s.batch, NULL, labels, s.batch.n_tokens, 150) < 0.02);
}

static void test_causal_learns_by_heart(void **state) {
    (void)state;
    const char *const names[] = {"gpt2", "llama"};
    for (size_t i = 0; i < 2; i++) {
        bw_tf_config c = with_heads(names[i]);
        c.lm = true;
        c.init_std = 0.1f;
        sample s;
        int32_t labels[64];
        fill_sample(&s, &c, (size_t[]){12, 9, 15, 0}, 3);
        for (size_t k = 0; k < 3; k++) /* the first token says which text it is */
            s.ids[s.start[k]] = (int32_t)k;
        bw_causal_labels(&s.batch, labels);
        assert_true(memorise(&c, &s.batch, NULL, labels, s.batch.n_tokens, 200) < 0.02);
    }
}

static void test_seq2seq_learns_by_heart(void **state) {
    (void)state;
    const char *const names[] = {"bart", "t5"};
    for (size_t i = 0; i < 2; i++) {
        bw_tf_config c = with_heads(names[i]);
        c.lm = true;
        c.init_std = 0.1f;
        sample in, out;
        int32_t labels[64];
        fill_sample(&in, &c, (size_t[]){6, 4, 8, 0}, 3);
        fill_sample(&out, &c, (size_t[]){5, 7, 6, 0}, 4);
        bw_causal_labels(&out.batch, labels);
        for (size_t k = 0; k < 3; k++) { /* all begin alike: only the source tells them apart */
            out.ids[out.start[k]] = 0;
            labels[out.start[k + 1] - 1] = 1;
        }
        double loss =
            memorise(&c, &in.batch, &out.batch, labels, out.batch.n_tokens, i ? 300 : 200);
        if (!(loss < 0.03))
            fail_msg("%s: the loss is still %g", names[i], loss);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cross_entropy_by_hand),
        cmocka_unit_test(test_loss_gradients),
        cmocka_unit_test(test_binary_loss_of_extreme_scores),
        cmocka_unit_test(test_contrastive),
        cmocka_unit_test(test_masking_shares),
        cmocka_unit_test(test_masking_leaves_no_sequence_without_a_label),
        cmocka_unit_test(test_head_gradients),
        cmocka_unit_test(test_wrong_heads_and_labels_are_refused),
        cmocka_unit_test(test_mlm_learns_by_heart),
        cmocka_unit_test(test_causal_learns_by_heart),
        cmocka_unit_test(test_seq2seq_learns_by_heart),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
