/* sql/import/doctor.c - a calendar (one bit a day) for the file and for each series, a ring of the last
 * values of each.
 *
 * Gaps: the rhythm is the most common distance of two neighbouring days; when three in four
 * distances are of that size, a longer one is a gap. Unit jumps: four values in a row 50 to 200 or
 * 500 to 2000 times the median of the values before (or that small a part of it), where those agree
 * within a factor of 20. Media come and go in bursts, so one such value is a finding only when it
 * stands at 100 or 1000 times an even series: a decimal mark that was lost. */
#include "sql/import/doctor.h"

#include "sql/import/names.h"
#include "sql/value.h"

#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define RING         12
#define RING_LEAST   8
#define RING_SPREAD  20.0
#define MOVE_LASTS   4   /* values in a row make a change of unit; one below is a quiet week */
#define SPIKE_SPREAD 5.0 /* among values this even, one at 100 times (within 25 %) lost its mark */
#define SPIKE_WITHIN 1.25
#define SERIES_MAX   5000
#define KEY_MAX      256
#define SPAN_MAX     40000 /* days, 109 years: a calendar of 5 kB */
#define SPARE        366
#define JUMPS_KEPT   64
#define REGULAR      0.75 /* of the distances are the rhythm's */
#define WEEKLY       0.9  /* of the days are on one day of the week */
#define CONSTANT_MIN 10   /* values before sameness is worth a word */

struct calendar {
    int first; /* day of bit 0 */
    size_t n;  /* bits */
    uint64_t *words;
};

struct jump {
    int to;
    long line;
};

/* Values that would be usual in another unit, in a row. */
struct move {
    size_t n;
    int factor, day;
    long line;
    double first, usual, spread;
};

struct series {
    struct calendar days;
    struct move move;
    int day; /* the one being added up */
    bool open, paid;
    double sum;
    long line;
    double ring[RING];
    size_t n_ring;
    double total, low, high; /* over all values */
    size_t values;
    char column[64];
    struct jump jumps[JUMPS_KEPT]; /* lines after a missing day, for the message about a gap */
    size_t n_jumps;
};

struct bw_doctor {
    bw_names names;
    struct series **series;
    size_t n, cap;
    struct calendar all;
};

bw_doctor *bw_doctor_new(void) {
    return calloc(1, sizeof(bw_doctor));
}

/* ---- calendar ---- */

/* Makes room for a day, whole words at a time, with a year to spare on that side. */
static bool reach(struct calendar *c, int day) {
    if (c->words && day >= c->first && (size_t)(day - c->first) < c->n)
        return true;
    size_t shift = c->words && day < c->first ? (size_t)(c->first - day + SPARE) / 64 + 1 : 0;
    int first = c->words ? c->first - 64 * (int)shift : day - SPARE;
    size_t want = (size_t)(day - first + SPARE) / 64 + 1, have = c->n / 64 + shift;
    size_t n_words = want > have ? want : have;
    if (n_words > SPAN_MAX / 64)
        return false;
    uint64_t *words = calloc(n_words, sizeof *words);
    if (!words)
        return false;
    if (c->words)
        memcpy(words + shift, c->words, c->n / 64 * sizeof *words);
    free(c->words);
    *c = (struct calendar){first, 64 * n_words, words};
    return true;
}

static void mark(struct calendar *c, int day) {
    if (reach(c, day)) {
        size_t at = (size_t)(day - c->first);
        c->words[at / 64] |= (uint64_t)1 << (at % 64);
    }
}

/* The first marked day not before `from`, or INT_MAX. */
static int next_day(const struct calendar *c, int from) {
    size_t at = from > c->first ? (size_t)(from - c->first) : 0;
    while (at < c->n) {
        uint64_t word = c->words[at / 64] >> (at % 64);
        if (word)
            return c->first + (int)at + __builtin_ctzll(word);
        at = (at / 64 + 1) * 64;
    }
    return INT32_MAX;
}

static size_t count_days(const struct calendar *c) {
    size_t days = 0;
    for (size_t i = 0; i < c->n / 64; i++)
        days += (size_t)__builtin_popcountll(c->words[i]);
    return days;
}

/* ---- one series ---- */

