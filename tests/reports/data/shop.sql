-- A small shop with a fit, a plan and all other results, as the stages would have left them: seven
-- channels, 104 weeks of days, reviews in two languages. Made by arithmetic, so the file stays small;
-- "noise" is a sum of sines that never repeats within the data.
CREATE TEMP TABLE t_day AS WITH RECURSIVE d(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM d WHERE i < 727)
SELECT i, date('2024-11-11', '+' || i || ' days') AS day, 1 + 0.06 * sin(i * 1.7) + 0.05 * sin(i * 0.61 + 2) AS noise FROM d;
INSERT INTO setting VALUES ('currency', 'USD'), ('shop', 'Example Shop'), ('margin', '1'), ('owner.budget', 'Li Na'), ('owner.timing', 'Tom'),
  ('owner.complaint', 'Ana'), ('plan.revenue', '300000') ON CONFLICT (key) DO UPDATE SET value = excluded.value;
CREATE TEMP TABLE t_channel (name, cost, beta, roas, sd, next, next_sd, plan);
INSERT INTO t_channel VALUES ('search', 17000, 44000, 2.60, 0.30, 1.30, 0.17, 19000), ('paid_social', 22000, 23500, 1.07, 0.25, 0.40, 0.12, 15000),
  ('short_video', 8000, 30000, 3.70, 0.66, 2.40, 0.53, 12000), ('email', 3600, 21600, 6.00, 0.97, 2.70, 0.55, 4200),
  ('affiliates', 4500, 8200, 1.80, 0.72, 1.20, 0.60, 4900), ('influencers', 8500, 12000, 1.40, 0.68, 1.20, 0.80, 8500),
  ('out_of_home', 3000, 3600, 1.20, 0.55, 0.90, 0.40, 3000);
INSERT INTO channel (name) SELECT name FROM t_channel;
INSERT INTO spend (day, channel, cost, impressions, clicks)
SELECT day, name, round(cost / 7 * noise * (1 + 0.25 * sin(i * 0.09 + length(name))), 2), round(cost * 12), round(cost * 0.2) FROM t_day, t_channel;
INSERT INTO outcome (day, revenue, orders, units, price, discount)
SELECT day, round(36000 * noise * (1 + 0.08 * sin(i * 0.0172)), 2), round(720 * noise), round(900 * noise), 39.9, 0 FROM t_day;
INSERT INTO event VALUES ('2026-09-14', '2026-09-14', 'new courier', 'operations'), ('2026-10-12', '2026-10-12', 'refunds offered', 'operations'),
  ('2025-11-28', '2025-11-28', 'Black Friday', 'holiday'), ('2026-06-01', '2026-06-07', 'summer sale', 'promotion');
INSERT INTO message (id, campaign, channel, sent_at, audience, text, delivered, opens, clicks, orders)
SELECT 'm' || i, 'c' || (i % 9), 'email', day || ' ' || printf('%02d:00', 8 + i % 14), 'all', 'Hello', 1000, 200, 50, 10 FROM t_day;

INSERT INTO review (id, day, source, product, rating, text, lang)
SELECT 'r' || i || '-' || k, day, CASE WHEN k = 2 THEN 'Weibo' ELSE 'shop' END, 'p1', 4,
  CASE WHEN k = 2 THEN '物流太慢了，等了整整一周，下次不敢买了。' WHEN i % 3 = 0 THEN 'Ordered Monday, still in the depot on Saturday. Call me: +1 555 010 9999' ELSE 'Lovely colour, fits well and arrived early.' END,
  CASE WHEN k = 2 THEN 'zh' ELSE 'en' END
FROM t_day, (SELECT 0 AS k UNION SELECT 1 UNION SELECT 2 UNION SELECT 3) WHERE i > 540;
INSERT INTO review_score SELECT r.id, 1 - p - 0.1, 0.1, p, 1 + 4 * p, 20, 0, 'test'
FROM review r JOIN (SELECT id, min(0.88, max(0.03, 0.62 + 0.25 * sin(rowid_ * 2.3) - CASE WHEN day >= '2026-09-14' THEN 0.14 ELSE 0 END)) AS p
  FROM (SELECT id, day, row_number() OVER (ORDER BY id) AS rowid_ FROM review)) USING (id);
