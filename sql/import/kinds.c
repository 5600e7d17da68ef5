/* sql/import/kinds.c - the kinds, and the names of columns in the exports of advertising platforms, shops
 * and review sites, in English, German and Chinese. */
#include "sql/import/kinds.h"

#include <ctype.h>
#include <string.h>

#define KEY      BW_FIELD_KEY
#define REQUIRED BW_FIELD_REQUIRED
#define ADDS     BW_FIELD_ADDS

#define DAY_NAMES                                                                                  \
    "date week ds time period dateweek weekstart weekdate weekof reportingstarts datum tag woche " \
    "日期 时间 周 天 日"
#define CHANNEL_NAMES \
    "source platform medium media network publisher channelname mediachannel kanal 渠道 平台 媒体"
#define GEO_NAMES \
    "region market country dma city state geography location store land 地区 城市 市场"
#define CAMPAIGN_NAMES \
    "campaignname campaigntitle kampagne kampagnenname 计划 活动 广告系列 campaignid"
#define PRODUCT_NAMES "sku item productname productid asin itemid produkt artikel 商品 产品"
#define REVENUE_NAMES                                                                              \
    "sales turnover value amount grosssales netsales totalsales weeklysales umsatz erlös erloes " \
    "销售额 收入 金额 营业额"

static const bw_field SPEND[] = {
    {"day", BW_TYPE_DAY, KEY | REQUIRED, DAY_NAMES},
    {"channel", BW_TYPE_TEXT, KEY | REQUIRED, CHANNEL_NAMES},
    {"campaign", BW_TYPE_TEXT, KEY, CAMPAIGN_NAMES},
    {"geo", BW_TYPE_TEXT, KEY, GEO_NAMES},
    {"cost", BW_TYPE_AMOUNT, REQUIRED | ADDS,
     "spend spent amountspent adspend adcost budget totalcost mediacost kosten ausgaben betrag "
     "花费 消耗 费用 成本"},
    {"impressions", BW_TYPE_AMOUNT, ADDS,
     "impr imps impressionen views 展示 展现 曝光 展示量 展现量 曝光量"},
    {"clicks", BW_TYPE_AMOUNT, ADDS, "click linkclicks klicks 点击 点击量"},
    {0}};

static const bw_field OUTCOME[] = {
    {"day", BW_TYPE_DAY, KEY | REQUIRED, DAY_NAMES},
    {"geo", BW_TYPE_TEXT, KEY, GEO_NAMES},
    {"product", BW_TYPE_TEXT, KEY, PRODUCT_NAMES " category brand"},
    {"revenue", BW_TYPE_AMOUNT, ADDS, REVENUE_NAMES},
    {"orders", BW_TYPE_AMOUNT, ADDS,
     "order transactions conversions purchases bestellungen 订单 订单数 订单量 转化"},
    {"units", BW_TYPE_AMOUNT, ADDS, "unit quantity qty volume items menge stück 数量 销量 件数"},
    {"price", BW_TYPE_AMOUNT, 0, "avgprice averageprice unitprice preis 价格 单价"},
    {"discount", BW_TYPE_SHARE, 0, "discountshare discountrate markdown rabatt 折扣"},
    {0}};

static const bw_field EVENT[] = {
    {"day", BW_TYPE_DAY, KEY | REQUIRED, DAY_NAMES " start startday startdate begin from"},
    {"end_day", BW_TYPE_DAY, 0, "end enddate ends to until ende 结束日期"},
    {"name", BW_TYPE_TEXT, KEY | REQUIRED,
     "event holiday title description eventname ereignis feiertag 名称 事件 节日"},
    {"kind", BW_TYPE_TEXT, 0, "type category eventtype art 类型"},
    {0}};

static const bw_field PRODUCT[] = {
    {"name", BW_TYPE_TEXT, KEY | REQUIRED, PRODUCT_NAMES " product title"},
    {"category", BW_TYPE_TEXT, REQUIRED,
     "productcategory department group line kategorie warengruppe 类别 品类 分类"},
    {0}};

static const bw_field CONTEXT[] = {
    {"day", BW_TYPE_DAY, KEY | REQUIRED, DAY_NAMES},
    {"series", BW_TYPE_TEXT, KEY | REQUIRED, "name variable indicator metric reihe 指标"},
    {"geo", BW_TYPE_TEXT, KEY, GEO_NAMES},
    {"value", BW_TYPE_REAL, REQUIRED, "y level index wert 数值 值"},
    {0}};

