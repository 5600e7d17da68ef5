#!/usr/bin/env bash
# The tokenizer commands: train, encode, decode; and verify against answers.
. "$(dirname "$0")/lib.sh"

for i in 1 2 3 4 5 6; do
    echo "The courier was late, and the box was damaged $i times."
    echo "快递太慢了，包装也破了。$i"
done > "$T/texts.txt"
check "train" "$BW" model tokenizer train "$T/texts.txt" --vocab 320 --out "$T/tok"
check "train from gzip" sh -c "gzip -k '$T/texts.txt' && '$BW' model tokenizer train '$T/texts.txt.gz' --vocab 320 --out '$T/tok2'"
equal "the same text gives the same file" "$(cksum < "$T/tok/tokenizer.json")" "$(cksum < "$T/tok2/tokenizer.json")"
ids=$("$BW" model tokenizer encode "$T/tok" --ids "The courier 快递 was late")
contains "encode frames with [CLS] and [SEP]" "$ids" '^2 .* 3$'
# shellcheck disable=SC2086
equal "decode gives the text back" "$("$BW" model tokenizer decode "$T/tok" $ids)" "The courier 快递 was late"
equal "lines from standard input" "$(printf 'late\n\nbox\n' | "$BW" model tokenizer encode "$T/tok" --ids | wc -l)" 3
contains "json has places" "$("$BW" model tokenizer encode "$T/tok" --json --bare "late box")" '"spans":\[\[0,'
contains "a cut is reported" "$("$BW" model tokenizer encode "$T/tok" --max-tokens 4 "The courier was late and late")" 'cut off'
fails "no tokenizer in the folder" 1 "neither tokenizer.json" "$BW" model tokenizer encode "$T" x
fails "an id past the vocabulary" 1 "no id 99999" "$BW" model tokenizer decode "$T/tok" 5 99999
fails "a word that is no id" 2 "'x' is not a token id" "$BW" model tokenizer decode "$T/tok" 5 x
fails "a vocabulary below the bytes" 1 "too small" "$BW" model tokenizer train "$T/texts.txt" --vocab 200 --out "$T/no"
fails "a part that is not there" 2 "no part 'nope'" "$BW" model nope

# 83 awkward lines and 180 pairs of our own under six tokenizers, from tokenizer.json, vocab.txt, and
# vocab.json with merges.txt; the answers are those of the reference (see cases.json).
answers=$("$BW" model verify --tokenizer tests/model/tokenizers tests/model/tokenizers/cases.json)
for name in own-bpe own-bpe-lower own-wordpiece own-gpt2 own-roberta own-qwen2; do
    contains "$name agrees on every line and pair" "$answers" "^$name +83 +83 +83 .* pass"
done

# SentencePiece's kinds: Unigram as in T5 (rules of a compiled table, marks for spaces), with and without
# byte tokens, and Llama 2's BPE in its older and newer form.
answers=$("$BW" model verify --tokenizer tests/model/tokenizers tests/model/tokenizers/cases-sentencepiece.json)
for name in own-t5 own-unigram-bytes own-llama2 own-llama2-first; do
    contains "$name agrees on every line" "$answers" "^$name +39 +39 +39 .* pass"
done

# verify: right and wrong answers; utf8_hex carries what JSON cannot.
bare=$("$BW" model tokenizer encode "$T/tok" --ids "late box" | tr ' ' ',')
cat > "$T/cases.json" <<EOF
{"cases": [{"id": 7, "text": "x", "utf8_hex": "6c61746520626f78", "tok": {"ids": [$bare], "decoded": "late box"}}]}
EOF
check "verify accepts right ids" "$BW" model verify --tokenizer "$T" "$T/cases.json"
contains "verify as json" "$("$BW" model verify --tokenizer "$T" "$T/cases.json" --json)" '"pass":.*true'
sed -i 's/\[2,/[1,/' "$T/cases.json"
fails "verify names the first difference" 1 'tok: text 7: token 0 is 2 .\[CLS\]., expected 1' "$BW" model verify --tokenizer "$T" "$T/cases.json"
echo '{"vectors": [{"name": "v", "logits": [1, 2, 3], "cases": [{"processors": "top_k=2", "kept": [1, 2]}]}]}' > "$T/p.json"
check "verify processors" "$BW" model verify --processors "$T/p.json"
sed -i 's/"kept": \[1, 2\]/"kept": [0, 2]/' "$T/p.json"
fails "verify processors differs" 1 "v: top_k=2" "$BW" model verify --processors "$T/p.json"
finish
