/* sql/import/guess_wide.c - roles of the columns of a modelling table, by their names: a table of affixes
 * for media (spend, exposure, clicks), word lists for the rest. */
#include "sql/import/guess_internal.h"

#include "sql/import/kinds.h"
#include "sql/import/wide.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define NO_ROLE (-1)
#define NAME    96

struct column {
    int role;           /* bw_wide_role or NO_ROLE */
    char channel[NAME]; /* of media */
    const char *why;
};

struct guesser {
    const bw_sheet *t;
    const bw_profile *p;
    struct column *c;
    size_t n;
    int date, outcome, geo;
    const char *outcome_kind;
};

/* Affixes of media columns. Robyn ends names in _S, _I, _P, _O; others write the word. */
static const struct {
    const char *text;
    bool suffix;
    int role;
} AFFIXES[] = {{"_S", true, BW_WIDE_SPEND},
               {"_spend", true, BW_WIDE_SPEND},
               {"_cost", true, BW_WIDE_SPEND},
               {"_spent", true, BW_WIDE_SPEND},
               {"spend_", false, BW_WIDE_SPEND},
               {"cost_", false, BW_WIDE_SPEND},
               {"mdsp_", false, BW_WIDE_SPEND},
               {" spend", true, BW_WIDE_SPEND},
               {" cost", true, BW_WIDE_SPEND},
               {"花费", true, BW_WIDE_SPEND},
               {"_I", true, BW_WIDE_EXPOSURE},
               {"_impressions", true, BW_WIDE_EXPOSURE},
               {"_impression", true, BW_WIDE_EXPOSURE},
               {"_impr", true, BW_WIDE_EXPOSURE},
               {"impressions_", false, BW_WIDE_EXPOSURE},
               {"mdip_", false, BW_WIDE_EXPOSURE},
               {" impressions", true, BW_WIDE_EXPOSURE},
               {"曝光", true, BW_WIDE_EXPOSURE},
               {"_clicks_P", true, BW_WIDE_CLICKS},
               {"_clicks", true, BW_WIDE_CLICKS},
               {"_P", true, BW_WIDE_CLICKS},
               {"clicks_", false, BW_WIDE_CLICKS},
               {"_O", true, BW_WIDE_ORGANIC}};

static const char *const CHANNELS[] = {
    "tv",         "radio",      "newspaper",  "print",      "ooh",         "outofhome",
    "facebook",   "meta",       "instagram",  "search",     "sem",         "google",
    "googleads",  "bing",       "display",    "youtube",    "tiktok",      "douyin",
    "email",      "affiliate",  "affiliates", "influencer", "influencers", "social",
    "paidsocial", "paidsearch", "video",      "digital",    "podcast",     "linkedin",
    "pinterest",  "snapchat",   "amazonads",  "wechat",     "weibo",       "xiaohongshu",
    "电视",       "搜索",       "抖音",       "微信"};
static const char *const OUTCOMES[] = {
    "revenue",  "sales",        "y",         "conversions", "orders",     "units",
    "kpi",      "target",       "turnover",  "weeklysales", "totalsales", "grosssales",
    "netsales", "transactions", "purchases", "downloads",   "installs",   "signups",
    "leads",    "volume",       "cnt",       "count",       "demand",     "umsatz",
    "销售额",   "收入",         "订单",      "销量"};
static const char *const OUTSIDE[] = {
    "competitor",   "control",  "temp",  "rain",      "snow",   "weather",
    "humidity",     "hum",      "wind",  "cpi",       "gas",    "fuel",
    "unemployment", "index",    "trend", "sentiment", "econom", "inflation",
    "rate",         "markdown", "mrkdn", "me_",       "st_ct",  "store_count",
    "covid",        "interest", "promo", "竞品",      "天气"};
static const char *const ANSWERS[] = {"contribution", "hidden",    "latent",  "effect", "true_",
                                      "truth",        "predicted", "adstock", "va_pub"};
static const char *const OWN[] = {"newsletter", "organic", "email_sends", "push", "blog"};
#define COUNT(list) (sizeof list / sizeof *list)

static bool is_one_of(const char *word, const char *const *list, size_t n) {
    for (size_t i = 0; i < n; i++)
        if (strcmp(word, list[i]) == 0)
            return true;
    return false;
}

static bool mentions(const char *name, const char *const *list, size_t n) {
    for (size_t i = 0; i < n; i++)
        if (strcasestr(name, list[i]))
            return true;
    return false;
}

