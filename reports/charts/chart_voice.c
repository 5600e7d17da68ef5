/* reports/charts/chart_voice.c - how customers feel, and about what. */
#include "reports/charts/chart.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define Z90 1.6448536269514722 /* 95 % quantile of the normal distribution */

/* ---- sentiment over time ---- */

typedef struct {
    const char **week;
    double *mean, *se, *reviews;
    size_t n;
} moods;

static bw_status read_moods(const bw_chart *ch, moods *d, bw_err *err) {
    bw_status st = bw_query(ch->shop, "tnnn", &d->n, err,
                            "SELECT week, sentiment, se, reviews FROM review_sentiment_week WHERE "
                            "week <= ?2 AND week > date(?2, '-182 days') ORDER BY week",
                            0, ch->shop->voice_week, &d->week, &d->mean, &d->se, &d->reviews);
    if (st == BW_OK && d->n < 2)
        return bw_fail(err, BW_EDATA,
                       ch->shop->has_scores
                           ? "reviews of at least two weeks are needed to show how sentiment moves"
                           : "no review has been scored yet; 'bellwether score' does it");
    return st;
}

static void sentiment_title(bw_chart *ch) {
    const bw_facts *f = ch->shop->facts;
    const bw_fact *event = bw_fact_find(f, "voice.event", ""),
                  *shift = bw_fact_find(f, "voice.shift", "");
    const bw_fact *now = bw_fact_find(f, "voice.sentiment", "");
    bool moved = shift && (shift->lo > 0 || shift->hi < 0);
    bw_message title = {.key = event   ? "chart.sentiment.event"
                               : moved ? "chart.sentiment.shift"
                               : now   ? "chart.sentiment.steady"
                                       : "chart.sentiment.plain"};
    if (event) {
        bw_message_fact(&title, "shift", event);
        bw_message_name(
            &title, "event",
            bw_shop_part(ch->shop, bw_arena_textf(ch->shop->arena, "_event:%s", event->at)));
    } else if (moved) {
        bw_message_fact(&title, "shift", shift);
    }
    if (now)
        bw_message_fact(&title, "now", now);
    bw_message subtitle = {.key = "chart.sentiment.subtitle"};
    bw_chart_head(ch, &title, &subtitle);
}

/* At most four events, the ones that touch customers most; holidays come every year and explain
 * little. Labels step down so that neighbours do not collide. */
static bw_status draw_events(bw_chart *ch, const bw_panel *p, bw_err *err) {
    const char **day, **name;
    size_t n;
    bw_status st = bw_query(ch->shop, "tt", &n, err,
                            "SELECT day, name FROM (SELECT day, name, CASE kind WHEN 'operations' "
                            "THEN 0 WHEN 'price' THEN 1 WHEN 'launch' THEN 2 "
                            "WHEN 'competitor' THEN 3 WHEN 'other' THEN 4 ELSE 5 END AS rank FROM "
                            "event WHERE kind <> 'holiday' "
                            "AND day BETWEEN date(?2, '-168 days') AND date(?2, '+6 days') ORDER "
                            "BY rank, day DESC LIMIT 4) ORDER BY day",
                            0, ch->shop->voice_week, &day, &name);
    for (size_t i = 0; st == BW_OK && i < n; i++) {
        double x = bw_panel_x(p, (double)bw_iso_day(day[i])), y = p->top + 8 + (double)(i % 4) * 22;
        if (x < p->left || x > p->right)
            continue;
        bw_buf text = {0};
        bw_format_day(ch->shop->locale, &text, day[i], false);
        bw_buf_addf(&text, "%s%s", bw_shop_word(ch->shop, "punctuation.colon"),
                    bw_shop_part(ch->shop, bw_arena_textf(ch->shop->arena, "_event:%s", name[i])));
        double width = bw_font_width(text.text ? text.text : "", BW_TICK_SIZE, false) + 12;
        double next = i + 1 < n ? bw_panel_x(p, (double)bw_iso_day(day[i + 1])) : p->right;
        double after = p->right - x - 6, before = x - p->left - 6; /* room on either side */
        bool right = x + width < next || after >= before;
        bw_canvas_segment(ch->canvas, x, y - 6, x, p->bottom, 1.2, BW_DOTTED, BW_INK);
        bw_chart_text_in(ch, x + (right ? 6 : -6), y, right ? after : before,
                         right ? BW_LEFT : BW_RIGHT, ch->narrow ? BW_SMALL_SIZE : BW_TICK_SIZE,
                         false, BW_INK, text.text ? text.text : "");
        bw_buf_free(&text);
    }
    return st;
}

