/* analyze/output.c - how results are written. */
#include "analyze/output.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NOTES_MAX (sizeof((bw_notes *)0)->text / sizeof(char *))

void bw_json_number(cJSON *object, const char *key, double x) {
    if (isfinite(x))
        cJSON_AddNumberToObject(object, key, x);
    else
        cJSON_AddNullToObject(object, key);
}

bw_status bw_json_print(cJSON *object, bw_err *err) {
    char *text = object ? cJSON_Print(object) : NULL;
    cJSON_Delete(object);
    if (!text)
        return bw_fail_memory(err);
    puts(text);
    free(text);
    return BW_OK;
}

static char *next_buffer(void) {
    static char buffers[8][40];
    static size_t turn;
    return buffers[turn++ % 8];
}

const char *bw_show(double x) {
    char *b = next_buffer();
    double a = fabs(x);
    if (!isfinite(x))
        return "-";
    if (x == 0)
        return "0";
    int digits = a >= 10000 ? 0 : a >= 100 ? 1 : a >= 10 ? 2 : a >= 0.1 ? 3 : a >= 0.01 ? 4 : 5;
    if (a < 1e-4 || a >= 1e15)
        snprintf(b, 40, "%.3g", x);
    else
        snprintf(b, 40, "%.*f", digits, x);
    return b;
}

const char *bw_show_share(double x) {
    char *b = next_buffer();
    if (!isfinite(x))
        return "-";
    snprintf(b, 40, "%.1f %%", fabs(x) < 0.0005 ? 0.0 : 100 * x); /* never "-0.0 %" */
    return b;
}

const char *bw_show_p(double p) {
    char *b = next_buffer();
    if (!isfinite(p))
        return "-";
    if (p < 0.001)
        return "< 0.001";
    snprintf(b, 40, "%.3f", p);
    return b;
}

void bw_note(bw_notes *notes, const char *format, ...) {
    char text[600];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    if (notes->n < NOTES_MAX)
        notes->text[notes->n++] = strdup(text);
}

void bw_notes_json(const bw_notes *notes, cJSON *object) {
    cJSON *list = cJSON_AddArrayToObject(object, "notes");
    for (size_t i = 0; i < notes->n; i++)
        if (notes->text[i])
            cJSON_AddItemToArray(list, cJSON_CreateString(notes->text[i]));
}

void bw_notes_print(const bw_notes *notes) {
    for (size_t i = 0; i < notes->n; i++)
        if (notes->text[i])
            fprintf(stderr, "note: %s\n", notes->text[i]);
}

void bw_notes_free(bw_notes *notes) {
    for (size_t i = 0; i < notes->n; i++)
        free(notes->text[i]);
    *notes = (bw_notes){0};
}
