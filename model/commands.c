/* model/commands.c - the commands of this room. */
#include "model/model.h"
#include "model/generate/cmd_draft.h"
#include "model/cmd_model.h"
#include "model/train/train_cmd.h"

const bw_command BW_MODEL_COMMANDS[] = {
    {"score", "sentiment, aspects, embeddings and topics of new reviews and messages",
     bw_cmd_score},
    {"eval", "measure the language model on a labelled table", bw_cmd_eval},
    {"train", "train or tune the language model by a recipe", bw_cmd_train},
    {"draft", "write copy with a generator, several versions to choose from", bw_cmd_draft},
    {"model", "check, convert and inspect models and tokenizers", bw_cmd_model},
    {0},
};
