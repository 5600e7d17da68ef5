/* sql/import/sheet_internal.h - what the two readers behind sql/import/sheet.h share: the row under construction.
 * Cells are offsets into one text while it grows, pointers once the row is given out. */
#ifndef BW_SQL_SHEET_INTERNAL_H
#define BW_SQL_SHEET_INTERNAL_H

#include "common/buf.h"
#include "sql/import/sheet.h"
#include "sql/import/textfile.h"

#include <csv.h>

struct bw_sheet {
    bw_textfile *file;
    bw_findings *findings;
    char separator;
    long skip;
    bool quoting; /* a tab-separated file may use quotes as plain characters */
    bool parsing; /* the parser was made */
    struct csv_parser parser;
    char **names;
    size_t n_names;
    bw_buf text;     /* all cells of the row, each followed by a NUL */
    size_t *offsets; /* where each begins */
    bw_cell *cells;
    size_t n, cap;
    bw_row row;
    long first_line; /* of the row under construction, 0 = none begun */
    size_t depth;    /* lines of the row under construction */
    bool complete;   /* the row under construction has ended */
    bool ended;      /* the file has */
    bool failed;     /* out of memory in a callback */
};

void bw_row_start(bw_sheet *t);
void bw_row_add(bw_sheet *t, const char *text, size_t n);
const bw_row *bw_row_finish(bw_sheet *t, long line);
bool bw_names_add(bw_sheet *t, const char *name, size_t n);

/* sql/import/csv.c */
bw_status bw_csv_detect(bw_sheet *t, char separator, bw_err *err);
bw_status bw_csv_start(bw_sheet *t, bw_err *err);
bw_status bw_csv_next(bw_sheet *t, const bw_row **row, bw_err *err);

/* sql/import/jsonl.c */
bw_status bw_jsonl_header(bw_sheet *t, bw_err *err);
bw_status bw_jsonl_next(bw_sheet *t, const bw_row **row, bw_err *err);

/* The next line that is valid UTF-8; *n is 0 at the end. Others become findings. */
bw_status bw_sheet_line(bw_sheet *t, const char **line, size_t *n, bw_err *err);

#endif
