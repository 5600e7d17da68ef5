/* model/shipped/topic_words.c - distinctive words of clusters, and words that became frequent.
 *
 * Terms are counted in one table keyed by hash, one count a cluster; the spelling is kept from the
 * first place. A label is to be read, and names a subject: words that judge, count or tell the time,
 * that hardly ever stand where nouns stand (noun.h), or that the rest of the texts hold nearly as
 * often, do not name a cluster, and one that has no other words has no name. A run of Chinese
 * characters is a word when what
 * stands before and after it varies (accessor variety, Feng et al. 2004), which leaves out halves of
 * words and runs across two. */
#include "model/shipped/topics.h"

#include "model/shipped/noun.h"
#include "model/shipped/text.h"

#include <gsl/gsl_cdf.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MIN_COUNT  4
#define MIN_SHARE  0.04 /* of a cluster's texts: rarer words do not speak for it */
#define NAME_WORDS 3    /* make a name, and must be in so many of the texts it stands for: */
#define NAME_COVER 0.15
#define MAX_HAN    4
#define MAX_UNITS  400 /* of one text */
#define TERM_BYTES 48
#define LIFT_LEAST 1.5  /* times as often as in the texts of all other clusters */
#define NOUN_LEAST 0.05 /* of its places are those of a noun */
#define HAN_LEAST  0.15 /* the same in Chinese, where adverbs follow verbs as well */
#define NOUN_SURE  0.25 /* from here on it is as good as any */
#define STEM_BYTES 5    /* "film" and "films", "currency" and "currencies" name one thing */
#define SIDES      3    /* different neighbours that a Chinese word has on either side, at least */

typedef struct {
    uint64_t hash;
    char text[TERM_BYTES];
    uint8_t han;          /* characters of a Chinese term, 0 = words */
    bool weak;            /* judges, counts or tells the time */
    uint64_t side[2];     /* neighbours before and after, each a bit by its hash */
    uint32_t seen, noun;  /* places, and those of a noun among them */
    uint32_t total, last; /* last: text + 1 that was counted last, so that a text counts once */
    uint32_t *count;      /* [k] */
} term;

typedef struct {
    term *slot;
    uint32_t *counts;
    size_t n, cap, k;
} terms;

static bool is_stop_word(const char *w, size_t n) {
    static const char STOP[] = " a about after again all also am an and any are as at back be "
                               "because been before being but by can could did "
                               "do does done down even every few for from get go got had has have "
                               "he her here him his how i if in into is it "
                               "its just like made make many me more most much my no not now of "
                               "off on one only or other our out over really "
                               "she so some still such than that the their them then there these "
                               "they thing things this those through to too "
                               "two up us very was we well were what when where which while who "
                               "why will with would you your s t re ve ll d m "
                               "ca wo 'll 're 've 'd 'm 's first time been since ever never always "
                               "good great nice bad best better came come "
                               "went say said know think want way day lot bit ok okay quite "
                               "however though buy bought order ordered product "
                               "item love loved";
    char key[40];
    if (n < 2 || n > 30)
        return true;
    snprintf(key, sizeof key, " %.*s ", (int)n, w);
    return strstr(STOP, key) != NULL;
}

static bool listed(const char *list, const char *w, size_t n) {
    char key[40];
    if (n > 30)
        return false;
    snprintf(key, sizeof key, " %.*s ", (int)n, w);
    return strstr(list, key) != NULL;
}

/* Words of judgement, number, time and everyday doing: common in every topic, the name of none. */
static bool is_weak_word(const char *w, size_t n) {
    static const char WEAK[] =
        " three four five six seven eight nine ten twelve half second third once twice several few "
        "day days week weeks weekend month months year years hour hours minute minutes today "
        "yesterday tomorrow monday tuesday wednesday thursday friday saturday sunday morning "
        "evening night late later early soon long longer short old new young last next already yet "
        "again almost finally exactly right wrong sure surely easy easily hard pretty fair fairly "
        "proper properly normal usual special solid super top wow awesome brilliant excellent "
        "amazing fantastic wonderful perfect perfectly terrible awful horrible poor poorly happy "
        "happier satisfied pleased disappointed disappointing glad sad sorry worth rare rarely "
        "okay decent favourite favorite star stars thumbs recommend recommended recommends deserve "
        "deserves nothing something everything anything someone everyone nobody anyone problem "
        "problems thing stuff see saw seen look looks looking looked feel feels felt seem seems "
        "says saying tell told ask asked guess complain complained hope hm hmm should must may "
        "might shall work works working worked keep keeps kept going goes gone use used uses using "
        "having took take takes give gives gave given put let try tried need needs needed wanted "
        "wants expect expected arrive arrives arrived wait waited waiting paid pay own owned owns "
        "forgotten dropped carried described promised less least enough too little big small whole "
        "full less lots plenty kind sort times every each both either neither another same "
        "different real absolutely totally completely simply actually definitely highly extremely "
        "incredibly fine cool far forget thought within context without under between during since "
        "until against around near per plus yes "
        "please thank thanks ever mine ours yours myself im ive dont doesnt didnt isnt cant wont "
        "worse worst gonna mum mom dad mother father wife husband son daughter brother sister "
        "friend "
        "friends ";
    return listed(WEAK, w, n);
}

