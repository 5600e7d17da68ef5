# The national model of --preset pymc in Stan, and ours on the same table: fit_stan.R BW TABLE DB.
# Dense metric for both, four chains of 1000 + 1000 on two cores, effective draws by rstan's own code for Stan.
suppressMessages(library(rstan))
inc <- system.file("include", package = "BH")
if (inc == "") rstan_options(boost_lib = "/usr/include")
args <- commandArgs(TRUE)
d <- read.csv(args[2]); x <- as.matrix(d[, grep("^c[0-9]+$", names(d))])
T <- nrow(x); day <- as.numeric(as.Date(d$week)) + 3
season <- sapply(1:2, function(k) cbind(sin(2 * pi * k * day / 365.25), cos(2 * pi * k * day / 365.25)))
season <- matrix(season, T)
code <- "data { int T; int C; int L; int P; matrix[T, C] x; matrix[T, P] z; vector[T] y; }
parameters { real b0; vector<lower=0>[C] beta; vector<lower=0, upper=1>[C] alpha; vector<lower=0>[C] lam;
  vector[P] gamma; real<lower=0> sigma; }
model { vector[T] mu = b0 + z * gamma;
  b0 ~ normal(0, 2); beta ~ normal(0, 2); alpha ~ beta(1, 3); lam ~ gamma(3, 1);
  gamma ~ double_exponential(0, 1); sigma ~ normal(0, 2);
  for (c in 1:C) { vector[L] w; vector[T] a = rep_vector(0, T);
    for (l in 1:L) w[l] = alpha[c]^(l - 1);
    w /= sum(w);
    for (l in 1:L) a[l:T] += w[l] * x[1:(T - l + 1), c];
    for (t in 1:T) mu[t] += beta[c] * tanh(0.5 * lam[c] * a[t]); }
  y ~ normal(mu, sigma); }"
model <- stan_model(model_code = code)
data <- list(T = T, C = ncol(x), L = 8, P = ncol(season), x = sweep(x, 2, apply(x, 2, max), "/"), z = season,
             y = d$revenue / max(d$revenue))
options(mc.cores = 2)
wall <- system.time(s <- sampling(model, data, chains = 4, iter = 2000, refresh = 0, seed = 1,
                                  control = list(metric = "dense_e")))["elapsed"]
cpu <- sum(get_elapsed_time(s))
sims <- as.array(s); ess <- min(apply(sims[, , dimnames(sims)[[3]] != "lp__"], 3, ess_bulk))
cat(sprintf("%-12s %8.2fs wall %8.2fs cpu, min bulk ESS %5.0f, %6.1f a cpu second\n", "Stan, dense", wall, cpu, ess, ess / cpu))
t <- system.time(out <- system2(args[1], c("fit", "--db", args[3], "--preset", "pymc", "--warmup", "1000", "--draws", "1000",
                                           "--quick", "--dense", "--json"), stdout = TRUE))
own <- as.numeric(sub(".*: *([0-9.]+),?", "\\1", grep('"min_ess_bulk"', out, value = TRUE)[1]))
cpu_own <- t["user.child"] + t["sys.child"]
cat(sprintf("%-12s %8.2fs wall %8.2fs cpu, min bulk ESS %5.0f, %6.1f a cpu second: %.1f times Stan\n", "Bellwether", t["elapsed"],
            cpu_own, own, own / cpu_own, (own / cpu_own) / (ess / cpu)))
