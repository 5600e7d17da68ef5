/* model/shipped/score_bursts.c - complaints that have just begun.
 *
 * What is said against us is the whole of a negative review, and of the others the sentences that
 * judge an aspect badly. A word that the last RECENT_DAYS hold far more often than all time before
 * (topics.h) starts a topic: the texts that hold it are its members, its name is the word and what
 * stands beside it, its first day that of the first member of late. Then the rest is looked at again,
 * so that a second complaint is not hidden by the first. */
#include "model/shipped/score.h"

#include "common/buf.h"
#include "model/shipped/text.h"
#include "model/shipped/topics.h"
#include "sql/db.h"
#include "sql/redact.h"

#include <cjson/cJSON.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define RECENT_DAYS "42"
#define MOST        3 /* of a language */

typedef struct {
    char **id, **text; /* text: redacted, small letters */
    int32_t *when;     /* 1 of late, 0 before, -1 taken by an earlier burst */
    size_t n, cap;
} complaints;

static void complaints_free(complaints *c) {
    for (size_t i = 0; i < c->n; i++) {
        free(c->id[i]);
        free(c->text[i]);
    }
    free(c->id);
    free(c->text);
    free(c->when);
}

static const char *const COMPLAINTS =
    "SELECT r.id, CASE WHEN s.negative >= 0.5 THEN r.text ELSE group_concat(a.excerpt, ' ') END, "
    "r.day > date((SELECT max(day) FROM review), '-" RECENT_DAYS " days') "
    "FROM review r JOIN review_score s ON s.review = r.id LEFT JOIN review_aspect a ON a.review = "
    "r.id AND a.mentioned >= 0.5 AND a.negative >= 0.5 WHERE r.lang = ? AND r.day IS NOT NULL "
    "GROUP BY r.id HAVING s.negative >= 0.5 OR count(a.excerpt) > 0 ORDER BY r.id";

static void small_letters(char *text) {
    for (; *text; text++)
        if (*text >= 'A' && *text <= 'Z')
            *text = (char)(*text - 'A' + 'a');
}

static bw_status read_complaints(sqlite3 *db, const char *lang, complaints *c, bw_err *err) {
    sqlite3_stmt *s;
    c->cap = (size_t)bw_db_number(db, "SELECT count(*) FROM review_score", 0);
    c->id = calloc(c->cap + 1, sizeof *c->id);
    c->text = calloc(c->cap + 1, sizeof *c->text);
    c->when = calloc(c->cap + 1, sizeof *c->when);
    bw_status st =
        c->id && c->text && c->when ? bw_db_prepare(db, COMPLAINTS, &s, err) : bw_fail_memory(err);
    if (st != BW_OK)
        return st;
    sqlite3_bind_text(s, 1, lang, -1, SQLITE_STATIC);
    bool row = true;
    while (st == BW_OK && (st = bw_db_step(s, &row, err)) == BW_OK && row && c->n < c->cap) {
        const char *text = (const char *)sqlite3_column_text(s, 1);
        c->id[c->n] = strdup((const char *)sqlite3_column_text(s, 0));
        c->text[c->n] = bw_redact(text ? text : "");
        c->when[c->n] = sqlite3_column_int(s, 2) > 0;
        c->n++;
        if (!c->id[c->n - 1] || !c->text[c->n - 1])
            st = bw_fail_memory(err);
        else
            small_letters(c->text[c->n - 1]);
    }
    sqlite3_finalize(s);
    return st;
}

/* ---- one topic ---- */

static bw_status put_members(sqlite3 *db, int64_t topic, const complaints *c, const int32_t *member,
                             bw_err *err) {
    sqlite3_stmt *s;
    bw_status st = bw_db_prepare(db, "INSERT INTO topic_member VALUES (?, ?, 1)", &s, err);
    for (size_t i = 0; st == BW_OK && i < c->n; i++) {
        if (member[i] != 1)
            continue;
        sqlite3_bind_int64(s, 1, topic);
        sqlite3_bind_text(s, 2, c->id[i], -1, SQLITE_STATIC);
        st = bw_db_run(s, err);
    }
    sqlite3_finalize(s);
    return st;
}

/* The name's own vector stands for the topic. */
static bw_status put_topic(sqlite3 *db, const bw_encoder *e, const char *lang, const char *name,
                           const char *words, size_t size, int64_t *id, bw_err *err) {
    size_t dim = bw_encoder_dim(e);
    float *vector = malloc(dim * sizeof *vector);
    sqlite3_stmt *s = NULL;
    bw_status st = vector ? bw_encoder_score(e, &name, 1, NULL, vector, err) : bw_fail_memory(err);
    if (st == BW_OK)
        st = bw_db_prepare(db,
                           "INSERT INTO topic (kind, lang, name, words, centroid, size, emerging, "
                           "model) VALUES ('emerging', ?, ?, ?, ?, ?, 1, ?)",
                           &s, err);
    if (st == BW_OK) {
        sqlite3_bind_text(s, 1, lang, -1, SQLITE_STATIC);
        sqlite3_bind_text(s, 2, name, -1, SQLITE_STATIC);
        sqlite3_bind_text(s, 3, words, -1, SQLITE_STATIC);
        sqlite3_bind_blob(s, 4, vector, (int)(dim * sizeof *vector), SQLITE_STATIC);
        sqlite3_bind_int64(s, 5, (int64_t)size);
        sqlite3_bind_text(s, 6, bw_encoder_id(e), -1, SQLITE_TRANSIENT);
        st = bw_db_run(s, err);
        *id = sqlite3_last_insert_rowid(db);
    }
    sqlite3_finalize(s);
    free(vector);
    return st;
}

