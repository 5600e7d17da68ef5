/* demo/reviews.c - what customers wrote: tone by week, what they speak of, how long, and how carelessly.
 *
 * A review's tone is drawn from the week's mood. It then speaks of one or more aspects, each in
 * a sentence dealt from the grammar (rule "aspect.tone", or "product.tone" for things only that
 * product has), with an opening and a closing when it is long. Style comes last: see style.c. */
#include "demo/shop.h"
#include "demo/style.h"
#include "demo/text.h"

#include "sql/db.h"

#include <gsl/gsl_randist.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#define MIXED_SHARE  0.16 /* reviews that are neither for nor against */
#define ZH_SHARE     0.42
#define PII_SHARE    0.020 /* reviews that give away an e-mail address or a phone number */
#define NO_RATING    0.03
#define SARCASM      0.10 /* of negative reviews */
#define CROSS_WRITE  1.5  /* times as many reviews while the courier fails */
#define WRITTEN_LATE 6    /* days from order to review, on average */

enum { QUALITY, DELIVERY, PRICE, SERVICE, DESIGN, USABILITY, FIT, N_ASPECTS };
static const char *const ASPECTS[N_ASPECTS] = {"quality", "delivery",  "price", "service",
                                               "design",  "usability", "fit"};
static const double ASPECT_WEIGHT[N_ASPECTS] = {0.27, 0.17, 0.14, 0.09, 0.11, 0.10, 0.12};

enum tone { POSITIVE, MIXED, NEGATIVE };
static const char *const TONES[] = {"pos", "mid", "neg"};

/* Keys of the grammar's product rules, in the order of the shop's products; what can fit. */
static const char *const PRODUCT_KEYS[N_PRODUCTS] = {"jacket", "shoes",    "daypack",
                                                     "shirt",  "headlamp", "bottle"};
static const bool WORN[N_PRODUCTS] = {true, true, false, true, false, false};
/* How people call the product in a sentence, and its parts; by language. */
#define N_WORDS 4
static const char *const CALLED[2][N_PRODUCTS][N_WORDS] = {
    {{"jacket", "rain jacket", "jacket", "shell"},
     {"shoes", "trail shoes", "shoes", "trail runners"},
     {"backpack", "daypack", "bag", "backpack"},
     {"shirt", "merino shirt", "tee", "shirt"},
     {"headlamp", "lamp", "head torch", "headlamp"},
     {"bottle", "flask", "bottle", "insulated bottle"}},
    {{"冲锋衣", "外套", "冲锋衣", "衣服"},
     {"鞋子", "越野鞋", "跑鞋", "鞋"},
     {"背包", "双肩包", "包", "包包"},
     {"T恤", "衣服", "美利奴T恤", "短袖"},
     {"头灯", "灯", "头灯", "头灯"},
     {"保温杯", "杯子", "水杯", "杯子"}}};
static const char *const PART[2][N_PRODUCTS][N_WORDS] = {
    {{"lining", "cuff", "shoulder seam", "collar"},
     {"sole", "heel", "toe cap", "tongue"},
     {"strap", "buckle", "lining", "side pocket"},
     {"collar", "hem", "side seam", "neckline"},
     {"strap", "housing", "battery lid", "switch"},
     {"lid", "seal", "coating", "base"}},
    {{"内衬", "袖口", "肩线", "领子"},
     {"鞋底", "后跟", "鞋头", "鞋舌"},
     {"肩带", "扣子", "内衬", "侧袋"},
     {"领口", "下摆", "侧缝", "袖口"},
     {"头带", "外壳", "电池盖", "开关"},
     {"杯盖", "密封圈", "涂层", "杯底"}}};
/* English words that agree with one thing, or with shoes. */
#define N_AGREE 8
static const char *const AGREE[N_AGREE][3] = {
    {"this", "this", "these"}, {"they", "it", "they"}, {"them", "it", "them"}, {"is", "is", "are"},
    {"was", "was", "were"},    {"has", "has", "have"}, {"does", "does", "do"}, {"s", "s", ""}};
