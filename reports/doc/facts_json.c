/* reports/doc/facts_json.c - the document's numbers as JSON. */
#include "reports/doc/facts_json.h"

#include <cjson/cJSON.h>
#include <math.h>
#include <stdlib.h>

static void add_number(cJSON *o, const char *key, double x) {
    if (isfinite(x))
        cJSON_AddNumberToObject(o, key, x);
}

static void add_pair(cJSON *o, const char *key, double lo, double hi) {
    if (!isfinite(lo) || !isfinite(hi))
        return;
    cJSON *pair = cJSON_AddObjectToObject(o, key);
    cJSON_AddNumberToObject(pair, "lo", lo);
    cJSON_AddNumberToObject(pair, "hi", hi);
}

static cJSON *fact_json(const bw_fact *f) {
    cJSON *o = cJSON_CreateObject();
    cJSON_AddStringToObject(o, "id", f->id);
    cJSON_AddStringToObject(o, "measure", f->measure);
    cJSON_AddStringToObject(o, "subject", f->subject);
    if (*f->at)
        cJSON_AddStringToObject(o, "at", f->at);
    cJSON_AddStringToObject(o, "unit", f->unit_name);
    add_number(o, "value", f->value);
    add_pair(o, "interval", f->lo, f->hi);
    add_pair(o, "interval50", f->lo50, f->hi50);
    add_number(o, "probability", f->probability);
    add_number(o, "n", f->n);
    add_number(o, "comparison", f->reference);
    if (f->number)
        cJSON_AddNumberToObject(o, "number", f->number);
    cJSON_AddStringToObject(o, "sql", f->sql);
    return o;
}

static cJSON *chart_json(const bw_chart *ch) {
    cJSON *o = cJSON_CreateObject();
    cJSON_AddStringToObject(o, "name", ch->name);
    cJSON_AddStringToObject(o, "title", ch->title);
    cJSON_AddStringToObject(o, "subtitle", ch->subtitle);
    cJSON *heads = cJSON_AddArrayToObject(o, "columns"), *rows = cJSON_AddArrayToObject(o, "rows");
    for (size_t i = 0; i < ch->table.columns; i++)
        cJSON_AddItemToArray(heads, cJSON_CreateString(ch->table.heads[i]));
    for (size_t r = 0; r < ch->table.rows; r++) {
        cJSON *row = cJSON_CreateArray();
        cJSON_AddItemToArray(rows, row);
        for (size_t i = 0; i < ch->table.columns; i++) {
            const bw_cell *c = &ch->table.cells[r * ch->table.columns + i];
            cJSON_AddItemToArray(row, c->text              ? cJSON_CreateString(c->text)
                                      : isfinite(c->value) ? cJSON_CreateNumber(c->value)
                                                           : cJSON_CreateString(""));
        }
    }
    return o;
}

static cJSON *advice_json(const bw_advice *a) {
    cJSON *o = cJSON_CreateObject(), *action = cJSON_Parse(a->action);
    cJSON_AddStringToObject(o, "id", a->id);
    cJSON_AddStringToObject(o, "kind", a->kind);
    cJSON_AddStringToObject(o, "subject", a->subject);
    cJSON_AddItemToObject(o, "action", action ? action : cJSON_CreateObject());
    cJSON_AddStringToObject(o, "status", a->status);
    cJSON_AddStringToObject(o, "owner", a->owner ? a->owner : "");
    cJSON_AddStringToObject(o, "due", a->due ? a->due : "");
    if (a->gain) {
        cJSON_AddStringToObject(o, "gain", a->gain->id);
        cJSON_AddStringToObject(o, "gain_unit", a->unit);
    }
    return o;
}

static void add_head(cJSON *o, const bw_document *d) {
    const bw_shop *s = d->shop;
    bw_buf headline = {0};
    bw_unmark(d->headline, &headline);
    cJSON_AddStringToObject(o, "schema", BW_FACTS_SCHEMA);
    cJSON_AddStringToObject(o, "week", s->week_name);
    cJSON_AddStringToObject(o, "first_day", s->week);
    cJSON_AddStringToObject(o, "last_day", s->last_day);
    if (s->as_of)
        cJSON_AddTrueToObject(o, "as_of");
    cJSON_AddStringToObject(o, "lang", bw_locale_lang(s->locale));
    cJSON_AddStringToObject(o, "currency", s->currency);
    cJSON_AddStringToObject(o, "outcome", s->outcome);
    cJSON_AddStringToObject(o, "headline", headline.text ? headline.text : "");
    bw_buf_free(&headline);
}

bw_status bw_facts_json(const bw_document *d, bw_buf *out, bw_err *err) {
    cJSON *o = cJSON_CreateObject();
    add_head(o, d);
    cJSON *facts = cJSON_AddArrayToObject(o, "facts"),
          *charts = cJSON_AddArrayToObject(o, "charts"),
          *advice = cJSON_AddArrayToObject(o, "advice");
    const bw_fact *f;
    for (size_t i = 0; (f = bw_fact_at(d->shop->facts, i)); i++)
        cJSON_AddItemToArray(facts, fact_json(f));
    for (size_t i = 0; i < d->n; i++)
        for (size_t k = 0; k < d->sections[i].n; k++)
            if (d->sections[i].blocks[k].kind == BW_CHART)
                cJSON_AddItemToArray(charts, chart_json(d->sections[i].blocks[k].chart));
    for (size_t i = 0; i < d->n_advice; i++)
        cJSON_AddItemToArray(advice, advice_json(&d->advice[i]));
    char *text = cJSON_Print(o);
    bw_buf_add(out, text);
    bw_buf_add(out, "\n");
    cJSON_Delete(o);
    bw_status st = text && bw_buf_ok(out) ? BW_OK : bw_fail_memory(err);
    free(text);
    return st;
}
