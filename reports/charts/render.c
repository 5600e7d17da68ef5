/* reports/charts/render.c - gnuplot writes into a private folder; what it wrote is read back,
 * finished, and the folder goes away. */
#include "reports/charts/render.h"

#include "reports/charts/svg.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PICTURE_MOST ((size_t)64 * 1024 * 1024) /* bytes; far above any chart */

const char *bw_chart_description(const bw_chart *ch) {
    return bw_arena_textf(ch->shop->arena, "%s. %s", ch->subtitle,
                          bw_shop_word(ch->shop, "page.table_follows"));
}

static bw_status finish_svg(bw_picture *p, bool inlined, bw_err *err) {
    const bw_chart *ch = p->chart;
    bw_buf out = {0};
    bw_svg_options o = {.id = p->id,
                        .title = ch->title,
                        .desc = bw_chart_description(ch),
                        .lang = bw_locale_tag(ch->shop->locale),
                        .font = bw_chart_font_stack(ch->shop),
                        .css_class = p->css_class,
                        .width = bw_canvas_width(ch->canvas),
                        .height = bw_canvas_height(ch->canvas),
                        .inlined = inlined};
    bw_svg_finish(p->bytes, &o, &out);
    free(p->bytes);
    p->len = out.len;
    p->bytes = bw_buf_take(&out);
    return p->bytes ? BW_OK : bw_fail_memory(err);
}

#define FOLDER_SIZE 64
#define PATH_SIZE   (FOLDER_SIZE + 22) /* and a number */

static void picture_path(const char *folder, size_t i, char *path, size_t cap) {
    snprintf(path, cap, "%s/%zu", folder, i);
}

static bw_status run_jobs(const bw_picture *pictures, size_t n, const char *folder, bw_err *err) {
    bw_plot_job *jobs = calloc(n ? n : 1, sizeof *jobs);
    char(*paths)[PATH_SIZE] = calloc(n ? n : 1, sizeof *paths);
    bw_status st = jobs && paths ? BW_OK : bw_fail_memory(err);
    for (size_t i = 0; st == BW_OK && i < n; i++) {
        picture_path(folder, i, paths[i], sizeof paths[i]);
        jobs[i] =
            (bw_plot_job){pictures[i].chart->canvas, pictures[i].format,
                          bw_chart_font(pictures[i].chart->shop), paths[i], pictures[i].scale};
    }
    if (st == BW_OK)
        st = bw_gnuplot_run(jobs, n, err);
    free(jobs);
    free(paths);
    return st;
}

static bw_status render(bw_picture *pictures, size_t n, bool inlined, bw_err *err) {
    const char *tmp = getenv("TMPDIR");
    char folder[FOLDER_SIZE] = "/tmp/bellwether-XXXXXX", path[PATH_SIZE];
    if (tmp && strlen(tmp) < 40)
        snprintf(folder, sizeof folder, "%s/bellwether-XXXXXX", tmp);
    if (!mkdtemp(folder))
        return bw_fail(err, BW_EIO, "%s: no temporary folder can be made: %s", folder,
                       strerror(errno));
    bw_status st = run_jobs(pictures, n, folder, err);
    for (size_t i = 0; i < n; i++) {
        picture_path(folder, i, path, sizeof path);
        if (st == BW_OK)
            st = bw_file_read(path, PICTURE_MOST, &pictures[i].bytes, &pictures[i].len, err);
        if (st == BW_OK && pictures[i].format == BW_SVG)
            st = finish_svg(&pictures[i], inlined, err);
        unlink(path);
    }
    rmdir(folder);
    for (size_t i = 0; st != BW_OK && i < n; i++) {
        free(pictures[i].bytes);
        pictures[i].bytes = NULL;
    }
    return st;
}

bw_status bw_pictures_render(bw_picture *pictures, size_t n, bw_err *err) {
    return render(pictures, n, true, err);
}

bw_status bw_chart_write(const bw_chart *ch, bw_picture_format format, const char *path,
                         bw_err *err) {
    bw_picture p = {.chart = ch, .format = format, .id = ch->name};
    bw_status st = render(&p, 1, false, err);
    if (st != BW_OK)
        return st;
    if (strcmp(path, "-") != 0)
        st = bw_file_write(path, p.bytes, p.len, err);
    else if (fwrite(p.bytes, 1, p.len, stdout) != p.len)
        st = bw_fail(err, BW_EIO, "standard output: %s", strerror(errno));
    free(p.bytes);
    return st;
}
