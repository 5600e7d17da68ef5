/* Every gradient of every kind of transformer against central differences.
 *
 * The loss is a fixed random linear form of the hidden states. For each tensor the derivative along
 * a random direction, and along the gradient itself, must equal the difference quotient. */
#include "tests/model/shapes.h"

#define STEP 4e-3

typedef struct {
    bw_transformer *t;
    bw_tf_workspace *ws;
    sample source, target;
    bool two;
    bw_tf_mode mode;
    float *form; /* [n_out, dim] */
    size_t n_out;
} fixture;

static bw_err err;

static const bw_batch *target_of(fixture *f) {
    return f->two ? &f->target.batch : NULL;
}

static double loss(fixture *f) {
    CHECK_OK(bw_transformer_forward(f->t, f->ws, &f->source.batch, target_of(f), &f->mode, &err));
    const float *h = bw_tf_hidden(f->ws);
    double sum = 0;
    for (size_t i = 0; i < f->n_out * bw_transformer_config(f->t)->dim; i++)
        sum += (double)h[i] * (double)f->form[i];
    return sum;
}

static void set_up(fixture *f, const bw_tf_config *config) {
    *f = (fixture){.mode = {.train = true, .dropout_seed = 77}};
    CHECK_OK(bw_transformer_new(config, &f->t, &err));
    bw_transformer_init(f->t, 4);
    bw_params *p = bw_transformer_params(f->t);
    for (size_t i = 0; i < p->n; i++) /* norms and biases away from 1 and 0 */
        for (size_t j = 0; j < p->table[i].size; j++)
            bw_param_data(p, i)[j] += 0.1f * (float)sin((double)(3 * i + 7 * j));
    f->ws = bw_tf_workspace_new();
    f->two = config->kind == BW_TF_ENCODER_DECODER;
    fill_sample(&f->source, config, (size_t[]){5, 1, 9, 0}, 1);
    fill_sample(&f->target, config, (size_t[]){3, 7, 2, 0}, 2);
    f->n_out = f->two ? 12 : 15;
    size_t n = f->n_out * config->dim;
    f->form = malloc(n * sizeof *f->form);
    uint64_t state = 9;
    for (size_t i = 0; i < n; i++)
        f->form[i] = (float)draw(&state, 2001) / 1000 - 1;
}

static void tear_down(fixture *f) {
    bw_transformer_free(f->t);
    bw_tf_workspace_free(f->ws);
    free(f->form);
}

/* The loss with tensor i moved by step * direction. */
static double moved_loss(fixture *f, size_t i, const float *saved, const double *direction,
                         double step) {
    bw_params *p = bw_transformer_params(f->t);
    float *w = bw_param_data(p, i);
    size_t bytes = p->table[i].size * sizeof *w;
    for (size_t j = 0; j < p->table[i].size; j++)
        w[j] = (float)((double)saved[j] + step * direction[j]);
    double value = loss(f);
    memcpy(w, saved, bytes);
    return value;
}

/* The derivative of the loss along `direction` (unit) of tensor i: the five-point formula, whose
 * error is of fourth order in the step. */
static double quotient(fixture *f, size_t i, const double *direction) {
    bw_params *p = bw_transformer_params(f->t);
    size_t bytes = p->table[i].size * sizeof(float);
    float *saved = malloc(bytes);
    memcpy(saved, bw_param_data(p, i), bytes);
    double near =
        moved_loss(f, i, saved, direction, STEP) - moved_loss(f, i, saved, direction, -STEP);
    double far = moved_loss(f, i, saved, direction, 2 * STEP) -
                 moved_loss(f, i, saved, direction, -2 * STEP);
    free(saved);
    return (8 * near - far) / (12 * STEP);
}

