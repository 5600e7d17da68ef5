/* reports/cmd_plot.c - `plot`: one chart, its data, or its gnuplot script. */
#include "reports/commands.h"

#include "reports/charts/chart.h"
#include "reports/charts/render.h"
#include "reports/facts/gather.h"
#include "sql/db.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

typedef struct {
    const char *db, *format, *out, *lang, *week;
    bool list, narrow;
} plot_options;

static bw_status list_charts(void) {
    for (const bw_chart_kind *k = BW_CHARTS; k->name; k++)
        printf("%-10s %s\n", k->name, k->question);
    return BW_OK;
}

/* "svg" when neither option nor file name says otherwise. */
static const char *format_of(const plot_options *o) {
    if (o->format)
        return o->format;
    const char *dot = o->out ? strrchr(o->out, '.') : NULL;
    return dot && strcmp(dot, ".gp") == 0 ? "gnuplot" : dot ? dot + 1 : "svg";
}

static bw_status write_text(bw_buf *b, const char *path, bw_err *err) {
    bw_status st = bw_buf_ok(b) ? BW_OK : bw_fail_memory(err);
    if (st == BW_OK && strcmp(path, "-") != 0)
        st = bw_file_write(path, b->text, b->len, err);
    else if (st == BW_OK)
        fwrite(b->text, 1, b->len, stdout);
    bw_buf_free(b);
    return st;
}

static bw_status write_chart(const bw_chart *ch, const plot_options *o, bw_err *err) {
    const char *format = format_of(o), *path = o->out ? o->out : "-";
    bw_buf text = {0};
    if (strcmp(format, "tsv") == 0) {
        bw_chart_tsv(ch, &text);
        return write_text(&text, path, err);
    }
    if (strcmp(format, "gnuplot") == 0) {
        bw_plot_job job = {.canvas = ch->canvas,
                           .format = BW_PNG,
                           .font = bw_chart_font(ch->shop),
                           .path = bw_arena_textf(ch->shop->arena, "%s.png", ch->name)};
        bw_gnuplot_script(&job, &text);
        return write_text(&text, path, err);
    }
    static const struct {
        const char *name;
        bw_picture_format format;
    } PICTURES[] = {{"svg", BW_SVG}, {"png", BW_PNG}, {"pdf", BW_PDF}};
    for (size_t i = 0; i < sizeof PICTURES / sizeof *PICTURES; i++)
        if (strcmp(PICTURES[i].name, format) == 0) {
            if (PICTURES[i].format != BW_SVG && !o->out && isatty(STDOUT_FILENO))
                return bw_fail(err, BW_EUSAGE,
                               "a %s is not fit for a terminal; say where to write it: --out %s.%s",
                               format, ch->name, format);
            return bw_chart_write(ch, PICTURES[i].format, path, err);
        }
    return bw_fail(err, BW_EUSAGE,
                   "there is no format '%s'; svg, png, pdf, tsv and gnuplot are there", format);
}

static bw_status plot_shop(sqlite3 *db, const bw_chart_kind *kind, const plot_options *o,
                           bw_err *err) {
    bw_shop *shop;
    bw_chart chart;
    bw_status st = bw_shop_open(db, o->lang, o->week, &shop, err);
    if (st != BW_OK)
        return st;
    st = bw_facts_gather(shop, err);
    if (st == BW_OK)
        st = bw_chart_build(shop, kind, o->narrow ? BW_CHART_NARROW : BW_CHART_WIDE, &chart, err);
    if (st == BW_OK) {
        st = write_chart(&chart, o, err);
        bw_chart_free(&chart);
    }
    bw_shop_close(shop);
    return st;
}

bw_status bw_cmd_plot(int argc, char **argv, bw_err *err) {
    plot_options o = {.lang = "en"};
    const bw_option options[] = {
        BW_OPTION_DB(o.db),
        {"list", 'l', BW_OPT_FLAG, &o.list, NULL,
         "names of the charts and the question each answers"},
        {"format", 'f', BW_OPT_TEXT, &o.format, "FORMAT",
         "svg, png, pdf, tsv (the data) or gnuplot (the script)"},
        {"out", 'o', BW_OPT_TEXT, &o.out, "FILE",
         "where to write; its ending gives the format (default: svg to standard output)"},
        {"lang", 0, BW_OPT_TEXT, &o.lang, "LANG", "en or zh"},
        {"week", 0, BW_OPT_TEXT, &o.week, "WEEK",
         "2026-W46, or any day of the week (default: the newest complete one)"},
        {"narrow", 0, BW_OPT_FLAG, &o.narrow, NULL, "the layout for a phone"},
        {0}};
    static const bw_usage usage = {"plot NAME [options]",
                                   "Draws one chart of the report. The title states what the data "
                                   "say; --format tsv gives the numbers behind it and "
                                   "--format gnuplot the script that draws it.",
                                   "  bellwether plot --list\n"
                                   "  bellwether plot roas --out roas.svg\n"
                                   "  bellwether plot sentiment --lang zh --out sentiment.png\n"
                                   "  bellwether plot curves --format tsv\n"};
    bw_status st = bw_options_parse(&usage, options, &argc, &argv, err);
    if (st != BW_OK)
        return st;
    if (o.list)
        return list_charts();
    if (argc != 1)
        return bw_fail(err, BW_EUSAGE,
                       "plot: wanted the name of one chart; 'bellwether plot --list' shows them");
    const bw_chart_kind *kind = bw_chart_find(argv[0]);
    if (!kind)
        return bw_fail(err, BW_EUSAGE,
                       "plot: there is no chart '%s'; 'bellwether plot --list' shows them",
                       argv[0]);
    sqlite3 *db;
    st = bw_db_open(bw_default_db(o.db), BW_DB_READ, &db, err);
    if (st != BW_OK)
        return st;
    st = plot_shop(db, kind, &o, err);
    bw_db_close(db);
    return st;
}
