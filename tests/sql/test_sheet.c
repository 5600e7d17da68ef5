/* tests/sql/test_sheet.c - files to rows: encodings, separators, quotes, JSON lines, lines told right. */
#include "tests/check.h"
#include "sql/import/encoding.h"
#include "sql/import/profile.h"
#include "sql/import/sheet.h"

#include <stdlib.h>
#include <unistd.h>

static char path[] = "/tmp/bw_sheet_XXXXXX";

static void write_file(const char *bytes, size_t n) {
    FILE *f = fopen(path, "wb");
    assert_non_null(f);
    assert_int_equal(fwrite(bytes, 1, n, f), n);
    fclose(f);
}

static bw_sheet *open_text(const char *text, bw_findings *findings) {
    bw_err err;
    bw_sheet *t;
    write_file(text, strlen(text));
    CHECK_OK(bw_sheet_open(path, &(bw_sheet_options){.skip = 0}, findings, &t, &err));
    return t;
}

/* Rows as "line:cell|cell" joined by ';'. */
static void rows_are(const char *text, const char *expected) {
    bw_findings findings = {0};
    bw_sheet *t = open_text(text, &findings);
    char got[2000] = "";
    for (;;) {
        const bw_row *row;
        bw_err err;
        CHECK_OK(bw_sheet_next(t, &row, &err));
        if (!row)
            break;
        sprintf(got + strlen(got), "%s%ld:", *got ? ";" : "", row->line);
        for (size_t i = 0; i < row->n; i++)
            sprintf(got + strlen(got), "%s%s", i ? "|" : "", row->cells[i].text);
    }
    bw_sheet_close(t);
    bw_findings_free(&findings);
    assert_string_equal(got, expected);
}

static void rows_know_their_line(void **state) {
    (void)state;
    rows_are("a,b\n1,2\n\n\n3,4\n", "2:1|2;5:3|4");
    rows_are("a,b\n1,\"x\ny\nz\"\n3,4", "2:1|x\ny\nz;5:3|4");
    rows_are("a,b\r\n1,\"x\r\ny\"\r\n3,4\r\n", "2:1|x\r\ny;4:3|4");
    rows_are("a,b\r1,2\r3,4\r", "2:1|2;3:3|4");
}

static void quotes_are_kept_or_undone(void **state) {
    (void)state;
    rows_are("a,b\n\"x \"\"y\"\"\",\" z \"\n", "2:x \"y\"| z ");
    rows_are("a\tb\n\"q\" said\t5\" disk\n", "2:\"q\" said|5\" disk"); /* tabs: quotes are plain */
    rows_are("a\tb\n\"x\ty\"\t1\n2\t3\n", "2:x\ty|1;3:2|3");           /* unless tabs need them */
}

static void separators_are_found(void **state) {
    (void)state;
    rows_are("a;b\n1,5;2,5\n", "2:1,5|2,5");
    rows_are("a,b\n\"x;y;z\",2\n", "2:x;y;z|2");
    rows_are("sep=;\na;b\n1;2\n", "3:1|2");
    rows_are("a|b\n1|2\n", "2:1|2");
    rows_are("only\n1\n2\n", "2:1;3:2");
}

static void json_lines_have_columns(void **state) {
    (void)state;
    rows_are("{\"a\":1,\"b\":\"x\"}\n\n{\"b\":null,\"a\":1.5,\"c\":[1,\"k\"]}\n",
             "1:1|x|;3:1.5||[1,\"k\"]");
}

static void two_passes_are_equal(void **state) {
    (void)state;
    bw_findings findings = {0};
    bw_err err;
    bw_sheet *t = open_text("a,b\n1,2\n3,\"4\n5\"\n", &findings);
    for (int pass = 0; pass < 3; pass++) {
        const bw_row *row;
        CHECK_OK(bw_sheet_next(t, &row, &err));
        assert_string_equal(row->cells[0].text, "1");
        CHECK_OK(bw_sheet_rewind(t, &err)); /* in the middle */
    }
    bw_sheet_close(t);
    bw_findings_free(&findings);
}

static void encoding_is(const char *bytes, size_t n, bool whole, const char *name) {
    bw_encoding e = bw_encoding_detect(bytes, n, whole);
    if (name)
        assert_string_equal(e.name, name);
    else
        assert_null(e.name);
}

