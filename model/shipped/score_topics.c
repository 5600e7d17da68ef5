/* model/shipped/score_topics.c - topics in the database: made from the embeddings, matched to the last ones.
 *
 * Clustering starts from the centroids that are stored, so a topic keeps its id, its name's drift is
 * slow, and its first day stays; a few free clusters let new subjects appear. A topic is emerging
 * when it is new, or when its share of the reviews in the last EMERGING_DAYS days is at least twice
 * that of the time before, with at least EMERGING_MIN reviews behind it. */
#include "model/shipped/score.h"

#include "model/shipped/topics.h"
#include "sql/db.h"
#include "sql/redact.h"

#include <cjson/cJSON.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SEED          20
#define MIN_REVIEWS   30 /* of a language; fewer say nothing about subjects */
#define MAX_TOPICS    16
#define REVIEWS_EACH  60.0 /* a topic for so many reviews, growing with the square root */
#define FREE_CLUSTERS 2
#define MIN_SIZE      8    /* smaller ones are no topic */
#define MIN_MEMBER    0.15 /* cosine below which a text belongs to no topic */
#define EMERGING_DAYS 28
#define EMERGING_MIN  8

typedef struct {
    char **id, **text;
    double *day;   /* Julian day, NAN = unknown */
    float *vector; /* [n, dim] */
    size_t n, cap;
} reviews;

static void reviews_free(reviews *r) {
    for (size_t i = 0; i < r->n; i++) {
        free(r->id[i]);
        free(r->text[i]);
    }
    free(r->id);
    free(r->text);
    free(r->day);
    free(r->vector);
}

static bool reserve(reviews *r, size_t n, size_t dim) {
    r->id = calloc(n + 1, sizeof *r->id);
    r->text = calloc(n + 1, sizeof *r->text);
    r->day = calloc(n + 1, sizeof *r->day);
    r->vector = calloc((n + 1) * dim, sizeof *r->vector);
    r->cap = n;
    return r->id && r->text && r->day && r->vector;
}

static bw_status read_row(sqlite3_stmt *s, reviews *r, size_t dim, bw_err *err) {
    if (sqlite3_column_bytes(s, 3) != (int)(dim * sizeof(float)))
        return BW_OK; /* written by weights of another width; the next score replaces it */
    r->id[r->n] = strdup((const char *)sqlite3_column_text(s, 0));
    r->text[r->n] = bw_redact((const char *)sqlite3_column_text(s, 1));
    r->day[r->n] = sqlite3_column_type(s, 2) == SQLITE_NULL ? NAN : sqlite3_column_double(s, 2);
    memcpy(r->vector + r->n * dim, sqlite3_column_blob(s, 3), dim * sizeof(float));
    r->n++;
    return r->id[r->n - 1] && r->text[r->n - 1] ? BW_OK : bw_fail_memory(err);
}

static bw_status read_reviews(sqlite3 *db, const bw_encoder *e, const char *lang, reviews *r,
                              bw_err *err) {
    sqlite3_stmt *s = NULL;
    size_t total = (size_t)bw_db_number(db, "SELECT count(*) FROM review", 0);
    bw_status st = reserve(r, total, bw_encoder_dim(e)) ? BW_OK : bw_fail_memory(err);
    if (st == BW_OK)
        st = bw_db_prepare(
            db,
            "SELECT r.id, r.text, julianday(r.day), v.vector FROM review r JOIN embedding v "
            "ON v.kind = 'review' AND v.id = r.id AND v.model = ? WHERE r.lang = ? ORDER BY r.id",
            &s, err);
    if (st != BW_OK)
        return st;
    sqlite3_bind_text(s, 1, bw_encoder_id(e), -1, SQLITE_TRANSIENT);
    sqlite3_bind_text(s, 2, lang, -1, SQLITE_TRANSIENT);
    bool row = true;
    while (st == BW_OK && (st = bw_db_step(s, &row, err)) == BW_OK && row && r->n < r->cap)
        st = read_row(s, r, bw_encoder_dim(e), err);
    sqlite3_finalize(s);
    return st;
}

/* ---- topics of before ---- */

typedef struct {
    int64_t id[MAX_TOPICS];
    char first_day[MAX_TOPICS][12];
    float *centroid; /* [n, dim] */
    size_t n;
} earlier;

