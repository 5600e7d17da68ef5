/* reports/charts/gnuplot.c - the terminal headers, and the processes that draw: each takes its share of
 * the pictures, so that a report of twenty takes as long as its share on one core. */
#include "reports/charts/gnuplot.h"

#include <errno.h>
#include <math.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

/* What differs between terminals: a font size in SVG is a pixel, in cairo a point (3/4 pixel at the
 * terminal's 96 dots an inch; the PDF page is set at 72, so there a pixel of the page is a point).
 * Point symbols: SVG draws one of size 1 as 9.75 pixels at a 13 pixel font, cairo as 7 times its
 * scale; both were measured on the output. */
#define PNG_SCALE 2.0

#define WORKERS_MOST 8
#define JOBS_WORTH   3 /* pictures for which another process is started */

static void write_terminal(const bw_plot_job *job, bw_buf *out) {
    double w = bw_canvas_width(job->canvas), h = bw_canvas_height(job->canvas);
    double scale = job->scale > 0 ? job->scale : PNG_SCALE;
    unsigned page = bw_theme(BW_PAGE)->light;
    switch (job->format) {
    case BW_SVG:
        bw_buf_addf(out,
                    "set terminal svg size %g,%g noenhanced font '%s,13' background '#%06x'\n"
                    "PT = 1.0; PS = 1/9.75; LW = 1.0\n",
                    w, h, job->font, page);
        break;
    case BW_PNG:
        bw_buf_addf(out,
                    "set terminal pngcairo size %g,%g noenhanced font '%s,13' background '#%06x'\n"
                    "PT = %g; PS = %g; LW = %g\n",
                    ceil(scale * w), ceil(scale * h), job->font, page, scale * 0.75, scale / 6.3,
                    scale);
        break;
    case BW_PDF:
        bw_buf_addf(
            out,
            "set terminal pdfcairo size %gin,%gin noenhanced font '%s,13' background '#%06x'\n"
            "PT = 0.75; PS = 0.75/3.15; LW = 1.5\n",
            w / 96, h / 96, job->font, page);
        break;
    }
    bw_buf_addf(out,
                "face(px) = sprintf('%s,%%.2f', px * PT)\n"
                "bold(px) = sprintf('%s:Bold,%%.2f', px * PT)\n",
                job->font, job->font);
}

void bw_gnuplot_script(const bw_plot_job *job, bw_buf *out) {
    bw_buf_add(out, "reset session\nset encoding utf8\n");
    write_terminal(job, out);
    bw_buf_add(out, "set output '");
    for (const char *p = job->path; *p; p++) /* a quote is doubled inside single quotes */
        bw_buf_add_n(out, *p == '\'' ? "''" : p, *p == '\'' ? 2 : 1);
    bw_buf_add(out, "'\nset datafile separator \"\\t\"\nset datafile commentschars \"\"\n"
                    "set key noautotitle\nunset border; unset tics\n");
    bw_canvas_script(job->canvas, out);
    bw_buf_add(out, "set output\n");
}

static bw_status missing(bw_err *err, int why) {
    if (why == ENOENT)
        return bw_fail(err, BW_EIO,
                       "gnuplot is not installed, and charts are drawn by it; install the "
                       "package gnuplot-nox (Debian, Ubuntu), gnuplot-minimal (Fedora) or "
                       "gnuplot (Homebrew)");
    return bw_fail(err, BW_EIO, "gnuplot could not be started: %s", strerror(why));
}

/* A gnuplot at work: it reads a script from a file that has no name, and says what it has to say into
 * the file behind errors. */
typedef struct {
    FILE *script;
    pid_t pid; /* 0: not started */
} worker;

static bw_status start(worker *w, int errors, bw_err *err) {
    posix_spawn_file_actions_t files;
    posix_spawn_file_actions_init(&files);
    posix_spawn_file_actions_adddup2(&files, fileno(w->script), 0);
    posix_spawn_file_actions_adddup2(&files, errors, 1);
    posix_spawn_file_actions_adddup2(&files, errors, 2);
    char *argv[] = {"gnuplot", "-d", "-", NULL};
    int why = posix_spawnp(&w->pid, "gnuplot", &files, NULL, argv, environ);
    posix_spawn_file_actions_destroy(&files);
    if (why == 0)
        return BW_OK;
    w->pid = 0;
    return missing(err, why);
}

static int wait_for(pid_t pid) {
    int status = 0;
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
        ;
    return status;
}

static bw_status complain(int errors, bw_err *err) {
    char words[600] = "";
    ssize_t n = pread(errors, words, sizeof words - 1, 0);
    words[n > 0 ? n : 0] = '\0';
    if (bw_interrupted())
        return bw_fail(err, BW_EINTERRUPTED, "interrupted");
    return bw_fail(err, BW_EIO, "gnuplot failed: %s", words[0] ? words : "no reason given");
}

/* Writes every step-th job's script, from first on, and starts a gnuplot on it. */
static bw_status set_to_work(worker *w, const bw_plot_job *jobs, size_t n, size_t first,
                             size_t step, int errors, bw_err *err) {
    bw_buf script = {0};
    for (size_t i = first; i < n; i += step)
        bw_gnuplot_script(&jobs[i], &script);
    bw_status st = bw_buf_ok(&script) ? BW_OK : bw_fail_memory(err);
    if (st == BW_OK && !(w->script = tmpfile()))
        st = bw_fail(err, BW_EIO, "temporary file: %s", strerror(errno));
    if (st == BW_OK && (fwrite(script.text, 1, script.len, w->script) != script.len ||
                        fflush(w->script) != 0 || fseek(w->script, 0, SEEK_SET) != 0))
        st = bw_fail(err, BW_EIO, "temporary file: %s", strerror(errno));
    bw_buf_free(&script);
    return st == BW_OK ? start(w, errors, err) : st;
}

/* As many as the machine has cores, as long as each has enough to draw to be worth its start. */
static size_t count_workers(size_t n) {
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    size_t most = cores > 1 ? (size_t)cores : 1;
    most = most < WORKERS_MOST ? most : WORKERS_MOST;
    size_t worth = (n + JOBS_WORTH - 1) / JOBS_WORTH;
    return worth < most ? worth : most;
}

static bw_status draw_all(const bw_plot_job *jobs, size_t n, int errors, bw_err *err) {
    worker workers[WORKERS_MOST] = {0};
    size_t count = count_workers(n);
    bw_status st = BW_OK;
    bool failed = false;
    for (size_t i = 0; i < count && st == BW_OK; i++)
        st = set_to_work(&workers[i], jobs, n, i, count, errors, err);
    for (size_t i = 0; i < count; i++) {
        failed |= workers[i].pid && wait_for(workers[i].pid) != 0;
        if (workers[i].script)
            fclose(workers[i].script);
    }
    return st == BW_OK && failed ? complain(errors, err) : st;
}

bw_status bw_gnuplot_run(const bw_plot_job *jobs, size_t n, bw_err *err) {
    FILE *errors = tmpfile();
    if (!errors)
        return bw_fail(err, BW_EIO, "temporary file: %s", strerror(errno));
    bw_status st = draw_all(jobs, n, fileno(errors), err);
    fclose(errors);
    return st;
}
