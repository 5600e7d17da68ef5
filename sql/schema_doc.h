/* sql/schema_doc.h - the tables and views explained, from the comments in sql/schema/. */
#ifndef BW_SQL_SCHEMA_DOC_H
#define BW_SQL_SCHEMA_DOC_H

#include "common/buf.h"
#include "common/status.h"

/* Appends the documentation of every view and table whose name contains part ("" for all): what a
 * row is, the columns, what is worth knowing of them. *found is how many there were. */
bw_status bw_schema_doc(const char *part, bw_buf *out, size_t *found, bw_err *err);

#endif
