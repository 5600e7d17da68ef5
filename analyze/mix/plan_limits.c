/* analyze/mix/plan_limits.c - what a plan may do, in money a week, from the words of the user; and which
 * limits contradict each other. */
#include "analyze/mix/plan_internal.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* "1200" is money, "80%" a part of now, "" the fallback. */
static bw_status read_amount(const char *text, size_t len, double now, double fallback,
                             const char *what, double *out, bw_err *err) {
    char copy[64], *end;
    if (len == 0) {
        *out = fallback;
        return BW_OK;
    }
    snprintf(copy, sizeof copy, "%.*s", (int)len, text);
    double v = strtod(copy, &end);
    bool percent = *end == '%';
    if (end == copy || (percent ? end[1] : end[0]) || !isfinite(v) || v < 0)
        return bw_fail(err, BW_EARG, "%s: '%s' is neither an amount nor a percentage", what, copy);
    *out = percent ? v / 100.0 * now : v;
    return BW_OK;
}

static size_t find_channel(const plan_state *p, const char *name, size_t len) {
    for (size_t i = 0; i < p->n; i++)
        if (strlen(p->channel[i].name) == len && strncmp(p->channel[i].name, name, len) == 0)
            return i;
    return p->n;
}

static bw_status no_channel(const plan_state *p, const char *option, const char *name, size_t len,
                            bw_err *err) {
    char names[400] = "";
    for (size_t i = 0; i < p->n; i++)
        snprintf(names + strlen(names), sizeof names - strlen(names), "%s%s", i ? ", " : "",
                 p->channel[i].name);
    return bw_fail(err, BW_EARG, "--%s: there is no paid channel '%.*s'; there are %s", option,
                   (int)len, name, names);
}

/* One "NAME=LO:HI" or "NAME=fixed" of [at, at + len). */
static bw_status read_limit(plan_state *p, const char *at, size_t len, bw_err *err) {
    const char *equals = memchr(at, '=', len);
    if (!equals)
        return bw_fail(err, BW_EARG, "--limit: '%.*s' is not CHANNEL=LEAST:MOST or CHANNEL=fixed",
                       (int)len, at);
    size_t name_len = (size_t)(equals - at), value_len = len - name_len - 1;
    size_t i = find_channel(p, at, name_len);
    if (i == p->n)
        return no_channel(p, "limit", at, name_len, err);
    plan_channel *c = &p->channel[i];
    const char *value = equals + 1, *colon = memchr(value, ':', value_len);
    if (value_len == 5 && strncmp(value, "fixed", 5) == 0) {
        c->lo = c->hi = c->now;
        c->fixed = true;
        return BW_OK;
    }
    if (!colon)
        return bw_fail(err, BW_EARG, "--limit: '%.*s' is not CHANNEL=LEAST:MOST or CHANNEL=fixed",
                       (int)len, at);
    bw_status st = read_amount(value, (size_t)(colon - value), c->now, 0.0, "--limit", &c->lo, err);
    if (st == BW_OK)
        st = read_amount(colon + 1, value_len - (size_t)(colon + 1 - value), c->now,
                         p->o->beyond * c->most, "--limit", &c->hi, err);
    if (st == BW_OK && c->lo > c->hi)
        return bw_fail(
            err, BW_EARG,
            "--limit: %s may spend at least %.0f and at most %.0f a week: no amount is both",
            c->name, c->lo, c->hi);
    return st;
}