#define SHOES 1

/* Rules that speak of one kind of thing replace the aspect's own: every other time, or always. */
static const struct own_rule {
    int aspect;
    bool always, of[N_PRODUCTS];
    const char *rule;
} OWN_RULES[] = {{QUALITY, false, {true, true, true, true, false, false}, "cloth"},
                 {DESIGN, false, {true, false, false, false, false, false}, "cut"},
                 {USABILITY, false, {false, false, true, false, false, false}, "wear"},
                 {USABILITY, true, {true, true, false, true, false, false}, "wear"},
                 {FIT, true, {false, true, false, false, false, false}, "foot"}};

struct reviewer {
    struct shop *s;
    gsl_rng *r;
    struct grammar *grammar[2]; /* en, zh */
    sqlite3_stmt *q;
    double mentions[N_ASPECTS];
    char article[48], mail[64], phone[32]; /* what the grammars are bound to */
    int courier, courier_end, zip;         /* days */
};

struct review {
    int day, product;
    bool zh;
    enum tone tone;
    int sentences;
    bool said[N_ASPECTS];
    bool specific; /* a sentence only this product has was used */
};

static enum tone draw_tone(const struct reviewer *w, int day) {
    double q = w->s->tone[day / 7], u = gsl_rng_uniform(w->r);
    double positive = (1 - MIXED_SHARE + q) / 2;
    return u < positive ? POSITIVE : u < positive + MIXED_SHARE ? MIXED : NEGATIVE;
}

/* Sentences: 0 is a word or three. Unhappy people write more. */
static int draw_length(const struct reviewer *w, enum tone tone) {
    double u =
        gsl_rng_uniform(w->r) * (tone == POSITIVE ? 0.98 : 1) + (tone == NEGATIVE ? 0.06 : 0);
    if (u < 0.15)
        return 0;
    if (u < 0.42)
        return 1;
    if (u < 0.80)
        return 2 + (int)gsl_rng_uniform_int(w->r, 2);
    return u < 0.97 ? 4 + (int)gsl_rng_uniform_int(w->r, 3) : 7 + (int)gsl_rng_uniform_int(w->r, 4);
}

static struct review draw_review(const struct reviewer *w, int day) {
    struct review v = {.day = day};
    double u = gsl_rng_uniform(w->r);
    while (v.product < N_PRODUCTS - 1 && (u -= product_share(w->s, v.product, day)) >= 0)
        v.product++;
    v.zh = w->s->o.chinese || gsl_rng_uniform(w->r) < ZH_SHARE;
    v.tone = draw_tone(w, day);
    v.sentences = draw_length(w, v.tone);
    return v;
}

static bool courier_trouble(const struct reviewer *w, int day) {
    return day >= w->courier + 3 && day < w->courier_end + 10;
}

/* Complaints that are left of an aspect since the shop took its advice to look into it. */
#define STILL_WRONG 0.25
static double still_wrong(const struct reviewer *w, const char *aspect, int day) {
    for (int i = 0; i < w->s->n_habits; i++)
        if (w->s->habit[i].kind == ANSWER && strcmp(w->s->habit[i].subject, aspect) == 0 &&
            day >= w->s->habit[i].from)
            return STILL_WRONG;
    return 1;
}

/* What the next sentence is about; an aspect is not taken twice. N_ASPECTS: nothing is left. */
static int draw_aspect(struct reviewer *w, const struct review *v, enum tone tone) {
    double weight[N_ASPECTS], sum = 0;
    for (int a = 0; a < N_ASPECTS; a++) {
        weight[a] =
            ASPECT_WEIGHT[a] * (a == FIT && !WORN[v->product] ? 0 : 1) * (v->said[a] ? 0 : 1);
        if (a == DELIVERY && tone == NEGATIVE)
            weight[a] *= courier_trouble(w, v->day) ? 14 : 1;
        if (a == SERVICE && tone == NEGATIVE)
            weight[a] *= courier_trouble(w, v->day) ? 3 : 1.5;
        if (tone == NEGATIVE)
            weight[a] *= still_wrong(w, ASPECTS[a], v->day);
        sum += weight[a];
    }
    double u = gsl_rng_uniform(w->r) * sum;
    for (int a = 0; a < N_ASPECTS && sum > 0; a++)
        if ((u -= weight[a]) < 0)
            return a;
    return N_ASPECTS;
}

