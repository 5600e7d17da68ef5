/* reports/ask/meaning.c - how near a question is to each pattern by the shipped encoder. */
#include "reports/ask/match.h"

#include "common/buf.h"
#include "model/shipped/encoder.h"

#include <string.h>

/* "{channel}" as the word it stands for, with spaces taken out between Chinese characters. */
static const char *readable(bw_arena *a, const char *text) {
    bw_buf b = {0};
    for (; *text; text++) {
        bool han = b.len && (unsigned char)b.text[b.len - 1] >= 0x80;
        if (*text == ' ' && han && (unsigned char)text[1] >= 0x80)
            continue;
        if (*text != '{' && *text != '}')
            bw_buf_add_n(&b, text, 1);
    }
    const char *copy = bw_arena_text(a, b.text ? b.text : "");
    bw_buf_free(&b);
    return copy;
}

bool bw_ask_meaning(bw_arena *a, const char *question, const bw_ask_book *book,
                    double *similarity) {
    bw_err err = {{0}};
    const bw_encoder *e = bw_encoder_shipped(&err);
    if (!e)
        return false;
    size_t n = book->n_patterns + 1, dim = bw_encoder_dim(e);
    const char **text = bw_arena_get(a, n * sizeof *text);
    float *vector = bw_arena_get(a, n * dim * sizeof *vector);
    for (size_t i = 0; i < book->n_patterns; i++)
        text[i] = readable(a, book->patterns[i].text);
    text[n - 1] = readable(a, question);
    if (bw_encoder_score(e, text, n, NULL, vector, &err) != BW_OK)
        return false;
    const float *q = vector + (n - 1) * dim;
    for (size_t i = 0; i < book->n_patterns; i++) {
        double dot = 0;
        for (size_t k = 0; k < dim; k++)
            dot += (double)(q[k] * vector[i * dim + k]);
        similarity[i] = dot;
    }
    return true;
}
