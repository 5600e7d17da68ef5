/* reports/advice/levers.c - levers and days of advice, read from its action. */
#include "reports/advice/levers.h"

#include "reports/advice/settle.h"
#include "sql/value.h"

#include <cjson/cJSON.h>
#include <string.h>

typedef struct {
    const char *what, *subject;
} lever;

/* What each kind acts on, of the advice's own subject; those of a budget are in its moves. */
static const struct {
    const char *kind, *what;
} OF_KIND[] = {{"timing", "hours"},     {"content", "texts"},    {"experiment", "spend"},
               {"experiment", "hours"}, {"experiment", "texts"}, {"price", "price"},
               {"complaint", "aspect"}};
#define N_OF_KIND (sizeof OF_KIND / sizeof *OF_KIND)

typedef struct {
    lever *items;
    size_t n;
} levers;

static double field(const cJSON *action, const char *name) {
    const cJSON *x = cJSON_GetObjectItemCaseSensitive(action, name);
    return cJSON_IsNumber(x) ? x->valuedouble : 0;
}

static levers read_moves(const bw_shop *s, const cJSON *action) {
    const cJSON *moves = cJSON_GetObjectItemCaseSensitive(action, "moves"), *move;
    levers l = {bw_arena_get(s->arena, ((size_t)cJSON_GetArraySize(moves) + 1) * sizeof *l.items),
                0};
    cJSON_ArrayForEach(move, moves) {
        l.items[l.n++] = (lever){"spend", bw_arena_text(s->arena, move->string)};
    }
    return l;
}

static levers levers_of(const bw_shop *s, const bw_act *a) {
    cJSON *action = cJSON_Parse(a->action);
    levers l = {NULL, 0};
    if (strcmp(a->kind, "budget") == 0)
        l = read_moves(s, action);
    else
        l.items = bw_arena_get(s->arena, (N_OF_KIND + 1) * sizeof *l.items);
    for (size_t i = 0; i < N_OF_KIND; i++)
        if (strcmp(OF_KIND[i].kind, a->kind) == 0)
            l.items[l.n++] = (lever){OF_KIND[i].what, a->subject};
    if (strcmp(a->kind, "promotion") == 0 && field(action, "again") > 0)
        l.items[l.n++] = (lever){"price", ""};
    cJSON_Delete(action);
    return l;
}

/* The price of all products is the price of each. */
static bool same_lever(const lever *a, const lever *b) {
    if (strcmp(a->what, b->what) != 0)
        return false;
    bool all = strcmp(a->what, "price") == 0 && (!*a->subject || !*b->subject);
    return all || strcmp(a->subject, b->subject) == 0;
}

bool bw_act_of_week(const bw_shop *s, const bw_act *a) {
    size_t n = strlen(s->week_name);
    return strncmp(a->id, "A-", 2) == 0 && strncmp(a->id + 2, s->week_name, n) == 0 &&
           a->id[2 + n] == '-';
}

bw_days bw_act_days(const bw_shop *s, const bw_act *a) {
    bw_days d = {bw_iso_day(a->due), 0};
    cJSON *action = cJSON_Parse(a->action);
    int week = bw_iso_day(s->week), ahead = (d.from - week + 7 * 520) / 7 - 520 + 1;
    d.until = strcmp(a->kind, "experiment") == 0 ? d.from + 7 * (int)field(action, "weeks") - 1
                                                 : week + 7 * (ahead + BW_WEEKS_TO_SETTLE) - 1;
    cJSON_Delete(action);
    return d;
}

bool bw_acts_collide(const bw_shop *s, const bw_act *a, const bw_act *b) {
    bw_days x = bw_act_days(s, a), y = bw_act_days(s, b);
    if (x.from > y.until || y.from > x.until)
        return false;
    levers l = levers_of(s, a), m = levers_of(s, b);
    for (size_t i = 0; i < l.n; i++)
        for (size_t k = 0; k < m.n; k++)
            if (same_lever(&l.items[i], &m.items[k]))
                return true;
    return false;
}

bw_status bw_acts_open(const bw_shop *s, bw_act **out, size_t *n, bw_err *err) {
    const char **id, **kind, **subject, **action, **due;
    size_t rows;
    *n = 0;
    bw_status st =
        bw_query(s, "ttttt", &rows, err,
                 "SELECT id, kind, subject, action, coalesce(due, date(week, '+14 days')) FROM "
                 "advice WHERE status IN ('accepted', 'done') AND kind <> 'nothing' AND week <= ?2 "
                 "ORDER BY id",
                 0, s->week, &id, &kind, &subject, &action, &due);
    if (st != BW_OK)
        return st;
    *out = bw_arena_get(s->arena, (rows + 1) * sizeof **out);
    for (size_t i = 0; i < rows; i++) {
        bw_act a = {id[i], kind[i], subject[i], action[i], due[i]};
        if (bw_act_days(s, &a).until > bw_iso_day(s->last_day))
            (*out)[(*n)++] = a;
    }
    return BW_OK;
}
