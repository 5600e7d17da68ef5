/* model/train/corpus.c - the file is inflated into one arena and cut in place: rows are pointers into it. */
#include "model/train/corpus.h"

#include "model/shipped/aspects.h"
#include "model/shipped/text.h"

#include <dirent.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#define MAX_COLUMNS 64
#define MAX_FILE    ((size_t)2 << 30) /* bytes after inflating; a guard, not a need */
#define CRC_PARTS   10

enum { TEXT, TEXT2, LABEL, STARS, SCORE, SPLIT, ASPECT, CATEGORY, OPINION, N_KNOWN };
static const char *const COLUMN[N_KNOWN][3] = {
    {"text", "reference", "sentence1"},
    {"sentence2"},
    {"label"},
    {"stars", "rating"},
    {"score"},
    {"split"},
    {"aspect"},
    {"category"},
    {"opinion"},
};

static bw_status inflate_file(const char *path, char **out, size_t *len, bw_err *err) {
    gzFile f = gzopen(path, "rb");
    if (!f)
        return bw_fail(err, BW_EIO, "%s: cannot be opened", path);
    size_t cap = 1 << 20, n = 0;
    char *p = malloc(cap);
    int got = 1;
    while (p && got > 0) {
        if (n + (1 << 16) + 1 > cap) {
            char *q = cap < MAX_FILE ? realloc(p, cap *= 2) : NULL;
            if (!q) {
                free(p);
                p = NULL;
                break;
            }
            p = q;
        }
        got = gzread(f, p + n, 1 << 16);
        n += got > 0 ? (size_t)got : 0;
    }
    gzclose(f);
    if (p && got < 0) {
        free(p);
        return bw_fail(err, BW_EFORMAT, "%s: damaged gzip data after %zu bytes", path, n);
    }
    if (!p)
        return bw_fail(err, BW_ENOMEM, "%s: too large for the memory at hand", path);
    p[n] = '\0';
    *out = p;
    *len = n;
    return BW_OK;
}

/* Cuts the line at tabs, in place; returns the number of fields. */
static size_t cut(char *line, char **field) {
    size_t n = 0;
    field[n++] = line;
    for (char *p = line; *p && n < MAX_COLUMNS; p++)
        if (*p == '\t') {
            *p = '\0';
            field[n++] = p + 1;
        }
    return n;
}

static void find_columns(char **field, size_t n, int at[N_KNOWN]) {
    for (int k = 0; k < N_KNOWN; k++) {
        at[k] = -1;
        for (size_t i = 0; i < n && at[k] < 0; i++)
            for (int a = 0; a < 3 && COLUMN[k][a]; a++)
                if (!strcmp(field[i], COLUMN[k][a]))
                    at[k] = (int)i;
    }
}

static int8_t parse_label(const char *s) {
    if (!strcmp(s, "1") || !strcmp(s, "positive") || !strcmp(s, "pos"))
        return BW_POSITIVE;
    if (!strcmp(s, "0") || !strcmp(s, "negative") || !strcmp(s, "neg"))
        return BW_NEGATIVE;
    return !strcmp(s, "neutral") ? BW_NEUTRAL : BW_UNLABELLED;
}

static uint8_t part_of(const char *split, const char *text) {
    if (!split) {
        unsigned long crc = crc32(0L, (const Bytef *)text, (uInt)strlen(text)) % CRC_PARTS;
        return crc == 0 ? BW_PART_TEST : crc == 1 ? BW_PART_DEV : BW_PART_TRAIN;
    }
    return !strcmp(split, "train")  ? BW_PART_TRAIN
           : !strcmp(split, "dev")  ? BW_PART_DEV
           : !strcmp(split, "test") ? BW_PART_TEST
                                    : BW_PART_NONE;
}

static float number_or_nan(const char *s) {
    char *end;
    float x = s ? strtof(s, &end) : NAN;
    return s && end != s ? x : NAN;
}

static bw_row make_row(char **field, const int at[N_KNOWN]) {
    const char *value[N_KNOWN];
    for (int k = 0; k < N_KNOWN; k++)
        value[k] = at[k] >= 0 ? field[at[k]] : NULL;
    bw_row r = {.text = value[TEXT],
                .text2 = value[TEXT2],
                .aspect = value[ASPECT],
                .category = value[CATEGORY],
                .opinion = value[OPINION],
                .tag = value[LABEL],
                .stars = number_or_nan(value[STARS]),
                .score = number_or_nan(value[SCORE]),
                .label = BW_UNLABELLED};
    if (value[LABEL])
        r.label = parse_label(value[LABEL]);
    r.part = part_of(value[SPLIT], r.text2 ? r.text2 : r.text);
    return r;
}

