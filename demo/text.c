/* demo/text.c - reading and expanding the grammar.
 *
 * The file is copied once and cut in place: rules and lines are pointers into the copy. */
#include "demo/text.h"

#include "common/embed.h"

#include <gsl/gsl_randist.h>
#include <stdlib.h>
#include <string.h>

#define MAX_RULES 400
#define MAX_BOUND 16
#define MAX_DEPTH 12

struct rule {
    const char *name;
    char **lines; /* into grammar.lines */
    size_t n, dealt;
};

struct grammar {
    char *copy;
    char **lines; /* of all rules, each rule's together; the dealing shuffles within a rule */
    struct rule rules[MAX_RULES];
    size_t n_rules, n_lines;
    struct {
        const char *name, *value;
    } bound[MAX_BOUND];
    size_t n_bound;
    gsl_rng *r;
    const char *path;
};

static bool braces_match(const char *line) {
    int depth = 0;
    for (; *line && depth >= 0; line++)
        depth += *line == '{' ? 1 : *line == '}' ? -1 : 0;
    return depth == 0;
}

static bw_status add_line(struct grammar *g, char *line, bw_err *err) {
    size_t n = strlen(line);
    if (line[0] == '[' && line[n - 1] == ']') {
        if (g->n_rules == MAX_RULES)
            return bw_fail(err, BW_EFORMAT, "%s: more than %d rules", g->path, MAX_RULES);
        line[n - 1] = '\0';
        g->rules[g->n_rules++] = (struct rule){line + 1, g->lines + g->n_lines, 0, 0};
        return BW_OK;
    }
    if (g->n_rules == 0)
        return bw_fail(err, BW_EFORMAT, "%s: a line before the first [rule]: %s", g->path, line);
    if (!braces_match(line))
        return bw_fail(err, BW_EFORMAT, "%s: a brace without its pair: %s", g->path, line);
    g->lines[g->n_lines++] = line;
    g->rules[g->n_rules - 1].n++;
    return BW_OK;
}

static bw_status parse(struct grammar *g, bw_err *err) {
    bw_status st = BW_OK;
    char *rest = NULL;
    for (char *line = strtok_r(g->copy, "\n", &rest); st == BW_OK && line;
         line = strtok_r(NULL, "\n", &rest))
        if (line[0] != '#')
            st = add_line(g, line, err);
    return st;
}

static bw_status copy_file(struct grammar *g, bw_err *err) {
    size_t len;
    const char *file = bw_embed(g->path, &len);
    if (!file)
        return bw_fail(err, BW_EFORMAT, "%s: not compiled in", g->path);
    size_t lines = 1;
    for (size_t i = 0; i < len; i++)
        lines += file[i] == '\n';
    g->copy = strdup(file);
    g->lines = calloc(lines, sizeof *g->lines);
    return g->copy && g->lines ? BW_OK : bw_fail_memory(err);
}

bw_status grammar_load(const char *path, gsl_rng *r, struct grammar **out, bw_err *err) {
    struct grammar *g = calloc(1, sizeof *g);
    bw_status st = g ? BW_OK : bw_fail_memory(err);
    if (g) {
        g->r = r;
        g->path = path;
        st = copy_file(g, err);
    }
    if (st == BW_OK)
        st = parse(g, err);
    if (st != BW_OK) {
        grammar_free(g);
        g = NULL;
    }
    *out = g;
    return st;
}

void grammar_free(struct grammar *g) {
    if (!g)
        return;
    free(g->copy);
    free(g->lines);
    free(g);
}

static struct rule *find_rule(const struct grammar *g, const char *name, size_t n) {
    for (size_t i = 0; i < g->n_rules; i++)
        if (strncmp(g->rules[i].name, name, n) == 0 && g->rules[i].name[n] == '\0')
            return (struct rule *)&g->rules[i];
    return NULL;
}

bool grammar_has(const struct grammar *g, const char *rule) {
    struct rule *found = find_rule(g, rule, strlen(rule));
    return found && found->n > 0;
}