static const bw_field REVIEW[] = {
    {"id", BW_TYPE_TEXT, KEY, "reviewid commentid 编号"},
    {"day", BW_TYPE_DAY, 0, DAY_NAMES " unixreviewtime timestamp reviewtime reviewdate createdat"},
    {"source", BW_TYPE_TEXT, 0, "site platform origin quelle 来源 平台"},
    {"product", BW_TYPE_TEXT, 0, PRODUCT_NAMES " parentasin category app business"},
    {"rating", BW_TYPE_RATING, 0, "overall stars star starrating score bewertung sterne 评分 星级"},
    {"text", BW_TYPE_TEXT, REQUIRED,
     "reviewtext reviewbody review comment comments content body feedback kommentar 评论 内容 "
     "评价"},
    {"lang", BW_TYPE_TEXT, 0, "language locale sprache 语言"},
    {"label", BW_TYPE_LABEL, 0, "sentiment class 标签"},
    {"author", BW_TYPE_AUTHOR, 0, "reviewerid userid user reviewer"},
    {"customer", BW_TYPE_TEXT, 0, "customerid"},
    {0}};

static const bw_field MESSAGE[] = {
    {"id", BW_TYPE_TEXT, KEY, "messageid msgid 编号"},
    {"campaign", BW_TYPE_TEXT, 0, CAMPAIGN_NAMES},
    {"channel", BW_TYPE_TEXT, REQUIRED, CHANNEL_NAMES},
    {"sent_at", BW_TYPE_TIME, REQUIRED,
     "sent sentat sendtime senttime publishedat posted postedat datetime date day time timestamp "
     "发送时间"},
    {"audience", BW_TYPE_TEXT, 0, "segment list target zielgruppe 受众 人群"},
    {"text", BW_TYPE_TEXT, 0, "subject body content message copy headline betreff 内容 文案 标题"},
    {"delivered", BW_TYPE_AMOUNT, 0, "deliveries recipients sends reach zugestellt 送达 送达数"},
    {"opens", BW_TYPE_AMOUNT, 0, "opened uniqueopens views geöffnet 打开 打开数"},
    {"clicks", BW_TYPE_AMOUNT, 0, "click clicked uniqueclicks klicks 点击 点击数"},
    {"orders", BW_TYPE_AMOUNT, 0, "conversions purchases bestellungen 订单 订单数"},
    {"revenue", BW_TYPE_AMOUNT, 0, REVENUE_NAMES},
    {0}};

static const bw_field PURCHASE[] = {
    {"id", BW_TYPE_TEXT, KEY, "orderid transactionid purchaseid invoice invoiceno 订单号 编号"},
    {"customer", BW_TYPE_TEXT, REQUIRED,
     "customerid user userid client clientid buyer kunde 客户 用户 会员"},
    {"day", BW_TYPE_DAY, REQUIRED,
     DAY_NAMES " orderdate purchasedate invoicedate timestamp createdat"},
    {"revenue", BW_TYPE_AMOUNT, REQUIRED, REVENUE_NAMES " total price dollars spend ordervalue"},
    {"channel", BW_TYPE_TEXT, 0, CHANNEL_NAMES},
    {"product", BW_TYPE_TEXT, 0, PRODUCT_NAMES},
    {0}};

static const bw_field EXPERIMENT[] = {
    {"id", BW_TYPE_TEXT, KEY | REQUIRED, "experiment experimentid test testid"},
    {"name", BW_TYPE_TEXT, 0, "title description"},
    {"channel", BW_TYPE_TEXT, 0, CHANNEL_NAMES},
    {"kind", BW_TYPE_TEXT, 0, "type method design"},
    {"start_day", BW_TYPE_DAY, 0, "start startday startdate begin from"},
    {"end_day", BW_TYPE_DAY, 0, "end enddate until to"},
    {"geo", BW_TYPE_TEXT, 0, GEO_NAMES},
    {"metric", BW_TYPE_TEXT, 0, "kpi outcome measure"},
    {"effect", BW_TYPE_REAL, 0, "lift incremental incrementality result incrementalrevenue deltay"},
    {"effect_sd", BW_TYPE_REAL, 0, "sd se sigma stderr standarderror effectse"},
    {"spend_change", BW_TYPE_REAL, 0, "spend deltax deltaspend cost incrementalspend"},
    {0}};

