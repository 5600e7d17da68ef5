/* sql/safetext.c - widths by utf8proc; escapes for what would act on a terminal. */
#include "sql/safetext.h"

#include <string.h>
#include <utf8proc.h>

int32_t bw_text_next(const char **p) {
    utf8proc_int32_t code;
    utf8proc_ssize_t n = utf8proc_iterate((const utf8proc_uint8_t *)*p, -1, &code);
    if (n <= 0)
        return -1 - (unsigned char)*(*p)++;
    *p += n;
    return code;
}

size_t bw_text_width(const char *text) {
    size_t width = 0;
    while (*text) {
        int32_t code = bw_text_next(&text);
        width += code < 0 ? 1 : (size_t)utf8proc_charwidth(code);
    }
    return width;
}

bool bw_text_commands(int32_t c) {
    return c < 0x20 || (c >= 0x7F && c < 0xA0) || (c >= 0x202A && c <= 0x202E) ||
           (c >= 0x2066 && c <= 0x2069);
}

void bw_buf_add_safe(bw_buf *b, const char *text) {
    while (*text) {
        const char *from = text;
        int32_t c = bw_text_next(&text);
        if (c < 0)
            bw_buf_addf(b, "\\x%02x", -1 - c);
        else if (c == '\n')
            bw_buf_add(b, "\\n");
        else if (c == '\t')
            bw_buf_add(b, "\\t");
        else if (c == '\r')
            bw_buf_add(b, "\\r");
        else if (bw_text_commands(c))
            bw_buf_addf(b, c < 0x100 ? "\\x%02x" : "\\u%04x", c);
        else
            bw_buf_add_n(b, from, (size_t)(text - from));
    }
}

void bw_text_cut(char *text, size_t width) {
    size_t used = 0;
    const char *p = text;
    if (bw_text_width(text) <= width)
        return;
    while (*p) {
        const char *from = p;
        int32_t c = bw_text_next(&p);
        size_t w = c < 0 ? 1 : (size_t)utf8proc_charwidth(c);
        if (used + w > width - 1) {
            memcpy(text + (from - text), "…", sizeof "…");
            return;
        }
        used += w;
    }
}