/* The channel in a media column's name; NO_ROLE when no affix is there. */
static int media_role(const char *name, char channel[NAME]) {
    size_t n = strlen(name);
    for (size_t i = 0; i < COUNT(AFFIXES); i++) {
        size_t m = strlen(AFFIXES[i].text);
        if (n <= m)
            continue;
        const char *at = AFFIXES[i].suffix ? name + n - m : name;
        bool single = m == 2 && at[0] == '_'; /* "_S" counts only as a capital */
        if ((single ? strncmp(at, AFFIXES[i].text, m) : strncasecmp(at, AFFIXES[i].text, m)) != 0)
            continue;
        snprintf(channel, NAME, "%.*s", (int)(n - m), AFFIXES[i].suffix ? name : name + m);
        return AFFIXES[i].role;
    }
    return NO_ROLE;
}

static bool zero_one(const bw_column_profile *c) {
    size_t numbers = c->cells - c->missing - c->numbers[BW_NUMBER_NOT];
    return numbers > 0 && c->zeros + c->ones == numbers && c->numbers[BW_NUMBER_NOT] == 0 &&
           c->zeros > 0;
}

static void give(struct guesser *g, size_t i, int role, const char *channel, const char *why) {
    g->c[i].role = role;
    g->c[i].why = why;
    snprintf(g->c[i].channel, NAME, "%s", channel);
}

/* Days and outcome first: the rest is read beside them. */
static void find_date(struct guesser *g) {
    static const bw_field DAY = {
        "day", BW_TYPE_DAY, 0,
        "date week ds time period dateweek weekstart wkstrtdt dteday 日期 周"};
    int best = 0;
    for (size_t i = 0; i < g->n; i++) {
        const bw_column_profile *c = &g->p->columns[i];
        int named = 1 + bw_field_fits(&DAY, bw_sheet_column(g->t, i));
        bool plain_number = bw_profile_is_number(c) && c->dates[BW_DATE_YMD] == 0;
        if (bw_profile_is_date(c) && !plain_number && named > best) {
            best = named;
            g->date = (int)i;
        }
    }
    if (g->date >= 0)
        give(g, (size_t)g->date, BW_WIDE_DATE, "", "holds dates");
}

static const char *kind_of(const char *simple) {
    static const char *const REVENUE[] = {"revenue", "sales",  "turnover",
                                          "umsatz",  "销售额", "收入"};
    static const char *const UNITS[] = {"units", "volume", "downloads", "installs",
                                        "cnt",   "count",  "demand",    "销量"};
    static const char *const ORDERS[] = {"orders", "transactions", "purchases", "订单"};
    if (mentions(simple, REVENUE, COUNT(REVENUE)))
        return "revenue";
    if (is_one_of(simple, UNITS, COUNT(UNITS)))
        return "units";
    if (is_one_of(simple, ORDERS, COUNT(ORDERS)))
        return "orders";
    return strcmp(simple, "y") == 0 || strcmp(simple, "kpi") == 0 || strcmp(simple, "target") == 0
               ? "revenue"
               : "conversions";
}

static void find_outcome(struct guesser *g) {
    char simple[NAME];
    for (size_t k = 0; k < COUNT(OUTCOMES) && g->outcome < 0; k++)
        for (size_t i = 0; i < g->n && g->outcome < 0; i++) {
            bw_name_simplify(bw_sheet_column(g->t, i), simple, sizeof simple);
            if (g->c[i].role == NO_ROLE && strcmp(simple, OUTCOMES[k]) == 0 &&
                bw_profile_is_number(&g->p->columns[i]))
                g->outcome = (int)i;
        }
    if (g->outcome < 0)
        return;
    bw_name_simplify(bw_sheet_column(g->t, (size_t)g->outcome), simple, sizeof simple);
    g->outcome_kind = kind_of(simple);
    give(g, (size_t)g->outcome, BW_WIDE_OUTCOME, "", "is what was sold, by its name");
}

static bool plain_event(const char *name) {
    static const char *const WORDS[] = {"event", "holiday", "hldy", "promo",
                                        "flag",  "launch",  "节日", "活动"};
    return mentions(name, WORDS, COUNT(WORDS));
}

static bool calendar_or_counter(const char *simple) {
    static const char *const WORDS[] = {
        "t",         "year",    "month",   "week",   "day",     "yr",    "mnth", "dayofyear",
        "dayofweek", "weekday", "quarter", "season", "instant", "index", "id",   "trend"};
    return is_one_of(simple, WORDS, COUNT(WORDS));
}

