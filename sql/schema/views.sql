-- The public face of ad-hoc SQL: readable names, one row a thing people speak of. Dropped and made
-- anew each time a database is opened by a newer program, so a view may change with any version.

-- The first day of the week a day belongs to, by the setting week_start (default 1, Monday).
CREATE VIEW calendar_day AS
SELECT day, date(day, '-' || ((strftime('%w', day) - ws + 7) % 7) || ' days') AS week
FROM (SELECT DISTINCT day FROM outcome UNION SELECT DISTINCT day FROM spend
      UNION SELECT DISTINCT day FROM review WHERE day IS NOT NULL
      UNION SELECT DISTINCT substr(sent_at, 1, 10) FROM message),
     (SELECT coalesce((SELECT CAST(value AS INTEGER) FROM setting WHERE key = 'week_start'), 1) AS ws);

-- One row a week: outcome, spend, discount.
CREATE VIEW weekly AS
SELECT o.week, o.revenue, o.orders, o.units, o.price, o.discount, coalesce(s.cost, 0) AS cost, o.days
FROM (SELECT week, sum(revenue) AS revenue, sum(orders) AS orders, sum(units) AS units,
             avg(price) AS price, avg(discount) AS discount, count(DISTINCT day) AS days
      FROM outcome JOIN calendar_day USING (day) GROUP BY week) o
LEFT JOIN (SELECT week, sum(cost) AS cost FROM spend JOIN calendar_day USING (day) GROUP BY week) s
USING (week);

-- One row a week and channel.
CREATE VIEW channel_week AS
SELECT week, channel, sum(cost) AS cost, sum(impressions) AS impressions, sum(clicks) AS clicks
FROM spend JOIN calendar_day USING (day) GROUP BY week, channel;

-- One row a week and region.
CREATE VIEW geo_week AS
SELECT o.week, o.geo, o.revenue, o.orders, o.units, coalesce(s.cost, 0) AS cost, g.population
FROM (SELECT week, geo, sum(revenue) AS revenue, sum(orders) AS orders, sum(units) AS units
      FROM outcome JOIN calendar_day USING (day) GROUP BY week, geo) o
LEFT JOIN (SELECT week, geo, sum(cost) AS cost FROM spend JOIN calendar_day USING (day)
           GROUP BY week, geo) s ON s.week = o.week AND s.geo = o.geo
LEFT JOIN geo g ON g.name = o.geo;

-- One row a week and product: price and discount are means over its days.
CREATE VIEW product_week AS
SELECT week, product, sum(revenue) AS revenue, sum(orders) AS orders, sum(units) AS units,
       avg(price) AS price, avg(discount) AS discount
FROM outcome JOIN calendar_day USING (day) WHERE product <> '' GROUP BY week, product;

-- One row a campaign: what it cost and who saw it, over all its days.
CREATE VIEW campaign_total AS
SELECT campaign, channel, min(day) AS first_day, max(day) AS last_day, sum(cost) AS cost,
       sum(impressions) AS impressions, sum(clicks) AS clicks,
       1000.0 * sum(cost) / nullif(sum(impressions), 0) AS cost_per_thousand,
       sum(cost) / nullif(sum(clicks), 0) AS cost_per_click
FROM spend WHERE campaign <> '' GROUP BY campaign, channel;

-- One row a message with its rates: of the delivered the opened, the clicked and the ordering.
-- weekday: 0 Monday .. 6 Sunday.
CREATE VIEW message_result AS
SELECT id, campaign, channel, sent_at, date(sent_at) AS day, (strftime('%w', sent_at) + 6) % 7 AS weekday,
       strftime('%H', sent_at) + 0 AS hour, audience, redact(text) AS text, delivered,
       1.0 * opens / nullif(delivered, 0) AS open_rate,
       1.0 * clicks / nullif(delivered, 0) AS click_rate,
       1.0 * orders / nullif(delivered, 0) AS order_rate, orders, revenue
FROM message;

-- One row a week and series from outside: the mean over days and regions.
CREATE VIEW context_week AS
SELECT date(day, '-' || ((strftime('%w', day) - ws + 7) % 7) || ' days') AS week, series,
       avg(value) AS value
FROM context, (SELECT coalesce((SELECT CAST(value AS INTEGER) FROM setting
                                WHERE key = 'week_start'), 1) AS ws)
GROUP BY 1, 2;

-- Reviews with their scores.
CREATE VIEW review_scored AS
SELECT r.id, r.day, r.source, r.product, r.rating, r.lang, redact(r.text) AS text,
       s.negative, s.neutral, s.positive, s.stars, s.positive - s.negative AS sentiment
FROM review r JOIN review_score s ON s.review = r.id;

-- One row a week: mean sentiment (-1..1) and its standard error.
CREATE VIEW review_sentiment_week AS
SELECT date(r.day, '-' || ((strftime('%w', r.day) - ws + 7) % 7) || ' days') AS week,
       count(*) AS reviews, avg(s.positive - s.negative) AS sentiment,
       CASE WHEN count(*) > 1 THEN
         sqrt(max(0, avg((s.positive - s.negative) * (s.positive - s.negative))
                     - avg(s.positive - s.negative) * avg(s.positive - s.negative)) / (count(*) - 1)) END AS se,
       avg(s.stars) AS stars, avg(r.rating) AS rating
