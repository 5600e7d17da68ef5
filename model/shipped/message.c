/* model/shipped/message.c - facts by rule: what is there or not, nothing judged. */
#include "model/shipped/message.h"

#include <stddef.h>
#include <string.h>
#include <strings.h>
#include <utf8proc.h>

static bool is_letter(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* English phrases match whole words without case, Chinese ones anywhere. */
static bool has(const char *text, const char *phrase) {
    size_t n = strlen(phrase);
    if ((unsigned char)phrase[0] >= 0x80)
        return strstr(text, phrase) != NULL;
    for (const char *p = text; *p; p++)
        if (!strncasecmp(p, phrase, n) && (p == text || !is_letter(p[-1])) && !is_letter(p[n]))
            return true;
    return false;
}

static bool has_any(const char *text, const char *const *phrases) {
    for (; *phrases; phrases++)
        if (has(text, *phrases))
            return true;
    return false;
}

static bool is_emoji(int32_t c) {
    return (c >= 0x1F300 && c <= 0x1FAFF) || (c >= 0x2600 && c <= 0x27BF) ||
           (c >= 0x1F1E6 && c <= 0x1F1FF);
}

bw_message_facts bw_message_read(const char *text) {
    static const char *const URGENCY[] = {"today only",
                                          "last chance",
                                          "hurry",
                                          "ends tonight",
                                          "ends today",
                                          "ends soon",
                                          "limited time",
                                          "only today",
                                          "final hours",
                                          "final day",
                                          "while stocks last",
                                          "don't miss",
                                          "act now",
                                          "last day",
                                          "expires",
                                          "tonight only",
                                          "almost gone",
                                          "限时",
                                          "最后一天",
                                          "最后机会",
                                          "仅限今天",
                                          "今日",
                                          "马上",
                                          "抢购",
                                          "倒计时",
                                          "即将结束",
                                          "手慢无",
                                          "错过",
                                          "赶快",
                                          "速抢",
                                          NULL};
    static const char *const PERSONAL[] = {"you",    "your",         "yours", "you're", "you'll",
                                           "{name}", "{first_name}", "你",    "您",     "亲",
                                           NULL};
    bw_message_facts f = {.urgency = has_any(text, URGENCY), .personal = has_any(text, PERSONAL)};
    for (const utf8proc_uint8_t *p = (const utf8proc_uint8_t *)text; *p;) {
        int32_t c;
        utf8proc_ssize_t n = utf8proc_iterate(p, -1, &c);
        p += n > 0 ? n : 1;
        f.chars++;
        if (n <= 0)
            continue;
        f.question |= c == '?' || c == 0xFF1F;
        f.number |= (c >= '0' && c <= '9') || (c >= 0xFF10 && c <= 0xFF19);
        f.emoji |= is_emoji(c);
    }
    return f;
}
