/* common/sqlite.h - SQLite's interface, for the program and for the loadable extension.
 *
 * Files that register SQL functions (each room's functions.c) are compiled twice: once for the
 * program, and once with BW_EXTENSION, where every sqlite3_ call goes through the host's table, so
 * that any host, whichever SQLite it was built with, can load them. */
#ifndef BW_COMMON_SQLITE_H
#define BW_COMMON_SQLITE_H

#ifdef BW_EXTENSION
#include <sqlite3ext.h>

#else
#include <sqlite3.h>
#endif

#endif
