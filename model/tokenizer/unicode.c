/* model/tokenizer/unicode.c - character properties. See unicode.h.
 *
 * ASCII, nearly all of most texts, is answered without a table. */
#include "model/tokenizer/unicode.h"

#include "model/tokenizer/utf8.h"

#include <stddef.h>
#include <utf8proc.h>

/* First and last code point; tables are in ascending order. */
typedef struct {
    int32_t first, last;
} range;

/* \p{L} and \p{N} of Unicode 16 that utf8proc does not know yet. */
static const range LETTERS_SINCE[] = {
    {0x1C89, 0x1C8A},   {0xA7CB, 0xA7CD},   {0xA7DA, 0xA7DC},   {0x105C0, 0x105F3},
    {0x10D4A, 0x10D65}, {0x10D6F, 0x10D85}, {0x10EC2, 0x10EC4}, {0x11380, 0x11389},
    {0x1138B, 0x1138B}, {0x1138E, 0x1138E}, {0x11390, 0x113B5}, {0x113B7, 0x113B7},
    {0x113D1, 0x113D1}, {0x113D3, 0x113D3}, {0x11BC0, 0x11BE0}, {0x13460, 0x143FA},
    {0x16100, 0x1611D}, {0x16D40, 0x16D6C}, {0x18CFF, 0x18CFF}, {0x1E5D0, 0x1E5ED},
    {0x1E5F0, 0x1E5F0}, {0x2EBF0, 0x2EE5D}};
static const range NUMBERS_SINCE[] = {{0x10D40, 0x10D49}, {0x116D0, 0x116E3}, {0x11BF0, 0x11BF9},
                                      {0x16130, 0x16139}, {0x16D70, 0x16D79}, {0x1CCF0, 0x1CCF9},
                                      {0x1E5F1, 0x1E5FA}};

/* Numbers of Unicode 17. */
static const range NUMERIC_SINCE[] = {{0x10D40, 0x10D49}, {0x116D0, 0x116E3}, {0x11BF0, 0x11BF9},
                                      {0x11DE0, 0x11DE9}, {0x16130, 0x16139}, {0x16D70, 0x16D79},
                                      {0x16FF4, 0x16FF6}, {0x1CCF0, 0x1CCF9}, {0x1E5F1, 0x1E5FA}};

/* Punctuation of today that was not in Unicode 8, and what was then. */
static const range PUNCT_LATER[] = {
    {0x61D, 0x61D},     {0x9FD, 0x9FD},     {0xA76, 0xA76},     {0xC77, 0xC77},
    {0xC84, 0xC84},     {0x1B7D, 0x1B7E},   {0x2E43, 0x2E4F},   {0x2E52, 0x2E5D},
    {0x10EAD, 0x10EAD}, {0x10F55, 0x10F59}, {0x10F86, 0x10F89}, {0x1144B, 0x1144F},
    {0x1145A, 0x1145B}, {0x1145D, 0x1145D}, {0x11660, 0x1166C}, {0x116B9, 0x116B9},
    {0x1183B, 0x1183B}, {0x11944, 0x11946}, {0x119E2, 0x119E2}, {0x11A3F, 0x11A46},
    {0x11A9A, 0x11A9C}, {0x11A9E, 0x11AA2}, {0x11B00, 0x11B09}, {0x11C41, 0x11C45},
    {0x11C70, 0x11C71}, {0x11EF7, 0x11EF8}, {0x11F43, 0x11F4F}, {0x11FFF, 0x11FFF},
    {0x12FF1, 0x12FF2}, {0x16E97, 0x16E9A}, {0x16FE2, 0x16FE2}, {0x1E95E, 0x1E95F}};
static const range PUNCT_THEN[] = {{0x166D, 0x166D}, {0x111C9, 0x111C9}};

