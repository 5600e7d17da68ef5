/* tests/reports/test_send.c - the message against what RFC 2045 and 2047 ask, and a PDF that does not
 * hold the clock. */
#include "tests/check.h"
#include "common/buf.h"
#include "reports/send/mail.h"
#include "reports/send/pdf.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static const bw_mail MAIL = {.subject =
                                 "周报 2026-W46: move €2k to short video\r\nBcc: all@example.com",
                             .to = "cmo@example.com",
                             .day = "2026-11-16",
                             .text = "Move money.",
                             .html = "<img src=\"cid:roas\">",
                             .images = &(bw_mail_image){"roas", "image/png", "\x89PNG", 4},
                             .n_images = 1};

static void headers_and_parts_are_in_order(void **state) {
    (void)state;
    bw_err err;
    bw_buf b = {0};
    CHECK_OK(bw_mail_write(&MAIL, &b, &err));
    assert_non_null(strstr(b.text, "Date: Mon, 16 Nov 2026 08:00:00 +0000\r\n"));
    assert_non_null(strstr(b.text, "To: cmo@example.com\r\n"));
    assert_non_null(strstr(b.text, "Subject: =?UTF-8?B?"));
    assert_null(strstr(b.text, "Bcc:")); /* a line break in the subject does not become a header */
    assert_non_null(strstr(b.text, "\r\n\r\nTW92ZSBtb25leS4=\r\n")); /* base64 of "Move money." */
    assert_non_null(strstr(b.text, "Content-ID: <roas>\r\n"));
    assert_non_null(strstr(b.text, "\r\n\r\niVBORw==\r\n")); /* the signature of a PNG */
    for (const char *line = b.text; *line;) {
        const char *end = strstr(line, "\r\n");
        assert_non_null(end);
        assert_true(end - line <= 120);
        line = end + 2;
    }
    bw_buf_free(&b);
}

static void equal_mails_are_equal(void **state) {
    (void)state;
    bw_err err;
    bw_buf a = {0}, b = {0};
    CHECK_OK(bw_mail_write(&MAIL, &a, &err));
    CHECK_OK(bw_mail_write(&MAIL, &b, &err));
    assert_string_equal(a.text, b.text);
    bw_buf_free(&a);
    bw_buf_free(&b);
}

static void bad_addresses_and_days_are_refused(void **state) {
    (void)state;
    bw_err err;
    bw_buf b = {0};
    bw_mail m = MAIL;
    m.to = "a@b.c\nBcc: x@y.z";
    CHECK_FAILS(bw_mail_write(&m, &b, &err), BW_EARG, "line break");
    m = MAIL;
    m.day = "16/11/2026";
    CHECK_FAILS(bw_mail_write(&m, &b, &err), BW_EARG, "16/11/2026");
    bw_buf_free(&b);
}

static void a_missing_browser_is_named(void **state) {
    (void)state;
    bw_err err;
    char *path = strdup(getenv("PATH"));
    setenv("PATH", "/nonexistent", 1);
    CHECK_FAILS(bw_pdf_print("x.html", "x.pdf", "2026-11-16", &err), BW_EIO, "chromium");
    setenv("PATH", path, 1);
    free(path);
}

/* A browser that writes a file with the time of day in it. */
static void the_clock_is_taken_out(void **state) {
    (void)state;
    static const char BROWSER[] =
        "#!/bin/sh\nfor a; do case $a in --print-to-pdf=*) f=${a#--print-to-pdf=};; esac; done\n"
        "printf '%%PDF-1.4 /Creator (x) /CreationDate (D:20301231235959+00) /ModDate "
        "(D:20301231235959+00)' > \"$f\"\n";
    bw_err err;
    char dir[] = "/tmp/bw-test-XXXXXX", browser[64], page[64], pdf[64], *text;
    assert_non_null(mkdtemp(dir));
    snprintf(browser, sizeof browser, "%s/browser", dir);
    snprintf(page, sizeof page, "%s/a page.html", dir);
    snprintf(pdf, sizeof pdf, "%s/out.pdf", dir);
    CHECK_OK(bw_file_write(browser, BROWSER, strlen(BROWSER), &err));
    CHECK_OK(bw_file_write(page, "x", 1, &err));

    assert_int_equal(chmod(browser, 0700), 0);
    setenv("BELLWETHER_CHROMIUM", browser, 1);
    CHECK_OK(bw_pdf_print(page, pdf, "2026-11-16", &err));
    unsetenv("BELLWETHER_CHROMIUM");
    CHECK_OK(bw_file_read(pdf, 1000, &text, NULL, &err));
    assert_non_null(strstr(text, "/CreationDate (D:20261116080000+00)"));
    assert_non_null(strstr(text, "/ModDate (D:20261116080000+00)"));
    free(text);
    unlink(browser), unlink(page), unlink(pdf), rmdir(dir);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(headers_and_parts_are_in_order),
        cmocka_unit_test(equal_mails_are_equal),
        cmocka_unit_test(bad_addresses_and_days_are_refused),
        cmocka_unit_test(a_missing_browser_is_named),
        cmocka_unit_test(the_clock_is_taken_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
