/* analyze/experiment/cmd_experiment.c - `experiment KIND ...`: finds the kind and hands over. */
#include "analyze/experiment/cmd_experiment.h"
#include "analyze/commands.h"

#include <stdio.h>
#include <string.h>

static const struct kind {
    const char *name, *full, *summary;
    bw_status (*run)(int, char **, bw_err *);
} KINDS[] = {
    {"ab", "experiment ab", "arms against a control: rates and money", bw_cmd_experiment_ab},
    {"did", "experiment did", "treated against untreated, before and after", bw_cmd_experiment_did},
    {"impact", "experiment impact", "before and after, against what controls say",
     bw_cmd_experiment_impact},
    {"synth", "experiment synth", "one treated unit against a mix of others",
     bw_cmd_experiment_synth},
    {"switchback", "experiment switchback", "a treatment switched on and off",
     bw_cmd_experiment_switchback},
    {"power", "experiment power", "how large a test must be", bw_cmd_experiment_power},
    {"list", "experiment list", "the stored experiments and their results", bw_cmd_experiment_list},
    {"next", "experiment next", "what to test next, how large and how long",
     bw_cmd_experiment_next},
};

static void print_kinds(FILE *to) {
    fputs("usage: bellwether experiment KIND ...\n\nDid the test work, and what to test "
          "next.\n\nkinds:\n",
          to);
    for (size_t i = 0; i < sizeof KINDS / sizeof *KINDS; i++)
        fprintf(to, "  %-11s %s\n", KINDS[i].name, KINDS[i].summary);
    fputs(
        "\n'bellwether experiment KIND --help' shows options and examples.\n\nexamples:\n"
        "  bellwether experiment ab mail.csv --arm segment --metric visit:rate --metric "
        "spend:money\n"
        "  bellwether experiment did geo.csv --unit city --time date --treated treated --post post "
        "--metric sales\n",
        to);
}

bw_status bw_cmd_experiment(int argc, char **argv, bw_err *err) {
    if (argc < 2)
        return bw_fail(err, BW_EUSAGE,
                       "experiment: which kind? 'bellwether experiment --help' lists them");
    if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h")) {
        print_kinds(stdout);
        return BW_HELP;
    }
    for (size_t i = 0; i < sizeof KINDS / sizeof *KINDS; i++)
        if (strcmp(KINDS[i].name, argv[1]) == 0) {
            argv[1] = (char *)KINDS[i].full; /* only read: it names the command in messages */
            return KINDS[i].run(argc - 1, argv + 1, err);
        }
    return bw_fail(err, BW_EUSAGE,
                   "experiment: there is no kind '%s'; 'bellwether experiment --help' lists them",
                   argv[1]);
}