/* Nonspacing marks since Unicode 8, and one that was then. */
static const range MN_LATER[] = {
    {0x7FD, 0x7FD},     {0x898, 0x89F},     {0x8CA, 0x8E1},     {0x9FE, 0x9FE},
    {0xAFA, 0xAFF},     {0xB55, 0xB55},     {0xC04, 0xC04},     {0xC3C, 0xC3C},
    {0xD00, 0xD00},     {0xD3B, 0xD3C},     {0xD81, 0xD81},     {0xEBA, 0xEBA},
    {0xECE, 0xECE},     {0x180F, 0x180F},   {0x1885, 0x1886},   {0x1ABF, 0x1ACE},
    {0x1DF6, 0x1DFB},   {0xA82C, 0xA82C},   {0xA8C5, 0xA8C5},   {0xA8FF, 0xA8FF},
    {0xA9BD, 0xA9BD},   {0x10D24, 0x10D27}, {0x10EAB, 0x10EAC}, {0x10EFD, 0x10EFF},
    {0x10F46, 0x10F50}, {0x10F82, 0x10F85}, {0x11070, 0x11070}, {0x11073, 0x11074},
    {0x110C2, 0x110C2}, {0x111C9, 0x111C9}, {0x111CF, 0x111CF}, {0x1123E, 0x1123E},
    {0x11241, 0x11241}, {0x1133B, 0x1133B}, {0x11438, 0x1143F}, {0x11442, 0x11444},
    {0x11446, 0x11446}, {0x1145E, 0x1145E}, {0x1182F, 0x11837}, {0x11839, 0x1183A},
    {0x1193B, 0x1193C}, {0x1193E, 0x1193E}, {0x11943, 0x11943}, {0x119D4, 0x119D7},
    {0x119DA, 0x119DB}, {0x119E0, 0x119E0}, {0x11A01, 0x11A0A}, {0x11A33, 0x11A38},
    {0x11A3B, 0x11A3E}, {0x11A47, 0x11A47}, {0x11A51, 0x11A56}, {0x11A59, 0x11A5B},
    {0x11A8A, 0x11A96}, {0x11A98, 0x11A99}, {0x11C30, 0x11C36}, {0x11C38, 0x11C3D},
    {0x11C3F, 0x11C3F}, {0x11C92, 0x11CA7}, {0x11CAA, 0x11CB0}, {0x11CB2, 0x11CB3},
    {0x11CB5, 0x11CB6}, {0x11D31, 0x11D36}, {0x11D3A, 0x11D3A}, {0x11D3C, 0x11D3D},
    {0x11D3F, 0x11D45}, {0x11D47, 0x11D47}, {0x11D90, 0x11D91}, {0x11D95, 0x11D95},
    {0x11D97, 0x11D97}, {0x11EF3, 0x11EF4}, {0x11F00, 0x11F01}, {0x11F36, 0x11F3A},
    {0x11F40, 0x11F40}, {0x11F42, 0x11F42}, {0x13440, 0x13440}, {0x13447, 0x13455},
    {0x16F4F, 0x16F4F}, {0x16FE4, 0x16FE4}, {0x1CF00, 0x1CF2D}, {0x1CF30, 0x1CF46},
    {0x1E000, 0x1E006}, {0x1E008, 0x1E018}, {0x1E01B, 0x1E021}, {0x1E023, 0x1E024},
    {0x1E026, 0x1E02A}, {0x1E08F, 0x1E08F}, {0x1E130, 0x1E136}, {0x1E2AE, 0x1E2AE},
    {0x1E2EC, 0x1E2EF}, {0x1E4EC, 0x1E4EF}, {0x1E944, 0x1E94A}};
static const range MN_THEN[] = {{0x1734, 0x1734}};

/* Combining marks of any kind, likewise. */
static const range MARK_LATER[] = {
    {0x7FD, 0x7FD},     {0x898, 0x89F},     {0x8CA, 0x8D3},     {0x9FE, 0x9FE},
    {0xAFA, 0xAFF},     {0xB55, 0xB55},     {0xC04, 0xC04},     {0xC3C, 0xC3C},
    {0xCF3, 0xCF3},     {0xD00, 0xD00},     {0xD3B, 0xD3C},     {0xD81, 0xD81},
    {0xEBA, 0xEBA},     {0xECE, 0xECE},     {0x1715, 0x1715},   {0x180F, 0x180F},
    {0x1ABF, 0x1ACE},   {0x1CF7, 0x1CF7},   {0x1DF6, 0x1DFA},   {0xA82C, 0xA82C},
    {0xA8FF, 0xA8FF},   {0x10D24, 0x10D27}, {0x10EAB, 0x10EAC}, {0x10EFD, 0x10EFF},
    {0x10F46, 0x10F50}, {0x10F82, 0x10F85}, {0x11070, 0x11070}, {0x11073, 0x11074},
    {0x110C2, 0x110C2}, {0x11145, 0x11146}, {0x111C9, 0x111C9}, {0x111CE, 0x111CF},
    {0x11241, 0x11241}, {0x1133B, 0x1133B}, {0x1145E, 0x1145E}, {0x1182C, 0x1183A},
    {0x11930, 0x11935}, {0x11937, 0x11938}, {0x1193B, 0x1193E}, {0x11940, 0x11940},
    {0x11942, 0x11943}, {0x119D1, 0x119D7}, {0x119DA, 0x119E0}, {0x119E4, 0x119E4},
    {0x11A01, 0x11A0A}, {0x11A33, 0x11A39}, {0x11A3B, 0x11A3E}, {0x11A47, 0x11A47},
    {0x11A51, 0x11A5B}, {0x11A8A, 0x11A99}, {0x11D31, 0x11D36}, {0x11D3A, 0x11D3A},
    {0x11D3C, 0x11D3D}, {0x11D3F, 0x11D45}, {0x11D47, 0x11D47}, {0x11D8A, 0x11D8E},
    {0x11D90, 0x11D91}, {0x11D93, 0x11D97}, {0x11EF3, 0x11EF6}, {0x11F00, 0x11F01},
    {0x11F03, 0x11F03}, {0x11F34, 0x11F3A}, {0x11F3E, 0x11F42}, {0x13440, 0x13440},
    {0x13447, 0x13455}, {0x16F4F, 0x16F4F}, {0x16F7F, 0x16F87}, {0x16FE4, 0x16FE4},
    {0x16FF0, 0x16FF1}, {0x1CF00, 0x1CF2D}, {0x1CF30, 0x1CF46}, {0x1E08F, 0x1E08F},
    {0x1E130, 0x1E136}, {0x1E2AE, 0x1E2AE}, {0x1E2EC, 0x1E2EF}, {0x1E4EC, 0x1E4EF}};