INSERT INTO review_aspect SELECT r.id, a.name, 0.9, min(0.95, max(0.02, a.neg + 0.2 * sin(n * (1.3 + length(a.name))) + CASE WHEN a.name = 'delivery' AND r.day >= '2026-10-05' THEN 0.2 ELSE 0 END)) AS neg,
  0.05, 0, r.text, 'test'
FROM (SELECT id, day, text, row_number() OVER (ORDER BY id) AS n FROM review) r,
  (SELECT 'delivery' AS name, 0.30 AS neg, 2 AS every UNION SELECT 'packaging', 0.31, 5 UNION SELECT 'price', 0.27, 3 UNION SELECT 'service', 0.22, 4
   UNION SELECT 'quality', 0.09, 2 UNION SELECT 'usability', 0.15, 6) a WHERE n % a.every = 0;
UPDATE review_aspect SET positive = 0.95 - negative;

INSERT INTO model_run (id, kind, engine, seed, input, health, first_day, last_day, created_at)
SELECT column1, column2, 'test', 1, 'x', 'good', '2024-11-11', '2026-11-08', '2026-11-09 06:00' FROM
  (VALUES (1, 'fit'), (2, 'plan'), (3, 'change'), (4, 'timing'), (5, 'forecast'), (7, 'price'), (8, 'content'));
CREATE TEMP TABLE t_e (run, name, subject, at, mean, sd, probability, n, unit);
INSERT INTO t_e SELECT 1, 'roas', name, '', roas, sd, CASE WHEN roas - sd > 1 THEN 0.97 ELSE 0.7 END, NULL, 'money' FROM t_channel;
INSERT INTO t_e SELECT 1, 'marginal_roas', name, '', next, next_sd, CASE WHEN next - 1.6 * next_sd > 1 THEN 0.96 WHEN next + 1.6 * next_sd < 1 THEN 0.02 ELSE 0.6 END, NULL, 'money' FROM t_channel;
INSERT INTO t_e SELECT 1, 'spend', name, '', cost * 104, 0, NULL, NULL, 'money' FROM t_channel;
INSERT INTO t_e SELECT 1, 'contribution', name, '', beta * 104, sd * cost * 104, 1, NULL, 'money' FROM t_channel;
INSERT INTO t_e SELECT 1, 'share', name, '', beta / 252000.0, 0.01, NULL, NULL, 'share' FROM t_channel;
INSERT INTO t_e SELECT 1, 'half_life', name, '', 0.6 + length(name) * 0.1, 0.2, NULL, NULL, 'weeks' FROM t_channel;
INSERT INTO t_e SELECT 1, 'stability', name, '', 0.92, NULL, NULL, 12, 'share' FROM t_channel;
INSERT INTO t_e VALUES (1, 'r2', '', '', 0.93, NULL, NULL, NULL, 'share'), (1, 'mape', '', '', 0.041, NULL, NULL, NULL, 'share');
CREATE TEMP TABLE t_week AS SELECT DISTINCT date(day, '-6 days') AS week, i / 7 AS w FROM t_day WHERE i % 7 = 6;
INSERT INTO t_e SELECT 1, 'fitted', '', week, 252000, 4000, NULL, NULL, 'money' FROM t_week;
INSERT INTO t_e SELECT 1, 'decomposition', name, week, beta * (1 + 0.1 * sin(w * 0.5 + length(name)) + CASE name WHEN 'short_video' THEN 0.015 WHEN 'paid_social' THEN -0.011 ELSE 0 END * (w - 90)), 2000, NULL, NULL, 'money' FROM t_week, t_channel;
INSERT INTO t_e SELECT 1, 'decomposition', '_baseline', week, 109000 + 3000 * sin(w), 4000, NULL, NULL, 'money' FROM t_week;
INSERT INTO t_e SELECT 2, 'spend_now', name, '', cost, NULL, NULL, NULL, 'money' FROM t_channel;
INSERT INTO t_e SELECT 2, 'spend_planned', name, '', plan, NULL, NULL, NULL, 'money' FROM t_channel;
INSERT INTO t_e SELECT 2, 'gain', name, '', (plan - cost) * next, abs(plan - cost) * next_sd, 0.9, NULL, 'money' FROM t_channel;
INSERT INTO t_e VALUES (2, 'gain', '', '', 8500, 4000, 0.98, NULL, 'money');
INSERT INTO t_e SELECT 3, 'change_week', column1, '2026-11-02', column2, column3, NULL, NULL, 'money' FROM
  (VALUES ('short_video', 7900, 1900), ('search', 2600, 1000), ('_season', -6100, 1100), ('_control:sentiment', -4300, 2000), ('email', 900, 300), ('_event:summer sale', 0, 10), ('paid_social', -350, 200));