static int by_size(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Median and spread (largest over smallest) of the ring. */
static double usual_value(const struct series *s, double *spread) {
    double sorted[RING];
    size_t n = s->n_ring < RING ? s->n_ring : RING;
    memcpy(sorted, s->ring, n * sizeof *sorted);
    qsort(sorted, n, sizeof *sorted, by_size);
    *spread = sorted[n - 1] / sorted[0];
    return sorted[n / 2];
}

/* 100 or 1000 when the ratio is within a factor of that, upwards or downwards; else 0. */
static int unit_factor(double ratio, double within) {
    double size = ratio >= 1 ? ratio : 1 / ratio;
    for (int factor = 100; factor <= 1000; factor *= 10)
        if (size >= factor / within && size <= factor * within)
            return ratio >= 1 ? factor : -factor;
    return 0;
}

static void report_jump(const struct series *s, bw_findings *f) {
    const struct move *m = &s->move;
    char day[11], text[32];
    double ratio = m->first / m->usual;
    bw_day_text(m->day, day);
    snprintf(text, sizeof text, "%.10g", m->first);
    bw_findings_add(
        f,
        &(bw_spot){
            .severity = BW_WARNING,
            .rule = "unit_jump",
            .line = m->line,
            .column = s->column,
            .value = text,
            .fix = "check the unit (cents? thousands? a lost decimal mark?) and correct the file"},
        "on %s is %s%.3g times the %.6g that was usual before%s", day, ratio < 1 ? "1/" : "",
        ratio < 1 ? 1 / ratio : ratio, m->usual, m->n > 1 ? ", and the values after it too" : "");
}

/* Ends a move: worth a word when it lasted, or when it was one clean spike upwards. */
static void end_move(struct series *s, size_t least, bw_findings *f) {
    struct move *m = &s->move;
    bool spike = m->n == 1 && m->spread <= SPIKE_SPREAD &&
                 unit_factor(m->first / m->usual, SPIKE_WITHIN) > 0;
    if (m->n >= least || spike)
        report_jump(s, f);
    m->n = 0;
}

/* True when the value belongs to a level of another unit and is kept out of the ring. */
static bool moves_unit(struct series *s, double value, bw_findings *f) {
    struct move *m = &s->move;
    double spread, usual = usual_value(s, &spread);
    int factor = spread <= RING_SPREAD ? unit_factor(value / usual, 2.0) : 0;
    if (m->n && factor != m->factor)
        end_move(s, MOVE_LASTS, f);
    if (factor == 0)
        return false;
    if (m->n++ == 0)
        *m = (struct move){1, factor, s->day, s->line, value, usual, spread};
    if (m->n < MOVE_LASTS)
        return true;
    end_move(s, MOVE_LASTS, f);
    s->n_ring = 0; /* the new level is the usual one from now on */
    return false;
}

/* Ends the day that was added up. */
static void close_day(struct series *s, bw_findings *f) {
    if (!s->open)
        return;
    s->open = false;
    s->total += s->sum;
    s->low = s->values ? fmin(s->low, s->sum) : s->sum;
    s->high = s->values ? fmax(s->high, s->sum) : s->sum;
    s->values++;
    if (!(s->sum > 0) || (s->n_ring >= RING_LEAST && moves_unit(s, s->sum, f)))
        return;
    s->ring[s->n_ring % RING] = s->sum;
    s->n_ring++;
}

/* "series" or "series in part"; 0 when it does not fit. */
static size_t make_key(char key[KEY_MAX], const char *series, const char *part) {
    size_t n = strlen(series), m = strlen(part);
    if (n + m + 5 > KEY_MAX)
        return 0;
    memcpy(key, series, n);
    if (m == 0)
        return n;
    memcpy(key + n, " in ", 4);
    memcpy(key + n + 4, part, m);
    return n + 4 + m;
}

static bool make_series(bw_doctor *d, size_t i) {
    if (i < d->n)
        return true;
    if (i >= d->cap) {
        size_t cap = d->cap ? 2 * d->cap : 16;
        struct series **more = realloc(d->series, cap * sizeof(struct series *));
        if (!more)
            return false;
        d->series = more;
        d->cap = cap;
    }
    d->series[i] = calloc(1, sizeof **d->series); /* numbers come one by one: i is n */
    d->n += d->series[i] != NULL;
    return d->series[i] != NULL;
}

static struct series *find(bw_doctor *d, const char *series, const char *part) {
    char key[KEY_MAX];
    size_t n = make_key(key, series, part);
    if (n == 0 || d->names.n >= SERIES_MAX || d->names.n > d->n)
        return NULL;
    size_t i = bw_names_number(&d->names, key, n);
    return i != (size_t)-1 && make_series(d, i) ? d->series[i] : NULL;
}

static void note_jump(struct series *s, int day, long line) {
    if (s->values + s->open > 0 && day > s->day + 1 && s->n_jumps < JUMPS_KEPT)
        s->jumps[s->n_jumps++] = (struct jump){day, line};
}

/* Begins a day of a series. */
static void open_day(bw_doctor *d, struct series *s, const bw_sighting *seen) {
    mark(&s->days, seen->day);
    mark(&d->all, seen->day);
    if (seen->day < s->day)
        s->n_ring = s->move.n = 0; /* another run through the days: its level is its own */
    s->day = seen->day;
    s->sum = 0;
    s->line = seen->line;
    s->paid = seen->paid;
    s->open = true;
    if (s->values == 0)
        snprintf(s->column, sizeof s->column, "%s", seen->column);
}

void bw_doctor_see(bw_doctor *d, const bw_sighting *seen, bw_findings *f) {
    struct series *s = d ? find(d, seen->series, seen->part) : NULL;
    if (!s)
        return;
    if (!s->open || s->day != seen->day) {
        note_jump(s, seen->day, seen->line);
        close_day(s, f);
        open_day(d, s, seen);
    }
    s->sum += isnan(seen->value) ? 0 : seen->value;
}

/* ---- after the last row ---- */

/* The most common distance of neighbouring days, when three in four have it; else 0. */
static int step_of(const struct calendar *c) {
    int counts[32] = {0}, total = 0, best = 0;
    int day = next_day(c, c->first), next;
    for (; day != INT32_MAX && (next = next_day(c, day + 1)) != INT32_MAX; day = next) {
        counts[next - day < 32 ? next - day : 0]++;
        total++;
    }
    for (int i = 1; i < 32; i++)
        best = counts[i] > counts[best] || best == 0 ? i : best;
    return total >= 4 && counts[best] >= REGULAR * total ? best : 0;
}

/* The line of the row after a missing day: of that series, or of any when s is NULL. */
static long line_after(const bw_doctor *d, const struct series *s, int day) {
    for (size_t k = 0; k < d->n; k++)
        for (size_t i = 0; (!s || s == d->series[k]) && i < d->series[k]->n_jumps; i++)
            if (d->series[k]->jumps[i].to == day)
                return d->series[k]->jumps[i].line;
    return 0;
}

static void report_gaps(const bw_doctor *d, const struct series *s, const char *who,
                        bw_severity severity, bw_findings *f) {
    const struct calendar *c = s ? &s->days : &d->all;
    int step = step_of(c), day = step ? next_day(c, c->first) : INT32_MAX, next;
    for (; day != INT32_MAX && (next = next_day(c, day + 1)) != INT32_MAX; day = next) {
        if (next - day <= step)
            continue;
        char a[11], b[11];
        bw_day_text(day + step, a);
        bw_day_text(next - step > day ? next - step : next - 1, b);
        int missing = (next - day) / step - ((next - day) % step == 0);
        bw_findings_add(
            f,
            &(bw_spot){.severity = severity,
                       .rule = s ? "gap_in_series" : "gap",
                       .line = line_after(d, s, next),
                       .fix = "add the rows, with 0 where nothing was spent or sold"},
            "%s has no rows for %d %s from %s to %s", who, missing,
            step == 7 ? (missing == 1 ? "week" : "weeks") : (missing == 1 ? "day" : "days"), a, b);
    }
}

static void find_rhythm(const struct calendar *c, bw_findings *f, bw_rhythm *r) {
    size_t on[7] = {0}, best = 0;
    int odd = INT32_MAX;
    for (int day = next_day(c, c->first); day != INT32_MAX; day = next_day(c, day + 1))
        on[bw_day_weekday(day)]++;
    for (size_t i = 0; i < 7; i++) {
        r->days += on[i];
        best = on[i] > on[best] ? i : best;
    }
    r->week_day = (int)best;
    r->weekly = r->days >= 3 && on[best] == r->days;
    if (r->weekly || r->days < 10 || (double)on[best] < WEEKLY * (double)r->days)
        return;
    for (int day = next_day(c, c->first); day != INT32_MAX && odd == INT32_MAX;
         day = next_day(c, day + 1))
        odd = bw_day_weekday(day) != (int)best ? day : odd;
    char text[11];
    bw_day_text(odd, text);
    bw_findings_add(
        f,
        &(bw_spot){
            .severity = BW_WARNING, .rule = "week_day", .value = text, .fix = "correct the date"},
        "the rows are weekly, but this day is not on the day of the week of the others");
    r->weekly = true;
}

static void check_paid(const struct series *s, const char *name, bw_findings *f) {
    if (s->values && s->total == 0)
        bw_findings_add(f,
                        &(bw_spot){.severity = BW_WARNING,
                                   .rule = "zero_spend",
                                   .line = s->line,
                                   .column = s->column,
                                   .value = name,
                                   .fix = "leave the channel out, or give it as organic"},
                        "never has any spend: nothing can be said about its return");
    else if (s->values >= CONSTANT_MIN && s->low == s->high)
        bw_findings_add(f,
                        &(bw_spot){.severity = BW_WARNING,
                                   .rule = "constant_spend",
                                   .line = s->line,
                                   .column = s->column,
                                   .value = name,
                                   .fix = "vary the spend, or test it, to learn what it brings"},
                        "always has the same spend: its effect cannot be told from the baseline");
}

void bw_doctor_finish(bw_doctor *d, bw_findings *f, bw_rhythm *rhythm) {
    *rhythm = (bw_rhythm){0};
    if (!d || d->n == 0)
        return;
    size_t whole = count_days(&d->all);
    find_rhythm(&d->all, f, rhythm);
    report_gaps(d, NULL, "the file", BW_WARNING, f);
    for (size_t i = 0; i < d->n; i++) {
        struct series *s = d->series[i];
        close_day(s, f);
        end_move(s, MOVE_LASTS / 2, f);
        if (count_days(&s->days) != whole)
            report_gaps(d, s, d->names.list[i], s->paid ? BW_NOTE : BW_WARNING, f);
        if (s->paid)
            check_paid(s, d->names.list[i], f);
    }
}

void bw_doctor_free(bw_doctor *d) {
    if (!d)
        return;
    for (size_t i = 0; i < d->n; i++) {
        free(d->series[i]->days.words);
        free(d->series[i]);
    }
    free(d->series);
    free(d->all.words);
    bw_names_free(&d->names);
    free(d);
}
