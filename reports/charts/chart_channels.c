/* reports/charts/chart_channels.c - one row a channel: what it earns, and what should move. */
#include "reports/advice/candidates.h"
#include "reports/charts/chart.h"

#include <math.h>
#include <stdio.h>

#define SURE   0.9 /* probability from which a channel counts as earning its next money */
#define UNSURE 0.1

/* "$2.7  (2.0 to 3.8)" */
static const char *with_range(const bw_chart *ch, double value, double lo, double hi, bool sign,
                              const char *unit) {
    const bw_shop *s = ch->shop;
    bw_number style = bw_number_style(value, lo, hi, bw_unit_named(unit));
    style.compact = true;
    style.sign = sign;
    bw_buf b = {0};
    bw_format(s->locale, &b, value, &style);
    if (isfinite(lo)) {
        style.bare = true;
        bw_buf_add(&b, "  (");
        bw_format_range(s->locale, &b, lo, hi, &style);
        bw_buf_add(&b, ")");
    }
    const char *text = bw_arena_text(s->arena, b.text);
    bw_buf_free(&b);
    return text;
}

static double widest(const bw_chart *ch, const char *const *texts, size_t n, double size, bool bold,
                     double at_least) {
    for (size_t i = 0; i < n; i++)
        at_least = fmax(at_least, bw_chart_text_width(ch, texts[i], size, bold));
    return at_least;
}

/* Where the rows of a chart stand. */
typedef struct {
    double top, height;      /* of the first row's upper edge, of a row */
    double label_right;      /* names end here (wide) */
    double column1, column2; /* right edges of the value columns */
    double name_width;
    bw_panel plot;
} rows_layout;

static double row_height(const bw_chart *ch, size_t n) {
    return ch->narrow ? 64 : n <= 8 ? 54 : n <= 14 ? 46 : 38;
}

static rows_layout lay_rows(const bw_chart *ch, const char *const *names, const char *const *v1,
                            const char *const *v2, size_t n, const char *head1, const char *head2) {
    rows_layout r = {.top = ch->y + 30, .height = row_height(ch, n), .column2 = ch->right};
    double w2 = widest(ch, v2, n, BW_VALUE_SIZE, true,
                       bw_chart_text_width(ch, head2, BW_SMALL_SIZE, false));
    double w1 = widest(ch, v1, n, BW_VALUE_SIZE, false,
                       bw_chart_text_width(ch, head1, BW_SMALL_SIZE, false));
    r.name_width = fmin(widest(ch, names, n, BW_LABEL_SIZE, true, 60), 190);
    r.label_right = ch->left + r.name_width;
    r.column1 = ch->right - w2 - 26;
    r.plot = (bw_panel){.left = r.label_right + 14, .right = r.column1 - w1 - 26, .top = r.top};
    if (ch->narrow) {
        r.name_width = ch->right - ch->left - w2 - 16;
        r.plot.left = ch->left + 8;
        r.plot.right = ch->right - 18;
    }
    r.plot.bottom = r.top + r.height * (double)n;
    return r;
}

static void row_name(bw_chart *ch, const rows_layout *r, double y, const char *name) {
    if (ch->narrow)
        bw_chart_text_in(ch, ch->left, y - 18, r->name_width, BW_LEFT, BW_LABEL_SIZE, true, BW_INK,
                         name);
    else
        bw_chart_text_in(ch, r->label_right, y, r->name_width, BW_RIGHT, BW_LABEL_SIZE, true,
                         BW_INK, name);
}

/* ---- what each channel earns ---- */

typedef struct {
    const char **name;
    double *roas, *lo, *hi, *lo50, *hi50, *next, *next_lo, *next_hi, *p;
    size_t n;
} returns;