static const range MARK_THEN[] = {{0x1CF2, 0x1CF3}};

/* Format characters since Unicode 8. */
static const range FORMAT_LATER[] = {
    {0x890, 0x891}, {0x8E2, 0x8E2}, {0x110CD, 0x110CD}, {0x13430, 0x1343F}};

/* Decompositions since Unicode 13, which are not made. */
static const range DECOMPOSES_LATER[] = {{0x32FF, 0x32FF},   {0xA7F2, 0xA7F4},   {0xAB69, 0xAB69},
                                         {0x10781, 0x10785}, {0x10787, 0x107B0}, {0x107B2, 0x107BA},
                                         {0x11938, 0x11938}, {0x1E030, 0x1E06D}, {0x1F16C, 0x1F16C},
                                         {0x1FBF0, 0x1FBF9}};

static bool search(const range *table, size_t n, int32_t cp) {
    size_t low = 0;
    while (n > low) {
        size_t middle = (low + n) / 2;
        if (cp > table[middle].last)
            low = middle + 1;
        else
            n = middle;
    }
    return cp >= table[low].first && cp <= table[low].last;
}

/* A code point past the last range compares false: search stops on the range before the end. */
#define IN(table, cp)                                        \
    ((cp) <= table[sizeof table / sizeof *table - 1].last && \
     search(table, sizeof table / sizeof *table, cp))

bool bw_is_space(int32_t cp) {
    if (cp < 0x80)
        return cp == ' ' || (cp >= 9 && cp <= 13);
    return cp == 0x85 || cp == 0xA0 || cp == 0x1680 || (cp >= 0x2000 && cp <= 0x200A) ||
           cp == 0x2028 || cp == 0x2029 || cp == 0x202F || cp == 0x205F || cp == 0x3000;
}

bool bw_is_han(int32_t cp) {
    return (cp >= 0x4E00 && cp <= 0x9FFF) || (cp >= 0x3400 && cp <= 0x4DBF);
}

static bw_class class_of_ascii(int32_t cp) {
    if ((cp | 32) >= 'a' && (cp | 32) <= 'z')
        return BW_LETTER;
    if (cp >= '0' && cp <= '9')
        return BW_NUMBER;
    if (cp == '\n' || cp == '\r')
        return BW_NEWLINE;
    return bw_is_space(cp) ? BW_SPACE : BW_OTHER;
}

bw_class bw_class_of(int32_t cp) {
    if (cp < 0x80)
        return class_of_ascii(cp);
    if (bw_is_han(cp))
        return BW_LETTER;
    switch (utf8proc_category(cp)) { /* a raw byte lies outside Unicode: not assigned */
    case UTF8PROC_CATEGORY_LU:
    case UTF8PROC_CATEGORY_LL:
    case UTF8PROC_CATEGORY_LT:
    case UTF8PROC_CATEGORY_LM:
    case UTF8PROC_CATEGORY_LO:
        return BW_LETTER;
    case UTF8PROC_CATEGORY_ND:
    case UTF8PROC_CATEGORY_NL:
    case UTF8PROC_CATEGORY_NO:
        return BW_NUMBER;
    case UTF8PROC_CATEGORY_CN:
        return IN(LETTERS_SINCE, cp) ? BW_LETTER : IN(NUMBERS_SINCE, cp) ? BW_NUMBER : BW_OTHER;
    default:
        return bw_is_space(cp) ? BW_SPACE : BW_OTHER;
    }
}

bool bw_is_numeric(int32_t cp) {
    return bw_class_of(cp) == BW_NUMBER || (cp >= 0x10D40 && IN(NUMERIC_SINCE, cp));
}

