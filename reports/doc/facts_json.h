/* reports/doc/facts_json.h - facts.json, written and read. The schema is in reports/facts/README.md. */
#ifndef BW_REPORTS_FACTS_JSON_H
#define BW_REPORTS_FACTS_JSON_H

#include "reports/doc/document.h"

#define BW_FACTS_SCHEMA "bellwether-facts/1"

/* Appends the whole file. */
bw_status bw_facts_json(const bw_document *d, bw_buf *out, bw_err *err);

#endif
