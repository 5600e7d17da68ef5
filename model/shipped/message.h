/* model/shipped/message.h - plain facts about the text of a campaign message, for content effects. */
#ifndef BW_MODEL_MESSAGE_H
#define BW_MODEL_MESSAGE_H

#include <stdbool.h>

typedef struct {
    int chars;     /* code points */
    bool question; /* asks something */
    bool number;   /* holds a digit: an amount, a percentage, a date */
    bool emoji;
    bool urgency;  /* "today only", "last chance", 限时, ... */
    bool personal; /* speaks to the reader: you, your, 您, 你, or a name to be filled in */
} bw_message_facts;

bw_message_facts bw_message_read(const char *text);

#endif
