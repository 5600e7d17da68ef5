/* reports/charts/gnuplot.c - the terminal headers, and the process at the end of the pipe. */
#include "reports/charts/gnuplot.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
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
#define PNG_SCALE 2

static void write_terminal(const bw_plot_job *job, bw_buf *out) {
    double w = bw_canvas_width(job->canvas), h = bw_canvas_height(job->canvas);
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
                    "PT = %g; PS = %g; LW = %d\n",
                    PNG_SCALE * w, PNG_SCALE * h, job->font, page, PNG_SCALE * 0.75,
                    PNG_SCALE / 6.3, PNG_SCALE);
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

/* Starts gnuplot with its input on *to and everything it says on the file behind errors. */
static bw_status start(int errors, pid_t *pid, int *to, bw_err *err) {
    int ends[2];
    if (pipe(ends) != 0)
        return bw_fail(err, BW_EIO, "pipe: %s", strerror(errno));
    fcntl(ends[1], F_SETFD, FD_CLOEXEC);
    posix_spawn_file_actions_t files;
    posix_spawn_file_actions_init(&files);
    posix_spawn_file_actions_adddup2(&files, ends[0], 0);
    posix_spawn_file_actions_adddup2(&files, errors, 1);
    posix_spawn_file_actions_adddup2(&files, errors, 2);
    posix_spawn_file_actions_addclose(&files, ends[0]);
    char *argv[] = {"gnuplot", "-d", "-", NULL};
    int why = posix_spawnp(pid, "gnuplot", &files, NULL, argv, environ);
    posix_spawn_file_actions_destroy(&files);
    close(ends[0]);
    if (why != 0) {
        close(ends[1]);
        return missing(err, why);
    }
    *to = ends[1];
    return BW_OK;
}

/* False when gnuplot stopped reading; its words are in the errors file then. */
static bool send(int to, const char *text, size_t n) {
    while (n > 0) {
        ssize_t done = write(to, text, n);
        if (done < 0 && errno == EINTR)
            continue;
        if (done <= 0)
            return false;
        text += done;
        n -= (size_t)done;
    }
    return true;
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

static bw_status feed(const bw_buf *script, int errors, bw_err *err) {
    pid_t pid = 0;
    int to = -1;
    bw_status st = start(errors, &pid, &to, err);
    if (st != BW_OK)
        return st;
    struct sigaction ignore = {.sa_handler = SIG_IGN}, before;
    sigaction(SIGPIPE, &ignore, &before);
    bool sent = send(to, script->text, script->len);
    close(to);
    int status = wait_for(pid);
    sigaction(SIGPIPE, &before, NULL);
    if (!sent || status != 0)
        return complain(errors, err);
    return BW_OK;
}

bw_status bw_gnuplot_run(const bw_plot_job *jobs, size_t n, bw_err *err) {
    bw_buf script = {0};
    for (size_t i = 0; i < n; i++)
        bw_gnuplot_script(&jobs[i], &script);
    if (!bw_buf_ok(&script)) {
        bw_buf_free(&script);
        return bw_fail_memory(err);
    }
    FILE *errors = tmpfile();
    bw_status st = errors ? feed(&script, fileno(errors), err)
                          : bw_fail(err, BW_EIO, "temporary file: %s", strerror(errno));
    if (errors)
        fclose(errors);
    bw_buf_free(&script);
    return st;
}