static const bw_field ARM[] = {
    {"experiment", BW_TYPE_TEXT, KEY | REQUIRED, "experimentid id test testid"},
    {"arm", BW_TYPE_TEXT, KEY | REQUIRED, "variant group version cell segment"},
    {"metric", BW_TYPE_TEXT, KEY, "kpi outcome measure"},
    {"is_control", BW_TYPE_AMOUNT, 0, "control"},
    {"n", BW_TYPE_AMOUNT, REQUIRED, "users visitors count size observations trials"},
    {"sum", BW_TYPE_REAL, REQUIRED, "total conversions successes orders revenue"},
    {"sum_sq", BW_TYPE_REAL, 0, "sumsquares sumofsquares"},
    {0}};

const bw_kind BW_KINDS[] = {
    {"spend", "spend", "what was spent: a day (or week) and channel, perhaps campaign and geo",
     SPEND, false, false, "channel", "cost"},
    {"outcome", "outcome", "what was sold: a day (or week), perhaps geo and product", OUTCOME,
     false, false, "geo", "revenue"},
    {"product", "product", "a product and the category in which others compete with it", PRODUCT,
     false, false, NULL, NULL},
    {"event", "event", "a holiday, promotion or launch, with its first and last day", EVENT, false,
     false, NULL, NULL},
    {"context", "context", "a series from outside, long form: day, series, value", CONTEXT, false,
     false, "series", "value"},
    {"review", "review", "one review; CSV, TSV or JSON lines, .gz too", REVIEW, true, false, NULL,
     NULL},
    {"message", "message", "one message or post, with its time and what it brought", MESSAGE, true,
     false, NULL, NULL},
    {"purchase", "purchase", "one purchase of one customer", PURCHASE, true, true, NULL, NULL},
    {"experiment", "experiment", "a finished test and its result", EXPERIMENT, false, false, NULL,
     NULL},
    {"arm", "experiment_arm", "one arm of a test: visitors and what they did", ARM, false, false,
     NULL, NULL},
    {0}};

const bw_kind *bw_kind_find(const char *name) {
    for (const bw_kind *k = BW_KINDS; k->name; k++)
        if (strcmp(k->name, name) == 0)
            return k;
    return NULL;
}

size_t bw_kind_fields(const bw_kind *kind) {
    size_t n = 0;
    while (kind->fields[n].name)
        n++;
    return n;
}

int bw_kind_field(const bw_kind *kind, const char *name) {
    for (int i = 0; kind->fields[i].name; i++)
        if (strcmp(kind->fields[i].name, name) == 0)
            return i;
    return -1;
}

void bw_name_simplify(const char *name, char *out, size_t size) {
    size_t n = 0;
    for (const char *p = name; *p && n + 1 < size; p++) {
        unsigned char c = (unsigned char)*p;
        if (c == '(' && n > 0)
            break; /* a unit */
        if (isalnum(c) || c >= 0x80)
            out[n++] = (char)tolower(c);
    }
    out[n] = '\0';
}

static bool in_list(const char *list, const char *word) {
    size_t n = strlen(word);
    for (const char *p = strstr(list, word); p && n; p = strstr(p + 1, word))
        if ((p == list || p[-1] == ' ') && (p[n] == ' ' || p[n] == '\0'))
            return true;
    return false;
}

int bw_field_fits(const bw_field *field, const char *column) {
    char given[128], own[64];
    bw_name_simplify(column, given, sizeof given);
    bw_name_simplify(field->name, own, sizeof own);
    if (strcmp(given, own) == 0)
        return 2;
    return field->also && in_list(field->also, given) ? 1 : 0;
}

static size_t least(size_t a, size_t b) {
    return a < b ? a : b;
}

size_t bw_name_distance(const char *a, const char *b) {
    size_t row[64], n = strlen(b);
    if (n > 62)
        return n;
    for (size_t j = 0; j <= n; j++)
        row[j] = j;
    for (size_t i = 1; *a; a++, i++) {
        size_t diagonal = row[0];
        row[0] = i;
        for (size_t j = 1; j <= n; j++) {
            size_t change =
                diagonal + (tolower((unsigned char)*a) != tolower((unsigned char)b[j - 1]));
            diagonal = row[j];
            row[j] = least(change, least(row[j], row[j - 1]) + 1);
        }
    }
    return row[n];
}
