/* model/core/config.c - completes and judges a configuration. */
#include "model/core/config.h"

#include <math.h>
#include <stdint.h>

#define MAX_SIZE (1u << 24) /* of any one dimension: beyond it a file is broken, not big */

const char *bw_act_name(bw_act a) {
    static const char *const NAMES[] = {"gelu", "gelu_tanh", "relu", "silu", "tanh"};
    return NAMES[a];
}

static void complete_stack(bw_tf_stack *s) {
    if (s->layers && !s->kv_heads)
        s->kv_heads = s->heads;
}

static void complete(bw_tf_config *c) {
    complete_stack(&c->enc);
    complete_stack(&c->dec);
    size_t heads = c->enc.layers ? c->enc.heads : c->dec.heads;
    if (!c->head_dim && heads)
        c->head_dim = c->dim / heads;
    if (!c->embed_dim)
        c->embed_dim = c->dim;
    if (c->embed_scale == 0)
        c->embed_scale = 1;
    if (c->attn_scale == 0 && c->head_dim)
        c->attn_scale = 1 / sqrtf((float)c->head_dim);
    if (c->lm_scale == 0)
        c->lm_scale = 1;
    if (c->init_std == 0)
        c->init_std = 0.02f;
}

static bw_status check_size(const char *name, size_t value, size_t least, bw_err *err) {
    if (value < least || value > MAX_SIZE)
        return bw_fail(err, BW_EARG, "%s is %zu; it must be between %zu and %u", name, value, least,
                       MAX_SIZE);
    return BW_OK;
}

static bw_status check_stack(const char *name, const bw_tf_stack *s, bool wanted,
                             const bw_tf_config *c, bw_err *err) {
    if (wanted != (s->layers > 0))
        return bw_fail(err, BW_EARG, "this kind of transformer has %s %s", wanted ? "an" : "no",
                       name);
    if (!wanted)
        return BW_OK;
    bw_status st = check_size("layers", s->layers, 1, err);
    if (st == BW_OK)
        st = check_size("heads", s->heads, 1, err);
    if (st == BW_OK)
        st = check_size("feed-forward width", s->ffn, 1, err);
    if (st != BW_OK)
        return bw_fail_prefix(err, st, name);
    if (s->layers > 10000)
        return bw_fail(err, BW_EARG, "%s: %zu layers", name, s->layers);
    if (s->heads % s->kv_heads)
        return bw_fail(err, BW_EARG, "%s: %zu heads do not divide among %zu key/value heads", name,
                       s->heads, s->kv_heads);
    return check_size("heads * head size", s->heads * c->head_dim, 1, err);
}

static bw_status check_rope(const bw_tf_config *c, bw_err *err) {
    const bw_rope_scaling *s = &c->rope_scaling;
    if (c->head_dim % 2 || !(c->rope_theta > 0))
        return bw_fail(err, BW_EARG, "rotary positions need an even head size and rope_theta > 0");
    if (s->kind != BW_ROPE_PLAIN && !(s->factor > 0 && isfinite(s->factor)))
        return bw_fail(err, BW_EARG, "rope_scaling has the factor %g; it must be above 0",
                       (double)s->factor);
    if (s->kind == BW_ROPE_LLAMA3 &&
        !(s->low > 0 && s->high > s->low && isfinite(s->high) && s->original > 0))
        return bw_fail(
            err, BW_EARG,
            "rope_scaling needs 0 < low_freq_factor (found %g) < high_freq_factor (found "
            "%g) and the original number of positions (found %zu)",
            (double)s->low, (double)s->high, s->original);
    return BW_OK;
}

static bw_status check_positions(const bw_tf_config *c, bw_err *err) {
    bool table = c->pos == BW_POS_LEARNED || c->pos == BW_POS_SINUSOIDAL;
    if (c->max_positions > MAX_SIZE || c->pos_offset > MAX_SIZE)
        return bw_fail(err, BW_EARG, "max_positions is %zu", c->max_positions);
    if (table && !c->max_positions)
        return bw_fail(err, BW_EARG, "a table of positions needs max_positions");
    if (c->window && c->kind != BW_TF_DECODER)
        return bw_fail(err, BW_EARG, "a window of attention needs a decoder");
    if (c->pos == BW_POS_ROTARY)
        return check_rope(c, err);
    if (c->pos == BW_POS_RELATIVE && (c->rel_buckets < 4 || c->rel_max_distance < c->rel_buckets))
        return bw_fail(
            err, BW_EARG,
            "relative positions need 4 buckets or more (found %zu) and a maximal distance "
            "not below that (found %zu)",
            c->rel_buckets, c->rel_max_distance);
    return BW_OK;
}

static bw_status check_heads(const bw_tf_config *c, bw_err *err) {
    bool encoder = c->kind == BW_TF_ENCODER;
    if ((c->pooler || c->mlm || c->nsp || c->labels) && !encoder)
        return bw_fail(err, BW_EARG, "pooler, classifier, MLM and NSP heads need an encoder");
    if (c->nsp && !c->pooler)
        return bw_fail(err, BW_EARG, "the NSP head needs a pooler");
    if (c->lm && encoder)
        return bw_fail(err, BW_EARG, "a language-model head needs a decoder");
    if (!encoder && c->embed_dim != c->dim)
        return bw_fail(err, BW_EARG, "embed_dim (%zu) other than dim (%zu) needs an encoder",
                       c->embed_dim, c->dim);
    if (c->tied && c->embed_dim != c->dim)
        return bw_fail(err, BW_EARG,
                       "a tied vocabulary head needs embeddings as wide as the layers "
                       "(embed_dim %zu, dim %zu)",
                       c->embed_dim, c->dim);
    return BW_OK;
}

bw_status bw_tf_config_check(bw_tf_config *c, bw_err *err) {
    complete(c);
    bw_status st = check_size("vocabulary", c->vocab, 1, err);
    if (st == BW_OK)
        st = check_size("dim", c->dim, 1, err);
    if (st == BW_OK)
        st = check_size("embed_dim", c->embed_dim, 1, err);
    if (st == BW_OK)
        st = check_size("head size", c->head_dim, 1, err);
    if (st == BW_OK)
        st = check_stack("encoder", &c->enc, c->kind & BW_TF_ENCODER, c, err);
    if (st == BW_OK)
        st = check_stack("decoder", &c->dec, c->kind & BW_TF_DECODER, c, err);
    if (st == BW_OK)
        st = check_positions(c, err);
    if (st == BW_OK)
        st = check_heads(c, err);
    if (st == BW_OK && (!(c->norm_eps > 0) || !isfinite(c->norm_eps)))
        st = bw_fail(err, BW_EARG, "norm_eps is %g; it must be above 0", (double)c->norm_eps);
    if (st == BW_OK &&
        !(c->dropout >= 0 && c->dropout < 1 && c->attn_dropout >= 0 && c->attn_dropout < 1))
        st = bw_fail(err, BW_EARG, "dropout must be in [0, 1)");
    return st;
}
