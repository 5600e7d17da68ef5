/* model/aspects.c - the table of words. English words match at word starts, Chinese anywhere. */
#include "model/aspects.h"

#include <ctype.h>
#include <stdbool.h>
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

/* Length of word when it occurs in text, else 0. */
static size_t occurs(const char *text, const char *word) {
    size_t n = strlen(word);
    bool whole = word[n - 1] == '$', ascii = (unsigned char)word[0] < 0x80;
    n -= whole;
    if (!ascii)
        return strstr(text, word) ? n : 0;
    for (const char *p = text; *p; p++)
        if (!strncasecmp(p, word, n) && (p == text || !is_letter(p[-1])) &&
            !(whole && is_letter(p[n])))
            return n;
    return 0;
}

int bw_aspect_of(const char *term) {
    if (!term || !*term)
        return -1;
    int best = BW_OTHER;
    size_t longest = 0;
    for (int a = 0; a < BW_OTHER; a++)
        for (const char *const *w = WORDS[a]; *w; w++) {
            size_t n = occurs(term, *w);
            if (n > longest) {
                longest = n;
                best = a;
            }
        }
    return best;
}

unsigned bw_aspect_words(const char *text) {
    unsigned bits = 0;
    for (int a = 0; a < BW_OTHER; a++)
        for (const char *const *w = WORDS[a]; *w; w++)
            if (occurs(text, *w)) {
                bits |= 1u << a;
                break;
            }
    return bits;
}