INSERT INTO t_e SELECT 3, 'change_week', '_unexplained', '2026-11-02', (SELECT b.revenue - a.revenue FROM weekly a, weekly b WHERE a.week = '2026-10-26' AND b.week = '2026-11-02') - 650, NULL, NULL, NULL, 'money';
INSERT INTO t_e SELECT 4, 'index', 'email', (i % 7) || '-' || printf('%02d', h), 1 + 0.35 * sin((h - 14) / 3.8) + 0.15 * sin(i), 0.08, NULL, CASE WHEN h BETWEEN 1 AND 5 THEN 1 ELSE 40 END, ''
  FROM (SELECT DISTINCT i % 7 AS i FROM t_day), (SELECT i AS h FROM t_day WHERE i < 24);
INSERT INTO t_e VALUES (4, 'window', 'email', '1-19/3-21', 1.52, 0.12, 0.81, 420, ''), (4, 'gain', 'email', '', 0.12, 0.05, 0.93, NULL, 'share');
INSERT INTO t_e SELECT 5, 'outcome', '', date('2026-11-02', '+' || (7 * (i + 1)) || ' days'), 252000 + 2000 * i, 6000 + 900 * i, NULL, NULL, 'money' FROM t_day WHERE i < 10;
INSERT INTO t_e VALUES (5, 'plan_met', '', '2026-12-01..2026-12-31', 300000, NULL, 0.03, NULL, 'money');
INSERT INTO t_e SELECT 1, 'decomposition', '_control:sentiment', week, 2500 * cos(w * 0.4) - 4000, 900, NULL, NULL, 'money' FROM t_week;
INSERT INTO t_e VALUES (7, 'elasticity', '', '', -1.8, 0.3, 0.999, NULL, ''), (8, 'effect', 'question', 'email', 0.14, 0.05, 0.99, 300, 'share');
INSERT INTO estimate (run, name, subject, at, mean, sd, lo, hi, lo50, hi50, probability, n, unit)
SELECT run, name, subject, at, mean, sd, mean - 1.645 * sd, mean + 1.645 * sd, mean - 0.674 * sd, mean + 0.674 * sd, probability, n, unit FROM t_e;
INSERT INTO estimate (run, name, subject, at, mean, lo, hi) SELECT 5, 'band' || b, '', at, mean, mean - z * sd, mean + z * sd
FROM t_e, (SELECT 50 AS b, 0.674 AS z UNION SELECT 80, 1.282 UNION SELECT 95, 1.96) WHERE run = 5 AND name = 'outcome';
INSERT INTO curve SELECT 1, 'response', name, x, m, m * max(0, 1 - sd / roas * (0.6 + x / cost / 2)), m * (1 + sd / roas * (0.6 + x / cost / 2)), x < 1.25 * cost
FROM (SELECT name, cost, roas, sd, cost * i / 20.0 AS x, beta * 2 * (1 - 1 / (1 + i / 20.0)) AS m FROM t_channel, t_day WHERE i <= 44);