bool bw_is_punct(int32_t cp) {
    if (cp < 0x80)
        return cp > ' ' && cp < 0x7F && class_of_ascii(cp) == BW_OTHER;
    if (cp >= BW_RAW_BYTE)
        return false;
    switch (utf8proc_category(cp)) {
    case UTF8PROC_CATEGORY_PC:
    case UTF8PROC_CATEGORY_PD:
    case UTF8PROC_CATEGORY_PS:
    case UTF8PROC_CATEGORY_PE:
    case UTF8PROC_CATEGORY_PI:
    case UTF8PROC_CATEGORY_PF:
    case UTF8PROC_CATEGORY_PO:
        return !IN(PUNCT_LATER, cp);
    default:
        return IN(PUNCT_THEN, cp);
    }
}

bool bw_is_mn(int32_t cp) {
    if (cp < 0x300 || cp >= BW_RAW_BYTE)
        return false;
    bool now = utf8proc_category(cp) == UTF8PROC_CATEGORY_MN;
    return now ? !IN(MN_LATER, cp) : IN(MN_THEN, cp);
}

bool bw_is_mark(int32_t cp) {
    if (cp < 0x300 || cp >= BW_RAW_BYTE)
        return false;
    utf8proc_category_t c = utf8proc_category(cp);
    bool now = c == UTF8PROC_CATEGORY_MN || c == UTF8PROC_CATEGORY_MC || c == UTF8PROC_CATEGORY_ME;
    return now ? !IN(MARK_LATER, cp) : IN(MARK_THEN, cp);
}

bool bw_is_control(int32_t cp) {
    if (cp < 0x7F)
        return cp < ' ';
    switch (cp < BW_RAW_BYTE ? utf8proc_category(cp) : UTF8PROC_CATEGORY_CN) {
    case UTF8PROC_CATEGORY_CC:
    case UTF8PROC_CATEGORY_CO:
        return true;
    case UTF8PROC_CATEGORY_CF:
        return !IN(FORMAT_LATER, cp);
    default:
        return false;
    }
}

/* Circled and squared letters are alphabetic though their category is So (Other_Alphabetic). */
static bool is_enclosed_letter(int32_t cp) {
    return (cp >= 0x24B6 && cp <= 0x24E9) || (cp >= 0x1F130 && cp <= 0x1F149) ||
           (cp >= 0x1F150 && cp <= 0x1F169) || (cp >= 0x1F170 && cp <= 0x1F189);
}

bool bw_is_word(int32_t cp) {
    if (cp < 0x80)
        return cp == '_' || class_of_ascii(cp) == BW_LETTER || class_of_ascii(cp) == BW_NUMBER;
    switch (utf8proc_category(cp)) {
    case UTF8PROC_CATEGORY_MN:
    case UTF8PROC_CATEGORY_MC:
    case UTF8PROC_CATEGORY_ME:
    case UTF8PROC_CATEGORY_ND:
    case UTF8PROC_CATEGORY_NL:
    case UTF8PROC_CATEGORY_PC:
        return true;
    default:
        return cp == 0x200C || cp == 0x200D || bw_class_of(cp) == BW_LETTER ||
               is_enclosed_letter(cp);
    }
}

bool bw_decomposes(int32_t cp) {
    if (cp < 0xA0 || cp >= BW_RAW_BYTE)
        return false;
    return ((cp >= 0xAC00 && cp <= 0xD7A3) ||
            utf8proc_get_property(cp)->decomp_seqindex != UINT16_MAX) &&
           !IN(DECOMPOSES_LATER, cp);
}

/* Capitals that utf8proc does not know yet. */
static int32_t lower_since(int32_t cp) {
    static const struct {
        int32_t first, last, by;
    } TABLE[] = {{0x1C89, 0x1C89, 1},      {0xA7CB, 0xA7CB, 0x264 - 0xA7CB},
                 {0xA7CC, 0xA7CC, 1},      {0xA7CE, 0xA7CE, 1},
                 {0xA7D2, 0xA7D2, 1},      {0xA7D4, 0xA7D4, 1},
                 {0xA7DA, 0xA7DA, 1},      {0xA7DC, 0xA7DC, 0x19B - 0xA7DC},
                 {0x10D50, 0x10D65, 0x20}, {0x16EA0, 0x16EB8, 0x1B}};
    for (size_t i = 0; i < sizeof TABLE / sizeof *TABLE; i++)
        if (cp >= TABLE[i].first && cp <= TABLE[i].last)
            return cp + TABLE[i].by;
    return cp;
}

int32_t bw_lower(int32_t cp) {
    if (cp < 0x80)
        return cp >= 'A' && cp <= 'Z' ? cp + 32 : cp;
    if (cp >= BW_RAW_BYTE || bw_is_han(cp))
        return cp;
    int32_t low = utf8proc_tolower(cp);
    return low == cp && cp >= 0x1C89 ? lower_since(cp) : low;
}
