/* model/model.h - what the front doors use of this room: language: scores, embeddings, training, generation. */
#ifndef BW_MODEL_H
#define BW_MODEL_H

#include "common/command.h"
#include "common/sqlite.h"

extern const bw_command BW_MODEL_COMMANDS[];

/* Registers this room's SQL functions; the signature is that of sqlite3_auto_extension. */
int bw_model_register(sqlite3 *db, char **message, const struct sqlite3_api_routines *api);

#endif
