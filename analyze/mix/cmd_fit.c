/* analyze/mix/cmd_fit.c - `bellwether fit`: options in, a table or JSON out. What is printed comes from the
 * database, so that a fit just made and one found again print the same. */
#include "analyze/commands.h"
#include "analyze/mix/fit.h"
#include "analyze/mix/fit_output.h"

#include "common/command.h"
#include "sql/db.h"

#include <stdio.h>

static const bw_usage USAGE = {
    "fit [options]",
    "Estimates what each channel earns: contribution, return on spend (ROAS), the return of the "
    "next\n"
    "money, carry-over, each with its 90 % interval, and splits every week's outcome into its "
    "parts.\n"
    "Nothing is done when neither data nor options changed since the last fit.",
    "  bellwether fit\n"
    "  bellwether fit --engine fast --quick               one short chain, a quarter of the time\n"
    "  bellwether fit --preset meridian --json\n"
    "  bellwether fit --adstock geometric,tv=weibull --saturation hill\n"
    "  bellwether fit --roas tv=1.5:0.4                   what an experiment said about tv\n"
    "  bellwether fit --compare                           and why it differs from the last fit\n"};

static bw_status check(const bw_fit_options *o, bw_err *err) {
    if (o->chains < 1 || o->chains > 64)
        return bw_fail(err, BW_EUSAGE, "--chains: %ld; between 1 and 64 are possible", o->chains);
    if (o->draws < 50 || o->draws > 100000)
        return bw_fail(err, BW_EUSAGE, "--draws: %ld; between 50 and 100000 are possible",
                       o->draws);
    if (o->warmup < 100 || o->warmup > 100000)
        return bw_fail(err, BW_EUSAGE, "--warmup: %ld; between 100 and 100000 are possible",
                       o->warmup);
    return BW_OK;
}

static bw_status run(const char *path, const bw_fit_options *o, bool json, bw_err *err) {
    sqlite3 *db;
    bw_status st = bw_db_open(bw_default_db(path), BW_DB_WRITE, &db, err);
    if (st != BW_OK)
        return st;
    int64_t id;
    bool fresh;
    bw_buf notes = {0};
    st = bw_fit_run(db, o, &id, &fresh, &notes, err);
    if (notes.text)
        fputs(notes.text, stderr);
    if (st == BW_OK && !fresh)
        fputs("nothing changed since the last fit; --force fits again\n", stderr);
    if (st == BW_OK)
        st = json ? fit_print_json(db, id, err) : fit_print_table(db, id, err);
    if (st == BW_OK && o->compare && !json)
        st = fit_print_changes(db, id, err);
    bw_buf_free(&notes);
    bw_db_close(db);
    return st;
}

bw_status bw_cmd_fit(int argc, char **argv, bw_err *err) {
    bw_fit_options o = bw_fit_defaults();
    const char *path = NULL;
    bool json = false;
    const bw_option options[] = {
        BW_OPTION_DB(path),
        BW_OPTION_JSON(json),
        {"engine", 0, BW_OPT_TEXT, &o.engine, "NAME",
         "nuts (four chains), fast (one) or laplace (approximate)"},
        {"preset", 0, BW_OPT_TEXT, &o.preset, "NAME", "bellwether, pymc or meridian"},
        {"adstock", 0, BW_OPT_TEXT, &o.adstock, "LIST",
         "geometric, delayed, binomial, weibull, weibull_cdf, none;"},
        {"saturation", 0, BW_OPT_TEXT, &o.saturation, "LIST",
         "logistic, hill, michaelis, tanh, root, none;"
         " 'hill,tv=root' sets tv apart"},
        {"prior-on", 0, BW_OPT_TEXT, &o.prior_on, "WHAT", "roas, beta or contribution"},
        {"roas", 0, BW_OPT_TEXT, &o.roas, "LIST",
         "CHANNEL=MEDIAN:LOGSD, a channel's own prior on ROAS"},
        {"likelihood", 0, BW_OPT_TEXT, &o.likelihood, "NAME", "normal or student"},
        {"knots", 0, BW_OPT_LONG, &o.knots, "N",
         "points of the moving baseline, 0 none, -1 by length"},
        {"fourier", 0, BW_OPT_LONG, &o.fourier, "N", "pairs of yearly harmonics, -1 by length"},
        {"daily", 0, BW_OPT_FLAG, &o.load.daily, NULL, "model days instead of weeks"},
        {"national", 0, BW_OPT_FLAG, &o.load.national, NULL, "add the geos up"},
        {"exposure", 0, BW_OPT_FLAG, &o.load.exposure, NULL,
         "let impressions drive the effect, not spend"},
        {"sign", 0, BW_OPT_TEXT, &o.load.signs, "LIST",
         "rain=-,competitor_price=+: sign of a control's effect"},
        {"without", 0, BW_OPT_TEXT, &o.load.without, "LIST",
         "channels, controls, events to leave out"},
        {"from", 0, BW_OPT_TEXT, &o.load.first_day, "DAY", "first day of the data to use"},
        {"to", 0, BW_OPT_TEXT, &o.load.last_day, "DAY", "last day of the data to use"},
        {"chains", 0, BW_OPT_LONG, &o.chains, "N", "chains of the sampler"},
        {"draws", 0, BW_OPT_LONG, &o.draws, "N", "draws a chain"},
        {"warmup", 0, BW_OPT_LONG, &o.warmup, "N", "warm-up iterations a chain"},
        {"dense", 0, BW_OPT_FLAG, &o.dense, NULL,
         "a mass matrix of all parameters, effects of single geos too"},
        {"diagonal", 0, BW_OPT_FLAG, &o.diagonal, NULL, "a diagonal mass matrix"},
        {"seed", 0, BW_OPT_LONG, &o.seed, "N", "seed of the random numbers"},
        {"quick", 0, BW_OPT_FLAG, &o.quick, NULL, "no backtest, no stability refits"},
        {"compare", 0, BW_OPT_FLAG, &o.compare, NULL,
         "what changed since the last fit: by new data, revised history, or options"},
        {"force", 0, BW_OPT_FLAG, &o.force, NULL, "fit even if nothing changed, from scratch"},
        {0},
    };
    bw_status st = bw_options_parse(&USAGE, options, &argc, &argv, err);
    if (st == BW_OK && argc > 0)
        st = bw_fail(err, BW_EUSAGE, "fit: '%s' is not expected; see 'bellwether fit --help'",
                     argv[0]);
    if (st == BW_OK)
        st = check(&o, err);
    return st == BW_OK ? run(path, &o, json, err) : st;
}
