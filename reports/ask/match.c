/* reports/ask/match.c - names out, synonyms in, weighted overlap. */
#include "reports/ask/match.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define SIMILARITY_WEIGHT 0.25 /* of a pattern's score when embeddings are there */
#define MISSING_SLOT      0.5  /* factor for a slot of the pattern that the question leaves open */
#define NAMES_MAX         3

/* One member of a synonym line, ready to be looked for, and what stands for it. */
typedef struct {
    bw_words member;
    const char *first;
} synonym;

typedef struct {
    bw_arena *a;
    const bw_ask_book *book;
    const char *asked;  /* the question as it was typed */
    bw_words *patterns; /* [n_patterns] */
    double **weights;   /* of the patterns' words */
    synonym *synonyms;
    size_t n_synonyms;
} matcher;

/* ---- names ---- */

static const char *join(bw_arena *a, const bw_words *w, size_t from, size_t n) {
    const char *joined = "";
    for (size_t i = from; i < from + n; i++)
        joined = bw_arena_textf(a, "%s%s", joined, w->word[i]);
    return joined;
}

/* Replaces n words at `from` by one. */
static void replace(bw_arena *a, bw_words *w, size_t from, size_t n, const char *by) {
    bw_words r = {0};
    for (size_t i = 0; i < w->n; i++) {
        if (i > from && i < from + n)
            continue;
        r.word = bw_arena_grow(a, r.word, r.n, sizeof *r.word);
        r.word[r.n++] = i == from ? by : w->word[i];
    }
    *w = r;
}

typedef struct {
    const bw_ask_name *name;
    size_t from, n, bytes;
    bool exact, verbatim; /* the same words; the same signs between them too */
} sighting;

static bool better(const sighting *x, const sighting *y) {
    if (!y->name || x->exact != y->exact)
        return !y->name || x->exact;
    return x->bytes != y->bytes ? x->bytes > y->bytes : x->verbatim && !y->verbatim;
}

/* The longest name in the question, exact ones before misspelt ones. */
static sighting best_name(const matcher *m, const bw_words *q) {
    sighting best = {0};
    for (size_t e = 0; e < m->book->n_names; e++) {
        bw_words said = bw_words_of(m->a, m->book->names[e].said);
        const char *whole = join(m->a, &said, 0, said.n);
        for (size_t n = 1; n <= said.n + 1 && *whole; n++)
            for (size_t from = 0; from + n <= q->n; from++) {
                const char *part = join(m->a, q, from, n);
                bool exact = strcmp(part, whole) == 0;
                if (part[0] == '{' || !(exact || bw_words_alike(part, whole)))
                    continue;
                sighting seen = {
                    &m->book->names[e], from,  n,
                    strlen(whole),      exact, strstr(m->asked, m->book->names[e].said) != NULL};
                if (better(&seen, &best))
                    best = seen;
            }
    }
    return best;
}

/* Where the text stands in the question between blanks, or NULL. */
static const char *standing_alone(const char *question, const char *text) {
    size_t n = strlen(text);
    for (const char *at = strstr(question, text); n && at; at = strstr(at + 1, text))
        if ((at == question || at[-1] == ' ') && (at[n] == ' ' || !at[n]))
            return at;
    return NULL;
}

/* Takes a name without a letter or digit ("!!!", an emoji), which leaves no word to compare, out of
 * the question as it was typed. Returns the question that remains, *taken says how many were there. */
static const char *take_wordless(const matcher *m, const char *question, bw_ask_match *found,
                                 size_t *taken) {
    for (size_t e = 0; e < m->book->n_names && *taken < NAMES_MAX; e++) {
        const bw_ask_name *name = &m->book->names[e];
        const char *at = standing_alone(question, name->said);
        if (!at || bw_words_of(m->a, name->said).n)
            continue;
        found->names[(*taken)++] = name;
        question = bw_arena_textf(m->a, "%.*s{%s}%s", (int)(at - question), question, name->kind,
                                  at + strlen(name->said));
    }
    return question;
}

static void take_names(const matcher *m, bw_words *q, bw_ask_match *found, size_t taken) {
    for (size_t i = taken; i < NAMES_MAX; i++) {
        sighting s = best_name(m, q);
        if (!s.name)
            return;
        found->names[i] = s.name;
        replace(m->a, q, s.from, s.n, bw_arena_textf(m->a, "{%s}", s.name->kind));
    }
}

