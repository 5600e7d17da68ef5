/* sql/import/textfile.h - a file as lines of UTF-8, whatever it is on the disk.
 *
 * Gzip is undone, other encodings are converted (sql/import/encoding.h), a byte order mark is dropped; it
 * is noted what was done. Memory is that of the longest line. */
#ifndef BW_SQL_TEXTFILE_H
#define BW_SQL_TEXTFILE_H

#include "common/status.h"
#include "sql/import/findings.h"

#include <stddef.h>

typedef struct bw_textfile bw_textfile;

/* Opens path. encoding NULL: judged by the content; otherwise an iconv name. Notes go to findings.
 * On BW_OK, *out is the caller's to close. */
bw_status bw_textfile_open(const char *path, const char *encoding, bw_findings *findings,
                           bw_textfile **out, bw_err *err);

/* The next line with its line end, borrowed until the next call; *n is 0 at the end of the file.
 * A line of more than 64 MiB is refused. */
bw_status bw_textfile_line(bw_textfile *t, const char **line, size_t *n, bw_err *err);

long bw_textfile_number(const bw_textfile *t); /* of the last line given out, from 1 */
size_t bw_textfile_size(const bw_textfile *t); /* bytes on the disk */
size_t bw_textfile_done(const bw_textfile *t); /* of these, read so far */
bw_status bw_textfile_rewind(bw_textfile *t, bw_err *err);
void bw_textfile_close(bw_textfile *t); /* NULL is fine */

/* SHA-256 of the bytes on the disk, in hexadecimal. */
bw_status bw_textfile_hash(const char *path, char out[65], bw_err *err);

#endif