/* "NAME=a+b:LO:HI" */
static bw_status read_group(plan_state *p, const char *at, size_t len, bw_err *err) {
    const char *equals = memchr(at, '=', len), *end = at + len;
    const char *first = equals ? memchr(equals, ':', (size_t)(end - equals)) : NULL;
    const char *second = first ? memchr(first + 1, ':', (size_t)(end - first - 1)) : NULL;
    if (!second)
        return bw_fail(err, BW_EARG, "--group: '%.*s' is not NAME=CHANNEL+CHANNEL:LEAST:MOST",
                       (int)len, at);
    if (p->n_group == PLAN_GROUPS)
        return bw_fail(err, BW_EARG, "--group: more than %d groups", PLAN_GROUPS);
    plan_group *g = &p->group[p->n_group];
    snprintf(g->name, sizeof g->name, "%.*s", (int)(equals - at), at);
    double now = 0;
    for (const char *name = equals + 1; name < first;) {
        size_t name_len = strcspn(name, "+:"), i = find_channel(p, name, name_len);
        if (i == p->n)
            return no_channel(p, "group", name, name_len, err);
        if (p->group_of[i] != BW_NO_GROUP)
            return bw_fail(err, BW_EARG, "--group: %s is in two groups, %s and %s",
                           p->channel[i].name, p->group[p->group_of[i]].name, g->name);
        p->group_of[i] = p->n_group;
        now += p->channel[i].now;
        name += name_len + 1;
    }
    p->n_group++;
    bw_status st =
        read_amount(first + 1, (size_t)(second - first - 1), now, 0.0, "--group", &g->lo, err);
    if (st == BW_OK)
        st = read_amount(second + 1, (size_t)(end - second - 1), now, INFINITY, "--group", &g->hi,
                         err);
    return st;
}

static bw_status each_item(plan_state *p, const char *list,
                           bw_status (*read)(plan_state *, const char *, size_t, bw_err *),
                           bw_err *err) {
    bw_status st = BW_OK;
    for (const char *at = list; at && *at && st == BW_OK;
         at += strcspn(at, ",") + (at[strcspn(at, ",")] == ','))
        st = read(p, at, strcspn(at, ","), err);
    return st;
}

/* Names the channels whose least (or most) spends make up a sum. */
static void list_limits(const plan_state *p, size_t group, bool least, char *out, size_t size) {
    out[0] = '\0';
    for (size_t i = 0; i < p->n; i++)
        if (group == BW_NO_GROUP || p->group_of[i] == group)
            snprintf(out + strlen(out), size - strlen(out), "%s%s %.0f", out[0] ? ", " : "",
                     p->channel[i].name, least ? p->channel[i].lo : p->channel[i].hi);
}

static void sums(const plan_state *p, size_t group, double *lo, double *hi) {
    *lo = *hi = 0;
    for (size_t i = 0; i < p->n; i++)
        if (group == BW_NO_GROUP || p->group_of[i] == group) {
            *lo += p->channel[i].lo;
            *hi += p->channel[i].hi;
        }
}

#define SLACK 1e-9

static bw_status check_groups(plan_state *p, bw_err *err) {
    char list[600];
    for (size_t g = 0; g < p->n_group; g++) {
        double lo, hi;
        plan_group *group = &p->group[g];
        sums(p, g, &lo, &hi);
        list_limits(p, g, lo > group->hi, list, sizeof list);
        if (group->lo > group->hi)
            return bw_fail(err, BW_EARG,
                           "group %s may spend at least %.0f and at most %.0f: no amount is both",
                           group->name, group->lo, group->hi);
        if (lo > group->hi * (1 + SLACK))
            return bw_fail(
                err, BW_EARG,
                "limits contradict: group %s may spend at most %.0f a week, its channels at "
                "least %.0f (%s); raise the group or lower a channel",
                group->name, group->hi, lo, list);
        if (hi < group->lo * (1 - SLACK))
            return bw_fail(
                err, BW_EARG,
                "limits contradict: group %s must spend at least %.0f a week, its channels at "
                "most %.0f (%s); lower the group or raise a channel",
                group->name, group->lo, hi, list);
    }
    return BW_OK;
}

/* Adds the groups that bind before their channels do. */
static void list_groups(const plan_state *p, bool least, char *out, size_t size) {
    for (size_t g = 0; g < p->n_group; g++) {
        double lo, hi;
        sums(p, g, &lo, &hi);
        const plan_group *group = &p->group[g];
        if (least ? group->lo > lo : group->hi < hi)
            snprintf(out + strlen(out), size - strlen(out), ", group %s together %.0f", group->name,
                     least ? group->lo : group->hi);
    }
}