/* ---- words ---- */

/* English plurals and verb forms to one form; Chinese words are untouched. */
static const char *stem(bw_arena *a, const char *w) {
    size_t n = strlen(w);
    if (n > 5 && strcmp(w + n - 3, "ing") == 0)
        n -= 3;
    else if (n > 4 && strcmp(w + n - 3, "ies") == 0)
        return bw_arena_textf(a, "%.*sy", (int)(n - 3), w);
    else if (n > 4 && strcmp(w + n - 2, "ed") == 0)
        n -= 2;
    else if (n > 3 && w[n - 1] == 's' && w[n - 2] != 's')
        n -= 1;
    return bw_arena_text_n(a, w, n);
}

static void stem_all(bw_arena *a, bw_words *w) {
    for (size_t i = 0; i < w->n; i++)
        if (w->word[i][0] != '{')
            w->word[i] = stem(a, w->word[i]);
}

static bool stands_at(const bw_words *w, size_t at, const bw_words *part) {
    if (!part->n || at + part->n > w->n)
        return false;
    for (size_t i = 0; i < part->n; i++)
        if (strcmp(w->word[at + i], part->word[i]) != 0)
            return false;
    return true;
}

/* A synonym line is a flat list of words where "," parts the members; the first stands for all. */
static void read_synonyms(matcher *m) {
    for (size_t s = 0; s < m->book->n_synonyms; s++) {
        const char *first = NULL;
        for (const char *p = m->book->synonyms[s]; *p;) {
            size_t len = strcspn(p, ",");
            bw_words member = bw_words_of(m->a, bw_arena_text_n(m->a, p, len));
            stem_all(m->a, &member);
            if (!first)
                first = join(m->a, &member, 0, member.n);
            m->synonyms = bw_arena_grow(m->a, m->synonyms, m->n_synonyms, sizeof *m->synonyms);
            m->synonyms[m->n_synonyms++] = (synonym){member, first};
            p += len + (p[len] == ',');
        }
    }
}

static void use_synonyms(const matcher *m, bw_words *w) {
    for (size_t s = 0; s < m->n_synonyms; s++)
        for (size_t at = 0; at < w->n; at++)
            if (stands_at(w, at, &m->synonyms[s].member))
                replace(m->a, w, at, m->synonyms[s].member.n, m->synonyms[s].first);
}

static bool has(const bw_words *w, const char *word) {
    for (size_t i = 0; i < w->n; i++)
        if (word[0] == '{' || w->word[i][0] == '{' ? strcmp(w->word[i], word) == 0
                                                   : bw_words_alike(w->word[i], word))
            return true;
    return false;
}

/* log((questions + 1) / (questions with the word + 1)) + a little, so that no word is for nothing. */
static double weight(const matcher *m, const char *word) {
    size_t with = 0, last = (size_t)-1, all = 0, seen = (size_t)-1;
    for (size_t i = 0; i < m->book->n_patterns; i++) {
        size_t q = m->book->patterns[i].question;
        all += q != seen;
        seen = q;
        if (q != last && has(&m->patterns[i], word)) {
            with++;
            last = q;
        }
    }
    return log(((double)all + 1) / ((double)with + 1)) + 0.1;
}

/* The weight of each word of each pattern, counted once a word. */
static void weigh_patterns(matcher *m) {
    const char **known = NULL;
    double *worth = NULL;
    size_t n = 0;
    m->weights = bw_arena_get(m->a, (m->book->n_patterns + 1) * sizeof *m->weights);
    for (size_t i = 0; i < m->book->n_patterns; i++) {
        m->weights[i] = bw_arena_get(m->a, (m->patterns[i].n + 1) * sizeof **m->weights);
        for (size_t k = 0; k < m->patterns[i].n; k++) {
            size_t at = 0;
            while (at < n && strcmp(known[at], m->patterns[i].word[k]) != 0)
                at++;
            if (at == n) {
                known = bw_arena_grow(m->a, known, n, sizeof *known);
                worth = bw_arena_grow(m->a, worth, n, sizeof *worth);
                known[n] = m->patterns[i].word[k];
                worth[n++] = weight(m, m->patterns[i].word[k]);
            }
            m->weights[i][k] = worth[at];
        }
    }
}

static bool seen_before(const bw_words *w, size_t i) {
    for (size_t j = 0; j < i; j++)
        if (strcmp(w->word[j], w->word[i]) == 0)
            return true;
    return false;
}

