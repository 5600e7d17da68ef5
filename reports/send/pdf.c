/* reports/send/pdf.c - runs the browser without a shell, then takes the clock out of its file. */
#include "reports/send/pdf.h"

#include "common/buf.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define PATIENCE_S 60
#define PDF_MAX    (64u << 20)

extern char **environ;

/* The first program of the list that is on PATH; the caller frees. */
static char *find_browser(void) {
    static const char *const NAMES[] = {"chromium", "chromium-browser", "google-chrome", "chrome"};
    const char *chosen = getenv("BELLWETHER_CHROMIUM");
    if (chosen && *chosen)
        return strdup(chosen);
    const char *path = getenv("PATH");
    bw_buf b = {0};
    for (size_t i = 0; path && i < sizeof NAMES / sizeof *NAMES; i++)
        for (const char *p = path; *p;) {
            size_t n = strcspn(p, ":");
            bw_buf_clear(&b);
            bw_buf_add_n(&b, p, n);
            bw_buf_addf(&b, "/%s", NAMES[i]);
            if (bw_buf_ok(&b) && access(b.text, X_OK) == 0)
                return bw_buf_take(&b);
            p += n + (p[n] == ':');
        }
    bw_buf_free(&b);
    return NULL;
}

/* file:// and the absolute path, everything but plain characters as %XX. */
static bw_status file_url(const char *page, bw_buf *url, bw_err *err) {
    char *full = realpath(page, NULL);
    if (!full)
        return bw_fail(err, BW_EIO, "%s: %s", page, strerror(errno));
    bw_buf_add(url, "file://");
    for (const char *p = full; *p; p++)
        if (strchr("/-_.~", *p) || (*p >= '0' && *p <= '9') || (*p >= 'a' && *p <= 'z') ||
            (*p >= 'A' && *p <= 'Z'))
            bw_buf_add_n(url, p, 1);
        else
            bw_buf_addf(url, "%%%02X", (unsigned char)*p);
    free(full);
    return bw_buf_ok(url) ? BW_OK : bw_fail_memory(err);
}

static int remove_entry(const char *path, const struct stat *info, int type, struct FTW *walk) {
    (void)info, (void)type, (void)walk;
    return remove(path);
}

/* Waits for the child, ends it after PATIENCE_S; true when it ended well. */
static bool wait_for(pid_t child) {
    int status;
    for (int i = 0; i < PATIENCE_S * 20; i++) {
        if (waitpid(child, &status, WNOHANG) == child)
            return WIFEXITED(status) && WEXITSTATUS(status) == 0;
        nanosleep(&(struct timespec){.tv_nsec = 50000000}, NULL);
    }
    kill(child, SIGKILL);
    waitpid(child, &status, 0);
    return false;
}

static bool run_quietly(char *const argv[]) {
    posix_spawn_file_actions_t files;
    posix_spawn_file_actions_init(&files);
    posix_spawn_file_actions_addopen(&files, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_addopen(&files, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
    posix_spawn_file_actions_addopen(&files, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
    pid_t child;
    bool good = posix_spawn(&child, argv[0], &files, NULL, argv, environ) == 0 && wait_for(child);
    posix_spawn_file_actions_destroy(&files);
    return good;
}

static bw_status print_page(char *browser, const char *url, const char *path, const char *profile,
                            bw_err *err) {
    bw_buf to = {0}, data = {0};
    bw_buf_addf(&to, "--print-to-pdf=%s", path);
    bw_buf_addf(&data, "--user-data-dir=%s", profile);
    if (!bw_buf_ok(&to) || !bw_buf_ok(&data)) {
        bw_buf_free(&to);
        bw_buf_free(&data);
        return bw_fail_memory(err);
    }
    char *argv[] = {
        browser, "--headless", "--disable-gpu", "--disable-quic", "--no-first-run",
        "--disable-background-networking", "--disable-component-update", "--disable-sync",
        "--no-pdf-header-footer", "--host-resolver-rules=MAP * ~NOTFOUND", data.text, to.text,
        /* the browser's own sandbox refuses to run as root, as weekly jobs in containers do */
        geteuid() == 0 ? "--no-sandbox" : "--no-default-browser-check", (char *)(uintptr_t)url,
        NULL};
    bool good = run_quietly(argv) && access(path, R_OK) == 0;
    bw_buf_free(&to);
    bw_buf_free(&data);
    return good ? BW_OK
                : bw_fail(err, BW_EIO, "%s: %s could not print it; the HTML page is complete", path,
                          browser);
}

/* Overwrites the digits of "(D:20261124083000+00'00')" behind a key with those of day. */
static void set_stamp(char *pdf, size_t len, const char *key, const char *day) {
    char stamp[15];
    snprintf(stamp, sizeof stamp, "%.4s%.2s%.2s080000", day, day + 5, day + 8);
    char *at = memmem(pdf, len, key, strlen(key));
    char *date = at ? memmem(at, len - (size_t)(at - pdf), "(D:", 3) : NULL;
    if (date && date + 17 < pdf + len && date - at < 40)
        memcpy(date + 3, stamp, 14);
}

static bw_status take_clock_out(const char *path, const char *day, bw_err *err) {
    char *pdf;
    size_t len;
    bw_status st = bw_file_read(path, PDF_MAX, &pdf, &len, err);
    if (st != BW_OK)
        return st;
    set_stamp(pdf, len, "/CreationDate", day);
    set_stamp(pdf, len, "/ModDate", day);
    st = bw_file_write(path, pdf, len, err);
    free(pdf);
    return st;
}

bw_status bw_pdf_print(const char *page, const char *path, const char *day, bw_err *err) {
    char *browser = find_browser();
    if (!browser)
        return bw_fail(err, BW_EIO,
                       "%s: a PDF needs Chromium, which is not installed; "
                       "install the package 'chromium', or name one with $BELLWETHER_CHROMIUM",
                       path);
    char profile[] = "/tmp/bellwether-print-XXXXXX";
    bw_buf url = {0};
    bw_status st = file_url(page, &url, err);
    if (st == BW_OK && !mkdtemp(profile))
        st = bw_fail(err, BW_EIO, "%s: %s", profile, strerror(errno));
    else if (st == BW_OK) {
        st = print_page(browser, url.text, path, profile, err);
        nftw(profile, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
    }
    if (st == BW_OK)
        st = take_clock_out(path, day, err);
    bw_buf_free(&url);
    free(browser);
    return st;
}