static void encodings_are_judged(void **state) {
    (void)state;
    encoding_is("\xEF\xBB\xBFx", 4, true, "UTF-8");
    encoding_is("\xFF\xFEx\0", 4, true, "UTF-16LE");
    encoding_is("\xFE\xFF\0x", 4, true, "UTF-16BE");
    encoding_is("d\0a\0y\0,\0", 8, true, "UTF-16LE");
    encoding_is("\0d\0a\0y\0,", 8, true, "UTF-16BE");
    encoding_is("plain", 5, true, "UTF-8");
    encoding_is("caf\xC3\xA9", 5, true, "UTF-8");
    encoding_is("\xB5\xE7\xCA\xD3,\xB9\xE3\xB8\xE6", 9, true, "GB18030"); /* 电视,广告 in GBK */
    encoding_is("caf\xE9,tr\xE8s", 9, true, NULL);                        /* Latin-1 */
    encoding_is("na\xEFve", 5, true, NULL); /* could be a rare GBK character, is not taken for it */
    encoding_is("\xE4\xB8", 2, false, "UTF-8"); /* cut in the middle of a character */
}

static void bad_utf8_is_found_where_it_is(void **state) {
    (void)state;
    static const struct {
        const char *text;
        size_t n, bad;
    } CASES[] = {{"0123456789abcdef\xC0\x80", 18, 16}, /* overlong NUL */
                 {"ab\xED\xA0\x80", 5, 2},             /* surrogate */
                 {"a\0b", 3, 1},
                 {"01234567\xFF", 9, 8},
                 {"\xF4\x90\x80\x80", 4, 0}}; /* above U+10FFFF */
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        size_t bad = 99;
        assert_false(bw_utf8_valid(CASES[i].text, CASES[i].n, &bad));
        assert_int_equal(bad, CASES[i].bad);
    }
    size_t bad;
    assert_true(bw_utf8_valid("grüße 你好 🙂", strlen("grüße 你好 🙂"), &bad));
}

static void a_column_decides_for_itself_or_follows_the_file(void **state) {
    (void)state;
    bw_findings findings = {0};
    bw_profile p = {0};
    bw_err err;
    /* a: point by 1.5; b: comma by "2,5"; c: "1,234" only, follows the majority of the file (two
     * commas against one point); d: dates that only day first can be. */
    bw_sheet *t =
        open_text("a;b;c;d\n1.5;2,5;1,234;03/04/2024\n2;3,5;2,345;13/04/2024\n", &findings);
    CHECK_OK(bw_profile_run(t, 0, 0, BW_ORDER_UNKNOWN, &p, &err));
    assert_int_equal(p.columns[0].decimal, '.');
    assert_int_equal(p.columns[1].decimal, ',');
    assert_int_equal(p.columns[2].decimal, ',');
    assert_false(p.columns[2].decimal_open);
    assert_int_equal(p.columns[3].order, BW_ORDER_DMY);
    assert_false(p.columns[3].order_open);
    assert_true(bw_profile_is_date(&p.columns[3]));
    assert_int_equal(p.columns[0].distinct, 2);
    bw_profile_free(&p);
    bw_sheet_close(t);
    bw_findings_free(&findings);
}

static void an_open_column_reads_the_whole_file(void **state) {
    (void)state;
    bw_findings findings = {0};
    bw_profile p = {0};
    bw_err err;
    char text[4000] = "d\n";
    for (int i = 0; i < 300; i++)
        strcat(text, "03/04/2024\n");
    strcat(text, "04/13/2024\n"); /* the last row decides */
    bw_sheet *t = open_text(text, &findings);
    CHECK_OK(bw_profile_run(t, 10, 0, BW_ORDER_UNKNOWN, &p, &err));
    assert_int_equal(p.rows, 301);
    assert_int_equal(p.columns[0].order, BW_ORDER_MDY);
    bw_profile_free(&p);
    bw_sheet_close(t);
    bw_findings_free(&findings);
}

static int make_path(void **state) {
    (void)state;
    int f = mkstemp(path);
    close(f);
    return f < 0;
}

static int drop_path(void **state) {
    (void)state;
    return unlink(path);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_know_their_line),
        cmocka_unit_test(quotes_are_kept_or_undone),
        cmocka_unit_test(separators_are_found),
        cmocka_unit_test(json_lines_have_columns),
        cmocka_unit_test(two_passes_are_equal),
        cmocka_unit_test(encodings_are_judged),
        cmocka_unit_test(bad_utf8_is_found_where_it_is),
        cmocka_unit_test(a_column_decides_for_itself_or_follows_the_file),
        cmocka_unit_test(an_open_column_reads_the_whole_file),
    };
    return cmocka_run_group_tests(tests, make_path, drop_path);
}
