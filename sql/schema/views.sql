-- The public face of ad-hoc SQL: readable names, one row a thing people speak of. Dropped and made
-- anew each time a database is opened by a newer program, so a view may change with any version.

-- The first day of the week a day belongs to, by the setting week_start (default 1, Monday).
CREATE VIEW calendar_day AS
SELECT day, date(day, '-' || ((strftime('%w', day) - ws + 7) % 7) || ' days') AS week
FROM (SELECT DISTINCT day FROM outcome UNION SELECT DISTINCT day FROM spend
      UNION SELECT DISTINCT day FROM review WHERE day IS NOT NULL),
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
