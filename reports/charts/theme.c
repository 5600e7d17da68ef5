/* reports/charts/theme.c - colours and text measures. */
#include "reports/charts/theme.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <utf8proc.h>

static const bw_colour_row COLOURS[BW_COLOURS] = {
    [BW_PAGE] = {"c-page", 0xffffff, 0x12181f},
    [BW_INK] = {"c-ink", 0x1b2530, 0xe8edf2},
    [BW_MUTED] = {"c-muted", 0x5d6878, 0x9aa7b8},
    [BW_GRID] = {"c-grid", 0xe4e7ec, 0x2b3541},
    [BW_AXIS] = {"c-axis", 0x98a2b3, 0x66758a},
    [BW_FAINT] = {"c-faint", 0xeef1f5, 0x1f2833},
    [BW_BASE] = {"c-base", 0xd0d5dd, 0x3a4655},
    [BW_GOOD] = {"c-good", 0x0072b2, 0x2f9ade},
    [BW_BAD] = {"c-bad", 0xd55e00, 0xe8762b},
    [BW_GREEN] = {"c-green", 0x009e73, 0x1fb58a},
    [BW_AMBER] = {"c-amber", 0xe69f00, 0xe6a91f},
    [BW_PINK] = {"c-pink", 0xcc79a7, 0xd289b3},
    [BW_SKY] = {"c-sky", 0x56b4e9, 0x6cc0ee},
    [BW_SLATE] = {"c-slate", 0x667085, 0x8b97a8},
    [BW_GOOD_TEXT] = {"c-good-text", 0x005b8f, 0x6bbcf0},
    [BW_BAD_TEXT] = {"c-bad-text", 0xb04300, 0xf59a5c},
    [BW_GREEN_TEXT] = {"c-green-text", 0x00734f, 0x45cfa4},
    [BW_AMBER_TEXT] = {"c-amber-text", 0x855c00, 0xf0bd4e},
    [BW_PINK_TEXT] = {"c-pink-text", 0x9c3d72, 0xe6a3c6},
    [BW_SKY_TEXT] = {"c-sky-text", 0x1f6fa3, 0x8accf2},
    [BW_SLATE_TEXT] = {"c-slate-text", 0x475467, 0xa9b4c3},
    [BW_GOOD_BAND] = {"c-good-band", 0xd9e9f4, 0x1c3a50},
    [BW_BAD_BAND] = {"c-bad-band", 0xf9e2d4, 0x4a2c1a},
    [BW_FAN50] = {"c-fan50", 0x8fbede, 0x2c658c},
    [BW_FAN80] = {"c-fan80", 0xc0daec, 0x22496a},
    [BW_FAN95] = {"c-fan95", 0xe1eef6, 0x1a3348},
    [BW_HEAT0] = {"c-heat0", 0xb85a10, 0xd06a1c},
    [BW_HEAT0 + 1] = {"c-heat1", 0xd98324, 0xb25f22},
    [BW_HEAT0 + 2] = {"c-heat2", 0xf2a84a, 0x925427},
    [BW_HEAT0 + 3] = {"c-heat3", 0xf7c98f, 0x704629},
    [BW_HEAT0 + 4] = {"c-heat4", 0xfce8d5, 0x4a3a2e},
    [BW_HEAT0 + 5] = {"c-heat5", 0xf2f4f6, 0x303a45},
    [BW_HEAT0 + 6] = {"c-heat6", 0xdfedf6, 0x28475c},
    [BW_HEAT0 + 7] = {"c-heat7", 0xa9cde6, 0x245a7c},
    [BW_HEAT0 + 8] = {"c-heat8", 0x6aaad2, 0x21719f},
    [BW_HEAT0 + 9] = {"c-heat9", 0x3d86b9, 0x2689c4},
    [BW_HEAT10] = {"c-heat10", 0x0a5a96, 0x4ba8e6},
};

const bw_colour_row *bw_theme(bw_colour c) {
    return &COLOURS[c];
}

bw_colour bw_series_colour(size_t i) {
    static const bw_colour SERIES[] = {BW_GOOD, BW_AMBER, BW_GREEN, BW_PINK,
                                       BW_SKY,  BW_BAD,   BW_SLATE};
    return SERIES[i % (sizeof SERIES / sizeof *SERIES)];
}

bw_colour bw_text_colour(bw_colour fill) {
    switch (fill) {
    case BW_GOOD:
        return BW_GOOD_TEXT;
    case BW_BAD:
        return BW_BAD_TEXT;
    case BW_GREEN:
        return BW_GREEN_TEXT;
    case BW_AMBER:
        return BW_AMBER_TEXT;
    case BW_PINK:
        return BW_PINK_TEXT;
    case BW_SKY:
        return BW_SKY_TEXT;
    case BW_SLATE:
        return BW_SLATE_TEXT;
    case BW_BASE:
    case BW_AXIS:
        return BW_MUTED;
    default:
        return fill;
    }
}

