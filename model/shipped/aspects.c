/* model/shipped/aspects.c - the table of words. English words match at word starts, Chinese anywhere. */
#include "model/shipped/aspects.h"

#include <ctype.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <strings.h>

const char *const BW_ASPECT_NAME[BW_N_ASPECTS] = {"price",    "quality",   "delivery", "service",
                                                  "design",   "usability", "fit",      "food",
                                                  "ambience", "other"};

/* Words end with NULL. "staff" is a start: it also finds "staffs". A word that ends in '$' must end
 * there too. */
static const char *const PRICE[] = {
    "price",  "pricing", "cost",   "expensive", "cheap$", "cheaper",  "cheapest", "value$",
    "worth$", "money",   "afford", "overprice", "bill$",  "discount", "refund",   "bargain",
    "budget", "deal$",   "deals$", "pricey",    "价格",   "价钱",     "价位",     "性价比",
    "便宜",   "贵",      "划算",   "优惠",      "折扣",   "实惠",     "收费",     "团购",
    "消费",   "费用",    "降价",   "物美价廉",  NULL};
static const char *const QUALITY[] = {
    "quality",   "build",      "durab",       "broke",    "break$",   "breaks$",
    "reliab",    "defect",     "performance", "battery",  "screen",   "display",
    "camera",    "picture",    "sound",       "speaker",  "speed$",   "processor",
    "memory",    "hard drive", "resolution",  "lens",     "image",    "engine",
    "materials", "fabric",     "worn",        "hardware", "power",    "graphics",
    "lasted",    "work$",      "works$",      "worked$",  "material", "operation_performance",
    "质量",      "品质",       "材质",        "做工",     "耐用",     "性能",
    "电池",      "屏幕",       "音质",        "画质",     "像素",     "散热",
    "正品",      "假货",       "次品",        "效果",     "配置",     "运行",
    "信号",      "动力",       "发动机",      "油耗",     "镜头",     "续航",
    "硬盘",      "内存",       "声音",        "反应",     "速度",     "面料",
    "掉色",      "坏了",       NULL};
static const char *const DELIVERY[] = {
    "deliver", "shipping", "shipped", "shipment", "ship$",    "courier",     "arriv",
    "package", "packag",   "parcel",  "postage",  "tracking", "in the mail", "物流",
    "快递",    "发货",     "送货",    "配送",     "包装",     "到货",        "运费",
    "外卖员",  "骑手",     "送餐",    "送达",     "收到货",   "下单",        NULL};
static const char *const SERVICE[] = {"service",
                                      "staff",
                                      "waiter",
                                      "waitress",
                                      "server$",
                                      "servers$",
                                      "customer support",
                                      "support$",
                                      "manager",
                                      "host$",
                                      "hostess",
                                      "bartender",
                                      "employee",
                                      "warranty",
                                      "return policy",
                                      "tech support",
                                      "attitude",
                                      "rude",
                                      "friendly",
                                      "owner",
                                      "reception",
                                      "wait$",
                                      "waited$",
                                      "waiting$",
                                      "instructor",
                                      "teacher",
                                      "seating",
                                      "服务",
                                      "客服",
                                      "态度",
                                      "售后",
                                      "服务员",
                                      "店员",
                                      "老板",
                                      "前台",
                                      "卖家",
                                      "商家",
                                      "上菜",
                                      "等位",
                                      "老师",
                                      "退货",
                                      "换货",
                                      "维修",
                                      NULL};
static const char *const DESIGN[] = {
    "design",     "look$",    "looks$", "looking$", "style",  "color", "colour",
    "appearance", "weight",   "portab", "shape",    "finish", "logo",  "beautiful$",
    "pattern",    "keyboard", "case$",  "外观",     "设计",   "颜色",  "样式",
    "款式",       "造型",     "外形",   "好看",     "漂亮",   "难看",  "色差",
    "内饰",       "键盘",     "重量",   "图案",     NULL};
static const char *const USABILITY[] = {
    "usab",   "easy to", "ease of",  "use$",        "using$",  "interface",    "software",
    "setup",  "set up",  "install",  "menu system", "manual",  "instructions", "operat",
    "app$",   "feature", "function", "connect",     "program", "windows",      "os$",
    "remote", "navigat", "wifi",     "操作",        "系统",    "软件",         "安装",
    "使用",   "功能",    "界面",     "说明书",      "好用",    "方便",         "驱动",
    "易用",   "操控",    "手感",     NULL};
static const char *const FIT[] = {
    "size",    "sizing",    "fit$",      "fits$",     "fitted",  "fitting", "too small",
    "too big", "too tight", "too large", "too short", "comfort", "尺寸",    "尺码",
    "大小",    "合身",      "合适",      "偏大",      "偏小",    "太小",    "太大",
    "码数",    "空间",      "座椅",      "舒适",      "宽松",    "紧身",    NULL};
