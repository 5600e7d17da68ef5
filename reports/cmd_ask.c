/* reports/cmd_ask.c - `ask`: prints the answer, the queries behind it, and draws its chart. */
#include "reports/commands.h"

#include "reports/ask/ask.h"
#include "reports/charts/chart.h"
#include "reports/charts/query_chart.h"
#include "reports/charts/render.h"
#include "reports/facts/gather.h"
#include "sql/db.h"
#include "sql/query.h"

#include <cjson/cJSON.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

typedef struct {
    const char *db, *lang, *week, *plot;
    bool json;
} ask_options;

static const char *const OUTCOMES[] = {"answered", "unknown", "which", "no_data", "period"};

static void add_number(cJSON *to, const char *key, double x) {
    if (isfinite(x))
        cJSON_AddNumberToObject(to, key, x);
}

static void add_texts(cJSON *to, const char *key, const char *const *texts, size_t n) {
    cJSON *list = cJSON_AddArrayToObject(to, key);
    for (size_t i = 0; i < n; i++)
        cJSON_AddItemToArray(list, cJSON_CreateString(texts[i]));
}

static bw_status print_json(const bw_answer *a, bw_err *err) {
    cJSON *root = cJSON_CreateObject();
    cJSON_AddStringToObject(root, "outcome", OUTCOMES[a->outcome]);
    if (a->question)
        cJSON_AddStringToObject(root, "question", a->question);
    cJSON_AddStringToObject(root, "answer", a->text);
    cJSON *facts = cJSON_AddArrayToObject(root, "facts");
    for (size_t i = 0; i < a->n_facts; i++) {
        cJSON *f = cJSON_CreateObject();
        cJSON_AddStringToObject(f, "unit", a->facts[i]->unit_name);
        add_number(f, "value", a->facts[i]->value);
        add_number(f, "lo", a->facts[i]->lo);
        add_number(f, "hi", a->facts[i]->hi);
        add_number(f, "probability", a->facts[i]->probability);
        cJSON_AddStringToObject(f, "sql", a->facts[i]->sql);
        cJSON_AddItemToArray(facts, f);
    }
    add_texts(root, "sql", a->sql, a->n_sql);
    add_texts(root, "nearest", a->nearest, a->n_nearest);
    if (a->chart)
        cJSON_AddStringToObject(root, "chart", a->chart);
    if (a->draw_sql) {
        cJSON *picture = cJSON_AddObjectToObject(root, "draw");
        cJSON_AddStringToObject(picture, "kind", a->draw_kind);
        cJSON_AddStringToObject(picture, "sql", a->draw_sql);
    }
    char *text = cJSON_Print(root);
    cJSON_Delete(root);
    if (!text)
        return bw_fail_memory(err);
    puts(text);
    cJSON_free(text);
    return BW_OK;
}

static void print_plain(const bw_answer *a) {
    puts(a->text);
    for (size_t i = 0; i < a->n_nearest; i++)
        printf("  %s\n", a->nearest[i]);
    if (a->outcome == BW_ANSWERED)
        for (size_t i = 0; i < a->n_sql; i++)
            printf("%s  %s;\n", i ? "" : "\n", a->sql[i]);
}

/* The ending names the format. */
static bool format_of(const char *path, bw_picture_format *out) {
    const char *dot = strrchr(path, '.');
    if (!dot)
        return false;
    *out = !strcmp(dot, ".png") ? BW_PNG : !strcmp(dot, ".pdf") ? BW_PDF : BW_SVG;
    return *out != BW_SVG || !strcmp(dot, ".svg");
}

static bw_status draw_query(bw_shop *s, const bw_answer *a, const char *path, bw_err *err) {
    sqlite3_stmt *q;
    bw_query_result *r = NULL;
    bw_status st = bw_query_prepare(s->db, a->draw_sql, false, &q, NULL, err);
    if (st != BW_OK)
        return st;
    st = bw_query_collect(q, &r, err);
    if (st == BW_OK)
        st = bw_query_chart(r, a->draw_kind, path, a->text, err);
    bw_query_free(r);
    sqlite3_finalize(q);
    return st;
}