/* Advance widths of Inter 4.0 in thousandths of the size, code points 32 to 126. */
static const uint16_t REGULAR[95] = {
    281, 278, 403, 631, 638, 812, 639, 222, 362, 362, 500, 659, 280, 460, 276, 357, 625, 464, 605,
    636, 642, 608, 624, 571, 616, 624, 276, 280, 659, 659, 659, 507, 936, 676, 651, 727, 719, 598,
    587, 743, 740, 264, 543, 652, 562, 889, 753, 761, 635, 761, 639, 638, 642, 741, 676, 949, 642,
    665, 625, 362, 357, 362, 469, 452, 497, 564, 621, 558, 621, 582, 361, 609, 591, 237, 237, 544,
    237, 869, 585, 597, 609, 609, 372, 523, 364, 581, 557, 812, 540, 557, 541, 362, 327, 362, 659};
static const uint16_t BOLD[95] = {
    248, 309, 396, 643, 649, 844, 663, 213, 393, 393, 543, 673, 295, 466, 290, 379, 667, 481,  621,
    652, 666, 632, 648, 587, 646, 648, 290, 295, 673, 673, 673, 544, 999, 724, 657, 744, 724,  608,
    586, 755, 744, 275, 561, 677, 566, 906, 741, 775, 643, 776, 651, 649, 660, 734, 724, 1007, 690,
    705, 653, 393, 379, 393, 481, 468, 497, 575, 630, 577, 630, 593, 377, 625, 613, 261, 261,  569,
    261, 898, 610, 608, 625, 625, 397, 549, 380, 608, 576, 837, 562, 576, 562, 393, 358, 393,  673};

/* The next code point and its length; a malformed byte counts as one character. */
static size_t next_point(const char *text, int32_t *point) {
    utf8proc_int32_t cp;
    utf8proc_ssize_t n = utf8proc_iterate((const utf8proc_uint8_t *)text, -1, &cp);
    *point = n > 0 ? cp : 0xfffd;
    return n > 0 ? (size_t)n : 1;
}

static double point_width(int32_t cp, bool bold) {
    if (cp >= 32 && cp < 127)
        return (double)(bold ? BOLD : REGULAR)[cp - 32] / 1000;
    int cells = utf8proc_charwidth(cp);
    if (cp == 0x2014 || cp == 0x2026 || (cp >= 0x2018 && cp <= 0x201d))
        return 1; /* dashes, dots and quotes take a whole em in Chinese fonts */
    if (cells >= 2 || (cp >= 0x3000 && cp < 0xffef))
        return 1;
    return cells == 0 ? 0 : 0.62;
}

double bw_font_width(const char *text, double size, bool bold) {
    double sum = 0;
    for (int32_t cp; *text;) {
        text += next_point(text, &cp);
        sum += point_width(cp, bold);
    }
    return sum * size;
}

void bw_font_fit(const char *text, double size, bool bold, double width, char *out, size_t cap) {
    size_t keep = 0, at = 0;
    double sum = 0, room = width / size, dots = point_width(0x2026, bold);
    for (int32_t cp; text[at];) {
        size_t n = next_point(text + at, &cp);
        sum += point_width(cp, bold);
        if (sum > room || at + n + 4 > cap) {
            snprintf(out, cap, "%.*s…", (int)keep, text);
            return;
        }
        at += n;
        if (sum + dots <= room)
            keep = at;
    }
    snprintf(out, cap, "%s", text);
}

static bool is_wide(int32_t cp) {
    return utf8proc_charwidth(cp) >= 2;
}

/* Punctuation that must not open a line in Chinese typesetting. */
static bool closes(int32_t cp) {
    return cp == 0xff0c || cp == 0x3002 || cp == 0xff1b || cp == 0xff1a || cp == 0xff09 ||
           cp == 0x3001 || cp == 0x201d || cp == 0x300b || cp == '%' || cp == ',' || cp == '.';
}

/* Length of the first line of text that fits; at least one character. */
static size_t line_break(const char *text, double room, bool bold) {
    size_t at = 0, last = 0;
    double sum = 0;
    int32_t before = 0;
    for (int32_t cp; text[at];) {
        size_t n = next_point(text + at, &cp);
        if (cp == ' ' || (at && (is_wide(cp) || is_wide(before)) && !closes(cp)))
            last = at;
        sum += point_width(cp, bold);
        if (sum > room && at > 0)
            return last ? last : at;
        before = cp;
        at += n;
    }
    return at;
}

/* Bytes of a line of n bytes without the spaces at its end, as far as a line's buffer goes. */
static size_t visible(const char *text, size_t n) {
    while (n > 0 && text[n - 1] == ' ')
        n--;
    return n < 255 ? n : 255;
}

size_t bw_font_wrap(const char *text, double size, bool bold, double width, char (*lines)[256],
                    size_t max) {
    size_t count = 0;
    while (*text && count < max) {
        size_t n = line_break(text, width / size, bold);
        if (count + 1 == max)
            bw_font_fit(text, size, bold, width, lines[count], sizeof lines[count]);
        else
            snprintf(lines[count], sizeof lines[count], "%.*s", (int)visible(text, n), text);
        count++;
        text += n;
        text += strspn(text, " ");
    }
    return count;
}
