/* model/shipped/score.c - rows out, scores in: reads a chunk, scores it on all threads, writes it. */
#include "model/shipped/score.h"

#include "common/progress.h"
#include "model/shipped/message.h"
#include "model/shipped/text.h"
#include "sql/db.h"
#include "sql/redact.h"

#include <stdlib.h>
#include <string.h>

#define CHUNK         512 /* rows a transaction */
#define MENTION_FLOOR 0.3 /* aspects less likely than this are not stored */
#define EXCERPT_MAX   300 /* bytes */

typedef struct {
    char *id[CHUNK], *text[CHUNK];
    size_t n;
    bw_text_score score[CHUNK];
    float *vector; /* [CHUNK, dim] */
} chunk;

static void chunk_clear(chunk *c) {
    for (size_t i = 0; i < c->n; i++) {
        free(c->id[i]);
        free(c->text[i]);
    }
    c->n = 0;
}

/* Statements that write one kind of row. */
typedef struct {
    sqlite3_stmt *pick, *score, *aspect, *no_aspects, *embedding, *lang;
} statements;

static void statements_free(statements *s) {
    sqlite3_finalize(s->pick);
    sqlite3_finalize(s->score);
    sqlite3_finalize(s->aspect);
    sqlite3_finalize(s->no_aspects);
    sqlite3_finalize(s->embedding);
    sqlite3_finalize(s->lang);
}

static bw_status read_chunk(sqlite3_stmt *pick, chunk *c, bw_err *err) {
    bool row = true;
    bw_status st = BW_OK;
    while (st == BW_OK && c->n < CHUNK && (st = bw_db_step(pick, &row, err)) == BW_OK && row) {
        c->id[c->n] = strdup((const char *)sqlite3_column_text(pick, 0));
        c->text[c->n] = strdup((const char *)sqlite3_column_text(pick, 1));
        c->n++;
        if (!c->id[c->n - 1] || !c->text[c->n - 1])
            st = bw_fail_memory(err);
    }
    sqlite3_reset(pick);
    return st;
}

static void bind_text(sqlite3_stmt *s, int at, const char *text) {
    sqlite3_bind_text(s, at, text, -1, SQLITE_TRANSIENT);
}

static bw_status write_embedding(sqlite3_stmt *s, const char *kind, const char *id, const float *v,
                                 size_t dim, const char *model, bw_err *err) {
    bind_text(s, 1, kind);
    bind_text(s, 2, id);
    sqlite3_bind_blob(s, 3, v, (int)(dim * sizeof *v), SQLITE_TRANSIENT);
    bind_text(s, 4, model);
    return bw_db_run(s, err);
}

/* The sentence, without private data, cut at a character's start. The caller frees. */
static char *excerpt(const char *text, const bw_aspect_score *a) {
    size_t n = a->end - a->begin;
    if (n > EXCERPT_MAX)
        for (n = EXCERPT_MAX; n > 0 && ((unsigned char)text[a->begin + n] & 0xC0) == 0x80;)
            n--;
    char *part = strndup(text + a->begin, n), *clean = part ? bw_redact(part) : NULL;
    free(part);
    return clean;
}

static bw_status write_aspects(const statements *s, const char *id, const char *text,
                               const bw_text_score *x, const char *model, bw_err *err) {
    bind_text(s->no_aspects, 1, id);
    bw_status st = bw_db_run(s->no_aspects, err);
    for (size_t a = 0; st == BW_OK && a < BW_N_ASPECTS; a++) {
        const bw_aspect_score *p = &x->aspect[a];
        if ((double)p->mentioned < MENTION_FLOOR)
            continue;
        char *quote = excerpt(text, p);
        if (!quote)
            return bw_fail_memory(err);
        bind_text(s->aspect, 1, id);
        bind_text(s->aspect, 2, BW_ASPECT_NAME[a]);
        sqlite3_bind_double(s->aspect, 3, (double)p->mentioned);
        sqlite3_bind_double(s->aspect, 4, (double)p->negative);
        sqlite3_bind_double(s->aspect, 5, (double)p->neutral);
        sqlite3_bind_double(s->aspect, 6, (double)p->positive);
        bind_text(s->aspect, 7, quote);
        bind_text(s->aspect, 8, model);
        free(quote);
        st = bw_db_run(s->aspect, err);
    }
    return st;
}

static bw_status write_review(const statements *s, const chunk *c, size_t i, const bw_encoder *e,
                              bw_err *err) {
    const bw_text_score *x = &c->score[i];
    bind_text(s->score, 1, c->id[i]);
    sqlite3_bind_double(s->score, 2, (double)x->negative);
    sqlite3_bind_double(s->score, 3, (double)x->neutral);
    sqlite3_bind_double(s->score, 4, (double)x->positive);
    sqlite3_bind_double(s->score, 5, (double)x->stars);
    sqlite3_bind_int64(s->score, 6, x->tokens);
    sqlite3_bind_int(s->score, 7, x->truncated);
    bind_text(s->score, 8, bw_encoder_id(e));
    bw_status st = bw_db_run(s->score, err);
    if (st == BW_OK)
        st = write_aspects(s, c->id[i], c->text[i], x, bw_encoder_id(e), err);
    bind_text(s->lang, 1, bw_text_language(c->text[i]));
    bind_text(s->lang, 2, c->id[i]);
    return st == BW_OK ? bw_db_run(s->lang, err) : st;
}

