-- The data model, version 1. Names are singular; days are ISO 'YYYY-MM-DD'; money is in the shop's
-- currency (setting 'currency'); geo '' is the whole market; ids are text the user gave.
-- What a person imports comes first, what the program derives second, views are in views.sql.

-- What the program cannot know from the data. Keys: currency, week_start (0 Sunday .. 6 Saturday), timezone, shop, outcome_kind (revenue, orders,
-- units, conversions), margin (0..1), owner.<action kind>, plan.<measure>, language
CREATE TABLE setting (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;

-- One row an imported file: what it was, what it changed, and what the data doctor noticed.
CREATE TABLE import_log (
    id INTEGER PRIMARY KEY,
    kind TEXT NOT NULL,
    file TEXT NOT NULL,           -- base name only
    sha256 TEXT NOT NULL,
    rows_read INTEGER NOT NULL,
    rows_new INTEGER NOT NULL,
    rows_changed INTEGER NOT NULL,
    options TEXT NOT NULL DEFAULT '{}',
    imported_at TEXT NOT NULL     -- UTC; never shown in a report, which must not depend on the clock
);
-- What the data doctor noticed in a file that was imported all the same.
CREATE TABLE import_finding (
    import INTEGER NOT NULL REFERENCES import_log(id),
    severity TEXT NOT NULL CHECK (severity IN ('info', 'warning')),
    rule TEXT NOT NULL,           -- 'unit_jump', 'gap', 'duplicate', 'decimal_comma', ...
    line INTEGER, column_name TEXT, value TEXT,
    message TEXT NOT NULL, fix TEXT
);

-- One row a channel. organic: reach that costs nothing, such as a newsletter.
CREATE TABLE channel (
    name TEXT PRIMARY KEY,
    kind TEXT NOT NULL DEFAULT 'paid' CHECK (kind IN ('paid', 'organic')),
    label_en TEXT, label_zh TEXT  -- how reports call it; NULL = the name
) WITHOUT ROWID;
-- One row a campaign, with the days on which the spend names it.
CREATE TABLE campaign (
    name TEXT PRIMARY KEY, channel TEXT, start_day TEXT, end_day TEXT
) WITHOUT ROWID;
-- One row a region; '' stands for the whole market and has no row unless its people are known.
CREATE TABLE geo (name TEXT PRIMARY KEY, population REAL) WITHOUT ROWID;

-- One row a day (or week), channel, campaign and region: what it cost and who saw it. A paid
-- channel without a row on a day spent nothing; an organic one has cost 0 and its reach.
CREATE TABLE spend (
    day TEXT NOT NULL, channel TEXT NOT NULL, campaign TEXT NOT NULL DEFAULT '',
    geo TEXT NOT NULL DEFAULT '',
    cost REAL NOT NULL DEFAULT 0, impressions REAL, clicks REAL,
    PRIMARY KEY (day, channel, campaign, geo)
) WITHOUT ROWID;
-- One row a day (or week), region and product: what was sold. Setting outcome_kind says which of
-- revenue, orders (also conversions) and units the shop counts.
CREATE TABLE outcome (
    day TEXT NOT NULL, geo TEXT NOT NULL DEFAULT '', product TEXT NOT NULL DEFAULT '',
    revenue REAL, orders REAL, units REAL, price REAL, discount REAL, -- discount: share off, 0..1
    PRIMARY KEY (day, geo, product)
) WITHOUT ROWID;
-- One row a product whose category is known: what a promotion takes from others, it takes within it.
CREATE TABLE product (name TEXT PRIMARY KEY, category TEXT NOT NULL) WITHOUT ROWID;
-- One row an event: holidays, promotions, launches, from its first to its last day.
CREATE TABLE event (
    day TEXT NOT NULL, end_day TEXT NOT NULL, name TEXT NOT NULL,
    kind TEXT NOT NULL DEFAULT 'other', -- holiday, promotion, launch, price, operations, competitor, other
    PRIMARY KEY (day, name)
) WITHOUT ROWID;
-- Series from outside: a competitor's price, weather, an index. One row a day, series and region.
CREATE TABLE context (
    day TEXT NOT NULL, series TEXT NOT NULL, geo TEXT NOT NULL DEFAULT '', value REAL NOT NULL,
    PRIMARY KEY (series, day, geo)
) WITHOUT ROWID;
-- One row a message or post: when it went out, to whom, what it said, what came back.
CREATE TABLE message (
    id TEXT PRIMARY KEY, campaign TEXT, channel TEXT NOT NULL,
    sent_at TEXT NOT NULL,        -- local time 'YYYY-MM-DD HH:MM'
    audience TEXT, text TEXT,
    delivered INTEGER, opens INTEGER, clicks INTEGER, orders INTEGER, revenue REAL
) WITHOUT ROWID;
CREATE INDEX message_sent ON message(sent_at);
-- One row a review. A file without ids gets them from the content of its rows.
CREATE TABLE review (
    id TEXT PRIMARY KEY, day TEXT, source TEXT, product TEXT, rating REAL, -- 1..5 or NULL
    text TEXT NOT NULL, lang TEXT, -- 'en', 'zh', other ISO 639-1, NULL = not yet detected
    customer TEXT                 -- as in purchase, where the file names it
) WITHOUT ROWID;
CREATE INDEX review_day ON review(day);
-- One row a purchase of one customer: what segments and lifetime values are made of.
CREATE TABLE purchase (
    id TEXT PRIMARY KEY, customer TEXT NOT NULL, day TEXT NOT NULL, revenue REAL NOT NULL,
    channel TEXT, product TEXT
) WITHOUT ROWID;
CREATE INDEX purchase_customer ON purchase(customer, day);
-- A finished test with its result: what the mix model is calibrated with and the ledger settled by.
CREATE TABLE experiment (
    id TEXT PRIMARY KEY, name TEXT, channel TEXT, kind TEXT, -- ab, geo, switchback, holdout
    start_day TEXT, end_day TEXT, geo TEXT NOT NULL DEFAULT '',
    metric TEXT NOT NULL DEFAULT 'revenue',
    effect REAL, effect_sd REAL,  -- in the metric's unit, total over the test
    spend_change REAL             -- money more (+) or less (-) spent than without the test
) WITHOUT ROWID;
-- One row an arm and metric of a randomised test: how many, their sum, their sum of squares.
CREATE TABLE experiment_arm (
    experiment TEXT NOT NULL, arm TEXT NOT NULL, metric TEXT NOT NULL,
    is_control INTEGER NOT NULL DEFAULT 0,
    n REAL NOT NULL, sum REAL NOT NULL, sum_sq REAL,
    PRIMARY KEY (experiment, arm, metric)
) WITHOUT ROWID;

-- Derived by `score`. model is the id of the weights that wrote the row.
CREATE TABLE review_score (
    review TEXT PRIMARY KEY, negative REAL NOT NULL, neutral REAL NOT NULL, positive REAL NOT NULL,
    stars REAL NOT NULL, tokens INTEGER NOT NULL, truncated INTEGER NOT NULL, model TEXT NOT NULL
) WITHOUT ROWID;
-- One row a review and aspect that may be mentioned in it.
CREATE TABLE review_aspect (
    review TEXT NOT NULL, aspect TEXT NOT NULL, mentioned REAL NOT NULL, -- probability of mention
    negative REAL NOT NULL, neutral REAL NOT NULL, positive REAL NOT NULL, -- given the mention
    excerpt TEXT,                 -- the sentence that speaks of it, redacted
    model TEXT NOT NULL, PRIMARY KEY (review, aspect)
) WITHOUT ROWID;
-- Tone and style of a message's text.
CREATE TABLE message_score (
    message TEXT PRIMARY KEY, negative REAL NOT NULL, neutral REAL NOT NULL, positive REAL NOT NULL,
    chars INTEGER NOT NULL, question INTEGER NOT NULL, number INTEGER NOT NULL,
    emoji INTEGER NOT NULL, urgency INTEGER NOT NULL, personal INTEGER NOT NULL, model TEXT NOT NULL
) WITHOUT ROWID;
-- The vector of a review's or message's text; similarity(a, b) compares two.
CREATE TABLE embedding (
    kind TEXT NOT NULL CHECK (kind IN ('review', 'message')), id TEXT NOT NULL,
    vector BLOB NOT NULL,         -- little-endian f32, unit length
    model TEXT NOT NULL, PRIMARY KEY (kind, id)
) WITHOUT ROWID;
-- Groups of texts that speak of the same, per kind and language.
CREATE TABLE topic (
    id INTEGER PRIMARY KEY, kind TEXT NOT NULL, lang TEXT NOT NULL, name TEXT NOT NULL,
    words TEXT NOT NULL,          -- JSON array of distinctive words, best first
    centroid BLOB NOT NULL, size INTEGER NOT NULL, first_day TEXT, emerging INTEGER NOT NULL,
    model TEXT NOT NULL
);
-- Which texts belong to a topic.
CREATE TABLE topic_member (
    topic INTEGER NOT NULL REFERENCES topic(id), id TEXT NOT NULL, similarity REAL NOT NULL,
    PRIMARY KEY (topic, id)
) WITHOUT ROWID;

-- One row a run of fit, timing, price, forecast, plan, ...: its estimates, draws and curves refer to it.
CREATE TABLE model_run (
    id INTEGER PRIMARY KEY,
    kind TEXT NOT NULL,           -- fit, plan, timing, content, price, promotion, forecast, experiment, segment, change, ...
    engine TEXT NOT NULL,         -- laplace, nuts, ...
    preset TEXT, seed INTEGER NOT NULL,
    input TEXT NOT NULL,          -- fingerprint of the rows it used: equal input and options = nothing to do
    options TEXT NOT NULL DEFAULT '{}',
    diagnostics TEXT NOT NULL DEFAULT '{}',
    health TEXT, first_day TEXT, last_day TEXT,
    created_at TEXT NOT NULL      -- UTC; never shown in a report
);
CREATE INDEX model_run_kind ON model_run(kind, id);
-- One row a number that was estimated, with its uncertainty. Views read the newest run's.
CREATE TABLE estimate (
    run INTEGER NOT NULL REFERENCES model_run(id) ON DELETE CASCADE,
    name TEXT NOT NULL,           -- roas, marginal_roas, contribution, ... (table in analyze/store.h)
    subject TEXT NOT NULL DEFAULT '', -- channel, product, arm, segment, aspect, ...
    at TEXT NOT NULL DEFAULT '',  -- day, week, slot or arm the value belongs to
    mean REAL, sd REAL, lo REAL, hi REAL, -- lo..hi: the 90 % interval
    lo50 REAL, hi50 REAL,
    probability REAL,             -- of the statement the name stands for (see analyze/store.h)
    n REAL,                       -- observations behind it
    unit TEXT NOT NULL DEFAULT '',
    PRIMARY KEY (run, name, subject, at)
) WITHOUT ROWID;
-- Posterior draws of a run, packed.
CREATE TABLE draw (
    run INTEGER NOT NULL REFERENCES model_run(id) ON DELETE CASCADE,
    name TEXT NOT NULL, subject TEXT NOT NULL DEFAULT '',
    n INTEGER NOT NULL, packed BLOB NOT NULL, -- n little-endian f64, chain after chain
    PRIMARY KEY (run, name, subject)
) WITHOUT ROWID;
-- What was estimated for the report of an earlier week, from the rows known at the end of that day: a
-- compressed database of its runs, estimates, curves and segments, without draws.
CREATE TABLE past_state (
    last_day TEXT PRIMARY KEY, bytes INTEGER NOT NULL, -- bytes: when unpacked
    packed BLOB NOT NULL                               -- zlib
) WITHOUT ROWID;
-- Curves of a run: response to spend, demand against price, ...
CREATE TABLE curve (
    run INTEGER NOT NULL REFERENCES model_run(id) ON DELETE CASCADE,
    name TEXT NOT NULL,           -- response, demand, ...
    subject TEXT NOT NULL, x REAL NOT NULL, mean REAL NOT NULL, lo REAL NOT NULL, hi REAL NOT NULL,
    seen INTEGER NOT NULL,        -- 0 beyond the range in the data
    PRIMARY KEY (run, name, subject, x)
) WITHOUT ROWID;

-- What the newest run of `segment` says of each customer: group, chance to be lost, worth.
CREATE TABLE customer_segment (
    customer TEXT PRIMARY KEY, segment TEXT NOT NULL,
    repeats REAL NOT NULL, weeks_since REAL NOT NULL, revenue REAL NOT NULL,
    alive REAL NOT NULL,          -- probability that he has not left
    next_days REAL NOT NULL,      -- until his next purchase if he has not, median
    lifetime_value REAL           -- money of the next year, discounted; NULL when values are too few
) WITHOUT ROWID;

-- The ledger: one row an advice, what was promised, and what became of it.
CREATE TABLE advice (
    id TEXT PRIMARY KEY,          -- 'A-2026-W46-1'
    week TEXT NOT NULL,           -- first day of the week it was given for
    kind TEXT NOT NULL,           -- budget, timing, price, promotion, content, complaint, experiment, nothing
    subject TEXT NOT NULL, action TEXT NOT NULL, -- action: JSON, the move in numbers
    gain REAL, gain_lo REAL, gain_hi REAL, probability REAL, stability REAL,
    gain_unit TEXT NOT NULL DEFAULT 'outcome', -- outcome, profit: a week; once: money each time;
                                  -- rate: share more orders a message; balance: of an aspect's mentions
    cap TEXT, undo_if TEXT, change_mind TEXT, owner TEXT, due TEXT,
    status TEXT NOT NULL DEFAULT 'proposed' CHECK (status IN ('proposed', 'accepted', 'rejected', 'done', 'settled')),
    run INTEGER
) WITHOUT ROWID;
-- What an advice brought, measured after its weeks are over, in the unit of its gain; or why that
-- cannot be measured (yet): a key of the report's sentences, with what there is and what it takes.
CREATE TABLE advice_outcome (
    advice TEXT PRIMARY KEY REFERENCES advice(id), week TEXT NOT NULL,
    realised REAL, realised_lo REAL, realised_hi REAL, inside INTEGER,
    method TEXT NOT NULL,         -- model, messages, prices, promotion, reviews, experiment, none
    reason TEXT, have REAL, need REAL
) WITHOUT ROWID;

-- What a simulated shop was made with, for tests and readers; empty in a real one.
CREATE TABLE demo_truth (
    name TEXT NOT NULL, subject TEXT NOT NULL DEFAULT '', at TEXT NOT NULL DEFAULT '', value REAL NOT NULL,
    PRIMARY KEY (name, subject, at)
) WITHOUT ROWID;

-- What was derived from a review's text goes when the text changes or the review does.
CREATE TRIGGER review_text_changed AFTER UPDATE OF text ON review WHEN new.text IS NOT old.text
BEGIN
    DELETE FROM review_score WHERE review = old.id;
    DELETE FROM review_aspect WHERE review = old.id;
    DELETE FROM embedding WHERE kind = 'review' AND id = old.id;
END;
CREATE TRIGGER review_gone AFTER DELETE ON review
BEGIN
    DELETE FROM review_score WHERE review = old.id;
    DELETE FROM review_aspect WHERE review = old.id;
    DELETE FROM embedding WHERE kind = 'review' AND id = old.id;
    DELETE FROM topic_member WHERE id = old.id;
END;