/* geo, population, money of one conversion, price. */
static bool other_singles(struct guesser *g, size_t i, const char *name, const char *simple) {
    static const bw_field GEO = {"geo", BW_TYPE_TEXT, 0,
                                 "region market country dma city state geography store 地区 城市"};
    const bw_column_profile *c = &g->p->columns[i];
    if (g->geo < 0 && bw_field_fits(&GEO, name) && c->distinct < BW_DISTINCT_MAX &&
        c->distinct * 2 <= c->cells) {
        g->geo = (int)i;
        give(g, i, BW_WIDE_GEO, "", "names regions");
    } else if (strcmp(simple, "population") == 0 || strcmp(simple, "人口") == 0) {
        give(g, i, BW_WIDE_POPULATION, "", "is people in the region");
    } else if (g->outcome >= 0 && strncasecmp(name, "revenue_per_", 12) == 0 &&
               strcmp(g->outcome_kind, "revenue") != 0) {
        give(g, i, BW_WIDE_VALUE, "", "is the money of one");
    } else if (strcmp(simple, "price") == 0 || strcmp(simple, "avgprice") == 0) {
        give(g, i, BW_WIDE_PRICE, "", "is our price");
    } else {
        return false;
    }
    return true;
}

static void guess_column(struct guesser *g, size_t i) {
    const bw_column_profile *c = &g->p->columns[i];
    const char *name = bw_sheet_column(g->t, i);
    char simple[NAME], channel[NAME] = "";
    bw_name_simplify(name, simple, sizeof simple);
    bool number = bw_profile_is_number(c);
    int media = number && c->negative == 0 ? media_role(name, channel) : NO_ROLE;
    if (other_singles(g, i, name, simple) || mentions(name, ANSWERS, COUNT(ANSWERS)) ||
        calendar_or_counter(simple))
        return;
    if (number && mentions(name, OWN, COUNT(OWN)))
        give(g, i, BW_WIDE_ORGANIC, media == NO_ROLE ? name : channel,
             "is our own reach, without cost");
    else if (media != NO_ROLE)
        give(g, i, media, channel,
             media == BW_WIDE_SPEND ? "is spend, by its name" : "is reach, by its name");
    else if (number && c->negative == 0 && is_one_of(simple, CHANNELS, COUNT(CHANNELS)))
        give(g, i, BW_WIDE_SPEND, name, "is the name of a channel");
    else if (plain_event(name) && ((number && zero_one(c)) || (!number && c->distinct <= 60)))
        give(g, i, BW_WIDE_EVENT, "", number ? "is 0 and 1" : "names events");
    else if (number && mentions(name, OUTSIDE, COUNT(OUTSIDE)))
        give(g, i, BW_WIDE_CONTEXT, "", "comes from outside, by its name");
}

static size_t count_role(const struct guesser *g, int role) {
    size_t n = 0;
    for (size_t i = 0; i < g->n; i++)
        n += g->c[i].role == role;
    return n;
}

/* x1, x2, ...: media of the textbook examples, when nothing else is spend. */
static void take_numbered(struct guesser *g) {
    if (count_role(g, BW_WIDE_SPEND))
        return;
    for (size_t i = 0; i < g->n; i++) {
        const char *name = bw_sheet_column(g->t, i);
        bool numbered = tolower((unsigned char)name[0]) == 'x' && name[1] &&
                        strspn(name + 1, "0123456789") == strlen(name + 1);
        if (g->c[i].role == NO_ROLE && numbered && g->p->columns[i].negative == 0)
            give(g, i, BW_WIDE_SPEND, name, "may be a channel: check it");
    }
}

static bool spend_on(const struct guesser *g, const char *channel) {
    for (size_t i = 0; i < g->n; i++)
        if (g->c[i].role == BW_WIDE_SPEND && strcmp(g->c[i].channel, channel) == 0)
            return true;
    return false;
}

/* Reach of a channel without spend is organic; clicks of one are of no use. A second reach column
 * of a channel is left out. */
static void settle_reach(struct guesser *g) {
    for (size_t i = 0; i < g->n; i++) {
        struct column *c = &g->c[i];
        if (c->role == BW_WIDE_EXPOSURE && !spend_on(g, c->channel)) {
            c->role = BW_WIDE_ORGANIC;
            c->why = "is reach of a channel without spend";
        } else if (c->role == BW_WIDE_CLICKS && !spend_on(g, c->channel)) {
            c->role = NO_ROLE;
        }
    }
}

/* ---- the mapping ---- */

static bool add_single(cJSON *root, const struct guesser *g, const char *key, int role) {
    for (size_t i = 0; i < g->n; i++)
        if (g->c[i].role == role)
            return cJSON_AddStringToObject(root, key, bw_sheet_column(g->t, i)) != NULL;
    return cJSON_AddNullToObject(root, key) != NULL;
}

static bool add_object(cJSON *root, const struct guesser *g, const char *key, int role) {
    cJSON *o = cJSON_AddObjectToObject(root, key);
    bool good = o != NULL;
    for (size_t i = 0; good && i < g->n; i++)
        if (g->c[i].role == role)
            good = cJSON_AddStringToObject(o, bw_sheet_column(g->t, i), g->c[i].channel) != NULL;
    return good;
}

