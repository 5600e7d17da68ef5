/* model/train/metrics.c - metrics of numbers. See metrics.h; those of texts are in metrics_text.c. */
#include "model/train/metrics.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

double bw_accuracy(const int32_t *truth, const int32_t *predicted, size_t n) {
    size_t right = 0;
    for (size_t i = 0; i < n; i++)
        right += truth[i] == predicted[i];
    return n ? (double)right / (double)n : NAN;
}

double bw_class_f1(const int32_t *truth, const int32_t *predicted, size_t n, int32_t class) {
    size_t both = 0, either = 0; /* either: true plus predicted */
    for (size_t i = 0; i < n; i++) {
        both += truth[i] == class && predicted[i] == class;
        either += (size_t)(truth[i] == class) + (size_t)(predicted[i] == class);
    }
    return either ? 2 * (double)both / (double)either : NAN;
}

double bw_macro_f1(const int32_t *truth, const int32_t *predicted, size_t n, size_t classes) {
    size_t *count = calloc(2 * classes + 1, sizeof *count), *both = count + classes, used = 0;
    double sum = 0;
    bool good = count && n;
    for (size_t i = 0; good && i < n; i++) {
        good = truth[i] >= 0 && predicted[i] >= 0 && (size_t)truth[i] < classes &&
               (size_t)predicted[i] < classes;
        if (good) {
            count[truth[i]]++;
            count[predicted[i]]++;
            both[truth[i]] += truth[i] == predicted[i];
        }
    }
    for (size_t c = 0; good && c < classes; c++)
        if (count[c]) {
            sum += 2 * (double)both[c] / (double)count[c];
            used++;
        }
    free(count);
    return good ? sum / (double)used : NAN;
}

/* --- ranks ----------------------------------------------------------------------------------- */

typedef struct {
    double value;
    size_t at;
} item;

static int by_value(const void *a, const void *b) {
    const item *x = a, *y = b;
    return x->value != y->value ? (x->value > y->value) - (x->value < y->value)
                                : (x->at > y->at) - (x->at < y->at);
}

/* Ranks from 1, equal values share their mean rank; caller frees. NULL: no memory. */
static double *ranks(const double *x, size_t n) {
    item *sorted = malloc((n + 1) * sizeof *sorted);
    double *rank = malloc((n + 1) * sizeof *rank);
    if (!sorted || !rank) {
        free(sorted);
        free(rank);
        return NULL;
    }
    for (size_t i = 0; i < n; i++)
        sorted[i] = (item){x[i], i};
    qsort(sorted, n, sizeof *sorted, by_value);
    for (size_t i = 0, end; i < n; i = end) {
        for (end = i + 1; end < n && sorted[end].value == sorted[i].value; end++)
            ;
        for (size_t k = i; k < end; k++)
            rank[sorted[k].at] = (double)(i + 1 + end) / 2;
    }
    free(sorted);
    return rank;
}

double bw_roc_auc(const int32_t *truth, const double *score, size_t n) {
    double *rank = ranks(score, n), sum = 0, positive = 0;
    for (size_t i = 0; rank && i < n; i++)
        if (truth[i]) {
            sum += rank[i];
            positive++;
        }
    double negative = (double)n - positive;
    bool defined = rank && positive > 0 && negative > 0;
    free(rank);
    return defined ? (sum - positive * (positive + 1) / 2) / (positive * negative) : (double)NAN;
}

double bw_pearson(const double *x, const double *y, size_t n) {
    double mean_x = 0, mean_y = 0, xx = 0, yy = 0, xy = 0;
    for (size_t i = 0; i < n; i++) {
        mean_x += x[i] / (double)n;
        mean_y += y[i] / (double)n;
    }
    for (size_t i = 0; i < n; i++) {
        double dx = x[i] - mean_x, dy = y[i] - mean_y;
        xx += dx * dx;
        yy += dy * dy;
        xy += dx * dy;
    }
    return xx > 0 && yy > 0 ? xy / (sqrt(xx) * sqrt(yy)) : (double)NAN;
}