static bw_status draw(bw_shop *s, const bw_answer *a, const char *path, bw_err *err) {
    if (a->draw_sql)
        return draw_query(s, a, path, err);
    if (!a->chart)
        return a->outcome == BW_ANSWERED ? bw_fail(err, BW_EDATA, "no chart goes with this answer")
                                         : BW_OK;
    bw_picture_format format = BW_SVG;
    (void)format_of(path, &format);
    bw_chart chart;
    bw_status st = bw_facts_gather(s, err);
    if (st == BW_OK)
        st = bw_chart_build(s, bw_chart_find(a->chart), BW_CHART_WIDE, &chart, err);
    if (st != BW_OK)
        return st;
    st = bw_chart_write(&chart, format, path, err);
    bw_chart_free(&chart);
    return st;
}

static bw_status ask_shop(sqlite3 *db, const char *question, const ask_options *o, bw_err *err) {
    bw_shop *shop;
    bw_answer a;
    bw_status st = bw_shop_open(db, o->lang, o->week, &shop, err);
    if (st != BW_OK)
        return st;
    st = bw_ask(shop, question, &a, err);
    if (st == BW_OK && o->json)
        st = print_json(&a, err);
    else if (st == BW_OK)
        print_plain(&a);
    if (st == BW_OK && o->plot)
        st = draw(shop, &a, o->plot, err);
    else if (st == BW_OK && a.chart && !o->json)
        printf("\n  bellwether plot %s\n", a.chart);
    else if (st == BW_OK && a.draw_sql && !o->json)
        printf("\n  %s\n", bw_word(shop->locale, "ask.draw"));
    bw_shop_close(shop);
    return st;
}

/* Chinese when the question holds a Chinese character (U+2E80 and above begin with E2 BA or more). */
static const char *language_of(const char *question) {
    for (const unsigned char *p = (const unsigned char *)question; *p; p++)
        if (*p >= 0xE3 && *p <= 0xE9)
            return "zh";
    return "en";
}

bw_status bw_cmd_ask(int argc, char **argv, bw_err *err) {
    ask_options o = {0};
    const bw_option options[] = {
        BW_OPTION_DB(o.db),
        {"lang", 0, BW_OPT_TEXT, &o.lang, "LANG", "en or zh (default: the question's own)"},
        {"week", 0, BW_OPT_TEXT, &o.week, "WEEK", "answer as of this week (default: the newest)"},
        {"plot", 'p', BW_OPT_TEXT, &o.plot, "FILE",
         "also draw the answer's chart: .svg, .png or .pdf"},
        BW_OPTION_JSON(o.json),
        {0}};
    static const bw_usage usage = {
        "ask \"QUESTION\" [options]",
        "Answers a question in plain English or Chinese from the database, and shows the queries "
        "it "
        "ran. It knows a written list of questions and never makes up a table or a number; when "
        "yours "
        "is not among them it says which come nearest. It only reads.",
        "  bellwether ask \"which channel earns most?\"\n"
        "  bellwether ask \"how much did we spend on e-mail in October?\"\n"
        "  bellwether ask \"why did revenue fall last week?\" --plot why.svg\n"
        "  bellwether ask \"顾客在抱怨什么？\"\n"};
    bw_status st = bw_options_parse(&usage, options, &argc, &argv, err);
    if (st != BW_OK)
        return st;
    if (argc != 1)
        return bw_fail(err, BW_EUSAGE, "ask: wanted one question, in quotes");
    bw_picture_format format;
    if (o.plot && !format_of(o.plot, &format))
        return bw_fail(err, BW_EUSAGE,
                       "ask: --plot %s: the ending says the format: .svg, .png or .pdf", o.plot);
    if (!o.lang)
        o.lang = language_of(argv[0]);
    sqlite3 *db;
    st = bw_db_open(bw_default_db(o.db), BW_DB_READ, &db, err);
    if (st != BW_OK)
        return st;
    st = ask_shop(db, argv[0], &o, err);
    bw_db_close(db);
    return st;
}