static bool is_weak_han(const char *text) {
    static const char *const WEAK[] = {
        "非常",   "特别", "真的", "觉得", "感觉",   "喜欢", "满意",     "失望", "推荐", "超赞",
        "完美",   "不错", "好评", "差评", "中评",   "凑合", "马马虎虎", "好几", "好多", "几次",
        "几天",   "今天", "昨天", "明天", "早上",   "晚上", "上午",     "下午", "周末", "时间",
        "时候",   "东西", "自己", "大家", "后悔",   "太差", "太慢",     "几乎", "依然", "经过",
        "两天",   "三天", "七天", "三百", "如既往", "万幸", "刚好",     "合适", "收到", "购买",
        "下单",   "朋友", "如果", "因为", "所以",   "可以", "已经",     "比较", "确实", "希望",
        "第一",   "这次", "下次", "一般", "啥",     "得慌", "划算",     "绝",   "米六", "参考",
        "打电话", "用了", "平时", "等等", "正好",   "半天", "稍微",     "之后", "以后", "以前",
        "之前",   "虽然", "但是", "不过", "而且",   "然后", "只是",     "就是", "直接", "好吃",
        "穿上",   "折腾", "闭眼", "弟弟", "妹妹",   "老公", "老婆",     "孩子", "爸爸", "妈妈",
        "家人"};
    for (size_t i = 0; i < sizeof WEAK / sizeof *WEAK; i++)
        if (strstr(text, WEAK[i]))
            return true;
    return false;
}

static bool is_stop_han(const char *w, size_t n) {
    static const char *const STOP[] = {
        "的", "了", "是", "我", "你", "他", "她", "们", "在", "就", "都", "也", "很", "还",
        "和", "有", "不", "个", "这", "那", "着", "吧", "吗", "呢", "啊", "一", "到", "说",
        "要", "会", "去", "没", "来", "又", "被", "把", "给", "让", "但", "而", "与", "及",
        "得", "越", "才", "再", "最", "太", "更", "挺", "能", "就", "啥", "么", "呀", "嘛",
        "哦", "从", "对", "为", "以", "之", "其", "或", "该", "每", "此", "于", "用", "听"};
    for (size_t i = 0; i < sizeof STOP / sizeof *STOP; i++)
        if (strlen(STOP[i]) == n && !memcmp(STOP[i], w, n))
            return true;
    return false;
}

static size_t place(const terms *t, uint64_t hash) {
    size_t i = bw_mix64(hash) & (t->cap - 1);
    while (t->slot[i].hash && t->slot[i].hash != hash)
        i = (i + 1) & (t->cap - 1);
    return i;
}

static bool grow(terms *t) {
    terms b = {.n = t->n, .cap = t->cap ? 2 * t->cap : 1 << 14, .k = t->k};
    b.slot = calloc(b.cap, sizeof *b.slot);
    b.counts = calloc(b.cap * t->k, sizeof *b.counts);
    if (!b.slot || !b.counts) {
        free(b.slot);
        free(b.counts);
        return false;
    }
    for (size_t i = 0; i < t->cap; i++)
        if (t->slot[i].hash) {
            size_t j = place(&b, t->slot[i].hash);
            b.slot[j] = t->slot[i];
            b.slot[j].count = b.counts + j * t->k;
            memcpy(b.slot[j].count, t->slot[i].count, t->k * sizeof *t->counts);
        }
    free(t->slot);
    free(t->counts);
    *t = b;
    return true;
}

static bool has_weak_word(const bw_units *u, size_t first, size_t n) {
    for (size_t i = first; i < first + n; i++)
        if (is_weak_word(u->norm + u->unit[i].at, u->unit[i].len))
            return true;
    return false;
}

/* Particles that are no part of the word beside them; "one" or "not" may well be. */
static bool is_particle(const char *w, size_t n) {
    static const char PARTICLES[] = "的了是我你他她们在就都也很还和吧吗呢啊这那";
    return n == 3 && memmem(PARTICLES, sizeof PARTICLES - 1, w, n) != NULL;
}

