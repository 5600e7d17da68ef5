/* model/cmd_model.c - bellwether model: work on model folders and their parts. A table of parts, each
 * with options of its own. */
#include "model/cmd_model.h"

#include <stdio.h>
#include <string.h>

static bool has_option(int argc, char **argv, const char *name) {
    size_t n = strlen(name);
    for (int i = 1; i < argc; i++)
        if (!strncmp(argv[i], name, n) && (argv[i][n] == '\0' || argv[i][n] == '='))
            return true;
    return false;
}

static bw_status cmd_verify(int argc, char **argv, bw_err *err) {
    if (has_option(argc, argv, "--tokenizer"))
        return bw_cmd_verify_tokenizer(argc, argv, err);
    if (has_option(argc, argv, "--processors"))
        return bw_cmd_verify_processors(argc, argv, err);
    return bw_cmd_model_verify(argc, argv, err);
}

static const bw_command PARTS[] = {
    {"info", "what a model folder holds", bw_cmd_model_info},
    {"convert", "a model folder as one f32 file with current names", bw_cmd_model_convert},
    {"verify", "compare with the answers of a reference implementation", cmd_verify},
    {"tokenizer", "train a vocabulary; encode and decode text", bw_cmd_tokenizer},
    {"check-split", "prove that a recipe trains on no test text", bw_cmd_check_split},
    {0},
};

static void print_parts(FILE *to, const char *name, const bw_command *parts) {
    fprintf(to, "usage: bellwether %s PART [options]\n\nparts:\n", name);
    for (const bw_command *c = parts; c->name; c++)
        fprintf(to, "  %-11s %s\n", c->name, c->summary);
    fprintf(to, "\n'bellwether %s PART --help' shows options and examples.\n", name);
}

bw_status bw_cmd_parts(const char *name, const bw_command *parts, int argc, char **argv,
                       bw_err *err) {
    if (argc > 1 && (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h"))) {
        print_parts(stdout, name, parts);
        return BW_HELP;
    }
    for (const bw_command *c = parts; argc > 1 && c->name; c++)
        if (!strcmp(c->name, argv[1]))
            return c->run(argc - 1, argv + 1, err);
    if (argc > 1)
        return bw_fail(err, BW_EUSAGE, "%s has no part '%s'; see 'bellwether %s --help'", name,
                       argv[1], name);
    print_parts(stderr, name, parts);
    return BW_EUSAGE;
}

bw_status bw_cmd_model(int argc, char **argv, bw_err *err) {
    return bw_cmd_parts("model", PARTS, argc, argv, err);
}