static bw_status read_earlier(sqlite3 *db, const bw_encoder *e, const char *lang, earlier *old,
                              bw_err *err) {
    size_t dim = bw_encoder_dim(e);
    sqlite3_stmt *s;
    old->centroid = malloc(MAX_TOPICS * dim * sizeof(float));
    if (!old->centroid)
        return bw_fail_memory(err);
    bw_status st = bw_db_prepare(
        db,
        "SELECT id, coalesce(first_day, ''), centroid FROM topic WHERE kind = 'review' AND "
        "lang = ? AND model = ? ORDER BY id",
        &s, err);
    if (st != BW_OK)
        return st;
    sqlite3_bind_text(s, 1, lang, -1, SQLITE_TRANSIENT);
    sqlite3_bind_text(s, 2, bw_encoder_id(e), -1, SQLITE_TRANSIENT);
    bool row = true;
    while (st == BW_OK && old->n < MAX_TOPICS && (st = bw_db_step(s, &row, err)) == BW_OK && row) {
        if (sqlite3_column_bytes(s, 2) != (int)(dim * sizeof(float)))
            continue;
        old->id[old->n] = sqlite3_column_int64(s, 0);
        snprintf(old->first_day[old->n], sizeof old->first_day[0], "%s",
                 (const char *)sqlite3_column_text(s, 1));
        memcpy(old->centroid + old->n * dim, sqlite3_column_blob(s, 2), dim * sizeof(float));
        old->n++;
    }
    sqlite3_finalize(s);
    return st;
}

/* ---- emerging ---- */

static double last_day(const reviews *r) {
    double last = -INFINITY;
    for (size_t i = 0; i < r->n; i++)
        last = r->day[i] > last ? r->day[i] : last;
    return last;
}

static double first_day_of(const reviews *r, const bw_topics *t, size_t c) {
    double first = INFINITY;
    for (size_t i = 0; i < r->n; i++)
        if (t->member[i] == (int32_t)c && r->day[i] < first)
            first = r->day[i];
    return first;
}

static bool is_emerging(const reviews *r, const bw_topics *t, size_t c, double last) {
    double recent = 0, recent_all = 0, before = 0, before_all = 0;
    for (size_t i = 0; i < r->n; i++) {
        if (isnan(r->day[i]))
            continue;
        bool new = r->day[i] > last - EMERGING_DAYS, mine = t->member[i] == (int32_t)c;
        *(new ? &recent_all : &before_all) += 1;
        *(new ? &recent : &before) += mine;
    }
    if (recent < EMERGING_MIN || before_all == 0)
        return false;
    return recent / recent_all >= 2 * before / before_all;
}

/* ---- writing ---- */

static char *words_json(char *const words[BW_TOPIC_WORDS]) {
    cJSON *list = cJSON_CreateArray();
    for (int i = 0; i < BW_TOPIC_WORDS && words[i]; i++)
        cJSON_AddItemToArray(list, cJSON_CreateString(words[i]));
    char *text = cJSON_PrintUnformatted(list);
    cJSON_Delete(list);
    return text;
}

static void name_of(char *const words[BW_TOPIC_WORDS], bool zh, char *name, size_t size) {
    size_t n = 0;
    name[0] = '\0';
    for (int i = 0; i < 3 && words[i]; i++)
        n += (size_t)snprintf(name + n, n < size ? size - n : 0, "%s%s",
                              i ? (zh ? "、" : ", ") : "", words[i]);
}

typedef struct {
    sqlite3 *db;
    const bw_encoder *e;
    const char *lang;
    const reviews *r;
    const bw_topics *t;
    const earlier *old;
    char *(*words)[BW_TOPIC_WORDS];
} writer;

static bw_status write_topic(const writer *w, size_t c, int64_t *id, bw_err *err) {
    sqlite3_stmt *s;
    bw_status st = bw_db_prepare(
        w->db, "INSERT INTO topic VALUES (?, 'review', ?, ?, ?, ?, ?, date(?), ?, ?)", &s, err);
    char *json = words_json(w->words[c]), name[200];
    if (st != BW_OK || !json) {
        free(json);
        return st != BW_OK ? st : bw_fail_memory(err);
    }
    name_of(w->words[c], w->lang[0] == 'z', name, sizeof name);
    bool known = c < w->old->n;
    double first = first_day_of(w->r, w->t, c), last = last_day(w->r);
    if (known)
        sqlite3_bind_int64(s, 1, w->old->id[c]);
    sqlite3_bind_text(s, 2, w->lang, -1, SQLITE_TRANSIENT);
    sqlite3_bind_text(s, 3, name, -1, SQLITE_TRANSIENT);
    sqlite3_bind_text(s, 4, json, -1, SQLITE_TRANSIENT);
    sqlite3_bind_blob(s, 5, w->t->centroid + c * w->t->dim, (int)(w->t->dim * sizeof(float)),
                      SQLITE_TRANSIENT);
    sqlite3_bind_int64(s, 6, (int64_t)w->t->size[c]);
    if (known && w->old->first_day[c][0])
        sqlite3_bind_text(s, 7, w->old->first_day[c], -1, SQLITE_TRANSIENT);
    else if (isfinite(first))
        sqlite3_bind_double(s, 7, first);
    sqlite3_bind_int(s, 8, is_emerging(w->r, w->t, c, last));
    sqlite3_bind_text(s, 9, bw_encoder_id(w->e), -1, SQLITE_TRANSIENT);
    free(json);
    st = bw_db_run(s, err);
    *id = sqlite3_last_insert_rowid(w->db);
    sqlite3_finalize(s);
    return st;
}