static void check_tensor(fixture *f, size_t i, const char *model) {
    bw_params *p = bw_transformer_params(f->t);
    const float *g = bw_param_grad(p, i);
    size_t n = p->table[i].size;
    double *u = malloc(n * sizeof *u);
    uint64_t state = 100 + i;
    for (int along = 0; along < 2; along++) {
        double norm = 0, expected = 0;
        for (size_t j = 0; j < n; j++) {
            u[j] = along ? (double)g[j] : (double)draw(&state, 2001) / 1000 - 1;
            norm += u[j] * u[j];
        }
        if (norm < 1e-6)
            continue; /* no token touched it; the random direction still checked that it is 0 */
        for (size_t j = 0; j < n; j++)
            expected += (double)g[j] * (u[j] /= sqrt(norm));
        double found = quotient(f, i, u);
        if (!(fabs(found - expected) <= 2e-3 + 4e-3 * fabs(expected)))
            fail_msg("%s, %s, %s: gradient %.6g, difference quotient %.6g", model, p->table[i].name,
                     along ? "along it" : "random direction", expected, found);
    }
    free(u);
}

static void check_all(const bw_tf_config *config, const char *name) {
    fixture f;
    set_up(&f, config);
    loss(&f);
    CHECK_OK(bw_transformer_backward(f.t, f.ws, f.form, &err));
    bw_params *p = bw_transformer_params(f.t);
    for (size_t i = 0; i < p->n; i++)
        if (!(p->table[i].flags & BW_PARAM_FIXED))
            check_tensor(&f, i, name);
    tear_down(&f);
}

static void test_gradients(void **state) {
    (void)state;
    for (size_t i = 0; i < N_SHAPES; i++)
        check_all(&SHAPES[i].config, SHAPES[i].name);
}

static void test_gradients_under_dropout(void **state) {
    (void)state;
    for (size_t i = 0; i < N_SHAPES; i++) {
        bw_tf_config c = SHAPES[i].config;
        c.dropout = 0.2f;
        c.attn_dropout = 0.3f;
        check_all(&c, SHAPES[i].name);
    }
}

/* The loss with the embeddings of the source shifted by step * direction. */
static double shifted_loss(fixture *f, const double *direction, float *shift, size_t n,
                           double step) {
    for (size_t j = 0; j < n; j++)
        shift[j] = (float)(step * direction[j]);
    f->source.batch.shift = shift;
    double value = loss(f);
    f->source.batch.shift = NULL;
    return value;
}

/* The same five-point formula, of a shift of the sums of embeddings. */
static void test_gradient_of_a_shift(void **state) {
    (void)state;
    for (size_t i = 0; i < N_SHAPES; i++) {
        fixture f;
        set_up(&f, &SHAPES[i].config);
        loss(&f);
        CHECK_OK(bw_transformer_backward(f.t, f.ws, f.form, &err));
        const float *g = bw_tf_embedded(f.ws);
        if (!g) {
            assert_true(SHAPES[i].config.embed_dim == 0); /* only a projection keeps the sums */
            tear_down(&f);
            continue;
        }
        size_t n = f.source.batch.n_tokens * SHAPES[i].config.embed_dim;
        double *u = calloc(n, sizeof *u), norm = 0;
        float *shift = malloc(n * sizeof *shift);
        for (size_t j = 0; j < n; j++)
            norm += (double)g[j] * (double)g[j];
        for (size_t j = 0; j < n; j++)
            u[j] = (double)g[j] / sqrt(norm);
        double near = shifted_loss(&f, u, shift, n, STEP) - shifted_loss(&f, u, shift, n, -STEP);
        double far =
            shifted_loss(&f, u, shift, n, 2 * STEP) - shifted_loss(&f, u, shift, n, -2 * STEP);
        CHECK_NEAR((8 * near - far) / (12 * STEP), sqrt(norm), 2e-3 + 4e-3 * sqrt(norm));
        free(u);
        free(shift);
        tear_down(&f);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_gradients),
        cmocka_unit_test(test_gradients_under_dropout),
        cmocka_unit_test(test_gradient_of_a_shift),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