static bw_status read_returns(const bw_chart *ch, returns *d, bw_err *err) {
    bw_status st = bw_query(
        ch->shop, "tnnnnnnnnn", &d->n, err,
        "SELECT r.subject, r.mean, r.lo, r.hi, r.lo50, r.hi50, m.mean, m.lo, m.hi, m.probability "
        "FROM estimate r LEFT JOIN estimate m ON m.run = r.run AND m.name = 'marginal_roas' "
        "AND m.subject = r.subject AND m.at = '' "
        "WHERE r.run = ?1 AND r.name = 'roas' AND r.at = '' AND r.mean IS NOT NULL "
        "ORDER BY coalesce(m.mean, r.mean) DESC, r.subject LIMIT 40",
        ch->shop->runs.fit, NULL, &d->name, &d->roas, &d->lo, &d->hi, &d->lo50, &d->hi50, &d->next,
        &d->next_lo, &d->next_hi, &d->p);
    if (st == BW_OK && d->n == 0)
        return bw_fail(err, BW_EDATA, "no channel has been fitted yet; 'bellwether fit' does it");
    for (size_t i = 0; i < d->n && ch->shop->outcome_unit[0] != 'm'; i++)
        d->p[i] = NAN; /* whether an order pays for its euro is not known */
    return st;
}

static bw_colour next_colour(double p, bool text) {
    if (p >= SURE)
        return text ? BW_GREEN_TEXT : BW_GREEN;
    if (p <= UNSURE)
        return text ? BW_BAD_TEXT : BW_BAD;
    return text ? BW_SLATE_TEXT : BW_SLATE;
}

/* The right end of the axis: long intervals are cut where they would squeeze all others. */
static double returns_top(const returns *d, double break_even) {
    double means = break_even, top = break_even * 1.5;
    for (size_t i = 0; i < d->n; i++)
        means = fmax(means, fmax(d->roas[i], isfinite(d->next[i]) ? d->next[i] : 0));
    for (size_t i = 0; i < d->n; i++) {
        if (isfinite(d->hi[i]))
            top = fmax(top, fmin(d->hi[i], 2.2 * means));
        if (isfinite(d->next_hi[i]))
            top = fmax(top, fmin(d->next_hi[i], 2.2 * means));
    }
    return fmax(top, means * 1.05);
}

static double returns_bottom(const returns *d) {
    double low = 0;
    for (size_t i = 0; i < d->n; i++)
        low = fmin(low, fmin(isfinite(d->lo[i]) ? d->lo[i] : 0,
                             isfinite(d->next_lo[i]) ? d->next_lo[i] : 0));
    return low;
}

static double inside(const bw_panel *p, double x) {
    return fmin(fmax(bw_panel_x(p, x), p->left), p->right);
}

static void draw_interval(bw_chart *ch, const bw_panel *p, double lo, double hi, double y,
                          double width, bw_colour colour) {
    if (isfinite(lo) && isfinite(hi))
        bw_canvas_segment(ch->canvas, inside(p, lo), y, inside(p, hi), y, width, BW_SOLID, colour);
}

static void draw_return(bw_chart *ch, const rows_layout *r, const returns *d, size_t i, double y) {
    const bw_panel *p = &r->plot;
    double up = ch->narrow ? y + 2 : y - 6, down = ch->narrow ? y + 18 : y + 11;
    draw_interval(ch, p, d->lo[i], d->hi[i], up, 1.7, BW_GOOD);
    if (isfinite(d->lo50[i]) && isfinite(d->hi50[i]))
        bw_canvas_rect(ch->canvas, inside(p, d->lo50[i]), up - 2.75, inside(p, d->hi50[i]),
                       up + 2.75, BW_GOOD);
    bw_canvas_mark(ch->canvas, inside(p, d->roas[i]), up, BW_DISC, 11, BW_PAGE);
    bw_canvas_mark(ch->canvas, inside(p, d->roas[i]), up, BW_DISC, 8.5, BW_GOOD);
    if (!isfinite(d->next[i]))
        return;
    draw_interval(ch, p, d->next_lo[i], d->next_hi[i], down, 1.5, BW_AXIS);
    bw_canvas_mark(ch->canvas, inside(p, d->next[i]), down, BW_DIAMOND, 8.5,
                   next_colour(d->p[i], false));
}

/* Names of channels whose probability lies in lo..hi, at most two, best (or worst) first. */
static size_t pick(const bw_chart *ch, const returns *d, double lo, double hi, bool from_end,
                   const char **out) {
    size_t n = 0;
    for (size_t k = 0; k < d->n && n < 2; k++) {
        size_t i = from_end ? d->n - 1 - k : k;
        if (d->p[i] >= lo && d->p[i] <= hi)
            out[n++] = bw_shop_channel(ch->shop, d->name[i]);
    }
    return n;
}

