/* reports/send/open.c - the desktop's own opener, its output thrown away. */
#include "reports/send/open.h"

#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

/* The openers hand the page over and end at once; 127 is the shell's word for "not there". */
static bool opened_by(const char *program, const char *path) {
    posix_spawn_file_actions_t quiet;
    pid_t child;
    int status = 0;
    char *const argv[] = {(char *)program, (char *)path, NULL};
    posix_spawn_file_actions_init(&quiet);
    for (int fd = 0; fd < 3; fd++)
        posix_spawn_file_actions_addopen(&quiet, fd, "/dev/null", O_RDWR, 0);
    bool started = posix_spawnp(&child, program, &quiet, NULL, argv, environ) == 0;
    posix_spawn_file_actions_destroy(&quiet);
    return started && waitpid(child, &status, 0) == child && WIFEXITED(status) &&
           WEXITSTATUS(status) == 0;
}

bw_status bw_page_open(const char *path, bw_err *err) {
    fflush(stdout);
    if (opened_by("xdg-open", path) || opened_by("open", path))
        return BW_OK;
    return bw_fail(err, BW_EIO,
                   "--open: no program to show a page with was found, or it failed (xdg-open and "
                   "open were tried); the report is written: open %s in a browser",
                   path);
}