static void join(const struct review *v, bw_buf *out) {
    if (out->len && !v->zh && out->text[out->len - 1] != '\n')
        bw_buf_add(out, " ");
}

/* What the grammar may say of this product, and made-up addresses. */
static void bind_words(struct reviewer *w, const struct review *v) {
    struct grammar *g = w->grammar[v->zh];
    const char *it = CALLED[v->zh][v->product][gsl_rng_uniform_int(w->r, N_WORDS)];
    grammar_bind(g, "it", it);
    grammar_bind(g, "part", PART[v->zh][v->product][gsl_rng_uniform_int(w->r, N_WORDS)]);
    for (int i = 0; i < N_AGREE; i++)
        grammar_bind(g, AGREE[i][0], AGREE[i][v->product == SHOES ? 2 : 1]);
    snprintf(w->article, sizeof w->article, "%s%s", v->product == SHOES ? "" : "a ", it);
    grammar_bind(g, "a it", w->article);
}

static void bind_contact(struct reviewer *w, const struct review *v) {
    static const char *const WHO[] = {"anna.k", "t.berger", "lin_mei", "joe.hart",
                                      "wangxl", "m.silva",  "zhou88",  "e.novak"};
    struct grammar *g = w->grammar[v->zh];
    unsigned long n = gsl_rng_uniform_int(w->r, 90000000) + 10000000;
    snprintf(w->mail, sizeof w->mail, "%s%lu@mail.example.com", WHO[n % 8], n % 97);
    if (v->zh)
        snprintf(w->phone, sizeof w->phone, "138%08lu", n);
    else
        snprintf(w->phone, sizeof w->phone, "+44 7700 900%03lu",
                 n % 1000); /* reserved for fiction (Ofcom) */
    grammar_bind(g, "mail", w->mail);
    grammar_bind(g, "phone", w->phone);
}

static bw_status add(struct reviewer *w, const struct review *v, const char *rule, bw_buf *out,
                     bw_err *err) {
    bind_words(w, v);
    join(v, out);
    return grammar_add(w->grammar[v->zh], rule, out, err);
}

/* The zip of the new jackets is the complaint that has just begun. */
static bool zip_trouble(const struct reviewer *w, const struct review *v, enum tone tone) {
    return v->product == 0 && v->day >= w->zip + 5 && tone == NEGATIVE && !v->said[QUALITY] &&
           gsl_rng_uniform(w->r) < 0.75 * still_wrong(w, ASPECTS[QUALITY], v->day);
}

static const char *aspect_rule(struct reviewer *w, const struct review *v, int aspect) {
    for (size_t i = 0; i < sizeof OWN_RULES / sizeof *OWN_RULES; i++) {
        const struct own_rule *o = &OWN_RULES[i];
        if (o->aspect == aspect && o->of[v->product] && (o->always || gsl_rng_uniform(w->r) < 0.5))
            return o->rule;
    }
    return ASPECTS[aspect];
}

