#!/usr/bin/env bash
# bellwether model: its parts, and what it says of folders that are none.
. "$(dirname "$0")/lib.sh"

contains "model --help lists its parts" "$("$BW" model --help)" "verify"
contains "model verify --help shows an example" "$("$BW" model verify --help)" "bellwether model verify"
fails "a part that is not there is wrong usage" 2 "no part 'inspect'" "$BW" model inspect
fails "info without a folder is wrong usage" 2 "name one model folder" "$BW" model info
fails "a folder that is not there is named" 1 "$T/none/config.json" "$BW" model info "$T/none"
mkdir "$T/empty" "$T/bert"
fails "a folder without models is named" 1 "no config.json" "$BW" model verify "$T/empty"
echo '{"model_type": "bert", "vocab_size": 9, "hidden_size": 8, "num_hidden_layers": 1,
       "num_attention_heads": 2, "intermediate_size": 8}' >"$T/bert/config.json"
fails "weights that are missing are asked for" 1 "no model.safetensors" "$BW" model info "$T/bert"
printf 'not weights at all' >"$T/bert/model.safetensors"
fails "a file that holds no weights is refused" 1 "no safetensors file" "$BW" model info "$T/bert"
fails "convert needs a place to write" 2 "one to write" "$BW" model convert "$T/bert"
fails "a precision that is none is wrong usage" 2 "f32, f16 or bf16" "$BW" model convert "$T/bert" "$T/out" --dtype f64
finish
