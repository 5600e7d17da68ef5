/* tests/bench/bench_model.c - figures of this program's own language core, one a request, so that
 * tests/bench/model.py can set them beside a peer's in turns.
 *
 * Reads lines "THREADS SECONDS WHAT ..." and answers each with one line of numbers:
 *     roof KIND            operations a second in registers alone
 *     kernel KIND ROWS     operations a second of one product
 *     encode KIND TEXTS    tokens a second, mean tokens of a text; TEXTS: 32, 128, mixed
 *     train LENGTH         tokens a second
 *     decode KIND          tokens a second, the same by eight, bytes read a second, share of them */
#include "tests/bench/bench.h"
#include "tests/bench/roof.h"

#include <omp.h>
#include <string.h>

static const char *const KINDS[] = {"f32", "bf16", "int8"};

static int kind_of(const char *name) {
    for (int k = BW_PACK_F32; k <= BW_PACK_INT8; k++)
        if (!strcmp(name, KINDS[k]))
            return k;
    fprintf(stderr, "bench_model: unknown kind '%s'; f32, bf16 or int8\n", name);
    exit(2);
}

static void answer(const char *what, const char *first, const char *second, double seconds) {
    if (!strcmp(what, "roof")) {
        printf("%g\n", bench_roof(kind_of(first)));
    } else if (!strcmp(what, "kernel")) {
        size_t rows = strtoul(second, NULL, 10);
        printf("%g\n", bench_product((bw_pack_kind)kind_of(first), rows, seconds));
    } else if (!strcmp(what, "encode")) {
        double mean, rate = bench_encode((bw_pack_kind)kind_of(first), second, seconds, &mean);
        printf("%g %g\n", rate, mean);
    } else if (!strcmp(what, "train")) {
        printf("%g\n", bench_train(strtoul(first, NULL, 10), seconds));
    } else if (!strcmp(what, "decode")) {
        bench_decoding d = bench_decode((bw_pack_kind)kind_of(first), seconds);
        printf("%g %g %g %g\n", d.one, d.many, d.read, d.share);
    } else {
        fprintf(stderr, "bench_model: unknown request '%s'\n", what);
        exit(2);
    }
    fflush(stdout);
}

int main(void) {
    char line[200], what[32], first[32], second[32];
    int threads;
    double seconds;
    while (fgets(line, sizeof line, stdin)) {
        *first = *second = 0;
        if (sscanf(line, "%d %lf %31s %31s %31s", &threads, &seconds, what, first, second) < 3) {
            fputs("bench_model: a request is THREADS SECONDS WHAT ...\n", stderr);
            return 2;
        }
        omp_set_num_threads(threads);
        answer(what, first, second, seconds);
    }
    return 0;
}