static bool push(bw_corpus *c, bw_row r) {
    if (c->n == c->cap) {
        size_t cap = 2 * c->cap + 1024;
        bw_row *p = realloc(c->row, cap * sizeof *p);
        if (!p)
            return false;
        c->row = p;
        c->cap = cap;
    }
    c->row[c->n++] = r;
    return true;
}

/* 0 very negative .. 4 very positive, when the file's labels go beyond 1. */
static void settle_five_point(bw_corpus *c) {
    bool five = false;
    for (size_t i = 0; i < c->n; i++)
        five |= c->row[i].tag && strlen(c->row[i].tag) == 1 && strchr("234", c->row[i].tag[0]);
    for (size_t i = 0; five && i < c->n; i++) {
        float s = number_or_nan(c->row[i].tag);
        if (!(s >= 0 && s <= 4))
            continue;
        c->row[i].label = s < 2 ? BW_NEGATIVE : s > 2 ? BW_POSITIVE : BW_NEUTRAL;
        c->row[i].stars = s + 1;
    }
}

static void settle_stars(bw_corpus *c) {
    float top = 0;
    for (size_t i = 0; i < c->n; i++)
        top = c->row[i].stars > top ? c->row[i].stars : top;
    for (size_t i = 0; i < c->n; i++) {
        bw_row *r = &c->row[i];
        if (top > 5)
            r->stars = 1 + (r->stars - 1) * 4 / 9;
        if (r->label == BW_UNLABELLED && !r->tag && !isnan(r->stars))
            r->label = r->stars < 2.5f ? BW_NEGATIVE : r->stars > 3.5f ? BW_POSITIVE : BW_NEUTRAL;
    }
}

static void settle_labels(bw_corpus *c, const int at[N_KNOWN]) {
    settle_five_point(c);
    settle_stars(c);
    c->has_split = at[SPLIT] >= 0;
    c->has_label = at[LABEL] >= 0 || at[STARS] >= 0 || at[SCORE] >= 0;
    c->two_class = true;
    for (size_t i = 0; i < c->n; i++)
        c->two_class &= c->row[i].label != BW_NEUTRAL;
}

static bw_status cut_rows(bw_corpus *c, char *p, bw_err *err) {
    int at[N_KNOWN] = {0};
    char *field[MAX_COLUMNS];
    size_t columns = 0;
    if (!strncmp(p, "\xEF\xBB\xBF", 3))
        p += 3;
    for (size_t line = 1; *p; line++) {
        char *end = p + strcspn(p, "\n"), *next = *end ? end + 1 : end;
        if (end > p && end[-1] == '\r')
            end--;
        *end = '\0';
        size_t n = cut(p, field);
        if (line == 1) {
            columns = n;
            find_columns(field, n, at);
            if (at[TEXT] < 0)
                return bw_fail(err, BW_EFORMAT, "%s: line 1 is no header with a column 'text'",
                               c->path);
        } else if (n != columns) {
            return bw_fail(err, BW_EFORMAT, "%s: line %zu has %zu fields, the header %zu", c->path,
                           line, n, columns);
        } else if (!push(c, make_row(field, at))) {
            return bw_fail_memory(err);
        }
        p = next;
    }
    settle_labels(c, at);
    return BW_OK;
}

bw_status bw_corpus_read(const char *path, bw_corpus *c, bw_err *err) {
    char *text = NULL;
    size_t len = 0;
    bw_status st = inflate_file(path, &text, &len, err);
    if (st == BW_OK && strlen(text) != len)
        st = bw_fail(err, BW_EFORMAT, "%s: a NUL byte at %zu; is this a text file?", path,
                     strlen(text));
    if (st == BW_OK)
        return bw_corpus_parse(text, path, c, err);
    free(text);
    *c = (bw_corpus){0};
    return st;
}

bw_status bw_corpus_parse(char *text, const char *name, bw_corpus *c, bw_err *err) {
    *c = (bw_corpus){.arena = text};
    snprintf(c->path, sizeof c->path, "%s", name);
    bw_status st = cut_rows(c, c->arena, err);
    if (st != BW_OK)
        bw_corpus_free(c);
    return st;
}

void bw_corpus_free(bw_corpus *c) {
    free(c->row);
    free(c->arena);
    *c = (bw_corpus){0};
}