static bw_status draw_days(bw_chart *ch, const bw_panel *p, bw_err *err) {
    const char **day;
    double *mean;
    size_t n;
    bw_status st = bw_query(ch->shop, "tn", &n, err,
                            "SELECT day, avg(sentiment) FROM review_scored WHERE day <= date(?2, "
                            "'+6 days') AND day > date(?2, '-182 days') "
                            "GROUP BY day HAVING count(*) >= 3 ORDER BY day",
                            0, ch->shop->voice_week, &day, &mean);
    for (size_t i = 0; st == BW_OK && i < n; i++) {
        double x = (double)bw_iso_day(day[i]);
        if (x >= p->x0 && x <= p->x1 && mean[i] >= p->y0 && mean[i] <= p->y1)
            bw_canvas_mark(ch->canvas, x, mean[i], BW_DISC, 3.4, BW_BASE);
    }
    return st;
}

static void moods_table(bw_chart *ch, const moods *d) {
    bw_chart_columns(ch, 5, bw_shop_word(ch->shop, "table.week"),
                     bw_shop_word(ch->shop, "table.sentiment"), bw_shop_word(ch->shop, "table.low"),
                     bw_shop_word(ch->shop, "table.high"), bw_shop_word(ch->shop, "table.reviews"));
    for (size_t i = 0; i < d->n; i++)
        bw_chart_row(ch, bw_text_cell(d->week[i]), bw_number_cell(d->mean[i], BW_POINTS),
                     bw_number_cell(d->mean[i] - Z90 * d->se[i], BW_POINTS),
                     bw_number_cell(d->mean[i] + Z90 * d->se[i], BW_POINTS),
                     bw_number_cell(d->reviews[i], BW_COUNT));
}

static void mood_range(const moods *d, double *y0, double *y1) {
    *y0 = 0;
    *y1 = 0;
    for (size_t i = 0; i < d->n; i++) {
        double half = isfinite(d->se[i]) ? fmin(Z90 * d->se[i], 0.5) : 0;
        *y0 = fmin(*y0, d->mean[i] - half);
        *y1 = fmax(*y1, d->mean[i] + half);
    }
    *y0 = fmax(*y0 - 0.05, -1);
    *y1 = fmin(*y1 + 0.22, 1.3); /* room for the labels of events */
    bw_nice_range(y0, y1, 5);
}

bw_status bw_chart_sentiment(bw_chart *ch, bw_err *err) {
    moods d = {0};
    bw_status st = read_moods(ch, &d, err);
    if (st != BW_OK)
        return st;
    sentiment_title(ch);
    double *x = bw_arena_get(ch->shop->arena, 3 * d.n * sizeof *x), *lo = x + d.n, *hi = lo + d.n,
           y0, y1;
    mood_range(&d, &y0, &y1);
    for (size_t i = 0; i < d.n; i++) {
        x[i] = (double)bw_iso_day(d.week[i]) + 3;
        lo[i] = fmax(d.mean[i] - Z90 * d.se[i], y0);
        hi[i] = fmin(d.mean[i] + Z90 * d.se[i], y1);
    }
    bw_panel p = {bw_axis_left(ch, ch->narrow ? 34 : 56, y0, y1, BW_POINTS, 5),
                  ch->y + 10,
                  ch->right - (ch->narrow ? 44 : 100),
                  ch->y + (ch->narrow ? 260 : 340),
                  x[0] - 3,
                  x[d.n - 1] + 4,
                  y0,
                  y1};
    bw_axis_y(ch, &p, BW_POINTS, 5);
    bw_axis_days(ch, &p);
    bw_canvas_segment(ch->canvas, p.left, bw_panel_y(&p, 0), p.right, bw_panel_y(&p, 0), 1.2,
                      BW_SOLID, BW_AXIS);
    bw_canvas_panel(ch->canvas, &p);
    bw_canvas_band(ch->canvas, x, lo, hi, d.n, BW_GOOD_BAND);
    st = draw_days(ch, &p, err);
    bw_canvas_line(ch->canvas, x, d.mean, d.n, 2.6, BW_SOLID, BW_GOOD);
    bw_canvas_page(ch->canvas);
    if (st == BW_OK)
        st = draw_events(ch, &p, err);
    double end = bw_panel_y(&p, d.mean[d.n - 1]);
    bw_number style = {.unit = BW_POINTS, .place = -2, .sign = true};
    if (!ch->narrow)
        bw_chart_text(ch, p.right + 10, end - 10, BW_LEFT, BW_VALUE_SIZE, true, BW_GOOD_TEXT,
                      bw_shop_word(ch->shop, "chart.weekly_mean"));
    bw_chart_text(ch, p.right + (ch->narrow ? 5 : 10), end + (ch->narrow ? 0 : 11), BW_LEFT,
                  ch->narrow ? 14 : 16.5, true, BW_GOOD_TEXT,
                  bw_shop_format(ch->shop, d.mean[d.n - 1], &style));
    moods_table(ch, &d);
    bw_canvas_set_height(ch->canvas, p.bottom + 38);
    return st;
}

