/* sql/import/textfile.c - zlib underneath (which passes plain files through), iconv above it when needed,
 * and one buffer that holds the current line and what was read beyond it. */
#include "sql/import/textfile.h"

#include "common/sha256.h"
#include "sql/import/encoding.h"

#include <errno.h>
#include <iconv.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <zlib.h>

#define CHUNK          (256u << 10)
#define LINE_MAX_BYTES (64u << 20)
#define NO_ICONV       ((iconv_t)-1)

struct bw_textfile {
    char *path;
    gzFile gz;
    size_t size;
    iconv_t convert; /* NO_ICONV when the file is UTF-8 */
    size_t mark;
    char line_end; /* '\n', or '\r' for files of old Macintoshes */
    char *raw;     /* bytes that wait for conversion */
    size_t raw_len;
    char *buf;
    size_t start, end, cap;
    bool eof;
    long number;
};

static bw_status read_raw(bw_textfile *t, char *into, size_t room, size_t *got, bw_err *err) {
    int n = gzread(t->gz, into, (unsigned)room);
    int code = Z_OK;
    const char *why = n < 0 || (size_t)n < room ? gzerror(t->gz, &code) : "";
    if (n < 0 || code == Z_BUF_ERROR)
        return bw_fail(err, BW_EIO, "%s: cannot be read: %s", t->path,
                       code == Z_ERRNO       ? strerror(errno)
                       : code == Z_BUF_ERROR ? "the compressed file ends too early; fetch it again"
                                             : why);
    *got = (size_t)n;
    t->eof = *got < room;
    return BW_OK;
}

/* Converts what is in raw to the end of buf; an incomplete character waits for the next chunk. */
static bw_status convert_chunk(bw_textfile *t, bw_err *err) {
    char *in = t->raw, *out = t->buf + t->end;
    size_t left = t->raw_len, room = t->cap - t->end;
    size_t rc = iconv(t->convert, &in, &left, &out, &room);
    bool incomplete = rc == (size_t)-1 && errno == EINVAL;
    if (rc == (size_t)-1 && !(incomplete && !t->eof))
        return bw_fail(err, BW_EFORMAT,
                       "%s: near line %ld: bytes that the encoding does not have; name the right "
                       "one with --encoding, e.g. --encoding UTF-8",
                       t->path, t->number + 1);
    memmove(t->raw, in, left);
    t->raw_len = left;
    t->end = (size_t)(out - t->buf);
    return BW_OK;
}

/* Room for a chunk behind end: 4 bytes of UTF-8 for each 1 of any encoding iconv reads. */
static bw_status make_room(bw_textfile *t, bw_err *err) {
    if (t->start > 0)
        memmove(t->buf, t->buf + t->start, t->end - t->start);
    t->end -= t->start;
    t->start = 0;
    if (t->end > LINE_MAX_BYTES)
        return bw_fail(err, BW_EFORMAT,
                       "%s: line %ld is longer than %u MiB; this is not a text table", t->path,
                       t->number + 1, LINE_MAX_BYTES >> 20);
    size_t want = t->end + 4 * (size_t)CHUNK;
    if (want <= t->cap)
        return BW_OK;
    size_t cap = t->cap ? 2 * t->cap : want;
    char *more = realloc(t->buf, cap > want ? cap : want);
    if (!more)
        return bw_fail_memory(err);
    t->buf = more;
    t->cap = cap > want ? cap : want;
    return BW_OK;
}

static bw_status fill(bw_textfile *t, bw_err *err) {
    bw_status st = make_room(t, err);
    size_t got;
    if (st != BW_OK)
        return st;
    if (t->convert == NO_ICONV) {
        st = read_raw(t, t->buf + t->end, CHUNK, &got, err);
        if (st == BW_OK)
            t->end += got;
        return st;
    }
    st = read_raw(t, t->raw + t->raw_len, CHUNK - t->raw_len, &got, err);
    if (st != BW_OK)
        return st;
    t->raw_len += got;
    return convert_chunk(t, err);
}

bw_status bw_textfile_line(bw_textfile *t, const char **line, size_t *n, bw_err *err) {
    size_t seen = 0;
    for (;;) {
        const char *from = t->buf + t->start;
        size_t have = t->end - t->start;
        const char *stop = have > seen ? memchr(from + seen, t->line_end, have - seen) : NULL;
        if (stop || t->eof) {
            *line = from;
            *n = stop ? (size_t)(stop - from) + 1 : have;
            t->start += *n;
            t->number += *n > 0;
            return BW_OK;
        }
        seen = have;
        bw_status st = fill(t, err);
        if (st != BW_OK)
            return st;
    }
}

static void note_encoding(bw_findings *f, const bw_encoding *e) {
    if (strcmp(e->name, "UTF-8") == 0 && e->mark)
        bw_findings_add(f, &(bw_spot){.severity = BW_NOTE, .rule = "byte_order_mark"},
                        "a UTF-8 byte order mark was skipped");
    else if (strcmp(e->name, "UTF-8") != 0)
        bw_findings_add(f, &(bw_spot){.severity = BW_NOTE, .rule = "encoding"},
                        "the file is %s and was converted to UTF-8",
                        strcmp(e->name, "GB18030") == 0 ? "GBK" : e->name);
}

/* Refuses what is no text at all, by the first bytes. */
static bw_status refuse_binary(const char *path, const char *p, size_t n, bw_err *err) {
    if (n >= 4 && memcmp(p, "PK\003\004", 4) == 0)
        return bw_fail(err, BW_EFORMAT,
                       "%s: an Excel workbook or zip archive; save the sheet as CSV", path);
    if (n >= 16 && memcmp(p, "SQLite format 3", 16) == 0)
        return bw_fail(err, BW_EFORMAT, "%s: a SQLite database, not a text table", path);
    return BW_OK;
}

