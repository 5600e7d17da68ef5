#!/usr/bin/env bash
# draft: what goes wrong is said; what it writes is tested in tests/model/test_generator.c.
. "$(dirname "$0")/lib.sh"
fails "no model" 2 "--model DIR is missing" "$BW" draft --prompt x
fails "no prompt" 2 "--prompt TEXT is missing" "$BW" draft --model "$T"
fails "an empty folder" 1 "config.json" "$BW" draft --model "$T" --prompt x
fails "a prompt without its option" 2 "behind --prompt" "$BW" draft --model "$T" hello
fails "zero drafts" 2 "-n is 0" "$BW" draft --model "$T" --prompt x -n 0
fails "a nucleus above 1" 2 "top_p is 1.5" "$BW" draft --model "$T" --prompt x --top-p 1.5
fails "no heat" 2 "temperature is 0" "$BW" draft --model "$T" --prompt x --temperature 0
fails "a stop without its text" 2 "stop" "$BW" draft --model "$T" --prompt x --stop '###' --stop
contains "help names the options of the field" "$("$BW" draft --help)" "--max-length N"
finish