/* ---- aspects ---- */

typedef struct {
    const bw_fact *negative, *positive, *mentions, *shift;
    const char *name;
} aspect;

/* Worst first; what has no name comes last. */
static bool before(const aspect *a, const aspect *b) {
    bool other_a = strcmp(a->negative->subject, "other") == 0,
         other_b = strcmp(b->negative->subject, "other") == 0;
    return other_a != other_b ? other_b : a->negative->value > b->negative->value;
}

static size_t read_aspects(const bw_chart *ch, aspect *out, size_t most) {
    const bw_facts *f = ch->shop->facts;
    const bw_fact *fact;
    size_t n = 0;
    for (size_t i = 0; n < most && (fact = bw_fact_at(f, i)); i++)
        if (strcmp(fact->measure, "aspect.negative") == 0)
            out[n++] = (aspect){fact, bw_fact_find(f, "aspect.positive", fact->subject),
                                bw_fact_find(f, "aspect.mentions", fact->subject),
                                bw_fact_find(f, "aspect.shift", fact->subject),
                                bw_shop_aspect(ch->shop, fact->subject)};
    for (size_t i = 1; i < n; i++)
        for (size_t k = i; k > 0 && before(&out[k], &out[k - 1]); k--) {
            aspect a = out[k];
            out[k] = out[k - 1];
            out[k - 1] = a;
        }
    return n;
}

static void aspects_title(bw_chart *ch, const aspect *a, size_t n) {
    const bw_fact *clear = bw_fact_find(ch->shop->facts, "aspect.moved", "");
    const aspect *told = &a[0];
    for (size_t i = 0; i < n && clear; i++)
        if (strcmp(a[i].negative->subject, clear->at) == 0)
            told = &a[i];
    bool worse = !clear || clear->value < 0;
    bw_message title = {.key = !clear  ? "chart.aspects.plain"
                               : worse ? "chart.aspects.worse"
                                       : "chart.aspects.better"};
    bw_message_name(&title, "aspect", told->name);
    bw_message_fact(&title, "share", worse ? told->negative : told->positive);
    if (clear)
        bw_message_fact(&title, "shift", clear);
    bw_message subtitle = {.key = "chart.aspects.subtitle"};
    bw_chart_head(ch, &title, &subtitle);
}

/* The topic's change survives the correction for looking at many topics (gather_voice.c). */
static bool moved(const bw_shop *s, const char *name) {
    const bw_fact *f;
    for (size_t i = 0; (f = bw_fact_at(s->facts, i)); i++)
        if (strncmp(f->measure, "aspect.moved", 12) == 0 && strcmp(f->at, name) == 0)
            return true;
    return false;
}