static bw_status write_members(const writer *w, size_t c, int64_t id, sqlite3_stmt *s,
                               bw_err *err) {
    bw_status st = BW_OK;
    for (size_t i = 0; st == BW_OK && i < w->r->n; i++) {
        if (w->t->member[i] != (int32_t)c || (double)w->t->similarity[i] < MIN_MEMBER)
            continue;
        sqlite3_bind_int64(s, 1, id);
        sqlite3_bind_text(s, 2, w->r->id[i], -1, SQLITE_TRANSIENT);
        sqlite3_bind_double(s, 3, (double)w->t->similarity[i]);
        st = bw_db_run(s, err);
    }
    return st;
}

static bw_status write_topics(const writer *w, size_t *count, bw_err *err) {
    sqlite3_stmt *s = NULL;
    bw_status st = bw_db_prepare(w->db, "INSERT INTO topic_member VALUES (?, ?, ?)", &s, err);
    for (size_t c = 0; st == BW_OK && c < w->t->k; c++) {
        int64_t id = 0;
        if (w->t->size[c] < MIN_SIZE || !w->words[c][0])
            continue;
        st = write_topic(w, c, &id, err);
        if (st == BW_OK)
            st = write_members(w, c, id, s, err);
        ++*count;
    }
    sqlite3_finalize(s);
    return st;
}

static bw_status clear_language(sqlite3 *db, const char *lang, bw_err *err) {
    static const char *const SQL[] = {"DELETE FROM topic_member WHERE topic IN (SELECT id FROM "
                                      "topic WHERE kind = 'review' AND lang = ?)",
                                      "DELETE FROM topic WHERE kind = 'review' AND lang = ?"};
    bw_status st = BW_OK;
    for (size_t i = 0; st == BW_OK && i < 2; i++) {
        sqlite3_stmt *s;
        st = bw_db_prepare(db, SQL[i], &s, err);
        if (st == BW_OK) {
            sqlite3_bind_text(s, 1, lang, -1, SQLITE_TRANSIENT);
            st = bw_db_run(s, err);
            sqlite3_finalize(s);
        }
    }
    return st;
}

static size_t clusters_for(size_t n, size_t before) {
    size_t k = (size_t)(2 + sqrt((double)n / REVIEWS_EACH) * 2);
    size_t wanted = before ? before + FREE_CLUSTERS : k;
    return wanted > MAX_TOPICS ? MAX_TOPICS : wanted;
}

static bw_status topics_of_language(sqlite3 *db, const bw_encoder *e, const char *lang,
                                    size_t *count, bw_err *err) {
    reviews r = {0};
    earlier old = {.n = 0};
    bw_topics t = {0};
    char *(*words)[BW_TOPIC_WORDS] = calloc(MAX_TOPICS, sizeof *words);
    bw_status st = words ? read_reviews(db, e, lang, &r, err) : bw_fail_memory(err);
    if (st == BW_OK)
        st = read_earlier(db, e, lang, &old, err);
    if (st == BW_OK)
        st = clear_language(db, lang, err);
    if (st == BW_OK && r.n >= MIN_REVIEWS) {
        size_t k = clusters_for(r.n, old.n);
        st =
            bw_topics_find(r.vector, r.n, bw_encoder_dim(e), k, old.centroid, old.n, SEED, &t, err);
        if (st == BW_OK)
            st = bw_topic_words((const char *const *)r.text, r.n, t.member, k, lang[0] == 'z',
                                words, err);
        writer w = {db, e, lang, &r, &t, &old, words};
        if (st == BW_OK)
            st = write_topics(&w, count, err);
    }
    for (size_t c = 0; words && c < MAX_TOPICS; c++)
        for (size_t i = 0; i < BW_TOPIC_WORDS; i++)
            free(words[c][i]);
    free(words);
    free(old.centroid);
    bw_topics_free(&t);
    reviews_free(&r);
    return st;
}

bw_status bw_score_topics(sqlite3 *db, const bw_encoder *e, size_t *topics, bw_err *err) {
    *topics = 0;
    bw_status st = bw_db_begin(db, err);
    if (st != BW_OK)
        return st;
    st = topics_of_language(db, e, "en", topics, err);
    if (st == BW_OK)
        st = topics_of_language(db, e, "zh", topics, err);
    return bw_db_end(db, st, err);
}