void grammar_bind(struct grammar *g, const char *name, const char *value) {
    size_t i = 0;
    while (i < g->n_bound && strcmp(g->bound[i].name, name) != 0)
        i++;
    if (i == MAX_BOUND)
        return;
    g->bound[i].name = name;
    g->bound[i].value = value;
    if (i == g->n_bound)
        g->n_bound++;
}

static const char *find_bound(const struct grammar *g, const char *name, size_t n) {
    for (size_t i = 0; i < g->n_bound; i++)
        if (strncmp(g->bound[i].name, name, n) == 0 && g->bound[i].name[n] == '\0')
            return g->bound[i].value;
    return NULL;
}

/* The next line of the pack, which is shuffled whenever it begins. */
static const char *deal(struct grammar *g, struct rule *rule) {
    if (rule->dealt == rule->n)
        rule->dealt = 0;
    if (rule->dealt == 0)
        gsl_ran_shuffle(g->r, rule->lines, rule->n, sizeof *rule->lines);
    return rule->lines[rule->dealt++];
}

/* p stands behind '{'. The length up to its pair; bars counts the '|' of this depth. */
static size_t group(const char *p, const char *end, size_t *bars) {
    int depth = 0;
    size_t n = 0;
    *bars = 0;
    for (; p + n < end; n++) {
        if (p[n] == '{')
            depth++;
        else if (p[n] == '}' && depth-- == 0)
            break;
        else if (p[n] == '|' && depth == 0)
            ++*bars;
    }
    return n;
}

static void choose(struct grammar *g, const char **p, size_t *n, size_t bars) {
    size_t pick = gsl_rng_uniform_int(g->r, bars + 1), from = 0, seen = 0, i = 0;
    int depth = 0;
    for (; i < *n; i++) {
        depth += (*p)[i] == '{' ? 1 : (*p)[i] == '}' ? -1 : 0;
        if ((*p)[i] != '|' || depth)
            continue;
        if (seen++ == pick)
            break;
        from = i + 1;
    }
    *p += from;
    *n = i - from;
}

static bw_status expand(struct grammar *g, const char *p, size_t len, int depth, bw_buf *out,
                        bw_err *err);

static bw_status expand_group(struct grammar *g, const char *p, size_t n, size_t bars, int depth,
                              bw_buf *out, bw_err *err) {
    if (bars) {
        choose(g, &p, &n, bars);
        return expand(g, p, n, depth + 1, out, err);
    }
    const char *value = find_bound(g, p, n);
    if (value) {
        bw_buf_add(out, value);
        return BW_OK;
    }
    struct rule *rule = find_rule(g, p, n);
    if (!rule || rule->n == 0)
        return bw_fail(err, BW_EFORMAT, "%s: there is no rule {%.*s}", g->path, (int)n, p);
    const char *line = deal(g, rule);
    return expand(g, line, strlen(line), depth + 1, out, err);
}

static bw_status expand(struct grammar *g, const char *p, size_t len, int depth, bw_buf *out,
                        bw_err *err) {
    if (depth > MAX_DEPTH)
        return bw_fail(err, BW_EFORMAT, "%s: rules call each other without end: %.*s", g->path,
                       (int)len, p);
    bw_status st = BW_OK;
    for (const char *end = p + len; st == BW_OK && p < end; p++) {
        if (*p == '{') {
            size_t bars, n = group(p + 1, end, &bars);
            st = expand_group(g, p + 1, n, bars, depth, out, err);
            p += n + 1;
        } else if (*p == '\\' && p + 1 < end && p[1] == 'n') {
            bw_buf_add(out, "\n");
            p++;
        } else {
            bw_buf_add_n(out, p, 1);
        }
    }
    return st;
}

bw_status grammar_add(struct grammar *g, const char *rule, bw_buf *out, bw_err *err) {
    bw_status st = expand_group(g, rule, strlen(rule), 0, 0, out, err);
    return st == BW_OK && !bw_buf_ok(out) ? bw_fail_memory(err) : st;
}

const char *grammar_rule(const struct grammar *g, size_t i, size_t *lines) {
    if (i >= g->n_rules)
        return NULL;
    *lines = g->rules[i].n;
    return g->rules[i].name;
}
