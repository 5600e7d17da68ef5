#!/usr/bin/env bash
# score: incremental, idempotent, explained; the SQL functions; eval on a table of our own.
. "$(dirname "$0")/lib.sh"
"$BW" init >/dev/null
"$BW" sql --write "INSERT INTO review (id, day, source, product, rating, text, lang) VALUES
 ('a', '2026-03-02', NULL, NULL, 5, 'Excellent kettle, I love it. Mail me at joe@example.com', NULL),
 ('b', '2026-03-03', NULL, NULL, 1, 'Terrible, the courier was late and the box was crushed.', NULL),
 ('c', '2026-03-04', NULL, NULL, 1, '质量太差了，用了一天就坏了。', NULL),
 ('d', '2026-03-05', NULL, NULL, NULL, '', NULL);
 INSERT INTO message(id, channel, sent_at, text) VALUES ('m', 'mail', '2026-03-01 09:00', 'Last chance: 20% off for you!')" >/dev/null
contains "a first run scores every row" "$("$BW" score)" '^scored 4 reviews and 1 messages'
contains "a second run has nothing to do" "$("$BW" score)" '^scored 0 reviews and 0 messages'
q() { "$BW" sql --format csv "$1" | tail -n +2 | tr -d '\r'; }
equal "good is above bad, in both languages" "$(q "SELECT group_concat(stars > 3, '') AS x FROM (SELECT stars FROM review_score WHERE review < 'd' ORDER BY review)")" 100
equal "languages are filled in" "$(q "SELECT group_concat(lang, '') FROM (SELECT lang FROM review ORDER BY id)")" enenzhen
equal "an empty review has a score and no aspect" "$(q "SELECT count(*) AS x FROM review_score s WHERE review='d' AND abs(negative + neutral + positive - 1) < 1e-5")" 1
equal "excerpts are redacted" "$(q "SELECT count(*) FROM review_aspect WHERE excerpt LIKE '%joe@%'")" 0
equal "delivery is heard as a complaint" "$(q "SELECT negative > positive FROM review_aspect WHERE review='b' AND aspect='delivery'")" 1
equal "vectors have unit length" "$(q "SELECT count(*) FROM embedding WHERE abs(similarity(vector, vector) - 1) < 1e-5")" 4
equal "messages carry their facts" "$(q "SELECT urgency || number || personal || question FROM message_score")" 1110
before=$(q "SELECT * FROM review_score ORDER BY review")
"$BW" sql --write "DELETE FROM review_score WHERE review IN ('b', 'd')" >/dev/null
"$BW" score >/dev/null
equal "scores do not depend on the batch" "$(q "SELECT * FROM review_score ORDER BY review")" "$before"
"$BW" sql --write "UPDATE review SET text = 'Wonderful, arrived early' WHERE id = 'b'" >/dev/null
contains "a changed text is scored again" "$("$BW" score)" '^scored 1 reviews'
equal "and by its new words" "$(q "SELECT stars > 3 AS x FROM review_score WHERE review = 'b'")" 1
one=$(OMP_NUM_THREADS=1 "$BW" sql --format csv "SELECT sentiment('Broke after a week, sadly'), hex(embed('late parcel'))")
three=$(OMP_NUM_THREADS=3 "$BW" sql --format csv "SELECT sentiment('Broke after a week, sadly'), hex(embed('late parcel'))")
equal "scores do not depend on threads" "$one" "$three"
equal "NULL gives NULL" "$(q "SELECT sentiment(NULL) IS NULL AND embed(NULL) IS NULL AND similarity('a', NULL) IS NULL AND sentiment_why(NULL) IS NULL")" 1
equal "NULL gives NULL in the others" "$(q "SELECT sentiment_label(NULL) IS NULL AND aspects(NULL) IS NULL AND vec_to_json(NULL) IS NULL AND token_count(NULL) IS NULL")" 1
equal "nothing said has no sentiment" "$(q "SELECT sentiment('') IS NULL AND stars('  ') IS NULL AND sentiment_label('') IS NULL AND token_count('') = 0")" 1
equal "the label is the likeliest" "$(q "SELECT sentiment_label('Terrible, it broke at once') || ' ' || sentiment_label('Wonderful, I love it')")" 'negative positive'
equal "aspects are rows of JSON" "$(q "SELECT value ->> 'aspect' || ' ' || (value ->> 'negative' > 0.5) || ' ' || (value ->> 'sentence') FROM json_each(aspects('The film was fun. Delivery was late and slow.')) WHERE value ->> 'aspect' = 'delivery'")" 'delivery 1 Delivery was late and slow.'
equal "a vector as JSON has unit length" "$(q "SELECT round(sum(value * value), 4) || ' ' || count(*) FROM json_each(vec_to_json(embed('late parcel')))")" '1.0 128'
fails "a text is no vector" 1 'vec_to_json' "$BW" sql "SELECT vec_to_json('abc')"
fails "nor are five bytes" 1 'vec_to_json' "$BW" sql "SELECT vec_to_json(x'0011223344')"
equal "tokens beyond what the transformer reads count" "$(q "SELECT token_count(replace(hex(zeroblob(300)), '00', 'good ')) >= 300")" 1
equal "like is nearer than unlike" "$(q "SELECT similarity('the courier was late', 'late courier') > similarity('the courier was late', 'the soup was salty')")" 1
fails "a foreign blob is refused" 1 'embed' "$BW" sql "SELECT similarity(x'00', 'a')"
contains "a decision is explained by its words" "$("$BW" score --explain 'The sound is excellent')" '^ +\+0\.[0-9]+ +excellent'
contains "explained as JSON too" "$("$BW" score --json --explain 'The sound is awful')" '"word":"awful","effect":-'
printf 'label\tsplit\ttext\n1\ttest\tI love it\n0\ttest\tawful, broken\n1\ttest\tgreat value\n0\ttest\tworst purchase ever\n1\ttrain\tx\n' > "$T/t.tsv"
out=$("$BW" eval sentiment "$T/t.tsv" --json)
for key in n accuracy macro_f1 auc ece seconds tokens_per_second truncated; do contains "eval gives $key" "$out" "\"$key\":"; done
contains "eval takes the test part" "$out" '"n":4'
fails "eval without such rows says so" 1 "part 'dev'" "$BW" eval sentiment "$T/t.tsv" --split dev
fails "an unknown task is named" 2 "'mood'" "$BW" eval mood "$T/t.tsv"
fails "no file is named" 1 'nowhere' "$BW" eval sentiment "$T/nowhere.tsv"
check "finished weights are taken apart to be trained on" "$BW" train shipped --data "$T" --out "$T/run" --from shipped --stage unpack
check "every part is there" test -s "$T/run/deep.safetensors" -a -s "$T/run/wide.safetensors" -a -s "$T/run/embed.safetensors"
cp "$T/run/deep.safetensors" "$T/before.safetensors"
check "the mean of a run and itself" "$BW" train shipped --data "$T" --out "$T/run" --from "$T/run" --stage mean
check "is itself" cmp "$T/run/deep.safetensors" "$T/before.safetensors"
fails "the mean wants a run" 1 'nowhere' "$BW" train shipped --data "$T" --out "$T/run" --from "$T/nowhere" --stage mean
printf 'label\ttext\n' > "$T/own.tsv"
for i in 1 2 3 4 5 6 7 8; do printf '1\tlovely thing %d\n0\tdreadful thing %d\n' $i $i >> "$T/own.tsv"; done
fails "tuning on a table says where the weights are wanted from" 1 'nofile' "$BW" train sentiment --data "$T/own.tsv" --from "$T/nofile" --out "$T/own"
fails "a damaged weights file is refused" 1 't.tsv' "$BW" score --weights "$T/t.tsv" --explain x
finish
