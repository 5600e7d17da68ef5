# The national model of --preset pymc in Stan: fit_stan.R TABLE MEANS.csv. One line to stdout; the posterior
# of the channels' parameters goes to MEANS.csv. The lagged media are data and every loop is a matrix
# product, which is how Stan likes it.
suppressMessages(library(rstan))
if (system.file("include", package = "BH") == "") rstan_options(boost_lib = "/usr/include")
args <- commandArgs(TRUE)
d <- read.csv(args[1])
x <- as.matrix(d[, grep("^c[0-9]+$", names(d))])
n <- nrow(x)
x <- sweep(x, 2, apply(x, 2, max), "/")
lags <- 8
lagged <- lapply(seq_len(ncol(x)), function(c) sapply(0:(lags - 1), function(l) c(rep(0, l), x[seq_len(n - l), c])))
day <- as.numeric(as.Date(d$week)) + 3
season <- matrix(sapply(1:2, function(k) cbind(sin(2 * pi * k * day / 365.25), cos(2 * pi * k * day / 365.25))), n)
code <- "data { int T; int C; int L; int P; matrix[T, L] x[C]; matrix[T, P] z; vector[T] y; row_vector[L] lag; }
parameters { real b0; vector<lower=0>[C] beta; vector<lower=0, upper=1>[C] alpha; vector<lower=0>[C] lam;
  vector[P] gamma; real<lower=0> sigma; }
model { vector[T] mu = b0 + z * gamma;
  b0 ~ normal(0, 2); beta ~ normal(0, 2); alpha ~ beta(1, 3); lam ~ gamma(3, 1);
  gamma ~ double_exponential(0, 1); sigma ~ normal(0, 2);
  for (c in 1:C) { vector[L] w = exp(log(alpha[c]) * lag)';
    mu += beta[c] * tanh(x[c] * (w * (0.5 * lam[c] / sum(w)))); }
  y ~ normal(mu, sigma); }"
model <- stan_model(model_code = code)
data <- list(T = n, C = ncol(x), L = lags, P = ncol(season), x = lagged, z = season, y = d$revenue / max(d$revenue),
             lag = 0:(lags - 1))
options(mc.cores = 2)
wall <- system.time(s <- sampling(model, data, chains = 4, iter = 2000, refresh = 0, seed = 1,
                                  control = list(metric = "dense_e")))["elapsed"]
cpu <- sum(get_elapsed_time(s))
sims <- as.array(s)
sims <- sims[, , dimnames(sims)[[3]] != "lp__"]
bulk <- min(apply(sims, 3, ess_bulk))
ess <- min(bulk, apply(sims, 3, ess_tail))
steps <- sum(sapply(get_sampler_params(s, inc_warmup = TRUE), function(p) sum(p[, "n_leapfrog__"])))
cat(sprintf("%-12s %8.2fs %8.2fs %12.0f %12.1f %9s   R-hat %.3f, %d divergences, bulk ESS %.0f, %.1f us a gradient\n", "Stan",
            wall, cpu, ess, ess / cpu, "-", max(apply(sims, 3, Rhat)), get_num_divergent(s), bulk, 1e6 * cpu / steps))
own <- grep("^(beta|alpha|lam)", dimnames(sims)[[3]], value = TRUE)
write.csv(data.frame(name = own, mean = apply(sims[, , own], 3, mean), sd = apply(sims[, , own], 3, sd)), args[2], row.names = FALSE)
