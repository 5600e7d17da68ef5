/* model/train/train_tune.c - one step of tuning: sentiment and aspects together, one pass over the text.
 *
 * Sentiment rows give the sentiment loss; rows of two-class files only P(pos) against P(neg). Rows of
 * aspect files give, for all aspects of their text at once: polarity at the term's tokens, polarity
 * and mention of the aspect the term or category belongs to. What an aspect file leaves unlabelled
 * counts as not mentioned unless a word of that aspect occurs. Short reviews without aspect labels
 * teach weakly: a word of an aspect is a mention, and its polarity the review's.
 *
 * With a teacher, unlabelled texts and now and then a labelled one give some of their sentences, with
 * the probabilities that the teacher gives them (self-training, distillation: Hinton et al. 2015).
 *
 * With "adversarial", each batch is run a second time with its embeddings shifted the way that hurts
 * most, and both losses are learned from (Miyato et al. 2017, "Adversarial training methods for
 * semi-supervised text classification", section 3). */
#include "model/train/train.h"

#include "model/train/augment.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define WEAK_TOKENS   40 /* a review up to so many tokens mostly says one thing */
#define WEAK_WEIGHT   0.15f
#define MENTION_SCALE 0.3f /* weight of one mention decision; there are ten a text */

#define SLIPS 0.15 /* of the words of a text that gets slips of the keyboard */

typedef struct {
    const bw_example *e; /* first of its item */
    size_t n, seq;
    char *copy;    /* while drawing: what is read when it is not the example's text; owned */
    bool taught;   /* soft holds what the teacher says of the sentences that were read */
    float soft[3]; /* negative, neutral, positive */
} job;

static size_t first_token(const bw_trainer_state *t, size_t seq) {
    return t->in.start[seq] + 1; /* behind [CLS] */
}

static size_t n_tokens(const bw_trainer_state *t, size_t seq) {
    size_t n = t->in.start[seq + 1] - t->in.start[seq];
    return n > 1 ? n - 1 : 0;
}

/* Makes j->copy when not the example's own text is read. */
static bw_status choose_text(bw_trainer_state *t, job *j, bw_err *err) {
    const bw_example *e = j->e;
    bool labelled = e->task == BW_TASK_SENTIMENT;
    j->taught = t->teacher && (e->task == BW_TASK_TEXT ||
                               (labelled && bw_rng_uniform(&t->rng) < t->some_sentences));
    if (!j->taught && labelled && !e->zh && bw_rng_uniform(&t->rng) < t->typos)
        j->copy = bw_with_typos(e->text, SLIPS, &t->rng);
    else if (j->taught)
        j->copy = bw_some_sentences(e->text, &t->rng);
    else
        return BW_OK;
    return j->copy ? BW_OK : bw_fail_memory(err);
}

/* Draws one text; a text of nothing but control characters is left out. On failure its copy is
 * freed. */
static bw_status draw_text(bw_trainer_state *t, bw_err *err) {
    const bw_item *item = bw_mixer_next(&t->sampler, &t->rng, t->seed);
    job next = {.e = &t->data->example[item->first], .n = item->n, .seq = t->in.n_seq}, *j = NULL;
    size_t from = t->in.n_tokens;
    bw_status st = choose_text(t, &next, err);
    if (st == BW_OK)
        st = bw_inputs_add(&t->in, &t->reader, next.copy ? next.copy : next.e->text, t->max_tokens,
                           err);
    bool empty = st == BW_OK && t->in.n_tokens < from + 2; /* [CLS] alone */
    if (empty) {
        t->in.n_seq--;
        t->in.n_tokens = from;
    } else if (st == BW_OK && !(j = bw_train_job(t, sizeof *j))) {
        st = bw_fail_memory(err);
    }
    if (!j) {
        free(next.copy);
        return st;
    }
    *j = next;
    bw_train_drop(t, from);
    return BW_OK;
}

/* Asks the teacher about all taught texts at once, which it shares among threads. */
static bw_status ask_teacher(bw_trainer_state *t, bw_err *err) {
    job *jobs = t->jobs;
    const char **texts = malloc((t->n_jobs + 1) * sizeof *texts);
    bw_text_score *scores = malloc((t->n_jobs + 1) * sizeof *scores);
    bw_status st = texts && scores ? BW_OK : bw_fail_memory(err);
    size_t n = 0;
    for (size_t i = 0; st == BW_OK && i < t->n_jobs; i++)
        if (jobs[i].taught)
            texts[n++] = jobs[i].copy;
    if (n)
        st = bw_encoder_score(t->teacher, texts, n, scores, NULL, err);
    for (size_t i = 0, k = 0; st == BW_OK && i < t->n_jobs; i++)
        if (jobs[i].taught) {
            const bw_text_score *s = &scores[k++];
            memcpy(jobs[i].soft, (float[]){s->negative, s->neutral, s->positive},
                   sizeof jobs[i].soft);
        }
    free(texts);
    free(scores);
    return st;
}

