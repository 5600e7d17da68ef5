/* reports/verify.c - the four passes: facts, numbers, stray numbers, charts. */
#include "reports/verify.h"

#include "reports/charts/chart.h"
#include "reports/doc/facts_json.h"
#include "reports/facts/gather.h"
#include "reports/past.h"
#include "reports/pipeline.h"
#include "reports/words/guard.h"
#include "sql/db.h"

#include <cjson/cJSON.h>
#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <strings.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define FILE_MOST ((size_t)64 * 1024 * 1024)

typedef struct {
    sqlite3 *db;
    cJSON *file;
    char *page;
    bw_shop *shop;
    bw_verify *out;
} verifier;

static void mismatch(verifier *v, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void mismatch(verifier *v, const char *format, ...) {
    char line[600];
    va_list args;
    va_start(args, format);
    vsnprintf(line, sizeof line, format, args);
    va_end(args);
    bw_buf_addf(&v->out->report, "%s\n", line);
    v->out->mismatches++;
}

static const char *text_of(const cJSON *o, const char *key) {
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(o, key);
    return cJSON_IsString(item) ? item->valuestring : "";
}

static double number_of(const cJSON *o, const char *key) {
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(o, key);
    return cJSON_IsNumber(item) ? item->valuedouble : NAN;
}

/* Equal but for the last bits that a decimal text may lose. */
static bool same(double a, double b) {
    return (isnan(a) && isnan(b)) || fabs(a - b) <= 1e-9 * fmax(1, fmax(fabs(a), fabs(b)));
}

/* ---- facts ---- */

static bw_status check_fact(verifier *v, const cJSON *fact, bw_err *err) {
    sqlite3_stmt *q = NULL;
    const char *id = text_of(fact, "id");
    if (sqlite3_prepare_v2(v->db, text_of(fact, "sql"), -1, &q, NULL) != SQLITE_OK || !q ||
        !sqlite3_stmt_readonly(q)) {
        mismatch(v, "%s: its query does not run: %s", id,
                 q ? "it would change the database" : sqlite3_errmsg(v->db));
        sqlite3_finalize(q);
        return BW_OK;
    }
    const cJSON *interval = cJSON_GetObjectItemCaseSensitive(fact, "interval");
    const struct {
        const char *column;
        double told;
    } PARTS[] = {
        {"value", number_of(fact, "value")}, {"lo", number_of(interval, "lo")},
        {"hi", number_of(interval, "hi")},   {"probability", number_of(fact, "probability")},
        {"n", number_of(fact, "n")},         {"reference", number_of(fact, "comparison")}};
    bool row = false;
    bw_status st = bw_db_step(q, &row, err);
    if (st == BW_OK && !row)
        mismatch(v, "%s: its query gives no row any more", id);
    for (int i = 0; row && i < sqlite3_column_count(q); i++)
        for (size_t k = 0; k < sizeof PARTS / sizeof *PARTS; k++) {
            bool mine = strcmp(sqlite3_column_name(q, i), PARTS[k].column) == 0;
            if (!mine || (isnan(PARTS[k].told) &&
                          (k == 1 || k == 2))) /* an interval without both ends is not told */
                continue;
            double now =
                sqlite3_column_type(q, i) == SQLITE_NULL ? NAN : sqlite3_column_double(q, i);
            if (!same(now, PARTS[k].told))
                mismatch(v, "%s: %s is %.10g in the report and %.10g in the database", id,
                         PARTS[k].column, PARTS[k].told, now);
        }
    sqlite3_finalize(q);
    v->out->facts++;
    return st;
}

static bw_status check_facts(verifier *v, bw_err *err) {
    bw_status st = BW_OK;
    const cJSON *fact;
    cJSON_ArrayForEach(fact, cJSON_GetObjectItemCaseSensitive(v->file, "facts")) {
        if (st == BW_OK)
            st = check_fact(v, fact, err);
    }
    return st;
}

/* ---- numbers of the page ---- */

static const cJSON *fact_by_id(const verifier *v, const char *id, size_t n) {
    const cJSON *fact;
    cJSON_ArrayForEach(fact, cJSON_GetObjectItemCaseSensitive(v->file, "facts")) {
        const char *have = text_of(fact, "id");
        if (strlen(have) == n && strncmp(have, id, n) == 0)
            return fact;
    }
    return NULL;
}

static bool near(double a, double b, double half) {
    return isfinite(b) && fabs(a - b) <= half * 1.0001 + 1e-12;
}

/* The fact as far as its rounding goes. */
static double rounding(const cJSON *fact) {
    const cJSON *interval = cJSON_GetObjectItemCaseSensitive(fact, "interval");
    bw_fact f = {.unit = bw_unit_named(text_of(fact, "unit")),
                 .value = number_of(fact, "value"),
                 .lo = number_of(interval, "lo"),
                 .hi = number_of(interval, "hi"),
                 .reference = number_of(fact, "comparison")};
    return 0.5 * pow(10, bw_fact_style(&f).place);
}

/* The text, as a reader reads it, is the number told, as rounded as the fact's style rounds it. */
static bool reads_as(const verifier *v, const char *text, bw_unit unit, double told, double least) {
    double x, half;
    if (bw_guard_number(v->shop->locale, text, unit, &x, &half) == 0)
        return false;
    half = fmax(half, least);
    return near(x, told, half) || (x >= 0 && *text != '+' && near(x, fabs(told), half));
}

/* Both ends of "−$2.0k to $15.1k"; the first may lack the unit that the second has. */
static bool range_reads_as(const verifier *v, const char *text, bw_unit unit, double lo, double hi,
                           double least) {
    const char *word = bw_word(v->shop->locale, "number.range_word");
    word += strspn(word, " ");
    size_t n = strlen(word);
    const char *cut = strstr(text, word);
    return cut && reads_as(v, text, unit, lo, least) &&
           reads_as(v, cut + n + strspn(cut + n, " "), unit, hi, least);
}

static bool chance_reads_as(const verifier *v, const char *text, double p) {
    const bw_locale *l = v->shop->locale;
    if (strcmp(text, bw_word(l, "chance.over")) == 0)
        return p >= 0.995;
    if (strcmp(text, bw_word(l, "chance.under")) == 0)
        return p < 0.005;
    return reads_as(v, text, BW_SHARE, p, 0);
}

static bool shown_right(const verifier *v, const cJSON *fact, char part, const char *text) {
    bw_unit unit = bw_unit_named(text_of(fact, "unit"));
    const cJSON *interval = cJSON_GetObjectItemCaseSensitive(fact, "interval");
    double least = rounding(fact);
    switch (part) {
    case 'l':
        return reads_as(v, text, unit, number_of(interval, "lo"), least);
    case 'h':
        return reads_as(v, text, unit, number_of(interval, "hi"), least);
    case 'i':
        return range_reads_as(v, text, unit, number_of(interval, "lo"), number_of(interval, "hi"),
                              least);
    case 'r':
        return reads_as(v, text, unit, number_of(fact, "comparison"), least);
    case 'n':
        return reads_as(v, text, BW_COUNT, number_of(fact, "n"), 0);
    case 'p':
        return chance_reads_as(v, text, number_of(fact, "probability"));
    case 'w':
        return strcasecmp(text, bw_hedge(v->shop->locale, number_of(fact, "probability"))) == 0;
    default:
        return reads_as(v, text, unit, number_of(fact, "value"), least);
    }
}

/* n bytes of HTML as text: the five entities that the page uses. */
static char *unescape(const char *html, size_t n) {
    static const char *const ENTITIES[][2] = {
        {"&amp;", "&"}, {"&lt;", "<"}, {"&gt;", ">"}, {"&quot;", "\""}, {"&#39;", "'"}};
    bw_buf b = {0};
    bw_buf_add(&b, "");
    for (const char *p = html; p < html + n;) {
        size_t used = 0;
        for (size_t i = 0; i < 5 && *p == '&'; i++)
            if (strncmp(p, ENTITIES[i][0], strlen(ENTITIES[i][0])) == 0) {
                bw_buf_add(&b, ENTITIES[i][1]);
                used = strlen(ENTITIES[i][0]);
                break;
            }
        if (!used)
            bw_buf_add_n(&b, p, used = 1);
        p += used;
    }
    return bw_buf_take(&b);
}

/* One link: <a class="n" href="#q12" data-part="v" data-fact="roas/search">$2.7</a> */
static bw_status check_link(verifier *v, const char *link, bw_err *err) {
    const char *number = strstr(link, "href=\"#q"), *part = strstr(link, "data-part=\""),
               *id = strstr(link, "data-fact=\"");
    const char *text = strchr(link, '>'), *end = text ? strstr(text, "</a>") : NULL;
    if (!number || !part || !id || !end || id > text)
        return bw_fail(err, BW_EFORMAT, "index.html: a link to a query is broken: %.60s", link);
    size_t n = strcspn(id + 11, "\"");
    const cJSON *fact = fact_by_id(v, id + 11, n);
    char *shown = unescape(text + 1, (size_t)(end - text - 1));
    if (!shown)
        return bw_fail_memory(err);
    v->out->numbers++;
    if (!fact)
        mismatch(v, "the page shows \"%s\" for %.*s, which facts.json does not hold", shown, (int)n,
                 id + 11);
    else if (!same(strtod(number + 8, NULL), number_of(fact, "number")))
        mismatch(v, "\"%s\" (%s) links to query %ld, its own is %.0f", shown, text_of(fact, "id"),
                 strtol(number + 8, NULL, 10), number_of(fact, "number"));
    else if (!shown_right(v, fact, part[11], shown))
        mismatch(v, "the page shows \"%s\" for %s, which is %.10g", shown, text_of(fact, "id"),
                 number_of(fact, "value"));
    free(shown);
    return BW_OK;
}

static bw_status check_links(verifier *v, bw_err *err) {
    bw_status st = BW_OK;
    for (const char *p = v->page; st == BW_OK && (p = strstr(p, "<a class=\"n\"")); p++)
        st = check_link(v, p, err);
    return st;
}

static bool is_constant(const verifier *v, const char *p) {
    const char *constant;
    for (size_t i = 0; (constant = bw_word_nth(v->shop->locale, "guard.constants", i)); i++)
        if (strncmp(p, constant, strlen(constant)) == 0 &&
            !isdigit((unsigned char)p[strlen(constant)]))
            return true;
    return false;
}

/* Digits of a paragraph that stand in no link, name or day, and are no constant of the templates. */
static void check_paragraph(verifier *v, const char *p, const char *end) {
    while (p < end) {
        static const char *const SKIPPED[][2] = {
            {"<a ", "</a>"}, {"<span ", "</span>"}, {"<time>", "</time>"}};
        const char *next = NULL;
        for (size_t i = 0; i < 3 && *p == '<'; i++)
            if (strncmp(p, SKIPPED[i][0], strlen(SKIPPED[i][0])) == 0)
                next = strstr(p, SKIPPED[i][1]);
        if (*p == '&')
            next = strchr(p, ';');
        if (!next && isdigit((unsigned char)*p)) {
            if (!is_constant(v, p))
                mismatch(v, "a number of no fact: \"%.40s\"", p);
            next = p + strspn(p, "0123456789.,") - 1;
        }
        p = next && next < end ? next + 1 : p + 1;
    }
}

static void check_strays(verifier *v) {
    const char *stop = strstr(v->page, "<section id=\"method\"");
    for (const char *p = v->page; (p = strstr(p, "<p class=\"prose\">")) && (!stop || p < stop);
         p++)
        check_paragraph(v, p + 17, strstr(p, "</p>") ? strstr(p, "</p>") : p + 17);
}

/* ---- charts ---- */

static bool cell_same(const bw_cell *cell, const cJSON *told) {
    if (cell->text)
        return cJSON_IsString(told) && strcmp(told->valuestring, cell->text) == 0;
    return isfinite(cell->value) ? cJSON_IsNumber(told) && same(told->valuedouble, cell->value)
                                 : cJSON_IsString(told) && !*told->valuestring;
}

static void check_table(verifier *v, const bw_chart *ch, const cJSON *told) {
    const cJSON *rows = cJSON_GetObjectItemCaseSensitive(told, "rows");
    if ((size_t)cJSON_GetArraySize(rows) != ch->table.rows) {
        mismatch(v, "chart %s: %d rows in the report, %zu in the database", ch->name,
                 cJSON_GetArraySize(rows), ch->table.rows);
        return;
    }
    for (size_t r = 0; r < ch->table.rows; r++)
        for (size_t i = 0; i < ch->table.columns; i++)
            if (!cell_same(&ch->table.cells[r * ch->table.columns + i],
                           cJSON_GetArrayItem(cJSON_GetArrayItem(rows, (int)r), (int)i)))
                mismatch(v, "chart %s: row %zu, column %s differs from the database", ch->name,
                         r + 1, ch->table.heads[i]);
}

/* Every label of the picture in the page is one that the chart draws now. */
static bw_status check_labels(verifier *v, const bw_chart *ch, const char *id, bw_err *err) {
    char title[60];
    snprintf(title, sizeof title, "<title id=\"%.40s-t\">", id);
    const char *p = v->page ? strstr(v->page, title) : NULL, *end = p ? strstr(p, "</svg>") : NULL;
    bw_buf script = {0};
    bw_canvas_script(ch->canvas, &script);
    while (p && end && (p = strstr(p, "<text>")) && p < end) {
        const char *close = strstr(p, "</text>");
        char *label = close ? unescape(p + 6, (size_t)(close - p - 6)) : NULL;
        bw_buf row = {0};
        bw_buf_add(&row, "\t");
        for (const char *c = label ? label : ""; *c; c++)
            bw_buf_add(&row, *c == '\\' ? "\\\\" : (char[]){*c, '\0'});
        bw_buf_add(&row, "\n");
        if (label && script.text && row.text && !strstr(script.text, row.text))
            mismatch(v, "chart %s: the label \"%s\" is not what the database gives", id, label);
        free(label);
        bw_buf_free(&row);
        v->out->labels++;
        p = close ? close : end;
    }
    bool ok = bw_buf_ok(&script);
    bw_buf_free(&script);
    return ok ? BW_OK : bw_fail_memory(err);
}

static bw_status check_chart(verifier *v, const cJSON *told, bw_err *err) {
    const bw_chart_kind *kind = bw_chart_find(text_of(told, "name"));
    if (!kind) {
        mismatch(v, "there is no chart %s", text_of(told, "name"));
        return BW_OK;
    }
    v->out->charts++;
    for (int narrow = 0; narrow < 2; narrow++) {
        bw_chart ch;
        bw_status st =
            bw_chart_build(v->shop, kind, narrow ? BW_CHART_NARROW : BW_CHART_WIDE, &ch, err);
        if (st == BW_EDATA) {
            mismatch(v, "chart %s: %s", kind->name, err->text);
            return BW_OK;
        }
        if (st != BW_OK)
            return st;
        if (!narrow)
            check_table(v, &ch, told);
        if (!narrow && strcmp(ch.title, text_of(told, "title")) != 0)
            mismatch(v, "chart %s: the title is \"%s\", the database gives \"%s\"", kind->name,
                     text_of(told, "title"), ch.title);
        st = check_labels(
            v, &ch, bw_arena_textf(v->shop->arena, "%s%s", kind->name, narrow ? "-n" : ""), err);
        bw_chart_free(&ch);
        if (st != BW_OK)
            return st;
    }
    return BW_OK;
}

static bw_status check_charts(verifier *v, bw_err *err) {
    bw_status st = BW_OK;
    const cJSON *chart;
    cJSON_ArrayForEach(chart, cJSON_GetObjectItemCaseSensitive(v->file, "charts")) {
        if (st == BW_OK)
            st = check_chart(v, chart, err);
    }
    return st;
}

/* ---- all ---- */

static bw_status read_report(verifier *v, const char *folder, bw_err *err) {
    bw_buf path = {0};
    char *json = NULL;
    bw_buf_addf(&path, "%s/facts.json", folder);
    bw_status st = bw_file_read(path.text, FILE_MOST, &json, NULL, err);
    if (st == BW_OK) {
        v->file = cJSON_Parse(json);
        if (strcmp(text_of(v->file, "schema"), BW_FACTS_SCHEMA) != 0)
            st =
                bw_fail(err, BW_EFORMAT, "%s: not a file of schema %s", path.text, BW_FACTS_SCHEMA);
    }
    free(json);
    bw_buf_clear(&path);
    bw_buf_addf(&path, "%s/index.html", folder);
    if (st == BW_OK)
        st = bw_file_read(path.text, FILE_MOST, &v->page, NULL, err);
    bw_buf_free(&path);
    if (st == BW_OK || st == BW_ENOMEM)
        return st;
    bw_err why = *err;
    return bw_fail(err, st, "%s; wanted is a folder that 'bellwether report' wrote", why.text);
}

static bw_status verify(verifier *v, bw_err *err) {
    bw_status st =
        bw_shop_open(v->db, text_of(v->file, "lang"), text_of(v->file, "first_day"), &v->shop, err);
    if (st == BW_OK)
        st = bw_facts_gather(v->shop, err);
    if (st == BW_OK)
        st = check_facts(v, err);
    if (st == BW_OK)
        st = check_links(v, err);
    if (st == BW_OK) {
        check_strays(v);
        st = check_charts(v, err);
    }
    bw_shop_close(v->shop);
    return st;
}

/* A report of the past rests on a copy that knew nothing later, and on the estimates made there, which
 * were kept; with refit they are made again. */
static bw_status open_past(verifier *v, bool refit, bw_err *err) {
    sqlite3 *copy = NULL;
    const char *last_day = text_of(v->file, "last_day"), *week = text_of(v->file, "week");
    bw_buf notes = {0};
    bw_status st = bw_stages_as_of(v->db, last_day, &copy, err);
    if (st == BW_OK)
        st = refit ? bw_stages_run(copy, &notes, err) : bw_past_restore(v->db, copy, last_day, err);
    if (st == BW_EDATA)
        bw_fail(err, st,
                "the estimates that the report of %s was written from are not in this database any "
                "more; 'bellwether verify --refit' makes them again, and 'bellwether report --week "
                "%s' writes the report anew",
                week, week);
    bw_buf_free(&notes);
    v->db = copy;
    return st;
}

bw_status bw_verify_run(sqlite3 *db, const char *folder, bool refit, bw_verify *out, bw_err *err) {
    *out = (bw_verify){0};
    verifier v = {.db = db, .out = out};
    bw_status st = read_report(&v, folder, err);
    if (st == BW_OK && cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(v.file, "as_of")))
        st = open_past(&v, refit, err);
    if (st == BW_OK)
        st = verify(&v, err);
    if (v.db != db)
        sqlite3_close(v.db);
    cJSON_Delete(v.file);
    free(v.page);
    return st == BW_OK && !bw_buf_ok(&out->report) ? bw_fail_memory(err) : st;
}
