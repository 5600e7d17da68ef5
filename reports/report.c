/* reports/report.c - the report from first stage to last file. */
#include "reports/reports.h"

#include "common/buf.h"
#include "reports/advice/advice.h"
#include "reports/doc/document.h"
#include "reports/doc/facts_json.h"
#include "reports/doc/html.h"
#include "reports/doc/letter.h"
#include "reports/doc/markdown.h"
#include "reports/facts/gather.h"
#include "reports/past.h"
#include "reports/pipeline.h"
#include "reports/send/pdf.h"
#include "sql/db.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static bw_status make_folder(const char *path, bw_err *err) {
    bw_buf part = {0};
    bw_status st = BW_OK;
    for (const char *p = path;; p++) {
        if ((*p == '/' || !*p) && part.len && mkdir(part.text, 0777) != 0 && errno != EEXIST) {
            st = bw_fail(err, BW_EIO, "%s: this folder cannot be made: %s", part.text,
                         strerror(errno));
            break;
        }
        if (!*p)
            break;
        bw_buf_add_n(&part, p, 1);
    }
    bw_buf_free(&part);
    return st;
}

static bool wants(const bw_report_options *o, const char *format) {
    const char *list = o->formats ? o->formats : "html,md,json";
    size_t n = strlen(format);
    for (const char *p = list; *p; p += strcspn(p, ","), p += *p == ',')
        if (strcspn(p, ",") == n && strncmp(p, format, n) == 0)
            return true;
    return false;
}

static bw_status check_formats(const bw_report_options *o, bw_err *err) {
    static const char *const KNOWN[] = {"html", "md", "json", "eml", "pdf"};
    for (const char *p = o->formats ? o->formats : ""; *p; p += strcspn(p, ","), p += *p == ',') {
        size_t n = strcspn(p, ","), i = 0;
        while (i < 5 && !(strlen(KNOWN[i]) == n && strncmp(KNOWN[i], p, n) == 0))
            i++;
        if (i == 5)
            return bw_fail(err, BW_EUSAGE,
                           "there is no format '%.*s'; html, md, json, eml and pdf are there",
                           (int)n, p);
    }
    return BW_OK;
}

static bw_status set_length(bw_shop *s, const char *length, bw_err *err) {
    static const char *const NAMES[] = {"brief", "standard", "full"};
    for (size_t i = 0; i < 3; i++)
        if (!length || strcmp(NAMES[i], length) == 0) {
            s->length = length ? (bw_length)i : BW_STANDARD;
            return BW_OK;
        }
    return bw_fail(err, BW_EUSAGE, "there is no length '%s'; brief, standard and full are there",
                   length);
}

/* Facts, advice and document of the shop. */
static bw_status compose(bw_shop *s, const char *since, bw_document **d, bw_err *err) {
    bw_status st = bw_facts_gather(s, err);
    if (st == BW_OK && since)
        st = bw_gather_since(s, since, err);
    if (st == BW_OK)
        st = bw_advice_settle(s, err);
    if (st == BW_OK)
        st = bw_advice_choose(s, err);
    return st == BW_OK ? bw_document_build(s, d, err) : st;
}

static bw_status write_page(bw_document *d, const char *folder, bw_err *err) {
    bw_buf out = {0};
    bw_status st = bw_html_write(d, &out, err);
    if (st == BW_OK)
        st = bw_file_write(bw_arena_textf(d->shop->arena, "%s/index.html", folder), out.text,
                           out.len, err);
    bw_buf_free(&out);
    return st;
}

static bw_status write_markdown(bw_document *d, const char *folder, bw_err *err) {
    bw_buf out = {0};
    bw_status st = make_folder(bw_arena_textf(d->shop->arena, "%s/charts", folder), err);
    if (st == BW_OK)
        st = bw_markdown_charts(d, folder, err);
    bw_markdown_write(d, &out);
    if (st == BW_OK && !bw_buf_ok(&out))
        st = bw_fail_memory(err);
    if (st == BW_OK)
        st = bw_file_write(bw_arena_textf(d->shop->arena, "%s/report.md", folder), out.text,
                           out.len, err);
    bw_buf_free(&out);
    return st;
}

static bw_status write_facts(bw_document *d, const char *folder, bw_err *err) {
    bw_buf out = {0};
    bw_status st = bw_facts_json(d, &out, err);
    if (st == BW_OK)
        st = bw_file_write(bw_arena_textf(d->shop->arena, "%s/facts.json", folder), out.text,
                           out.len, err);
    bw_buf_free(&out);
    return st;
}

static bw_status write_letter(bw_document *d, const char *folder, bw_err *err) {
    bw_buf out = {0};
    bw_status st = bw_letter_write(d, &out, err);
    if (st == BW_OK)
        st = bw_file_write(bw_arena_textf(d->shop->arena, "%s/report.eml", folder), out.text,
                           out.len, err);
    bw_buf_free(&out);
    return st;
}

/* The browser prints the page, which must be there. */
static bw_status write_pdf(bw_document *d, const char *folder, bw_err *err) {
    return bw_pdf_print(bw_arena_textf(d->shop->arena, "%s/index.html", folder),
                        bw_arena_textf(d->shop->arena, "%s/report.pdf", folder), d->shop->last_day,
                        err);
}