static bool add_list(cJSON *root, const struct guesser *g, const char *key, int role) {
    cJSON *list = cJSON_AddArrayToObject(root, key);
    bool good = list != NULL;
    for (size_t i = 0; good && i < g->n; i++)
        if (g->c[i].role == role)
            good = cJSON_AddItemToArray(list, cJSON_CreateString(bw_sheet_column(g->t, i)));
    return good;
}

static bool add_outcome(cJSON *root, const struct guesser *g) {
    if (g->outcome < 0)
        return cJSON_AddNullToObject(root, "outcome") != NULL;
    cJSON *o = cJSON_AddObjectToObject(root, "outcome");
    bool good = o &&
                cJSON_AddStringToObject(o, "column", bw_sheet_column(g->t, (size_t)g->outcome)) &&
                cJSON_AddStringToObject(o, "kind", g->outcome_kind);
    if (good && count_role(g, BW_WIDE_VALUE))
        good = add_single(o, g, "value", BW_WIDE_VALUE);
    return good;
}

static cJSON *mapping(const struct guesser *g) {
    cJSON *root = cJSON_CreateObject();
    bool good = root && add_single(root, g, "date", BW_WIDE_DATE) && add_outcome(root, g) &&
                add_object(root, g, "spend", BW_WIDE_SPEND);
    if (good && count_role(g, BW_WIDE_EXPOSURE))
        good = add_object(root, g, "exposure", BW_WIDE_EXPOSURE);
    if (good && count_role(g, BW_WIDE_CLICKS))
        good = add_object(root, g, "clicks", BW_WIDE_CLICKS);
    good = good && add_object(root, g, "organic", BW_WIDE_ORGANIC) &&
           add_list(root, g, "context", BW_WIDE_CONTEXT) &&
           add_list(root, g, "event", BW_WIDE_EVENT) && add_single(root, g, "geo", BW_WIDE_GEO) &&
           add_single(root, g, "population", BW_WIDE_POPULATION);
    if (good && count_role(g, BW_WIDE_PRICE))
        good = add_single(root, g, "price", BW_WIDE_PRICE);
    if (good && cJSON_AddNullToObject(root, "currency"))
        return root;
    cJSON_Delete(root);
    return NULL;
}

static void explain(const struct guesser *g, bw_buf *reasons) {
    static const char *const ROLES[] = {
        "date",  "geo",      "population", "outcome", "outcome value", "price", "discount",
        "spend", "exposure", "clicks",     "organic", "context",       "event"};
    bw_buf left = {0};
    for (size_t i = 0; i < g->n; i++) {
        const struct column *c = &g->c[i];
        const char *name = bw_sheet_column(g->t, i);
        if (c->role == NO_ROLE)
            bw_buf_addf(&left, "%s%s", left.len ? ", " : "", name);
        else
            bw_buf_addf(reasons, "  %-28s %-13s %s%s%s\n", name, ROLES[c->role], c->why,
                        c->channel[0] ? "; channel " : "", c->channel);
    }
    if (left.len)
        bw_buf_addf(reasons,
                    "left out (add those that drive sales from outside to \"context\"): %s\n",
                    left.text);
    bw_buf_free(&left);
}

bw_status bw_guess_wide(const bw_sheet *t, const bw_profile *p, bw_buf *reasons, cJSON **out,
                        size_t *roles, size_t *media, bw_err *err) {
    struct guesser g = {t, p, NULL, bw_sheet_columns(t), -1, -1, -1, "revenue"};
    *out = NULL;
    g.c = calloc(g.n, sizeof *g.c);
    if (!g.c)
        return bw_fail_memory(err);
    for (size_t i = 0; i < g.n; i++)
        g.c[i].role = NO_ROLE;
    find_date(&g);
    find_outcome(&g);
    for (size_t i = 0; i < g.n; i++)
        if (g.c[i].role == NO_ROLE)
            guess_column(&g, i);
    take_numbered(&g);
    settle_reach(&g);
    *roles = 0;
    for (size_t i = 0; i < g.n; i++)
        *roles += g.date >= 0 && g.c[i].role > BW_WIDE_DATE;
    *media = g.date >= 0 ? count_role(&g, BW_WIDE_SPEND) + count_role(&g, BW_WIDE_ORGANIC) : 0;
    if (g.date >= 0) {
        explain(&g, reasons);
        *out = mapping(&g);
    }
    free(g.c);
    return g.date >= 0 && !*out ? bw_fail_memory(err) : BW_OK;
}