static bw_status add_sentence(struct reviewer *w, struct review *v, enum tone tone, bw_buf *out,
                              bw_err *err) {
    char rule[64];
    snprintf(rule, sizeof rule, "%s.%s", PRODUCT_KEYS[v->product], TONES[tone]);
    if (zip_trouble(w, v, tone)) {
        v->said[QUALITY] = true;
        return add(w, v, "zip.neg", out, err);
    }
    bool specific = !v->specific && grammar_has(w->grammar[v->zh], rule) &&
                    gsl_rng_uniform(w->r) < 0.22 &&
                    !(tone == NEGATIVE && courier_trouble(w, v->day));
    if (specific) {
        v->specific = v->said[QUALITY] = true;
        return add(w, v, rule, out, err);
    }
    int a = draw_aspect(w, v, tone);
    if (a == N_ASPECTS)
        return BW_OK;
    v->said[a] = true;
    snprintf(rule, sizeof rule, "%s.%s", aspect_rule(w, v, a), TONES[tone]);
    if (a == DELIVERY && tone == NEGATIVE && courier_trouble(w, v->day) &&
        gsl_rng_uniform(w->r) < 0.35)
        strcpy(rule, "delivery.new");
    return add(w, v, rule, out, err);
}

/* The i-th sentence's own tone: mixed reviews take turns, others rarely grant the other side a point. */
static enum tone sentence_tone(struct reviewer *w, const struct review *v, int i) {
    double u = gsl_rng_uniform(w->r);
    if (v->tone == MIXED)
        return u < 0.4 ? MIXED : i % 2 ? NEGATIVE : POSITIVE;
    if (i > 0 && u < 0.12)
        return v->tone == POSITIVE ? NEGATIVE : POSITIVE;
    return u > 0.93 ? MIXED : v->tone;
}

static bw_status add_turn(struct reviewer *w, const struct review *v, enum tone before,
                          enum tone now, bw_buf *out, bw_err *err) {
    if (before == now || now == MIXED || before == MIXED || gsl_rng_uniform(w->r) > 0.55)
        return BW_OK;
    return add(w, v, "but", out, err);
}

static bw_status compose(struct reviewer *w, struct review *v, bw_buf *out, bw_err *err) {
    char rule[32];
    snprintf(rule, sizeof rule, "%s.%s", v->sentences ? "open" : "tiny", TONES[v->tone]);
    bw_status st = BW_OK;
    if (v->sentences == 0)
        return add(w, v, rule, out, err);
    if (v->tone == NEGATIVE && gsl_rng_uniform(w->r) < SARCASM)
        st = add(w, v, "sarcasm", out, err);
    else if (gsl_rng_uniform(w->r) < (v->sentences > 1 ? 0.5 : 0.12))
        st = add(w, v, rule, out, err);
    if (st == BW_OK && v->sentences > 3)
        st = add(w, v, "story", out, err);
    enum tone before = v->tone;
    for (int i = 0; st == BW_OK && i < v->sentences; i++) {
        enum tone tone = sentence_tone(w, v, i);
        if (i == 4)
            bw_buf_add(out, "\n");
        st = i ? add_turn(w, v, before, tone, out, err) : BW_OK;
        if (st == BW_OK)
            st = add_sentence(w, v, tone, out, err);
        before = tone;
    }
    snprintf(rule, sizeof rule, "close.%s", TONES[v->tone]);
    if (st == BW_OK && gsl_rng_uniform(w->r) < (v->sentences > 1 ? 0.45 : 0.15))
        st = add(w, v, rule, out, err);
    if (st == BW_OK && gsl_rng_uniform(w->r) < PII_SHARE)
        bind_contact(w, v), st = add(w, v, "contact", out, err);
    return st;
}

/* Stars go with the tone, mostly; NaN: none given. */
static double draw_rating(const struct reviewer *w, enum tone tone) {
    static const double UP_TO[3][4] = {
        {0.002, 0.005, 0.035, 0.33}, {0.03, 0.22, 0.80, 0.97}, {0.53, 0.88, 0.98, 0.99}};
    if (gsl_rng_uniform(w->r) < NO_RATING)
        return NAN;
    double u = gsl_rng_uniform(w->r), stars = 1;
    for (int i = 0; i < 4; i++)
        stars += u >= UP_TO[tone][i];
    return stars;
}