FROM review r JOIN review_score s ON s.review = r.id,
     (SELECT coalesce((SELECT CAST(value AS INTEGER) FROM setting WHERE key = 'week_start'), 1) AS ws)
WHERE r.day IS NOT NULL GROUP BY 1;

-- One row a week and aspect: how often it was mentioned and how.
CREATE VIEW aspect_week AS
SELECT date(r.day, '-' || ((strftime('%w', r.day) - ws + 7) % 7) || ' days') AS week, a.aspect,
       count(*) AS mentions, avg(a.negative) AS negative, avg(a.positive) AS positive
FROM review_aspect a JOIN review r ON r.id = a.review,
     (SELECT coalesce((SELECT CAST(value AS INTEGER) FROM setting WHERE key = 'week_start'), 1) AS ws)
WHERE a.mentioned >= 0.5 AND r.day IS NOT NULL GROUP BY 1, 2;

-- The newest run of each kind.
CREATE VIEW latest_run AS
SELECT kind, max(id) AS run FROM model_run GROUP BY kind;

-- The newest estimates of every kind.
CREATE VIEW latest_estimate AS
SELECT r.kind, e.* FROM estimate e JOIN latest_run r ON r.run = e.run;

-- One row a channel: what it earns. Money per unit of money where named roas.
CREATE VIEW channel_effect AS
SELECT subject AS channel,
       max(CASE WHEN name = 'spend' THEN mean END) AS spend,
       max(CASE WHEN name = 'contribution' THEN mean END) AS contribution,
       max(CASE WHEN name = 'contribution' THEN lo END) AS contribution_lo,
       max(CASE WHEN name = 'contribution' THEN hi END) AS contribution_hi,
       max(CASE WHEN name = 'share' THEN mean END) AS share,
       max(CASE WHEN name = 'roas' THEN mean END) AS roas,
       max(CASE WHEN name = 'roas' THEN lo END) AS roas_lo,
       max(CASE WHEN name = 'roas' THEN hi END) AS roas_hi,
       max(CASE WHEN name = 'marginal_roas' THEN mean END) AS marginal_roas,
       max(CASE WHEN name = 'marginal_roas' THEN lo END) AS marginal_roas_lo,
       max(CASE WHEN name = 'marginal_roas' THEN hi END) AS marginal_roas_hi,
       max(CASE WHEN name = 'marginal_roas' THEN probability END) AS probability_pays,
       max(CASE WHEN name = 'half_life' THEN mean END) AS half_life_weeks,
       max(CASE WHEN name = 'half_life' THEN lo END) AS half_life_lo,
       max(CASE WHEN name = 'half_life' THEN hi END) AS half_life_hi
FROM latest_estimate WHERE kind = 'fit' AND at = ''
  AND name IN ('spend', 'contribution', 'share', 'roas', 'marginal_roas', 'half_life')
GROUP BY subject;

-- Response curves of the newest fit: weekly spend x, weekly revenue mean with 90 % interval.
CREATE VIEW channel_curve AS
SELECT c.subject AS channel, c.x AS spend, c.mean AS revenue, c.lo, c.hi, c.seen
FROM curve c JOIN latest_run r ON r.run = c.run AND r.kind = 'fit' WHERE c.name = 'response';

-- One row a week and part (baseline, season, events, a control or a channel) of the newest fit.
CREATE VIEW decomposition_week AS
SELECT at AS week, subject AS part, mean AS revenue, lo, hi
FROM latest_estimate WHERE kind = 'fit' AND name = 'decomposition';

-- One row a channel: what it spends a week now, what the newest plan advises, and what that brings.
CREATE VIEW plan_channel AS
SELECT n.subject AS channel, n.mean AS spend_now, p.mean AS spend_planned, p.mean - n.mean AS change,
       g.mean AS gain, g.lo AS gain_lo, g.hi AS gain_hi, g.probability
FROM latest_estimate n
JOIN latest_estimate p ON p.run = n.run AND p.name = 'spend_planned' AND p.subject = n.subject
LEFT JOIN latest_estimate g ON g.run = n.run AND g.name = 'gain' AND g.subject = n.subject
WHERE n.kind = 'plan' AND n.name = 'spend_now';

-- One row a week to come: what the newest forecast expects, with 90 % and 50 % intervals.
CREATE VIEW forecast_week AS
SELECT at AS week, mean AS expected, lo, hi, lo50, hi50
FROM latest_estimate WHERE kind = 'forecast' AND name = 'outcome';

