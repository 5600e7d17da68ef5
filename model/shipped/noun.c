/* model/shipped/noun.c - the words that stand beside nouns, as lists. */
#include "model/shipped/noun.h"

#include <stdio.h>
#include <string.h>

static bool listed(const char *list, const bw_units *u, const bw_unit *x) {
    char key[40];
    if (x->len > 30)
        return false;
    snprintf(key, sizeof key, " %.*s ", (int)x->len, u->norm + x->at);
    return strstr(list, key) != NULL;
}

static const char BEFORE[] =
    " the a an my your our his her its their this that these those no some "
    "any every each of with without for in on from about main new other ";
static const char BE[] = " is was are were be been isn wasn 's has had ";
/* What ends a noun phrase: verbs of being and doing, links, pronouns, prepositions. */
static const char AFTER[] =
    " is was are were be been has had have does did do can could will would should may might and "
    "or "
    "but that which who when where while because if as than to of in on at for from with without "
    "by "
    "after before over under up down out off into i you he she it we they there here not never "
    "also "
    "just only so too very still again came come went got get gets just all both ";
static const char BEFORE_HAN[] = " 的 这 那 个 款 件 双 条 种 此 ";
static const char AFTER_HAN[] =
    " 很 太 不 也 是 有 非 都 真 比 挺 还 没 就 却 超 特 更 最 有 和 跟 ";

static bool phrase_ends(const bw_units *u, const bw_unit *next) {
    return !next || next->kind == BW_UNIT_MARK || next->kind == BW_UNIT_SYMBOL ||
           listed(AFTER, u, next);
}

static bool han_place(const bw_units *u, const bw_unit *before, const bw_unit *next) {
    bool over = !next || next->kind != BW_UNIT_HAN;
    if (!over && listed(AFTER_HAN, u, next))
        return true;
    return over && before && before->kind == BW_UNIT_HAN && listed(BEFORE_HAN, u, before);
}

bool bw_noun_place(const bw_units *u, size_t first, size_t n) {
    const bw_unit *before = first > 0 ? &u->unit[first - 1] : NULL,
                  *next = first + n < u->n ? &u->unit[first + n] : NULL;
    if (u->unit[first].kind == BW_UNIT_HAN)
        return han_place(u, before, next);
    if (next && next->kind == BW_UNIT_WORD && listed(BE, u, next))
        return true;
    return before && listed(BEFORE, u, before) && phrase_ends(u, next);
}