bw_status bw_parts_parse(const char *name, unsigned *parts, bw_err *err) {
    static const struct {
        const char *name;
        unsigned parts;
    } PARTS[] = {{"train", BW_PART_TRAIN},
                 {"dev", BW_PART_DEV},
                 {"test", BW_PART_TEST},
                 {"all", BW_PART_TRAIN | BW_PART_DEV | BW_PART_TEST | BW_PART_NONE}};
    for (size_t i = 0; i < sizeof PARTS / sizeof *PARTS; i++)
        if (!strcmp(name, PARTS[i].name)) {
            *parts = PARTS[i].parts;
            return BW_OK;
        }
    return bw_fail(err, BW_EUSAGE, "--split: '%s' is none of train, dev, test, all", name);
}

/* ---- keys ---- */

bool bw_keyset_has(const bw_keyset *s, uint64_t key) {
    if (!s->cap || !key)
        return false;
    for (size_t i = bw_mix64(key) & (s->cap - 1);; i = (i + 1) & (s->cap - 1)) {
        if (s->slot[i] == key)
            return true;
        if (!s->slot[i])
            return false;
    }
}

static void place(bw_keyset *s, uint64_t key) {
    size_t i = bw_mix64(key) & (s->cap - 1);
    while (s->slot[i])
        i = (i + 1) & (s->cap - 1);
    s->slot[i] = key;
    s->n++;
}

bw_status bw_keyset_add(bw_keyset *s, uint64_t key, bw_err *err) {
    if (!key || bw_keyset_has(s, key))
        return BW_OK;
    if (2 * (s->n + 1) > s->cap) {
        bw_keyset bigger = {.cap = s->cap ? 2 * s->cap : 1024};
        bigger.slot = calloc(bigger.cap, sizeof *bigger.slot);
        if (!bigger.slot)
            return bw_fail_memory(err);
        for (size_t i = 0; i < s->cap; i++)
            if (s->slot[i])
                place(&bigger, s->slot[i]);
        free(s->slot);
        *s = bigger;
    }
    place(s, key);
    return BW_OK;
}

void bw_keyset_free(bw_keyset *s) {
    free(s->slot);
    *s = (bw_keyset){0};
}

uint64_t bw_row_key(const bw_row *r) {
    uint64_t a = bw_text_key(r->text);
    if (!r->text2)
        return a;
    return bw_mix64(a) + bw_mix64(bw_text_key(r->text2)); /* the same in either order */
}

int bw_row_aspect(const bw_row *r) {
    int by_category = r->category && strchr(r->category, '#') ? bw_aspect_of(r->category) : -1;
    return by_category >= 0 && by_category != BW_OTHER ? by_category : bw_aspect_of(r->aspect);
}

bw_status bw_keyset_add_corpus(bw_keyset *s, const bw_corpus *c, unsigned parts, bw_err *err) {
    bw_status st = BW_OK;
    for (size_t i = 0; st == BW_OK && i < c->n; i++)
        if (c->row[i].part & parts)
            st = bw_keyset_add(s, bw_row_key(&c->row[i]), err);
    return st;
}

static bool is_table(const char *name) {
    size_t n = strlen(name);
    return (n > 4 && !strcmp(name + n - 4, ".tsv")) || (n > 7 && !strcmp(name + n - 7, ".tsv.gz"));
}

static bool excepted(const char *name, const char *const *except) {
    for (; except && *except; except++)
        if (!strncmp(name, *except, strlen(*except)) && name[strlen(*except)] == '.')
            return true;
    return false;
}

bw_status bw_keyset_add_folder(bw_keyset *s, const char *folder, const char *const *except,
                               bw_err *err) {
    DIR *d = opendir(folder);
    if (!d)
        return bw_fail(err, BW_EIO, "%s: no such folder", folder);
    bw_status st = BW_OK;
    for (struct dirent *e; st == BW_OK && (e = readdir(d)) != NULL;) {
        if (!is_table(e->d_name) || excepted(e->d_name, except))
            continue;
        char path[1024];
        snprintf(path, sizeof path, "%s/%s", folder, e->d_name);
        bw_corpus c;
        st = bw_corpus_read(path, &c, err);
        if (st != BW_OK)
            break;
        if (c.has_label)
            st = bw_keyset_add_corpus(s, &c, BW_PART_TEST, err);
        bw_corpus_free(&c);
    }
    closedir(d);
    return st;
}