/* The least and the most that all limits together allow. */
static void feasible_total(const plan_state *p, double *lo, double *hi) {
    sums(p, BW_NO_GROUP, lo, hi);
    for (size_t g = 0; g < p->n_group; g++) {
        double own_lo, own_hi;
        sums(p, g, &own_lo, &own_hi);
        *lo += fmax(own_lo, p->group[g].lo) - own_lo;
        *hi -= own_hi - fmin(own_hi, p->group[g].hi);
    }
}

static bw_status check_total(plan_state *p, bw_err *err) {
    char list[600];
    double lo, hi;
    feasible_total(p, &lo, &hi);
    if (p->o->target_roas > 0 || p->o->target_cpa > 0 || p->o->goal > 0)
        return BW_OK;
    if (p->total < lo * (1 - SLACK)) {
        list_limits(p, BW_NO_GROUP, true, list, sizeof list);
        list_groups(p, true, list, sizeof list);
        return bw_fail(
            err, BW_EARG,
            "limits contradict: the total is %.0f a week, but channels and groups must spend at "
            "least %.0f (%s); raise the total or lower a limit",
            p->total, lo, list);
    }
    if (p->total > hi * (1 + SLACK)) {
        list_limits(p, BW_NO_GROUP, false, list, sizeof list);
        list_groups(p, false, list, sizeof list);
        return bw_fail(
            err, BW_EARG,
            "limits contradict: the total is %.0f a week, but channels and groups may spend at "
            "most %.0f (%s); lower the total, or allow more with --change, --limit, --ramp or "
            "--beyond",
            p->total, hi, list);
    }
    return BW_OK;
}

/* With a ramp the average cannot leave now by more than the steps allow. */
static bw_status respect_ramp(plan_state *p, bw_err *err) {
    for (size_t i = 0; i < p->n; i++) {
        plan_channel *c = &p->channel[i];
        plan_rules r = plan_rules_of(p, i);
        double lo, hi;
        plan_reach(&r, c->week, &lo, &hi);
        if (!isfinite(r.step) || c->fixed)
            continue;
        if (c->lo > hi * (1 + SLACK) || c->hi < lo * (1 - SLACK))
            return bw_fail(err, BW_EARG,
                           "limits contradict: %s may spend %.0f to %.0f a week, but in steps of "
                           "%g %% a week --ramp leads from %.0f to an average of %.0f to %.0f over "
                           "%ld weeks; raise --ramp or --weeks, or change the limit",
                           c->name, c->lo, c->hi, p->o->ramp, c->now, lo, hi, p->o->weeks);
        c->lo = fmax(c->lo, lo);
        c->hi = fmax(c->lo, fmin(c->hi, hi));
    }
    return BW_OK;
}

bw_status plan_limits(plan_state *p, bw_err *err) {
    double now = 0, lo, hi;
    for (size_t i = 0; i < p->n; i++) {
        plan_channel *c = &p->channel[i];
        double cap = fmax(p->o->beyond * c->most, c->now);
        c->lo = fmax(0.0, c->now * (1.0 - p->o->change / 100.0));
        c->hi = fmin(cap, c->now * (1.0 + p->o->change / 100.0));
        p->group_of[i] = BW_NO_GROUP;
        now += c->now;
    }
    bw_status st = each_item(p, p->o->limits, read_limit, err);
    if (st == BW_OK)
        st = each_item(p, p->o->groups, read_group, err);
    if (st == BW_OK)
        st = respect_ramp(p, err);
    if (st == BW_OK)
        st = check_groups(p, err);
    if (st != BW_OK)
        return st;
    feasible_total(p, &lo, &hi);
    st = read_amount(p->o->total ? p->o->total : "", p->o->total ? strlen(p->o->total) : 0, now,
                     fmin(fmax(now, lo), hi), "--total", &p->total, err);
    return st == BW_OK ? check_total(p, err) : st;
}