static const char *const FOOD[] = {
    "food",  "dish",      "meal",   "menu$",   "taste",  "flavor",    "flavour", "drink",
    "wine",  "pizza",     "sushi",  "chicken", "beef",   "fish$",     "rice$",   "noodle",
    "salad", "dessert",   "cheese", "sauce",   "soup",   "bread",     "coffee",  "tea$",
    "beer",  "breakfast", "lunch",  "dinner",  "brunch", "appetizer", "portion", "cook",
    "chef",  "delicious", "steak",  "burger",  "pasta",  "shrimp",    "pork",    "lamb",
    "cake",  "sandwich",  "fries",  "味道",    "口味",   "口感",      "菜",      "好吃",
    "难吃",  "美味",      "食材",   "新鲜",    "早餐",   "饭",        "面条",    "鱼",
    "虾",    "肉",        "汤",     "火锅",    "烤",     "甜点",      "蛋糕",    "饮料",
    "咖啡",  "奶茶",      "分量",   "份量",    "辣",     "鸡",        "水果",    NULL};
static const char *const AMBIENCE[] = {
    "ambien", "ambianc",  "atmosphere", "decor", "interior", "music",       "noise",
    "noisy",  "location", "place$",     "view$", "room$",    "rooms$",      "clean",
    "vibe",   "crowd",    "parking",    "patio", "space$",   "environment", "cozy",
    "table$", "tables$",  "环境",       "装修",  "氛围",     "气氛",        "位置",
    "地理",   "房间",     "卫生",       "干净",  "停车",     "交通",        "安静",
    "吵",     "地段",     "隔音",       "设施",  "店面",     NULL};

static const char *const *const WORDS[BW_OTHER] = {PRICE,     QUALITY, DELIVERY, SERVICE, DESIGN,
                                                   USABILITY, FIT,     FOOD,     AMBIENCE};

static bool is_letter(char c) {
    return isalnum((unsigned char)c) != 0;
}

/* All words by their first byte, so that a text is walked once. */
typedef struct {
    const char *word;
    uint8_t n, aspect;
    bool whole; /* the word must end where it ends here */
} entry;

#define MAX_ENTRIES 600

static entry entries[MAX_ENTRIES];
static size_t bucket[257]; /* entries of byte b are bucket[b] .. bucket[b + 1] - 1 */

static size_t count_words(void) {
    size_t n = 0;
    for (int a = 0; a < BW_OTHER; a++)
        for (const char *const *w = WORDS[a]; *w && n < MAX_ENTRIES; w++)
            n++;
    return n;
}

static void build_buckets(void) {
    size_t n = 0, all = count_words();
    for (size_t b = 0; b < 256 && n < all; b++) {
        bucket[b] = n;
        for (int a = 0; a < BW_OTHER; a++)
            for (const char *const *w = WORDS[a]; *w && n < MAX_ENTRIES; w++) {
                size_t len = strlen(*w);
                bool whole = (*w)[len - 1] == '$';
                if ((unsigned char)**w == b)
                    entries[n++] = (entry){*w, (uint8_t)(len - whole), (uint8_t)a, whole};
            }
        for (size_t k = b + 1; k < 257; k++)
            bucket[k] = n;
    }
}

typedef void found_fn(const entry *e, size_t at, void *state);

/* Calls found for every word of the table that occurs in bytes [0, n) of text. */
static void find_words(const char *text, size_t n, found_fn *found, void *state) {
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, build_buckets);
    for (size_t i = 0; i < n; i++) {
        unsigned char c = (unsigned char)text[i];
        if (c < 0x80 && i > 0 && is_letter(text[i - 1]))
            continue;
        unsigned char first = c < 0x80 ? (unsigned char)tolower(c) : c;
        for (size_t k = bucket[first]; k < bucket[first + 1]; k++) {
            const entry *e = &entries[k];
            bool here = e->n <= n - i && !strncasecmp(text + i, e->word, e->n);
            if (here && !(e->whole && i + e->n < n && is_letter(text[i + e->n])))
                found(e, i, state);
        }
    }
}

typedef struct {
    size_t longest;
    int aspect;
} best;

static void keep_longest(const entry *e, size_t at, void *state) {
    (void)at;
    best *b = state;
    if (e->n > b->longest)
        *b = (best){e->n, e->aspect};
}

int bw_aspect_of(const char *term) {
    if (!term || !*term)
        return -1;
    best b = {0, BW_OTHER};
    find_words(term, strlen(term), keep_longest, &b);
    return b.aspect;
}

static void keep_place(const entry *e, size_t at, void *state) {
    bw_aspect_places *p = state;
    if (!(p->found >> e->aspect & 1u)) {
        p->begin[e->aspect] = (uint32_t)at;
        p->end[e->aspect] = (uint32_t)(at + e->n);
    }
    p->found |= 1u << e->aspect;
}

bw_aspect_places bw_aspect_find(const char *text, size_t n) {
    bw_aspect_places p = {.found = 0};
    find_words(text, n, keep_place, &p);
    return p;
}

unsigned bw_aspect_words(const char *text) {
    return bw_aspect_find(text, strlen(text)).found;
}