double bw_spearman(const double *x, const double *y, size_t n) {
    double *rank_x = ranks(x, n), *rank_y = ranks(y, n), r = NAN;
    if (rank_x && rank_y)
        r = bw_pearson(rank_x, rank_y, n);
    free(rank_x);
    free(rank_y);
    return r;
}

/* --- probabilities --------------------------------------------------------------------------- */

/* The bin (low, high] of p; 0 falls into the first. */
static size_t bin_of(double p, size_t bins) {
    double at = ceil(p * (double)bins) - 1;
    return at < 0 ? 0 : at >= (double)bins ? bins - 1 : (size_t)at;
}

double bw_calibration_error(const double *confidence, const int32_t *correct, size_t n,
                            size_t bins) {
    double *gap = n && bins ? calloc(bins, sizeof *gap) : NULL, sum = 0;
    if (!gap)
        return NAN;
    for (size_t i = 0; i < n; i++)
        gap[bin_of(confidence[i], bins)] += (correct[i] != 0) - confidence[i];
    for (size_t b = 0; b < bins; b++)
        sum += fabs(gap[b]) / (double)n;
    free(gap);
    return sum;
}

double bw_brier(const double *p, const int32_t *truth, size_t n, size_t classes) {
    double sum = 0;
    for (size_t i = 0; i < n; i++)
        for (size_t c = 0; c < classes; c++) {
            int32_t hit = classes == 1 ? truth[i] == 1 : truth[i] == (int32_t)c;
            double d = p[i * classes + c] - hit;
            sum += d * d;
        }
    return n ? sum / (double)n : NAN;
}

double bw_perplexity(double total_nll, size_t n) {
    return n ? exp(total_nll / (double)n) : NAN;
}

/* --- clusters -------------------------------------------------------------------------------- */

typedef struct {
    size_t rows, columns, n;
    double *cell; /* [rows, columns] counts, then sums of rows, then of columns */
} table;

static bool cross(const int32_t *a, const int32_t *b, size_t n, table *t) {
    *t = (table){.n = n};
    for (size_t i = 0; i < n; i++) {
        if (a[i] < 0 || b[i] < 0)
            return false;
        t->rows = (size_t)a[i] >= t->rows ? (size_t)a[i] + 1 : t->rows;
        t->columns = (size_t)b[i] >= t->columns ? (size_t)b[i] + 1 : t->columns;
    }
    size_t cells;
    if (!n || !bw_size_mul(t->rows, t->columns, &cells) || cells > SIZE_MAX / 16)
        return false;
    t->cell = calloc(cells + t->rows + t->columns, sizeof *t->cell);
    for (size_t i = 0; t->cell && i < n; i++) {
        t->cell[(size_t)a[i] * t->columns + (size_t)b[i]]++;
        t->cell[cells + (size_t)a[i]]++;
        t->cell[cells + t->rows + (size_t)b[i]]++;
    }
    return t->cell != NULL;
}

double bw_purity(const int32_t *cluster, const int32_t *class, size_t n) {
    table t;
    if (!cross(cluster, class, n, &t))
        return NAN;
    double sum = 0;
    for (size_t r = 0; r < t.rows; r++) {
        double most = 0;
        for (size_t c = 0; c < t.columns; c++)
            most = fmax(most, t.cell[r * t.columns + c]);
        sum += most;
    }
    free(t.cell);
    return sum / (double)n;
}

static double entropy(const double *count, size_t k, double n) {
    double h = 0;
    for (size_t i = 0; i < k; i++)
        if (count[i] > 0)
            h -= count[i] / n * log(count[i] / n);
    return h;
}

double bw_nmi(const int32_t *cluster, const int32_t *class, size_t n) {
    table t;
    if (!cross(cluster, class, n, &t))
        return NAN;
    size_t cells = t.rows * t.columns;
    double joint = entropy(t.cell, cells, (double)n);
    double a = entropy(t.cell + cells, t.rows, (double)n);
    double b = entropy(t.cell + cells + t.rows, t.columns, (double)n);
    free(t.cell);
    return a + b > 0 ? (a + b - joint) / ((a + b) / 2) : (double)NAN;
}