static void aspect_row(bw_chart *ch, const aspect *a, double y, double middle, double scale,
                       double half) {
    const bw_shop *s = ch->shop;
    double left = middle - a->negative->value * scale, right = middle + a->positive->value * scale;
    bw_number share = {.unit = BW_SHARE, .place = -2},
              points = {.unit = BW_POINTS, .place = -2, .sign = true};
    bw_number count = {.unit = BW_COUNT, .scale_of = a->mentions->value};
    bool flagged = moved(s, a->negative->subject);
    bw_canvas_rect(ch->canvas, left, y - half, middle, y + half, BW_BAD);
    bw_canvas_rect(ch->canvas, middle, y - half, right, y + half, BW_GOOD);
    bw_chart_text(ch, left - 4, y, BW_RIGHT, BW_TICK_SIZE, false, BW_INK,
                  bw_shop_format(s, a->negative->value, &share));
    bw_chart_text(ch, right + 4, y, BW_LEFT, BW_TICK_SIZE, false, BW_INK,
                  bw_shop_format(s, a->positive->value, &share));
    const char *change = a->shift ? bw_shop_format(s, a->shift->value, &points) : "–";
    bw_colour colour = !flagged ? BW_MUTED : a->shift->value < 0 ? BW_BAD_TEXT : BW_GOOD_TEXT;
    if (ch->narrow) {
        bw_chart_text_in(ch, ch->left, y - 22, 250, BW_LEFT, BW_VALUE_SIZE, true, BW_INK,
                         bw_shop_title(s, a->name));
        bw_chart_text(ch, ch->right, y - 22, BW_RIGHT, BW_VALUE_SIZE, flagged, colour, change);
        bw_chart_text(ch, ch->right - 56, y - 22, BW_RIGHT, BW_TICK_SIZE, false, BW_MUTED,
                      bw_shop_format(s, a->mentions->value, &count));
        return;
    }
    bw_chart_text_in(ch, 168, y, 150, BW_RIGHT, BW_LABEL_SIZE, true, BW_INK,
                     bw_shop_title(s, a->name));
    bw_chart_text(ch, ch->right - 140, y, BW_RIGHT, BW_VALUE_SIZE, false, BW_MUTED,
                  bw_shop_format(s, a->mentions->value, &count));
    bw_chart_text(ch, ch->right, y, BW_RIGHT, BW_VALUE_SIZE, true, colour, change);
}

static void aspects_table(bw_chart *ch, const aspect *a, size_t n) {
    bw_chart_columns(
        ch, 7, bw_shop_word(ch->shop, "table.topic"), bw_shop_word(ch->shop, "table.negative"),
        bw_shop_word(ch->shop, "table.positive"), bw_shop_word(ch->shop, "table.mentions"),
        bw_shop_word(ch->shop, "table.net_change"), bw_shop_word(ch->shop, "table.low"),
        bw_shop_word(ch->shop, "table.high"));
    for (size_t i = 0; i < n; i++)
        bw_chart_row(ch, bw_text_cell(a[i].name), bw_number_cell(a[i].negative->value, BW_SHARE),
                     bw_number_cell(a[i].positive->value, BW_SHARE),
                     bw_number_cell(a[i].mentions->value, BW_COUNT),
                     bw_number_cell(a[i].shift ? a[i].shift->value : NAN, BW_POINTS),
                     bw_number_cell(a[i].shift ? a[i].shift->lo : NAN, BW_POINTS),
                     bw_number_cell(a[i].shift ? a[i].shift->hi : NAN, BW_POINTS));
}

bw_status bw_chart_aspects(bw_chart *ch, bw_err *err) {
    aspect a[12];
    size_t n = read_aspects(ch, a, 12);
    if (n == 0)
        return bw_fail(err, BW_EDATA,
                       "no scored review of the last four weeks speaks of a known topic");
    aspects_title(ch, a, n);
    double negative = 0.01, positive = 0.01, y = ch->y + 8;
    for (size_t i = 0; i < n; i++) {
        negative = fmax(negative, a[i].negative->value);
        positive = fmax(positive, a[i].positive->value);
    }
    double left = ch->narrow ? ch->left + 40 : 216,
           right = ch->narrow ? ch->right - 44 : ch->right - 270;
    double scale = (right - left) / (negative + positive), middle = left + negative * scale,
           pitch = ch->narrow ? 58 : 47;
    bw_canvas_page(ch->canvas);
    bw_chart_text(ch, middle - 8, y, BW_RIGHT, BW_SMALL_SIZE + 0.5, true, BW_BAD_TEXT,
                  bw_shop_word(ch->shop, "table.negative"));
    bw_chart_text(ch, middle + 8, y, BW_LEFT, BW_SMALL_SIZE + 0.5, true, BW_GOOD_TEXT,
                  bw_shop_word(ch->shop, "table.positive"));
    bw_chart_text(ch, ch->right, y, BW_RIGHT, BW_SMALL_SIZE, false, BW_MUTED,
                  bw_shop_word(ch->shop, ch->narrow ? "chart.change" : "table.net_change"));
    if (!ch->narrow)
        bw_chart_text(ch, ch->right - 140, y, BW_RIGHT, BW_SMALL_SIZE, false, BW_MUTED,
                      bw_shop_word(ch->shop, "table.mentions"));
    y += ch->narrow ? 50 : 36;
    for (size_t i = 0; i < n; i++, y += pitch)
        aspect_row(ch, &a[i], y, middle, scale, ch->narrow ? 9 : 14.5);
    aspects_table(ch, a, n);
    bw_canvas_set_height(ch->canvas, y - pitch + 32);
    return BW_OK;
}
