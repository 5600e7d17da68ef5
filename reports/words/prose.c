/* reports/words/prose.c - realisers in order, each behind the guard. */
#include "reports/words/prose.h"

#include "reports/words/guard.h"

static const bw_realiser *first_realiser;

void bw_prose_set(const bw_realiser *first) {
    first_realiser = first;
}

void bw_prose_write(const bw_shop *s, const bw_message *m, bw_buf *out) {
    for (const bw_realiser *r = first_realiser; r; r = r->next) {
        bw_buf text = {0};
        bw_err why = {{0}};
        bool good = r->write(r->self, s, m, &text, &why) == BW_OK && text.len && bw_buf_ok(&text) &&
                    bw_guard_check(s->locale, m, text.text, &why) == BW_OK;
        if (good)
            bw_buf_add_n(out, text.text, text.len);
        bw_buf_free(&text);
        if (good)
            return;
    }
    bw_grammar_say(s->locale, m, s->variant, BW_PROSE, out);
}
