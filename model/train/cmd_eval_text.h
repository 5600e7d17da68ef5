/* model/train/cmd_eval_text.h - the parts of `bellwether eval` that judge generated text and generators. */
#ifndef BW_MODEL_CMD_EVAL_TEXT_H
#define BW_MODEL_CMD_EVAL_TEXT_H

#include "common/status.h"

/* eval text HYPS REFS...: BLEU, chrF, ROUGE. argv[0] is "text". */
bw_status bw_cmd_eval_text(int argc, char **argv, bw_err *err);
/* eval perplexity --model DIR FILE. argv[0] is "perplexity". */
bw_status bw_cmd_eval_perplexity(int argc, char **argv, bw_err *err);

#endif
