/* demo/demo.h - what the front doors use of this room: a simulated shop with known truth. */
#ifndef BW_DEMO_H
#define BW_DEMO_H

#include "common/command.h"
#include "common/sqlite.h"

extern const bw_command BW_DEMO_COMMANDS[];

#endif