/* The page comes before facts.json: it gives the facts their numbers in the appendix. */
static bw_status write_all(bw_document *d, const bw_report_options *o, const char *folder,
                           bw_err *err) {
    bw_status st = make_folder(folder, err);
    if (st == BW_OK && (wants(o, "html") || wants(o, "pdf")))
        st = write_page(d, folder, err);
    if (st == BW_OK && wants(o, "md"))
        st = write_markdown(d, folder, err);
    if (st == BW_OK && wants(o, "json"))
        st = write_facts(d, folder, err);
    if (st == BW_OK && wants(o, "eml"))
        st = write_letter(d, folder, err);
    if (st == BW_OK && wants(o, "pdf"))
        st = write_pdf(d, folder, err);
    return st;
}

/* One language; several: each in a folder of its own below. Adds a line to path. */
static bw_status report_language(sqlite3 *db, const bw_report_options *o, const char *lang,
                                 bool several, const char *week, char *path, size_t cap,
                                 bw_err *err) {
    bw_shop *s;
    bw_document *d = NULL;
    bw_status st = bw_shop_open(db, lang, week, &s, err);
    if (st != BW_OK)
        return st;
    if (!*s->week)
        st = bw_fail(
            err, BW_EDATA,
            "the database holds no outcome, spend, review or message yet; 'bellwether import "
            "--help' shows how to fill it");
    if (st == BW_OK)
        st = set_length(s, o->length, err);
    s->as_of = o->week != NULL;
    if (st == BW_OK)
        st = compose(s, o->since, &d, err);
    const char *folder = o->out ? o->out : bw_arena_textf(s->arena, "report/%s", s->week_name);
    if (several)
        folder = bw_arena_textf(s->arena, "%s/%s", folder, lang);
    if (st == BW_OK)
        st = write_all(d, o, folder, err);
    size_t used = path ? strlen(path) : 0;
    if (st == BW_OK && path && used < cap)
        snprintf(path + used, cap - used, "%s%s/index.html", used ? "\n" : "", folder);
    bw_document_free(d);
    bw_shop_close(s);
    return st;
}

/* The next language of a list "en,zh"; what is too long for one is none. */
static const char *next_language(const char *list, char lang[20]) {
    size_t n = strcspn(list, ",");
    snprintf(lang, 20, "%.*s", n < 20 ? (int)n : 0, list);
    return list[n] ? list + n + 1 : NULL;
}

/* An unknown language is said before any page is written. */
static bw_status check_languages(const bw_report_options *o, bw_err *err) {
    bw_arena *a = bw_arena_new();
    bw_locale *l;
    bw_status st = a ? BW_OK : bw_fail_memory(err);
    char lang[20];
    for (const char *p = o->lang ? o->lang : "en"; st == BW_OK && p;) {
        p = next_language(p, lang);
        st = bw_locale_new(a, lang, "", &l, err);
    }
    bw_arena_free(a);
    return st;
}

/* Every language of the list, from the same estimates. */
static bw_status report_shop(sqlite3 *db, const bw_report_options *o, const char *week, char *path,
                             size_t cap, bw_err *err) {
    const char *list = o->lang ? o->lang : "en";
    bool several = strchr(list, ',') != NULL;
    bw_status st = BW_OK;
    if (path && cap)
        *path = '\0';
    char lang[20];
    for (const char *p = list; st == BW_OK && p;) {
        p = next_language(p, lang);
        st = report_language(db, o, lang, several, week, path, cap, err);
    }
    return st;
}

static bw_status run_stages(sqlite3 *db, const bw_report_options *o, bw_err *err) {
    bw_buf notes = {0};
    bw_status st = o->no_stages ? BW_OK : bw_stages_run(db, &notes, err);
    if (notes.len && !o->quiet)
        fprintf(stderr, "%s", notes.text);
    bw_buf_free(&notes);
    return st;
}

/* A week other than the newest is written from a copy that knows nothing later. */
static bw_status report_past(sqlite3 *db, const bw_report_options *o, char *path, size_t cap,
                             bw_err *err) {
    bw_shop *s;
    bw_status st = bw_shop_open(db, "en", o->week, &s, err);
    if (st != BW_OK)
        return st;
    sqlite3 *copy = NULL;
    st = bw_stages_as_of(db, s->last_day, &copy, err);
    if (st == BW_OK)
        st = run_stages(copy, o, err);
    if (st == BW_OK)
        st = report_shop(copy, o, s->week, path, cap, err);
    if (st == BW_OK)
        st = bw_stages_keep_advice(copy, db, s->week, err);
    if (st == BW_OK)
        st = bw_past_keep(copy, db, s->last_day, err);
    sqlite3_close(copy);
    bw_shop_close(s);
    return st;
}

bw_status bw_report_run(sqlite3 *db, const bw_report_options *o, char *path, size_t cap,
                        bw_err *err) {
    bw_status st = check_formats(o, err);
    if (st == BW_OK)
        st = check_languages(o, err);
    if (st != BW_OK)
        return st;
    if (o->week)
        return report_past(db, o, path, cap, err);
    st = run_stages(db, o, err);
    return st == BW_OK ? report_shop(db, o, NULL, path, cap, err) : st;
}
