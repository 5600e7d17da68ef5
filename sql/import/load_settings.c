/* sql/import/load_settings.c - what a file says about the shop as a whole: its currency, what its outcome
 * counts, on which day its weeks begin. The first file settles it; a later one that differs is told. */
#include "sql/import/load.h"

#include "sql/db.h"

#include <stdlib.h>
#include <string.h>

bw_status bw_load_settle(bw_load *l, const char *key, const char *value, const char *what,
                         bw_severity severity, bw_err *err) {
    char *have = bw_db_setting(l->db, key, NULL);
    bw_status st = BW_OK;
    if (!have)
        st = bw_db_set(l->db, key, value, err);
    else if (strcmp(have, value) != 0)
        bw_findings_add(
            l->findings,
            &(bw_spot){
                .severity = severity,
                .rule = key,
                .value = value,
                .fix = "correct the file or the mapping, or run: bellwether setting set KEY VALUE"},
            "the database holds %s in %s", what, have);
    free(have);
    return st;
}

/* The code at the end of "Amount spent (EUR)", "cost_USD" or "Revenue GBP"; NULL when there is none. */
static const char *currency_of(const char *column) {
    static const char *const CODES[] = {"EUR", "USD", "GBP", "CHF", "CNY", "JPY", "SEK", "NOK",
                                        "DKK", "PLN", "CZK", "HUF", "AUD", "CAD", "NZD", "INR",
                                        "BRL", "MXN", "ZAR", "SGD", "HKD", "KRW", "TRY"};
    size_t n = strlen(column);
    if (n > 0 && (column[n - 1] == ')' || column[n - 1] == ']'))
        n--;
    if (n < 5 || !strchr("([ _", column[n - 4]))
        return NULL;
    for (size_t i = 0; i < sizeof CODES / sizeof *CODES; i++)
        if (strncmp(column + n - 3, CODES[i], 3) == 0)
            return CODES[i];
    return NULL;
}

bw_status bw_load_currency(bw_load *l, size_t column, bw_err *err) {
    const char *name = bw_sheet_column(l->table, column), *code = currency_of(name);
    if (!code)
        return BW_OK;
    char *have = bw_db_setting(l->db, "currency", NULL);
    if (!have)
        bw_findings_add(l->findings,
                        &(bw_spot){.severity = BW_NOTE, .rule = "currency", .column = name},
                        "money is in %s, by the name of the column", code);
    free(have);
    return bw_load_settle(l, "currency", code, "money", BW_ERROR, err);
}

static const char *const WEEK_DAYS[] = {"Sunday",   "Monday", "Tuesday", "Wednesday",
                                        "Thursday", "Friday", "Saturday"};

bw_status bw_load_settle_week(bw_load *l, int week_day, bw_err *err) {
    char *have = bw_db_setting(l->db, "week_start", NULL);
    char want[2] = {(char)('0' + week_day), '\0'};
    bw_status st = BW_OK;
    if (!have) {
        st = bw_db_set(l->db, "week_start", want, err);
        bw_findings_add(l->findings, &(bw_spot){.severity = BW_NOTE, .rule = "week_start"},
                        "the rows are weekly; weeks begin on %s", WEEK_DAYS[week_day]);
    } else if (strcmp(have, want) != 0) {
        int day = have[0] >= '0' && have[0] <= '6' ? have[0] - '0' : 1;
        bw_findings_add(
            l->findings,
            &(bw_spot){.severity = BW_WARNING,
                       .rule = "week_start",
                       .value = WEEK_DAYS[week_day],
                       .fix = "if the file is right, run: bellwether setting set week_start DAY"},
            "the rows are weekly from this day, the database counts weeks from %s", WEEK_DAYS[day]);
    }
    free(have);
    return st;
}