static bw_status draw(bw_trainer_state *t, bw_err *err) {
    bw_inputs_clear(&t->in);
    t->n_jobs = 0;
    bw_status st = BW_OK;
    while (st == BW_OK && t->in.n_tokens < t->batch_tokens)
        st = draw_text(t, err);
    if (st == BW_OK && t->teacher)
        st = ask_teacher(t, err);
    job *jobs = t->jobs;
    for (size_t i = 0; i < t->n_jobs; i++) {
        free(jobs[i].copy);
        jobs[i].copy = NULL;
    }
    return st;
}

static void sentiment_loss(const bw_trainer_state *t, const job *j, const bw_span_read *r,
                           bw_span_read *d, bw_losses *l) {
    const bool two[3] = {true, false, true};
    bool two_class = t->recipe->set[j->e->set].two_class && j->e->label != BW_NEUTRAL;
    float w = j->e->label == BW_NEUTRAL ? t->neutral_weight : 1.0f;
    l->sum[BW_LOSS_SENTIMENT] += bw_train_cross_entropy(r->sentiment, 3, (size_t)j->e->label, w,
                                                        two_class ? two : NULL, d->sentiment);
    l->n[BW_LOSS_SENTIMENT]++;
}

static void taught_loss(const bw_trainer_state *t, const job *j, const bw_span_read *r,
                        bw_span_read *d, bw_losses *l) {
    double top = fmax(r->sentiment[0], fmax(r->sentiment[1], r->sentiment[2])), sum = 0, p[3];
    for (size_t k = 0; k < 3; k++)
        sum += p[k] = exp(r->sentiment[k] - top);
    for (size_t k = 0; k < 3; k++) {
        d->sentiment[k] = t->teacher_weight * (float)(p[k] / sum - (double)j->soft[k]);
        l->sum[BW_LOSS_SENTIMENT] -= t->teacher_weight * j->soft[k] * log(fmax(p[k] / sum, 1e-12));
    }
    l->n[BW_LOSS_SENTIMENT]++;
}

static void mention_loss(float z, float *d, bool mentioned, float w, bw_losses *l) {
    double p = 1.0 / (1.0 + exp(-(double)z));
    *d += w * (float)(p - mentioned);
    l->sum[BW_LOSS_MENTION] += -w * log(fmax(mentioned ? p : 1 - p, 1e-12));
    l->n[BW_LOSS_MENTION]++;
}

static void polarity_loss(const float z[3], float d[3], int label, float w, bw_losses *l) {
    float g[3];
    l->sum[BW_LOSS_POLARITY] += bw_train_cross_entropy(z, 3, (size_t)label, w, NULL, g);
    for (size_t k = 0; k < 3; k++)
        d[k] += g[k];
    l->n[BW_LOSS_POLARITY]++;
}

/* The tokens that lie in bytes [begin, end) of the source: first and how many. */
static size_t tokens_at(const bw_inputs *in, size_t first, size_t n, size_t begin, size_t end,
                        size_t *count) {
    size_t from = first + n;
    *count = 0;
    for (size_t i = first; i < first + n; i++)
        if (in->span[i].start < end && in->span[i].end > begin) {
            from = i < from ? i : from;
            *count = i - from + 1;
        }
    return from;
}

/* Where term occurs in text, without case; NULL when it does not. */
static const char *find_term(const char *text, const char *term) {
    size_t n = term ? strlen(term) : 0;
    for (const char *p = text; n && *p; p++)
        if (!strncasecmp(p, term, n))
            return p;
    return NULL;
}

static void term_loss(bw_trainer_state *t, const job *j, const bw_example *e, bw_losses *l) {
    const char *at = find_term(e->text, e->row->aspect);
    if (!at)
        return;
    size_t first = first_token(t, j->seq), n = n_tokens(t, j->seq), count;
    size_t begin = (size_t)(at - e->text);
    size_t term = tokens_at(&t->in, first, n, begin, begin + strlen(e->row->aspect), &count);
    if (!count)
        return;
    const float *h = bw_tf_hidden(t->ws);
    float z[3], d[3] = {0};
    bw_readout_term(&t->model->heads, h, first, n, term, count, z);
    polarity_loss(z, d, e->label, 1.0f, l);
    bw_readout_term_backward(&t->model->heads, h, first, n, term, count, d, t->d_hidden);
}

static void aspect_loss(bw_trainer_state *t, const job *j, const bw_span_read *r, bw_span_read *d,
                        bw_losses *l) {
    unsigned spoken = bw_aspect_words(j->e->text), named = 0;
    for (size_t i = 0; i < j->n; i++) {
        const bw_example *e = j->e + i;
        int a = bw_row_aspect(e->row);
        if (e->label == BW_UNLABELLED)
            continue;
        term_loss(t, j, e, l);
        if (a < 0)
            continue;
        polarity_loss(r->polarity[a], d->polarity[a], e->label, 0.7f, l);
        if (!(named >> a & 1u))
            mention_loss(r->mention[a], &d->mention[a], true, MENTION_SCALE, l);
        named |= 1u << a;
    }
    for (size_t a = 0; a < BW_N_ASPECTS; a++)
        if (!((named | spoken) >> a & 1u))
            mention_loss(r->mention[a], &d->mention[a], false, MENTION_SCALE, l);
}

