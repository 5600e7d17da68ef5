/* model/shipped/topics.h - topics: clusters of text embeddings, and the words that set each apart.
 *
 * Clusters: spherical k-means (Dhillon & Modha 2001), started by k-means++ from a seed, or from the
 * centroids of the last time so that topics stay what they were. Words: class-based TF-IDF
 * (Grootendorst 2022): a term's share of the cluster times log(1 + mean cluster size / the term's
 * count everywhere, of terms that stand where nouns stand (noun.h) and are half as frequent again here as
 * elsewhere; a cluster that has none has no words. English terms are words and pairs of words without stop words; Chinese terms
 * are runs of two to four characters, of which one inside another equally frequent one is left out. */
#ifndef BW_MODEL_TOPICS_H
#define BW_MODEL_TOPICS_H

#include "common/status.h"

#include <stdint.h>

typedef struct {
    size_t k, dim;
    float *centroid;   /* [k, dim], unit length */
    int32_t *member;   /* [n] cluster of each text */
    float *similarity; /* [n] cosine to its centroid */
    size_t *size;      /* [k] */
} bw_topics;

/* vec: [n, dim] unit vectors. start: [n_start, dim] centroids to begin with, or NULL; the clusters
 * 0 .. n_start - 1 are those. k >= n_start. Empty clusters keep their centroid and size 0. */
bw_status bw_topics_find(const float *vec, size_t n, size_t dim, size_t k, const float *start,
                         size_t n_start, uint64_t seed, bw_topics *out, bw_err *err);
void bw_topics_free(bw_topics *t);

#define BW_TOPIC_WORDS 8

/* words: [k][BW_TOPIC_WORDS], each the caller's to free, NULL where there are fewer. zh chooses how
 * terms are made. */
bw_status bw_topic_words(const char *const *texts, size_t n, const int32_t *member, size_t k,
                         bool zh, char *(*words)[BW_TOPIC_WORDS], bw_err *err);

/* The term that texts of late hold far more often than texts before: the start of a new subject,
 * seen long before there are enough texts for a cluster of their own. */
typedef struct {
    char *term;            /* the caller's to free; NULL when no term stands out */
    double recent, before; /* texts that hold it */
    double p;              /* of so many by chance, all terms that were looked at counted in */
} bw_burst;

/* Exact conditional test of two Poisson counts (Przyborowski and Wilenski 1940) on each term with at
 * least BW_BURST_LEAST texts of late, Bonferroni over those terms; the clearest below BW_BURST_P.
 * recent: [n] 1 for a text of late, 0 for one before, -1 for one to leave out. */
bw_status bw_topic_burst(const char *const *texts, size_t n, const int32_t *recent, bool zh,
                         bw_burst *out, bw_err *err);
#define BW_BURST_LEAST 4
#define BW_BURST_P     0.01
#define BW_BURST_RATIO 3.0 /* times as often as before, at least */

#endif