-- One row a channel: conversions that journeys credit it with, by four rules, and its share by them and by
-- the mix model. agrees: 0 where the mix model's 90 % interval leaves the journeys' share out.
CREATE VIEW attribution AS
WITH c AS (
    SELECT subject AS channel, max(CASE name WHEN 'first_touch' THEN mean END) AS first_touch,
           max(CASE name WHEN 'last_touch' THEN mean END) AS last_touch,
           max(CASE name WHEN 'shapley' THEN mean END) AS shapley,
           max(CASE name WHEN 'markov' THEN mean END) AS markov,
           max(CASE name WHEN 'mix_share' THEN mean END) AS mix_share,
           max(CASE name WHEN 'mix_share' THEN lo END) AS mix_lo,
           max(CASE name WHEN 'mix_share' THEN hi END) AS mix_hi
    FROM latest_estimate WHERE kind = 'attribution' GROUP BY subject)
SELECT channel, first_touch, last_touch, shapley, markov,
       markov / (SELECT sum(markov) FROM c WHERE mix_share IS NOT NULL) AS markov_share,
       mix_share, mix_lo, mix_hi,
       markov / (SELECT sum(markov) FROM c WHERE mix_share IS NOT NULL) BETWEEN mix_lo AND mix_hi AS agrees
FROM c;

-- One row a week to come under planned spend (`forecast --spend`): what is expected, 90 % and 50 % intervals.
CREATE VIEW forecast_spend AS
SELECT subject AS spend, at AS week, mean AS expected, lo, hi, lo50, hi50
FROM latest_estimate WHERE kind = 'scenario' AND name = 'outcome';

-- One row a channel and slot of the week: its rate relative to the channel's mean slot (1 = as
-- usual), and the probability that it is the best. weekday: 0 Monday .. 6 Sunday.
CREATE VIEW timing_slot AS
SELECT subject AS channel, substr(at, 1, 1) + 0 AS weekday, substr(at, 3) + 0 AS hour,
       mean AS rate, lo, hi, probability AS probability_best, n AS messages
FROM latest_estimate WHERE kind = 'timing' AND name = 'index';

-- One row a feature of our messages (a question, an emoji, a theme) and channel: what it does to the
-- rate, 0.1 = +10 %.
CREATE VIEW content_effect AS
SELECT subject AS feature, at AS channel, mean AS effect, lo, hi, probability, n AS messages
FROM latest_estimate WHERE kind = 'content' AND name = 'effect';

-- One row a product: per cent of units lost per per cent of price, and the price now.
CREATE VIEW price_effect AS
SELECT e.subject AS product, e.mean AS elasticity, e.lo AS elasticity_lo, e.hi AS elasticity_hi,
       n.mean AS price_now, b.mean AS best_price, b.probability AS probability_better
FROM latest_estimate e
LEFT JOIN latest_estimate n ON n.run = e.run AND n.name = 'price_now' AND n.subject = e.subject
LEFT JOIN latest_estimate b ON b.run = e.run AND b.name = 'best_price' AND b.subject = e.subject
     AND b.at = ''
WHERE e.kind = 'price' AND e.name = 'elasticity';

-- One row a promotion: money while it ran (together, of what was promoted, of other products: < 0 taken from
-- them), in the fourteen days after, and in all. promoted and taken are NULL where it was for everything.
CREATE VIEW promotion_effect AS
SELECT u.subject AS promotion, u.at AS first_day, p.mean AS promoted, c.mean AS taken, c.lo AS taken_lo,
       c.hi AS taken_hi, u.mean AS uplift, d.mean AS dip, n.mean AS net, n.lo AS net_lo, n.hi AS net_hi,
       n.probability AS probability_pays
FROM latest_estimate u
JOIN latest_estimate d ON d.run = u.run AND d.name = 'dip' AND d.subject = u.subject AND d.at = u.at
JOIN latest_estimate n ON n.run = u.run AND n.name = 'net' AND n.subject = u.subject AND n.at = u.at
LEFT JOIN latest_estimate p ON p.run = u.run AND p.name = 'promoted' AND p.subject = u.subject AND p.at = u.at
LEFT JOIN latest_estimate c ON c.run = u.run AND c.name = 'cannibalisation' AND c.subject = u.subject
     AND c.at = u.at
WHERE u.kind = 'promotion' AND u.name = 'uplift';

-- One row a topic of the reviews or messages: its words, its size, since when.
CREATE VIEW topic_list AS
SELECT id AS topic, kind, lang, name, words, size, first_day, emerging FROM topic;

-- The ledger: one row an advice, what it promised and what it brought.
CREATE VIEW advice_record AS
SELECT a.id, a.week, a.kind, a.subject, a.gain, a.gain_lo, a.gain_hi, a.gain_unit, a.probability,
       a.owner, a.due, a.status, o.week AS settled_week, o.realised, o.realised_lo, o.realised_hi,
       o.inside, o.method, o.reason
FROM advice a LEFT JOIN advice_outcome o ON o.advice = a.id;

-- One row an imported file: what came in, and how much the data doctor had to say.
CREATE VIEW import_history AS
SELECT l.id AS import, l.kind, l.file, l.rows_read, l.rows_new, l.rows_changed,
       count(f.rule) FILTER (WHERE f.severity = 'warning') AS warnings, l.imported_at
FROM import_log l LEFT JOIN import_finding f ON f.import = l.id GROUP BY l.id;