static void weak_loss(const job *j, const bw_span_read *r, bw_span_read *d, bw_losses *l) {
    unsigned spoken = bw_aspect_words(j->e->text);
    for (size_t a = 0; a < BW_OTHER; a++) {
        bool yes = spoken >> a & 1u;
        mention_loss(r->mention[a], &d->mention[a], yes, MENTION_SCALE * (yes ? 0.5f : 0.3f), l);
        if (yes && j->e->label != BW_UNLABELLED)
            polarity_loss(r->polarity[a], d->polarity[a], j->e->label, WEAK_WEIGHT, l);
    }
}

static void job_losses(bw_trainer_state *t, const job *j, bw_losses *l) {
    bw_span_read r = {.first = first_token(t, j->seq), .n = n_tokens(t, j->seq)};
    bool aspects = j->e->task == BW_TASK_ASPECT;
    bool weak = !aspects && !j->taught && r.n <= WEAK_TOKENS;
    r.want_aspects = aspects || weak;
    bw_span_read d = r;
    const float *h = bw_tf_hidden(t->ws);
    bw_readout_read(&t->model->heads, h, &r);
    if (j->taught)
        taught_loss(t, j, &r, &d, l);
    else if (j->e->task == BW_TASK_SENTIMENT && j->e->label != BW_UNLABELLED)
        sentiment_loss(t, j, &r, &d, l);
    if (aspects)
        aspect_loss(t, j, &r, &d, l);
    else if (weak)
        weak_loss(j, &r, &d, l);
    bw_readout_read_backward(&t->model->heads, h, &d, t->d_hidden);
}

/* ---- adversarial training ---- */

/* The embeddings of the batch, to t->shift. */
static bw_status keep_embedded(bw_trainer_state *t, bw_err *err) {
    size_t n = t->in.n_tokens * bw_transformer_config(t->model->tf)->embed_dim;
    if (n > t->shift_cap) {
        free(t->shift);
        t->shift_cap = n + n / 4;
        t->shift = malloc(t->shift_cap * sizeof *t->shift);
        if (!t->shift) {
            t->shift_cap = 0;
            return bw_fail_memory(err);
        }
    }
    memcpy(t->shift, bw_tf_embedded(t->ws), n * sizeof *t->shift);
    return BW_OK;
}

static double length(const float *x, size_t n) {
    double sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += (double)x[i] * (double)x[i];
    return sqrt(sum);
}

/* In the place of each text's embeddings e comes the shift adversarial |e| g / |g|, g the gradient of
 * the loss with respect to e: to first order the worst of its length. */
static void worst_shift(bw_trainer_state *t) {
    size_t dim = bw_transformer_config(t->model->tf)->embed_dim;
    const float *gradient = bw_tf_embedded(t->ws);
    for (size_t s = 0; s < t->in.n_seq; s++) {
        size_t from = t->in.start[s] * dim, n = t->in.start[s + 1] * dim - from;
        double g = length(gradient + from, n);
        float scale = (float)(t->adversarial * length(t->shift + from, n) / (g > 0 ? g : 1));
        for (size_t i = from; i < from + n; i++)
            t->shift[i] = scale * gradient[i];
    }
}

/* ---- a step ---- */

static bw_status run_batch(bw_trainer_state *t, const bw_batch *batch, bw_losses *l, bw_err *err) {
    bw_tf_mode mode = {.train = true, .dropout_seed = bw_rng_next(&t->rng)};
    bw_status st = bw_transformer_forward(t->model->tf, t->ws, batch, NULL, &mode, err);
    if (st == BW_OK)
        st = bw_train_hidden(t, err);
    if (st == BW_OK && t->adversarial > 0 && !batch->shift)
        st = keep_embedded(t, err);
    if (st != BW_OK)
        return st;
    const job *j = t->jobs;
    for (size_t i = 0; i < t->n_jobs; i++)
        job_losses(t, &j[i], l);
    return bw_transformer_backward(t->model->tf, t->ws, t->d_hidden, err);
}

bw_status bw_tune_step(bw_trainer_state *t, bw_losses *l, bw_err *err) {
    bw_status st = draw(t, err);
    if (st == BW_OK)
        st = bw_params_need_grad(&t->model->heads.params, err);
    bw_batch batch = bw_inputs_batch(&t->in);
    if (st == BW_OK)
        st = run_batch(t, &batch, l, err);
    if (st != BW_OK || t->adversarial <= 0)
        return st;
    worst_shift(t);
    batch.shift = t->shift;
    return run_batch(t, &batch, &(bw_losses){0}, err);
}