static void returns_title(bw_chart *ch, const returns *d) {
    const char **best = bw_arena_get(ch->shop->arena, 2 * sizeof *best);
    const char **worst = bw_arena_get(ch->shop->arena, 2 * sizeof *worst);
    size_t n_best = pick(ch, d, SURE, 1, false, best),
           n_worst = pick(ch, d, 0, UNSURE, true, worst);
    bool money = ch->shop->outcome_unit[0] == 'm';
    bw_message title = {.key = !money              ? "chart.roas.plain"
                               : n_best && n_worst ? "chart.roas.both"
                               : n_best            ? "chart.roas.best"
                               : n_worst           ? "chart.roas.worst"
                                                   : "chart.roas.none"};
    bw_message_names(&title, "best", best, n_best);
    bw_message_names(&title, "worst", worst, n_worst);
    bw_message_name(&title, "first", bw_shop_channel(ch->shop, d->name[0]));
    bw_message subtitle = {.key = money ? "chart.roas.subtitle" : "chart.roas.subtitle_count"};
    const bw_fact *weeks = bw_fact_find(ch->shop->facts, "fit.weeks", "");
    if (weeks)
        bw_message_fact(&subtitle, "weeks", weeks);
    else if (money)
        subtitle.key = "chart.roas.subtitle_plain";
    if (money)
        bw_message_fact(&subtitle, "pays", bw_fact_find(ch->shop->facts, "break_even", ""));
    bw_chart_head(ch, &title, &subtitle);
}

const char *bw_chart_break_even(const bw_chart *ch) {
    bw_message m = {.key = "chart.break_even"};
    bw_message_fact(&m, "pays", bw_fact_find(ch->shop->facts, "break_even", ""));
    return bw_shop_phrase(ch->shop, &m);
}

static void break_even(bw_chart *ch, const rows_layout *r) {
    double x = bw_panel_x(&r->plot, 1 / ch->shop->margin);
    bw_canvas_segment(ch->canvas, x, r->plot.top - 6, x, ch->narrow ? r->plot.top : r->plot.bottom,
                      1.4, BW_SOLID, BW_INK);
    for (double y = r->plot.top; ch->narrow && y < r->plot.bottom - 1; y += r->height)
        bw_canvas_segment(ch->canvas, x, y + 24, x, y + r->height, 1.4, BW_SOLID, BW_INK);
    bw_chart_text(ch, x, r->plot.top - 15, BW_CENTER, BW_SMALL_SIZE, false, BW_INK,
                  bw_chart_break_even(ch));
}

static void returns_table(bw_chart *ch, const returns *d) {
    const bw_fact *pays = bw_fact_find(ch->shop->facts, "break_even", "");
    bw_chart_columns(ch, pays ? 9 : 8, bw_shop_word(ch->shop, "table.channel"),
                     bw_shop_word(ch->shop, "table.return"), bw_shop_word(ch->shop, "table.low"),
                     bw_shop_word(ch->shop, "table.high"), bw_shop_word(ch->shop, "table.next"),
                     bw_shop_word(ch->shop, "table.low"), bw_shop_word(ch->shop, "table.high"),
                     bw_shop_word(ch->shop, "table.pays"),
                     bw_shop_word(ch->shop, "table.pays_above"));
    bw_unit unit = bw_unit_named(ch->shop->return_unit);
    for (size_t i = 0; i < d->n; i++)
        bw_chart_row(ch, bw_text_cell(bw_shop_channel(ch->shop, d->name[i])),
                     bw_number_cell(d->roas[i], unit), bw_number_cell(d->lo[i], unit),
                     bw_number_cell(d->hi[i], unit), bw_number_cell(d->next[i], unit),
                     bw_number_cell(d->next_lo[i], unit), bw_number_cell(d->next_hi[i], unit),
                     bw_number_cell(d->p[i], BW_SHARE),
                     bw_number_cell(pays ? pays->value : NAN, unit));
}

