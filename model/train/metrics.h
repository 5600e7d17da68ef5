/* model/train/metrics.h - how good is a model: classification, ranking, calibration, agreement of scores,
 * clusters, and generated text.
 *
 * Numbers are computed in double, in input order, so results do not depend on threads. A metric that
 * is not defined for its input (no positive row, no variance) is NAN, never a made-up number. Each is
 * held to published examples in tests/model/test_metrics.c. */
#ifndef BW_MODEL_METRICS_H
#define BW_MODEL_METRICS_H

#include "common/status.h"

#include <stddef.h>
#include <stdint.h>

/* --- classification: labels in [0, classes) ------------------------------------------------------ */

double bw_accuracy(const int32_t *truth, const int32_t *predicted, size_t n);
/* Mean of the F1 of each class that occurs in truth or predicted (as scikit-learn's average="macro").
 * NAN: n = 0, a label out of range, or no memory. */
double bw_macro_f1(const int32_t *truth, const int32_t *predicted, size_t n, size_t classes);
/* F1 of one class against the rest; NAN where the class occurs in neither. */
double bw_class_f1(const int32_t *truth, const int32_t *predicted, size_t n, int32_t class);
/* Area under the ROC curve: the chance that a positive row scores above a negative one, ties half
 * (Mann and Whitney). truth is 0 or 1. NAN without both kinds. */
double bw_roc_auc(const int32_t *truth, const double *score, size_t n);

/* --- probabilities ------------------------------------------------------------------------------ */

#define BW_CALIBRATION_BINS 15 /* Guo et al. 2017 */

/* Expected calibration error (Guo et al. 2017): mean over rows of |accuracy - confidence| of the row's
 * bin; bins of equal width, each with its upper edge. confidence[i]: probability of what was
 * predicted; correct[i]: 1 if it was right. */
double bw_calibration_error(const double *confidence, const int32_t *correct, size_t n,
                            size_t bins);
/* Mean squared distance of p [n, classes] from the truth. Two classes given as one column (classes =
 * 1, p of class 1): Brier's score as commonly given, half of the two-column form. */
double bw_brier(const double *p, const int32_t *truth, size_t n, size_t classes);
/* exp of the mean negative log-likelihood; total_nll in nats over n tokens. */
double bw_perplexity(double total_nll, size_t n);

/* --- agreement of two series --------------------------------------------------------------------- */

double bw_pearson(const double *x, const double *y, size_t n);
/* Pearson's correlation of ranks; ties share their mean rank. NAN also when memory runs out. */
double bw_spearman(const double *x, const double *y, size_t n);

/* --- clusters against classes (Manning, Raghavan, Schuetze 2008, section 16.3) ------------------- */

/* Share of rows that belong to the majority class of their cluster. */
double bw_purity(const int32_t *cluster, const int32_t *class, size_t n);
/* Normalised mutual information: I / ((H(cluster) + H(class)) / 2). Labels from 0. */
double bw_nmi(const int32_t *cluster, const int32_t *class, size_t n);

/* --- generated text ------------------------------------------------------------------------------
 *
 * hyps[n]; refs[n_refs][n]: refs[r][i] is reference r of text i, NULL or "" where it has none. */
typedef const char *const *bw_texts;

typedef enum {
    BW_WORDS_13A, /* mteval-v13a: punctuation apart; for languages with spaces */
    BW_WORDS_ZH,  /* each Chinese character a word, then 13a */
    BW_WORDS_NONE /* split at white space */
} bw_words;

typedef struct {
    double score; /* 0 to 100 */
    double precision[4], brevity;
    size_t correct[4], total[4], hyp_len, ref_len;
} bw_bleu_score;

/* Corpus BLEU (Papineni et al. 2002) as sacreBLEU 2 computes it by default: 13a words, exponential
 * smoothing, closest reference length. */
bw_status bw_bleu(bw_texts hyps, const bw_texts *refs, size_t n_refs, size_t n, bw_words words,
                  bw_bleu_score *out, bw_err *err);
/* Corpus chrF2 (Popovic 2015) as sacreBLEU 2: characters 1 to 6, beta 2, no white space; 0 to 100. */
bw_status bw_chrf(bw_texts hyps, const bw_texts *refs, size_t n_refs, size_t n, double *score,
                  bw_err *err);

typedef struct {
    double precision, recall, f; /* 0 to 1 */
} bw_overlap;
typedef struct {
    bw_overlap one, two, longest; /* ROUGE-1, ROUGE-2, ROUGE-L */
} bw_rouge_score;

/* Mean ROUGE over the texts (Lin 2004): words in lower case, letters and digits only, no stemming, as
 * in rouge_score; each Chinese character is a word. One reference each. */
bw_status bw_rouge(bw_texts hyps, bw_texts refs, size_t n, bw_rouge_score *out, bw_err *err);

#endif
