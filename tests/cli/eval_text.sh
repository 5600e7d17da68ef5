#!/usr/bin/env bash
# eval text: the example of sacreBLEU's README; eval perplexity: what goes wrong is said.
. "$(dirname "$0")/lib.sh"
printf "The dog bit the man.\nIt wasn't surprising.\nThe man had just bitten him.\n" > "$T/hyp"
printf "The dog bit the man.\nIt was not unexpected.\nThe man bit him first.\n" > "$T/ref1"
printf "The dog had bit the man.\r\nNo one was surprised.\r\nThe man had bitten the dog." > "$T/ref2"
out=$("$BW" eval text "$T/hyp" "$T/ref1" "$T/ref2")
contains "BLEU" "$out" "BLEU +48.53 +82.4/50.0/45.5/37.5, brevity 0.943"
contains "chrF" "$out" "chrF2 +59.73"
contains "json" "$("$BW" eval text "$T/hyp" "$T/hyp" --json)" '"bleu": 100, "chrf": 100, "rouge_1": 1,'
head -2 "$T/ref1" > "$T/short"
fails "files of unequal length" 1 "has 3 lines, .*short has 2" "$BW" eval text "$T/hyp" "$T/short"
fails "no reference" 2 "usage" "$BW" eval text "$T/hyp"
fails "unknown words" 2 "13a, zh or none" "$BW" eval text "$T/hyp" "$T/ref1" --words fr
: > "$T/empty"
fails "nothing to judge" 1 "is empty" "$BW" eval text "$T/empty" "$T/empty"
fails "perplexity needs a model" 2 "usage" "$BW" eval perplexity "$T/hyp"
fails "a folder without a model" 1 "config.json" "$BW" eval perplexity --model "$T" "$T/hyp"
contains "eval names its parts" "$("$BW" eval --help)" "eval perplexity"
finish