bw_status bw_chart_roas(bw_chart *ch, bw_err *err) {
    returns d = {0};
    bw_status st = read_returns(ch, &d, err);
    if (st != BW_OK)
        return st;
    const bw_shop *s = ch->shop;
    const char **names = bw_arena_get(s->arena, 3 * d.n * sizeof *names), **v1 = names + d.n,
               **v2 = v1 + d.n;
    for (size_t i = 0; i < d.n; i++) {
        names[i] = bw_shop_title(s, bw_shop_channel(s, d.name[i]));
        v1[i] = with_range(ch, d.roas[i], d.lo[i], d.hi[i], false, s->return_unit);
        v2[i] = isfinite(d.next[i])
                    ? with_range(ch, d.next[i], d.next_lo[i], d.next_hi[i], false, s->return_unit)
                    : "–";
    }
    returns_title(ch, &d);
    const char *average = bw_shop_word(s, "chart.average"), *next = bw_shop_word(s, "chart.next");
    rows_layout r = lay_rows(ch, names, v1, v2, d.n, average, next);
    bool money = s->outcome_unit[0] == 'm';
    r.plot.x1 = returns_top(&d, money ? 1 / s->margin : 0.01);
    bw_nice_range(&r.plot.x0, &r.plot.x1, ch->narrow ? 4 : 7);
    r.plot.x0 = fmax(returns_bottom(&d), -0.3 * r.plot.x1);
    bw_axis_x(ch, &r.plot, bw_unit_named(s->return_unit), ch->narrow ? 4 : 7);
    if (money)
        break_even(ch, &r);
    if (!ch->narrow)
        bw_chart_text(ch, r.column1, r.top - 15, BW_RIGHT, BW_SMALL_SIZE, false, BW_MUTED, average);
    bw_chart_text(ch, r.column2, r.top - 15, BW_RIGHT, BW_SMALL_SIZE, false, BW_MUTED, next);
    for (size_t i = 0; i < d.n; i++) {
        double y = r.top + r.height * ((double)i + 0.5);
        row_name(ch, &r, y, names[i]);
        draw_return(ch, &r, &d, i, y);
        if (!ch->narrow)
            bw_chart_text(ch, r.column1, y, BW_RIGHT, BW_VALUE_SIZE, false, BW_INK, v1[i]);
        bw_chart_text(ch, r.column2, ch->narrow ? y - 18 : y, BW_RIGHT, BW_VALUE_SIZE, true,
                      next_colour(d.p[i], true), v2[i]);
    }
    returns_table(ch, &d);
    bw_canvas_set_height(ch->canvas, r.plot.bottom + 34);
    return BW_OK;
}

/* ---- what should move ---- */

typedef struct {
    const char **name;
    double *now, *planned, *gain, *lo, *hi;
    size_t n;
} moves;

static bw_status read_moves(const bw_chart *ch, moves *d, bw_err *err) {
    bw_status st = bw_query(
        ch->shop, "tnnnnn", &d->n, err,
        "SELECT n.subject, n.mean, p.mean, g.mean, g.lo, g.hi FROM estimate n "
        "JOIN estimate p ON p.run = n.run AND p.name = 'spend_planned' AND p.subject = n.subject "
        "AND p.at = '' "
        "LEFT JOIN estimate g ON g.run = n.run AND g.name = 'gain' AND g.subject = n.subject AND "
        "g.at = '' "
        "WHERE n.run = ?1 AND n.name = 'spend_now' AND n.subject <> '' AND n.at = '' "
        "ORDER BY p.mean - n.mean DESC, n.subject LIMIT 40",
        ch->shop->runs.plan, NULL, &d->name, &d->now, &d->planned, &d->gain, &d->lo, &d->hi);
    if (st == BW_OK && d->n == 0)
        return bw_fail(err, BW_EDATA, "no budget has been planned yet; 'bellwether plan' does it");
    return st;
}

/* A change below one per cent of the channel's own money and of the total is none. */
static bool keeps(const moves *d, size_t i) {
    double total = 0;
    for (size_t k = 0; k < d->n; k++)
        total += d->now[k];
    return fabs(d->planned[i] - d->now[i]) <= 0.002 * total;
}