static bw_status set_encoding(bw_textfile *t, const char *name, bw_err *err) {
    if (strcasecmp(name, "UTF-8") == 0 || strcasecmp(name, "UTF8") == 0)
        return BW_OK;
    t->convert = iconv_open("UTF-8", name);
    if (t->convert == NO_ICONV)
        return bw_fail(err, BW_EARG, "'%s' is not an encoding; 'iconv -l' lists them", name);
    t->raw = malloc(CHUNK);
    return t->raw ? BW_OK : bw_fail_memory(err);
}

/* Looks at the start of the file, then goes back to it. */
static bw_status detect(bw_textfile *t, const char *encoding, bw_findings *f, bw_err *err) {
    bw_status st = fill(t, err);
    if (st == BW_OK)
        st = refuse_binary(t->path, t->buf, t->end, err);
    if (st != BW_OK)
        return st;
    bw_encoding e = bw_encoding_detect(t->buf, t->end, t->eof);
    if (encoding)
        e.name = encoding;
    if (!e.name) {
        size_t bad = 0;
        bw_utf8_valid(t->buf, t->end, &bad);
        long line = 1;
        for (size_t i = 0; i < bad; i++)
            line += t->buf[i] == '\n';
        if (t->buf[bad] == '\0')
            return bw_fail(
                err, BW_EFORMAT,
                "%s: line %ld: a NUL byte, which no text holds; export the file again as "
                "CSV, or name its encoding, e.g. --encoding UTF-16LE",
                t->path, line);
        return bw_fail(err, BW_EFORMAT,
                       "%s: line %ld: byte 0x%02x is not UTF-8; name the encoding, e.g. "
                       "--encoding WINDOWS-1252, or save the file as UTF-8",
                       t->path, line, (unsigned char)t->buf[bad]);
    }
    t->mark = e.mark;
    if (!encoding)
        note_encoding(f, &e);
    if (e.mark == 0 && memchr(t->buf, '\r', t->end) && !memchr(t->buf, '\n', t->end))
        t->line_end = '\r';
    st = set_encoding(t, e.name, err);
    return st == BW_OK ? bw_textfile_rewind(t, err) : st;
}

bw_status bw_textfile_rewind(bw_textfile *t, bw_err *err) {
    if (gzrewind(t->gz) != 0)
        return bw_fail(err, BW_EIO, "%s: cannot be read twice", t->path);
    char skipped[4];
    t->start = t->end = t->raw_len = 0;
    t->number = 0;
    t->eof = false;
    if (t->convert != NO_ICONV)
        iconv(t->convert, NULL, NULL, NULL, NULL);
    size_t got;
    return t->mark ? read_raw(t, skipped, t->mark, &got, err) : BW_OK;
}

static bw_status open_file(bw_textfile *t, const char *path, bw_err *err) {
    struct stat info;
    if (stat(path, &info) != 0)
        return bw_fail(err, BW_EIO, "%s: %s", path, strerror(errno));
    if (S_ISDIR(info.st_mode))
        return bw_fail(err, BW_EIO, "%s: is a folder; name one file", path);
    t->size = (size_t)info.st_size;
    t->path = strdup(path);
    t->gz = gzopen(path, "rb");
    if (!t->path || (!t->gz && errno == 0))
        return bw_fail_memory(err);
    if (!t->gz)
        return bw_fail(err, BW_EIO, "%s: %s", path, strerror(errno));
    gzbuffer(t->gz, CHUNK);
    return BW_OK;
}

bw_status bw_textfile_open(const char *path, const char *encoding, bw_findings *findings,
                           bw_textfile **out, bw_err *err) {
    *out = NULL;
    bw_textfile *t = calloc(1, sizeof *t);
    if (!t)
        return bw_fail_memory(err);
    t->convert = NO_ICONV;
    t->line_end = '\n';
    errno = 0;
    bw_status st = open_file(t, path, err);
    if (st == BW_OK)
        st = detect(t, encoding, findings, err);
    if (st != BW_OK) {
        bw_textfile_close(t);
        return st;
    }
    *out = t;
    return BW_OK;
}

long bw_textfile_number(const bw_textfile *t) {
    return t->number;
}

size_t bw_textfile_size(const bw_textfile *t) {
    return t->size;
}

size_t bw_textfile_done(const bw_textfile *t) {
    z_off_t at = gzoffset(t->gz);
    return at > 0 ? (size_t)at : 0;
}

void bw_textfile_close(bw_textfile *t) {
    if (!t)
        return;
    if (t->gz)
        gzclose(t->gz);
    if (t->convert != NO_ICONV)
        iconv_close(t->convert);
    free(t->raw);
    free(t->buf);
    free(t->path);
    free(t);
}

bw_status bw_textfile_hash(const char *path, char out[65], bw_err *err) {
    FILE *f = fopen(path, "rb");
    if (!f)
        return bw_fail(err, BW_EIO, "%s: %s", path, strerror(errno));
    static char chunk[1 << 16];
    bw_sha256 sum;
    bw_sha256_start(&sum);
    size_t n;
    while ((n = fread(chunk, 1, sizeof chunk, f)) > 0)
        bw_sha256_add(&sum, chunk, n);
    bool bad = ferror(f) != 0;
    fclose(f);
    bw_sha256_hex(&sum, out);
    return bad ? bw_fail(err, BW_EIO, "%s: %s", path, strerror(errno)) : BW_OK;
}
