/* model/train/recipe.h - what a model is trained on and with which settings: a JSON file, and the data it
 * names, read and cleaned.
 *
 * {"name": "shipped", "about": "...",
 *  "data": [{"file": "en_imdb", "task": "sentiment", "weight": 1, "parts": ["train"],
 *            "licence": "..."}, ...],
 *  "dev":  ["en_imdb", ...],                  files whose dev rows calibrate and choose
 *  "not_tested": ["en_sts12_16"],
 *  "own_tests": true,                       only the recipe's files, not the whole folder, are tests
 *  "wide": {"epochs": 6, "rate": 0.5}, "tokenizer": {...}, "pretrain": {...}, "tune": {...}, "calibrate": {...}}
 *
 * An entry may also say its "domain" (to be left out as a whole, for figures on unseen domains),
 * "neutral": "none", a label or category of that file which is to count as neutral ("*": every row),
 * or "phrases": N, when "file" is a file of patterns that comes with the program or a path to one
 * (model/train/phrases.h) that are to give N sentences each.
 * Tasks: "sentiment" (label, stars), "aspect" (aspect or category with its label), "pair" (score or
 * 1/0 label of two texts), "text" (no label). Cleaning, in this order: rows of other parts go; rows
 * whose text, letters and digits only, is a test text of ANY labelled file in the folder go (but for
 * files under "not_tested", which hold another set's training texts and whose figures are therefore
 * never reported); dev
 * texts of the files under "dev" go; e-mail addresses, phone and card numbers are redacted. */
#ifndef BW_MODEL_RECIPE_H
#define BW_MODEL_RECIPE_H

#include "model/train/corpus.h"

#include <cjson/cJSON.h>

typedef enum { BW_TASK_SENTIMENT, BW_TASK_ASPECT, BW_TASK_PAIR, BW_TASK_TEXT } bw_task;

typedef struct {
    char file[128]; /* base name without ".tsv.gz" */
    bw_task task;
    char domain[16];  /* "film", "product", ...; "" = none in particular */
    float weight;     /* of each row in the loss or in sampling */
    bool sentences;   /* aspect files: a text whose aspects all agree is a sentiment example too */
    unsigned parts;   /* rows to train on */
    char neutral[24]; /* a label or category that counts as neutral here ("none"), or "" */
    size_t phrases;   /* the file holds patterns: sentences from each; 0: a table */
    bool two_class;
    size_t rows, kept, test_texts, dev_texts, redacted; /* counts of the last load */
} bw_recipe_set;

typedef struct {
    cJSON *json;
    char name[64];
    bw_recipe_set *set;
    size_t n_sets;
} bw_recipe;

/* Reads a recipe: a path, or the name of one that comes with the program ("shipped"). */
bw_status bw_recipe_read(const char *path, bw_recipe *r, bw_err *err);
/* The same from JSON text; name is for messages. */
bw_status bw_recipe_parse(const char *json, const char *name, bw_recipe *r, bw_err *err);
void bw_recipe_free(bw_recipe *r);
/* Takes out the files of a domain, its development rows included; BW_EARG when there are none. */
bw_status bw_recipe_without(bw_recipe *r, const char *domain, bw_err *err);
/* The number at "section.key", or fallback. */
double bw_recipe_number(const bw_recipe *r, const char *section, const char *key, double fallback);

typedef struct {
    const bw_row *row;
    const char *text, *text2; /* redacted */
    uint16_t set;             /* index into recipe.set */
    int8_t label;             /* bw_polarity */
    uint8_t task;             /* bw_task; sentiment for whole sentences of an aspect file */
    uint8_t zh;
    uint8_t part; /* BW_PART_TRAIN, or BW_PART_DEV for rows of the dev files */
} bw_example;

typedef struct {
    bw_example *example;
    size_t n, cap;
    bw_corpus *corpus; /* [recipe.n_sets] */
    size_t n_corpora;
    char **owned; /* redacted copies */
    size_t n_owned, cap_owned;
} bw_dataset;

/* Loads and cleans all data of the recipe from a folder; the counts go to r->set. Missing files are
 * an error that names them all. */
bw_status bw_dataset_load(bw_recipe *r, const char *folder, bw_dataset *d, bw_err *err);
void bw_dataset_free(bw_dataset *d);

#endif