static const char *money_text(const bw_chart *ch, double value, double size, bool sign) {
    bw_number style = bw_number_style(value, NAN, NAN, BW_MONEY);
    style.scale_of = size;
    style.place = (int)floor(log10(fmax(size, 1))) - 2;
    style.sign = sign;
    return bw_shop_format(ch->shop, value, &style);
}

static void budget_title(bw_chart *ch) {
    const bw_facts *f = ch->shop->facts;
    const bw_fact *gain = bw_fact_find(f, "plan.gain", ""),
                  *moved = bw_fact_find(f, "plan.moved", "");
    const bw_fact *total = bw_fact_find(f, "plan.total", ""),
                  *from = bw_fact_find(f, "plan.from", "");
    double stability;
    bool move = bw_budget_worth(ch->shop, &stability) > 0; /* as the advice has it */
    bw_message title = {.key = !move  ? "chart.budget.keep"
                               : from ? "chart.budget.move_from"
                                      : "chart.budget.move"};
    if (gain)
        bw_message_fact(&title, "gain", gain);
    if (moved)
        bw_message_fact(&title, "moved", moved);
    if (from)
        bw_message_name(&title, "from", bw_shop_channel(ch->shop, from->at));
    bw_message subtitle = {.key = total && gain ? "chart.budget.subtitle"
                                                : "chart.budget.subtitle_plain"};
    if (total)
        bw_message_fact(&subtitle, "total", total);
    if (gain)
        bw_message_fact(&subtitle, "gain", gain);
    bw_chart_head(ch, &title, &subtitle);
}

/* Where a row's disc and arrow head stand, and what is written outside of them. */
typedef struct {
    double now, then;
    const char *now_text, *then_text; /* then_text: NULL when the channel keeps its money */
    bool up;
} move_marks;

static move_marks mark_move(const bw_chart *ch, const rows_layout *r, const moves *d, size_t i) {
    return (move_marks){.now = bw_panel_x(&r->plot, d->now[i]),
                        .then = bw_panel_x(&r->plot, d->planned[i]),
                        .now_text = money_text(ch, d->now[i], r->plot.x1, false),
                        .then_text =
                            keeps(d, i) ? NULL : money_text(ch, d->planned[i], r->plot.x1, false),
                        .up = d->planned[i] > d->now[i]};
}

#define MARK_GAP 10 /* pixels between a mark and its value */

/* Insets the plot so that the values beside the marks stay inside of it. */
static void make_room(const bw_chart *ch, rows_layout *r, const moves *d) {
    double left = 0, right = 0;
    for (size_t i = 0; i < d->n; i++) {
        move_marks k = mark_move(ch, r, d, i);
        bool now_right = k.then_text && !k.up;
        double now = MARK_GAP + bw_font_width(k.now_text, BW_TICK_SIZE, false);
        double then = MARK_GAP + (k.then_text ? bw_font_width(k.then_text, BW_TICK_SIZE, true) : 0);
        left = fmax(left, r->plot.left - (now_right ? k.then - then : k.now - now));
        right = fmax(right, (now_right ? k.now + now : k.then + then) - r->plot.right);
    }
    r->plot.left += left;
    r->plot.right -= right;
}

static void draw_move(bw_chart *ch, const rows_layout *r, const moves *d, size_t i, double y) {
    move_marks k = mark_move(ch, r, d, i);
    double now = k.now, then = k.then;
    bool up = k.up, still = !k.then_text;
    bw_colour colour = up ? BW_GOOD : BW_BAD;
    double row = ch->narrow ? y + 10 : y;
    if (!still && fabs(then - now) >= 3)
        bw_canvas_arrow(ch->canvas, now, then, row, 5, colour);
    bw_canvas_mark(ch->canvas, now, row, BW_DISC, 9, BW_AXIS);
    bool right = !still && !up; /* the value of now stands on the side away from the arrow */
    bw_chart_text(ch, now + (right ? MARK_GAP : -MARK_GAP), row, right ? BW_LEFT : BW_RIGHT,
                  BW_TICK_SIZE, false, BW_MUTED, k.now_text);
    if (!still)
        bw_chart_text(ch, then + (up ? 8 : -8), row, up ? BW_LEFT : BW_RIGHT, BW_TICK_SIZE, true,
                      bw_text_colour(colour), k.then_text);
}