/* Weighted Jaccard overlap of the question, its words worth [n], and a pattern; words that no pattern knows count little, people pad their questions. */
static double overlap(const matcher *m, const bw_words *q, const double *worth, size_t pattern) {
    const bw_words *p = &m->patterns[pattern];
    double shared = 0, only_q = 0, only_p = 0, slots = 1;
    for (size_t i = 0; i < p->n; i++) {
        if (seen_before(p, i))
            continue;
        double w = m->weights[pattern][i];
        if (has(q, p->word[i]))
            shared += w;
        else if (p->word[i][0] == '{' && strcmp(p->word[i], "{period}") != 0)
            slots *= MISSING_SLOT;
        else if (p->word[i][0] != '{')
            only_p += w;
    }
    double unknown = log((double)m->book->n_patterns + 1);
    for (size_t i = 0; i < q->n; i++) {
        double w = worth[i];
        if (!seen_before(q, i) && !has(p, q->word[i]))
            only_q += w >= unknown ? 0.25 * w : q->word[i][0] == '{' ? w : 0.6 * w;
    }
    double all = shared + only_p + only_q;
    return all > 0 ? slots * shared / all : 0;
}

/* ---- ranking ---- */

static int by_score(const void *x, const void *y) {
    const bw_ask_match *a = x, *b = y;
    if (a->score != b->score)
        return a->score < b->score ? 1 : -1;
    return a->pattern < b->pattern ? -1 : a->pattern > b->pattern;
}

static bw_words prepared(const matcher *m, const char *text) {
    bw_words w = bw_words_of(m->a, text);
    stem_all(m->a, &w);
    use_synonyms(m, &w);
    return w;
}

/* Keeps the best pattern of each question in a list sorted by score. */
static size_t best_of_each(bw_ask_match *all, size_t n, bw_ask_match *out, size_t max) {
    qsort(all, n, sizeof *all, by_score);
    size_t kept = 0;
    for (size_t i = 0; i < n && kept < max; i++) {
        bool known = false;
        for (size_t j = 0; j < kept; j++)
            known |= out[j].question == all[i].question;
        if (!known)
            out[kept++] = all[i];
    }
    return kept;
}

/* The question as it stands after names and period were taken out. */
static const char *spelt(bw_arena *a, const bw_words *w) {
    const char *text = "";
    for (size_t i = 0; i < w->n; i++)
        text = bw_arena_textf(a, "%s%s%s", text, i ? " " : "", w->word[i]);
    return text;
}

size_t bw_ask_find(bw_arena *a, const bw_ask_book *book, const char *question,
                   bw_ask_compare *compare, bw_ask_match *out, size_t max) {
    matcher m = {.a = a, .book = book, .asked = question};
    read_synonyms(&m);
    m.patterns = bw_arena_get(a, (book->n_patterns + 1) * sizeof *m.patterns);
    for (size_t i = 0; i < book->n_patterns; i++)
        m.patterns[i] = prepared(&m, book->patterns[i].text);
    weigh_patterns(&m);
    bw_ask_match found = {0};
    size_t taken = 0;
    question = take_wordless(&m, question, &found, &taken);
    bw_words q = bw_words_of(a, question);
    take_names(&m, &q, &found, taken);
    found.period = bw_period_find(&q, book->week, book->last_day);
    if (found.period.words)
        replace(a, &q, found.period.from, found.period.words, "{period}");
    double *similarity = bw_arena_get(a, (book->n_patterns + 1) * sizeof *similarity);
    bool meant = compare && q.n && compare(a, spelt(a, &q), book, similarity);
    stem_all(a, &q);
    use_synonyms(&m, &q);
    double *worth = bw_arena_get(a, (q.n + 1) * sizeof *worth);
    for (size_t i = 0; i < q.n; i++)
        worth[i] = weight(&m, q.word[i]);
    bw_ask_match *all = bw_arena_get(a, (book->n_patterns + 1) * sizeof *all);
    for (size_t i = 0; i < book->n_patterns; i++) {
        all[i] = found;
        all[i].question = book->patterns[i].question;
        all[i].pattern = i;
        all[i].score = overlap(&m, &q, worth, i);
        if (meant)
            all[i].score =
                (1 - SIMILARITY_WEIGHT) * all[i].score + SIMILARITY_WEIGHT * similarity[i];
    }
    return best_of_each(all, book->n_patterns, out, max);
}