/* The end of the text, a mark, or a particle is as good as any neighbours. */
static void note_side(term *x, int side, const bw_units *u, const bw_unit *next) {
    bool open = !next || next->kind != BW_UNIT_HAN || is_particle(u->norm + next->at, next->len);
    x->side[side] |= open ? UINT64_MAX : (uint64_t)1 << (bw_mix64(next->hash) & 63);
}

static bool is_word(const term *x) {
    return !x->han ||
           (__builtin_popcountll(x->side[0]) >= SIDES && __builtin_popcountll(x->side[1]) >= SIDES);
}

static bool count_term(terms *t, const bw_units *u, size_t first, size_t n, bool han, size_t text,
                       size_t cluster) {
    if (2 * (t->n + 1) > t->cap && !grow(t))
        return false;
    const bw_unit *a = &u->unit[first], *b = &u->unit[first + n - 1];
    size_t len = b->at + b->len - a->at;
    if (len >= TERM_BYTES)
        return true;
    uint64_t h = 0;
    for (size_t i = 0; i < n; i++)
        h = bw_mix64(h + u->unit[first + i].hash) | 1;
    size_t i = place(t, h);
    term *x = &t->slot[i];
    if (!x->hash) {
        *x = (term){.hash = h, .han = (uint8_t)(han ? n : 0), .count = t->counts + i * t->k};
        memcpy(x->text, u->norm + a->at, len);
        x->weak = han ? is_weak_han(x->text) : has_weak_word(u, first, n);
        t->n++;
    }
    x->seen++;
    x->noun += bw_noun_place(u, first, n);
    note_side(x, 0, u, first > 0 ? &u->unit[first - 1] : NULL);
    note_side(x, 1, u, first + n < u->n ? &u->unit[first + n] : NULL);
    if (x->last == text + 1)
        return true;
    x->last = (uint32_t)text + 1;
    x->total++;
    x->count[cluster]++;
    return true;
}

static bool word_at(const bw_units *u, size_t i) {
    const bw_unit *x = &u->unit[i];
    return x->kind == BW_UNIT_WORD && !is_stop_word(u->norm + x->at, x->len);
}

static bool count_words(terms *t, const bw_units *u, size_t text, size_t cluster) {
    for (size_t i = 0; i < u->n; i++) {
        if (!word_at(u, i))
            continue;
        if (!count_term(t, u, i, 1, false, text, cluster))
            return false;
        if (i + 1 < u->n && word_at(u, i + 1) && !count_term(t, u, i, 2, false, text, cluster))
            return false;
    }
    return true;
}

static bool count_han(terms *t, const bw_units *u, size_t text, size_t cluster) {
    for (size_t i = 0; i < u->n; i++)
        for (size_t n = 1; n <= MAX_HAN && i + n <= u->n; n++) {
            const bw_unit *x = &u->unit[i + n - 1];
            if (x->kind != BW_UNIT_HAN || is_stop_han(u->norm + x->at, x->len))
                break;
            if (n > 1 && !count_term(t, u, i, n, true, text, cluster))
                return false;
        }
    return true;
}

static bw_status count_all(const char *const *texts, size_t n, const int32_t *member, bool zh,
                           terms *t, bw_err *err) {
    bw_units u = {0};
    bw_status st = grow(t) ? BW_OK : bw_fail_memory(err);
    for (size_t i = 0; st == BW_OK && i < n; i++) {
        if (member[i] < 0)
            continue;
        st = bw_units_split(&u, texts[i], strlen(texts[i]), MAX_UNITS, err);
        bool ok = st != BW_OK || (zh ? count_han(t, &u, i, (size_t)member[i])
                                     : count_words(t, &u, i, (size_t)member[i]));
        if (!ok)
            st = bw_fail_memory(err);
    }
    bw_units_free(&u);
    return st;
}

typedef struct {
    const term *term;
    double score;
} ranked;

static int by_score(const void *a, const void *b) {
    const ranked *x = a, *y = b;
    if (x->score != y->score)
        return x->score < y->score ? 1 : -1;
    return strcmp(x->term->text, y->term->text);
}

/* A term that is part of a chosen one, or holds one, would say the same twice. */
static bool repeats(const term *x, char *const *chosen, size_t n) {
    for (size_t i = 0; i < n; i++)
        if (strstr(chosen[i], x->text) || strstr(x->text, chosen[i]) ||
            (!x->han && strncmp(chosen[i], x->text, STEM_BYTES) == 0))
            return true;
    return false;
}

static double noun_share(const term *x) {
    return x->seen ? (double)x->noun / x->seen : 0;
}