/* "zip, jams, split": the word itself and two that stand beside it; the list as JSON. */
static char *name_topic(const char *term, char *const words[BW_TOPIC_WORDS], bool zh, char *name,
                        size_t cap) {
    cJSON *list = cJSON_CreateArray();
    cJSON_AddItemToArray(list, cJSON_CreateString(term));
    size_t n = (size_t)snprintf(name, cap, "%s", term), shown = 1;
    for (int i = 0; i < BW_TOPIC_WORDS && words[i]; i++) {
        if (strstr(words[i], term) || strstr(term, words[i]))
            continue;
        cJSON_AddItemToArray(list, cJSON_CreateString(words[i]));
        if (shown++ < 3 && n < cap)
            n += (size_t)snprintf(name + n, cap - n, "%s%s", zh ? "、" : ", ", words[i]);
    }
    char *json = cJSON_PrintUnformatted(list);
    cJSON_Delete(list);
    return json;
}

/* The sentences of the text that hold the term; the caller's to free, NULL without memory. */
static char *around(const char *text, const char *term) {
    bw_buf b = {0};
    size_t at = 0, n;
    const char *begin;
    while ((n = bw_text_sentence(text, &at, &begin)) > 0) {
        const char *found = strstr(begin, term);
        if (found && found < begin + n) {
            bw_buf_add_n(&b, begin, n);
            bw_buf_add(&b, " ");
        }
    }
    bw_buf_add(&b, "");
    return bw_buf_take(&b);
}

/* What stands beside the term of late, against all else that is said. */
static bw_status words_beside(const complaints *c, const int32_t *late, const bw_burst *b, bool zh,
                              char *(*words)[BW_TOPIC_WORDS], bw_err *err) {
    const char **text = calloc(c->n + 1, sizeof *text);
    char **part = calloc(c->n + 1, sizeof *part);
    bw_status st = text && part ? BW_OK : bw_fail_memory(err);
    for (size_t i = 0; st == BW_OK && i < c->n; i++) {
        if (late[i] == 1 && !(part[i] = around(c->text[i], b->term)))
            st = bw_fail_memory(err);
        text[i] = part[i] ? part[i] : c->text[i];
    }
    if (st == BW_OK)
        st = bw_topic_words(text, c->n, late, 2, zh, words, err);
    for (size_t i = 0; part && i < c->n; i++)
        free(part[i]);
    free(part);
    free(text);
    return st;
}

static bw_status write_burst(sqlite3 *db, const bw_encoder *e, const char *lang,
                             const complaints *c, const int32_t *member, const int32_t *late,
                             const bw_burst *b, bw_err *err) {
    char *words[2][BW_TOPIC_WORDS] = {{0}}, name[200];
    int64_t id = 0;
    bool zh = lang[0] == 'z';
    bw_status st = words_beside(c, late, b, zh, words, err);
    char *json = st == BW_OK ? name_topic(b->term, words[1], zh, name, sizeof name) : NULL;
    if (st == BW_OK && !json)
        st = bw_fail_memory(err);
    if (st == BW_OK)
        st = put_topic(db, e, lang, name, json, (size_t)(b->recent + b->before), &id, err);
    if (st == BW_OK)
        st = put_members(db, id, c, member, err);
    for (size_t k = 0; k < 2; k++)
        for (size_t i = 0; i < BW_TOPIC_WORDS; i++)
            free(words[k][i]);
    free(json);
    return st;
}

/* ---- all of a language ---- */

static bw_status bursts_of_language(sqlite3 *db, const bw_encoder *e, const char *lang,
                                    size_t *topics, bw_err *err) {
    complaints c = {0};
    bw_status st = read_complaints(db, lang, &c, err);
    int32_t *member = st == BW_OK ? calloc(c.n + 1, sizeof *member) : NULL,
            *late = st == BW_OK ? calloc(c.n + 1, sizeof *late) : NULL;
    if (st == BW_OK && (!member || !late))
        st = bw_fail_memory(err);
    for (int round = 0; st == BW_OK && round < MOST; round++) {
        bw_burst b;
        st = bw_topic_burst((const char *const *)c.text, c.n, c.when, lang[0] == 'z', &b, err);
        if (st != BW_OK || !b.term)
            break;
        for (size_t i = 0; i < c.n; i++) {
            member[i] = strstr(c.text[i], b.term) != NULL;
            late[i] = member[i] && c.when[i] == 1;
            if (member[i])
                c.when[i] = -1;
        }
        st = write_burst(db, e, lang, &c, member, late, &b, err);
        ++*topics;
        free(b.term);
    }
    free(member);
    free(late);
    complaints_free(&c);
    return st;
}

static const char *const ANEW =
    "DELETE FROM topic_member WHERE topic IN (SELECT id FROM topic WHERE kind = 'emerging'); "
    "DELETE FROM topic WHERE kind = 'emerging'";
static const char *const FIRST_DAYS =
    "UPDATE topic SET first_day = (SELECT min(r.day) FROM topic_member m JOIN review r ON r.id = "
    "m.id WHERE m.topic = topic.id AND r.day > date((SELECT max(day) FROM review), '-" RECENT_DAYS
    " days')) WHERE kind = 'emerging'";

bw_status bw_score_bursts(sqlite3 *db, const bw_encoder *e, size_t *topics, bw_err *err) {
    bw_status st = bw_db_begin(db, err);
    if (st != BW_OK)
        return st;
    st = bw_db_exec(db, ANEW, err);
    if (st == BW_OK)
        st = bursts_of_language(db, e, "en", topics, err);
    if (st == BW_OK)
        st = bursts_of_language(db, e, "zh", topics, err);
    if (st == BW_OK)
        st = bw_db_exec(db, FIRST_DAYS, err);
    return bw_db_end(db, st, err);
}
