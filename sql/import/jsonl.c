/* sql/import/jsonl.c - JSON lines: one object a line. The columns are the keys of the first objects in
 * order of appearance; a key that appears only later is not a column. */
#include "sql/import/sheet_internal.h"

#include <cjson/cJSON.h>
#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define HEADER_LINES 200

static void bad_object(bw_sheet *t, const char *line, size_t n) {
    bw_findings_add(t->findings,
                    &(bw_spot){.severity = BW_ERROR,
                               .rule = "bad_json",
                               .line = bw_textfile_number(t->file),
                               .value = line,
                               .value_len = n,
                               .fix = "one JSON object a line is wanted"},
                    "this is not a JSON object");
}

/* The next object, the caller deletes it; NULL at the end. */
static bw_status next_object(bw_sheet *t, cJSON **object, bw_err *err) {
    *object = NULL;
    for (;;) {
        const char *line;
        size_t n, i = 0;
        bw_status st = bw_sheet_line(t, &line, &n, err);
        if (st != BW_OK || n == 0)
            return st;
        while (i < n && isspace((unsigned char)line[i]))
            i++;
        if (i == n)
            continue;
        *object = cJSON_ParseWithLength(line, n);
        if (cJSON_IsObject(*object))
            return BW_OK;
        cJSON_Delete(*object);
        *object = NULL;
        bad_object(t, line, n);
        if (bw_findings_full(t->findings))
            return BW_OK;
    }
}

static bool known(const bw_sheet *t, const char *name) {
    for (size_t i = 0; i < t->n_names; i++)
        if (strcmp(t->names[i], name) == 0)
            return true;
    return false;
}

bw_status bw_jsonl_header(bw_sheet *t, bw_err *err) {
    bw_findings ignored = {0}; /* the rows are read again and reported then */
    bw_findings *report = bw_sheet_report_to(t, &ignored);
    bw_status st = bw_textfile_rewind(t->file, err);
    for (int i = 0; st == BW_OK && i < HEADER_LINES; i++) {
        cJSON *object;
        const cJSON *item;
        st = next_object(t, &object, err);
        if (st != BW_OK || !object)
            break;
        cJSON_ArrayForEach(item, object) {
            if (!known(t, item->string) && !bw_names_add(t, item->string, strlen(item->string)))
                st = bw_fail_memory(err);
        }
        cJSON_Delete(object);
    }
    bw_sheet_report_to(t, report);
    bw_findings_free(&ignored);
    return st;
}

/* Text as it is, numbers in full, the rest as JSON; null is empty. */
static void add_value(bw_sheet *t, const cJSON *item) {
    if (!item || cJSON_IsNull(item)) {
        bw_row_add(t, "", 0);
    } else if (cJSON_IsString(item)) {
        bw_row_add(t, item->valuestring, strlen(item->valuestring));
    } else {
        char *text = cJSON_PrintUnformatted(item);
        bw_row_add(t, text ? text : "", text ? strlen(text) : 0);
        t->failed |= text == NULL;
        cJSON_free(text);
    }
}

bw_status bw_jsonl_next(bw_sheet *t, const bw_row **row, bw_err *err) {
    *row = NULL;
    cJSON *object;
    bw_status st = next_object(t, &object, err);
    if (st != BW_OK || !object)
        return st;
    bw_row_start(t);
    for (size_t i = 0; i < t->n_names; i++)
        add_value(t, cJSON_GetObjectItemCaseSensitive(object, t->names[i]));
    cJSON_Delete(object);
    if (t->failed)
        return bw_fail_memory(err);
    *row = bw_row_finish(t, bw_textfile_number(t->file));
    return BW_OK;
}