static bw_status write_message(const statements *s, const chunk *c, size_t i, const bw_encoder *e,
                               bw_err *err) {
    const bw_text_score *x = &c->score[i];
    bw_message_facts f = bw_message_read(c->text[i]);
    bind_text(s->score, 1, c->id[i]);
    sqlite3_bind_double(s->score, 2, (double)x->negative);
    sqlite3_bind_double(s->score, 3, (double)x->neutral);
    sqlite3_bind_double(s->score, 4, (double)x->positive);
    const int facts[] = {f.chars, f.question, f.number, f.emoji, f.urgency, f.personal};
    for (int k = 0; k < 6; k++)
        sqlite3_bind_int(s->score, 5 + k, facts[k]);
    bind_text(s->score, 11, bw_encoder_id(e));
    return bw_db_run(s->score, err);
}

typedef bw_status (*write_fn)(const statements *, const chunk *, size_t, const bw_encoder *,
                              bw_err *);

static bw_status write_chunk(sqlite3 *db, const statements *s, const chunk *c, const bw_encoder *e,
                             const char *kind, write_fn write, bw_err *err) {
    bw_status st = bw_db_begin(db, err);
    if (st != BW_OK)
        return st;
    for (size_t i = 0; st == BW_OK && i < c->n; i++) {
        st = write(s, c, i, e, err);
        if (st == BW_OK)
            st = write_embedding(s->embedding, kind, c->id[i], c->vector + i * bw_encoder_dim(e),
                                 bw_encoder_dim(e), bw_encoder_id(e), err);
    }
    return bw_db_end(db, st, err);
}

static bw_status score_rows(sqlite3 *db, const bw_encoder *e, const statements *s, const char *kind,
                            write_fn write, size_t total, size_t *done, bw_err *err) {
    chunk *c = calloc(1, sizeof *c);
    bw_progress *bar = bw_progress_new(!strcmp(kind, "review") ? "reviews" : "messages", total);
    bw_status st = c && (c->vector = malloc(CHUNK * bw_encoder_dim(e) * sizeof(float)))
                       ? BW_OK
                       : bw_fail_memory(err);
    while (st == BW_OK) {
        bind_text(s->pick, 1, bw_encoder_id(e));
        st = read_chunk(s->pick, c, err);
        if (st != BW_OK || c->n == 0)
            break;
        st = bw_encoder_score(e, (const char *const *)c->text, c->n, c->score, c->vector, err);
        if (st == BW_OK)
            st = write_chunk(db, s, c, e, kind, write, err);
        *done += st == BW_OK ? c->n : 0;
        bw_progress_set(bar, *done, NULL);
        chunk_clear(c);
        if (st == BW_OK && bw_interrupted())
            st = bw_fail(err, BW_EINTERRUPTED,
                         "stopped; %zu %ss are scored, run score again for the rest", *done, kind);
    }
    bw_progress_free(bar);
    if (c) {
        chunk_clear(c);
        free(c->vector);
    }
    free(c);
    return st;
}

static bw_status prepare_all(sqlite3 *db, const char *const sql[6], statements *s, bw_err *err) {
    sqlite3_stmt **to[] = {&s->pick,       &s->score,     &s->aspect,
                           &s->no_aspects, &s->embedding, &s->lang};
    bw_status st = BW_OK;
    for (size_t i = 0; st == BW_OK && i < 6; i++)
        if (sql[i])
            st = bw_db_prepare(db, sql[i], to[i], err);
    return st;
}

static const char EMBEDDING_SQL[] = "INSERT OR REPLACE INTO embedding VALUES (?, ?, ?, ?)";

static bw_status score_reviews(sqlite3 *db, const bw_encoder *e, size_t *done, bw_err *err) {
    static const char *const SQL[6] = {
        "SELECT r.id, r.text FROM review r LEFT JOIN review_score s ON s.review = r.id AND s.model "
        "= ? "
        "WHERE s.review IS NULL ORDER BY r.id LIMIT 512",
        "INSERT OR REPLACE INTO review_score VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        "INSERT INTO review_aspect VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        "DELETE FROM review_aspect WHERE review = ?",
        EMBEDDING_SQL,
        "UPDATE review SET lang = ? WHERE id = ? AND lang IS NULL"};
    double total = bw_db_number(db, "SELECT count(*) FROM review", 0) -
                   bw_db_number(db, "SELECT count(*) FROM review_score", 0);
    statements s = {0};
    bw_status st = prepare_all(db, SQL, &s, err);
    if (st == BW_OK)
        st =
            score_rows(db, e, &s, "review", write_review, total > 0 ? (size_t)total : 0, done, err);
    statements_free(&s);
    return st;
}

static bw_status score_messages(sqlite3 *db, const bw_encoder *e, size_t *done, bw_err *err) {
    static const char *const SQL[6] = {
        "SELECT m.id, m.text FROM message m LEFT JOIN message_score s ON s.message = m.id AND "
        "s.model = ? "
        "WHERE s.message IS NULL AND m.text IS NOT NULL ORDER BY m.id LIMIT 512",
        "INSERT OR REPLACE INTO message_score VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        NULL,
        NULL,
        EMBEDDING_SQL,
        NULL};
    statements s = {0};
    bw_status st = prepare_all(db, SQL, &s, err);
    if (st == BW_OK)
        st = score_rows(db, e, &s, "message", write_message, 0, done, err);
    statements_free(&s);
    return st;
}

bw_status bw_score_database(sqlite3 *db, const bw_encoder *e, bw_score_counts *counts,
                            bw_err *err) {
    *counts = (bw_score_counts){0};
    bw_status st = score_reviews(db, e, &counts->reviews, err);
    if (st == BW_OK)
        st = score_messages(db, e, &counts->messages, err);
    counts->topics = (size_t)bw_db_number(db, "SELECT count(*) FROM topic", 0);
    if (st == BW_OK && (counts->reviews || !counts->topics))
        st = bw_score_topics(db, e, &counts->topics, err);
    if (st == BW_OK && counts->reviews)
        st = bw_score_bursts(db, e, &counts->topics, err);
    return st;
}