/* How well the term names the cluster, 0 when it does not. size: texts of the cluster; all: texts. */
static double name_score(const term *x, size_t cluster, double size, double all, double mean) {
    double in = x->count[cluster], share = in / size,
           elsewhere = (x->total - in + 0.5) / (all - size + 1), noun = noun_share(x);
    if (x->total < MIN_COUNT || in < MIN_COUNT / 2 || share < MIN_SHARE || x->weak || !is_word(x) ||
        noun < (x->han ? HAN_LEAST : NOUN_LEAST) || share < LIFT_LEAST * elsewhere)
        return 0;
    double length = x->han > 3 ? 0.8 : 1;
    /* How much more often than elsewhere; the square keeps words that are common everywhere out. */
    return share * log(1 + mean / x->total) * in / x->total * length *
           (0.15 + fmin(noun / NOUN_SURE, 1));
}

static bw_status choose(const terms *t, ranked *r, size_t cluster, double size, double all,
                        double mean, char **words, bw_err *err) {
    size_t n = 0, chosen = 0;
    double cover = 0; /* at most, of the cluster's texts by the words of its name */
    for (size_t i = 0; i < t->cap; i++) {
        const term *x = &t->slot[i];
        double score = x->hash ? name_score(x, cluster, size, all, mean) : 0;
        if (score > 0)
            r[n++] = (ranked){x, score};
    }
    qsort(r, n, sizeof *r, by_score);
    for (size_t i = 0; i < n && chosen < BW_TOPIC_WORDS; i++) {
        if (repeats(r[i].term, words, chosen))
            continue;
        cover += chosen < NAME_WORDS ? r[i].term->count[cluster] / size : 0;
        words[chosen] = strdup(r[i].term->text);
        if (!words[chosen++])
            return bw_fail_memory(err);
    }
    for (size_t i = 0; i < chosen && cover < NAME_COVER; i++) {
        free(words[i]);
        words[i] = NULL;
    }
    return BW_OK;
}

bw_status bw_topic_words(const char *const *texts, size_t n, const int32_t *member, size_t k,
                         bool zh, char *(*words)[BW_TOPIC_WORDS], bw_err *err) {
    terms t = {.k = k};
    double *size = calloc(k + 1, sizeof *size);
    memset(words, 0, k * sizeof *words);
    bw_status st = size ? count_all(texts, n, member, zh, &t, err) : bw_fail_memory(err);
    ranked *r = st == BW_OK ? malloc((t.n + 1) * sizeof *r) : NULL;
    if (st == BW_OK && !r)
        st = bw_fail_memory(err);
    double all = 0;
    for (size_t i = 0; st == BW_OK && i < n; i++)
        if (member[i] >= 0) {
            size[member[i]]++;
            all++;
        }
    for (size_t c = 0; st == BW_OK && c < k; c++)
        if (size[c] > 0)
            st = choose(&t, r, c, size[c], all, (double)n / (double)k, words[c], err);
    free(r);
    free(size);
    free(t.slot);
    free(t.counts);
    return st;
}

/* ---- bursts ---- */

/* Given how many texts hold the term at all, how many are of late is binomial. */
static double chance(const term *x, double share) {
    return gsl_cdf_binomial_Q(x->count[1] - 1, share, x->count[0] + x->count[1]);
}

static bw_status clearest(const terms *t, const double size[2], bw_burst *out, bw_err *err) {
    const term *best = NULL;
    double tried = 0, p = 1;
    for (size_t i = 0; i < t->cap; i++) {
        const term *x = &t->slot[i];
        if (!x->hash || x->count[1] < BW_BURST_LEAST)
            continue;
        tried++;
        double now = chance(x, size[1] / (size[0] + size[1]));
        if (x->count[1] / size[1] < BW_BURST_RATIO * x->count[0] / size[0] || now > p ||
            (best && now == p && strcmp(x->text, best->text) > 0))
            continue;
        best = x;
        p = now;
    }
    if (!best || p * tried > BW_BURST_P)
        return BW_OK;
    *out = (bw_burst){strdup(best->text), best->count[1], best->count[0], fmin(p * tried, 1)};
    return out->term ? BW_OK : bw_fail_memory(err);
}

bw_status bw_topic_burst(const char *const *texts, size_t n, const int32_t *recent, bool zh,
                         bw_burst *out, bw_err *err) {
    terms t = {.k = 2};
    double size[2] = {0, 0};
    *out = (bw_burst){0};
    for (size_t i = 0; i < n; i++)
        if (recent[i] >= 0)
            size[recent[i]]++;
    if (size[0] == 0 || size[1] == 0)
        return BW_OK;
    bw_status st = count_all(texts, n, recent, zh, &t, err);
    if (st == BW_OK)
        st = clearest(&t, size, out, err);
    free(t.slot);
    free(t.counts);
    return st;
}