static void moves_table(bw_chart *ch, const moves *d) {
    bw_chart_columns(ch, 6, bw_shop_word(ch->shop, "table.channel"),
                     bw_shop_word(ch->shop, "table.now"), bw_shop_word(ch->shop, "table.planned"),
                     bw_shop_word(ch->shop, "table.gain"), bw_shop_word(ch->shop, "table.low"),
                     bw_shop_word(ch->shop, "table.high"));
    bw_unit unit = bw_unit_named(ch->shop->outcome_unit);
    for (size_t i = 0; i < d->n; i++)
        bw_chart_row(ch, bw_text_cell(bw_shop_channel(ch->shop, d->name[i])),
                     bw_number_cell(d->now[i], BW_MONEY), bw_number_cell(d->planned[i], BW_MONEY),
                     bw_number_cell(d->gain[i], unit), bw_number_cell(d->lo[i], unit),
                     bw_number_cell(d->hi[i], unit));
}

static void move_texts(const bw_chart *ch, const moves *d, const char **names, const char **v1,
                       const char **v2) {
    double largest = 0;
    for (size_t i = 0; i < d->n; i++)
        largest = fmax(largest, fmax(d->now[i], d->planned[i]));
    for (size_t i = 0; i < d->n; i++) {
        bool still = keeps(d, i);
        names[i] = bw_shop_title(ch->shop, bw_shop_channel(ch->shop, d->name[i]));
        v1[i] = still ? bw_shop_word(ch->shop, "chart.keep")
                      : money_text(ch, d->planned[i] - d->now[i], largest, true);
        v2[i] = still || !isfinite(d->gain[i])
                    ? "–"
                    : with_range(ch, d->gain[i], d->lo[i], d->hi[i], true, ch->shop->outcome_unit);
    }
}

bw_status bw_chart_budget(bw_chart *ch, bw_err *err) {
    moves d = {0};
    bw_status st = read_moves(ch, &d, err);
    if (st != BW_OK)
        return st;
    const bw_shop *s = ch->shop;
    const char **names = bw_arena_get(s->arena, 3 * d.n * sizeof *names), **v1 = names + d.n,
               **v2 = v1 + d.n;
    move_texts(ch, &d, names, v1, v2);
    budget_title(ch);
    const char *change = bw_shop_word(s, "chart.change"),
               *expected = bw_shop_word(s, "chart.expected");
    rows_layout r = lay_rows(ch, names, v1, v2, d.n, change, expected);
    for (size_t i = 0; i < d.n; i++)
        r.plot.x1 = fmax(r.plot.x1, fmax(d.now[i], d.planned[i]));
    bw_nice_range(&r.plot.x0, &r.plot.x1, ch->narrow ? 3 : 5);
    make_room(ch, &r, &d);
    bw_axis_x(ch, &r.plot, BW_MONEY, ch->narrow ? 3 : 5);
    if (!ch->narrow)
        bw_chart_text(ch, r.column1, r.top - 15, BW_RIGHT, BW_SMALL_SIZE, false, BW_MUTED, change);
    bw_chart_text(ch, r.column2, r.top - 15, BW_RIGHT, BW_SMALL_SIZE, false, BW_MUTED, expected);
    for (size_t i = 0; i < d.n; i++) {
        double y = r.top + r.height * ((double)i + 0.5);
        bool still = keeps(&d, i);
        row_name(ch, &r, y, names[i]);
        draw_move(ch, &r, &d, i, y);
        if (!ch->narrow)
            bw_chart_text(ch, r.column1, y, BW_RIGHT, BW_VALUE_SIZE, true,
                          still                     ? BW_MUTED
                          : d.planned[i] > d.now[i] ? BW_GOOD_TEXT
                                                    : BW_BAD_TEXT,
                          v1[i]);
        bw_chart_text(ch, r.column2, ch->narrow ? y - 18 : y, BW_RIGHT, BW_VALUE_SIZE, false,
                      BW_INK, v2[i]);
    }
    moves_table(ch, &d);
    bw_canvas_set_height(ch->canvas, r.plot.bottom + 34);
    return BW_OK;
}
