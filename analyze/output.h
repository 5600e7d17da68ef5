/* analyze/output.h - JSON for machines and aligned tables for people, shared by the commands. */
#ifndef BW_ANALYZE_OUTPUT_H
#define BW_ANALYZE_OUTPUT_H

#include "common/status.h"

#include <cjson/cJSON.h>

/* A number, or null when it is not finite: JSON has no NaN. */
void bw_json_number(cJSON *object, const char *key, double x);

/* Prints to stdout and deletes object. Memory that ran out while it was built is noticed here. */
bw_status bw_json_print(cJSON *object, bw_err *err);

/* A number for people: three significant digits behind small numbers, none behind large ones, "-"
 * when it is not finite. Returns one of eight buffers in turn. */
const char *bw_show(double x);
/* "12.3 %" of a share. */
const char *bw_show_share(double x);
/* A p value: "< 0.001" or three digits. */
const char *bw_show_p(double p);

/* Notes: sentences that qualify a result; collected, then printed to stderr or put into the JSON. */
typedef struct {
    char *text[32]; /* owned */
    size_t n;
} bw_notes; /* start from {0} */
void bw_note(bw_notes *notes, const char *format, ...) __attribute__((format(printf, 2, 3)));
void bw_notes_json(const bw_notes *notes, cJSON *object); /* array "notes" */
void bw_notes_print(const bw_notes *notes);               /* "note: ..." on stderr */
void bw_notes_free(bw_notes *notes);

#endif