static const char *draw_source(const struct reviewer *w) {
    double u = gsl_rng_uniform(w->r);
    return u < 0.55 ? "shop" : u < 0.80 ? "app" : "marketplace";
}

static bw_status put_review(struct reviewer *w, int serial, int day, bw_buf *text, bw_err *err) {
    struct review v = draw_review(w, day);
    bw_buf_clear(text);
    bw_status st = compose(w, &v, text, err);
    if (st == BW_OK)
        st = style_apply(text, v.zh,
                         v.tone == POSITIVE   ? 1
                         : v.tone == NEGATIVE ? -1
                                              : 0,
                         w->r, err);
    if (st != BW_OK)
        return st;
    for (int a = 0; a < N_ASPECTS; a++)
        w->mentions[a] += v.said[a];
    char id[24], when[11];
    snprintf(id, sizeof id, "R%05d", serial + 1);
    shop_day_text(w->s, day, when);
    return row_put(w->q, err, "ssssdss", id, when, draw_source(w), w->s->product[v.product].name,
                   draw_rating(w, v.tone), text->text, v.zh ? "zh" : "en");
}

/* Reviews follow orders by some days, and people write more when they are cross; without sales they
 * come evenly. */
static double review_weight(const struct reviewer *w, int day) {
    const struct shop *s = w->s;
    double cross = courier_trouble(w, day) ? CROSS_WRITE : 1;
    return s->o.no_outcome ? cross
                           : cross * (1 + s->orders[day > WRITTEN_LATE ? day - WRITTEN_LATE : 0]);
}

static bw_status put_all(struct reviewer *w, bw_err *err) {
    const struct shop *s = w->s;
    double total = 0, sum = 0;
    for (int d = 0; d < s->days; d++)
        total += review_weight(w, d);
    bw_status st = BW_OK;
    bw_buf text = {0};
    for (int d = 0, n = 0; st == BW_OK && d < s->days; d++) {
        sum += review_weight(w, d);
        int upto = d == s->days - 1 ? s->o.reviews : (int)(sum / total * s->o.reviews);
        for (; st == BW_OK && n < upto; n++)
            st = put_review(w, n, d, &text, err);
    }
    bw_buf_free(&text);
    return st;
}

static bw_status store_truth(const struct reviewer *w, sqlite3 *db, bw_err *err) {
    bw_status st = BW_OK;
    for (int a = 0; st == BW_OK && a < N_ASPECTS; a++)
        st = truth_put(db, "aspect_mentions", ASPECTS[a], NULL, w->mentions[a], err);
    return st;
}

/* A review that is there already stays: a shop that took advice writes the later ones anew. */
bw_status shop_write_reviews(struct shop *s, sqlite3 *db, bw_err *err) {
    if (s->o.reviews == 0)
        return BW_OK;
    struct reviewer w = {.s = s, .r = shop_rng(s, RNG_REVIEW)};
    w.courier = shop_day(s, 2026, 6, 8);
    w.courier_end = shop_day(s, 2026, 7, 6);
    w.zip = shop_day(s, 2026, 10, 5);
    bw_status st = w.r ? BW_OK : bw_fail_memory(err);
    if (st == BW_OK)
        st = grammar_load("demo/text/review_en.txt", w.r, &w.grammar[0], err);
    if (st == BW_OK)
        st = grammar_load("demo/text/review_zh.txt", w.r, &w.grammar[1], err);
    if (st == BW_OK)
        st = bw_db_prepare(db,
                           "INSERT OR IGNORE INTO review (id, day, source, product, rating, text, "
                           "lang) VALUES (?, ?, ?, ?, ?, ?, ?)",
                           &w.q, err);
    if (st == BW_OK)
        st = put_all(&w, err);
    sqlite3_finalize(w.q);
    grammar_free(w.grammar[0]);
    grammar_free(w.grammar[1]);
    if (w.r)
        gsl_rng_free(w.r);
    return st == BW_OK ? store_truth(&w, db, err) : st;
}
