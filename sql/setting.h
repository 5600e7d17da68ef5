/* sql/setting.h - the settings a user may change, and what each may hold. */
#ifndef BW_SQL_SETTING_H
#define BW_SQL_SETTING_H

#include "common/status.h"

#include <stddef.h>

typedef struct {
    const char *key; /* a key that ends in '.' stands for any that begins so: "owner.budget" */
    const char *about;
} bw_setting; /* the table ends with {0} */

extern const bw_setting BW_SETTINGS[];

/* Checks a value and writes the form it is stored in ("Monday" as "1") to out. The error says what
 * would be right, or which key was meant. */
bw_status bw_setting_check(const char *key, const char *value, char *out, size_t size, bw_err *err);

#endif
