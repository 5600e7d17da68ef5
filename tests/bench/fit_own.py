"""One timed fit: fit_own.py BELLWETHER LABEL [OPTION...], on $BELLWETHER_DB. Prints one line."""
import json, resource, subprocess, sys, time

start = time.time()
out = subprocess.run([sys.argv[1], "fit", "--quick", "--force", "--json", *sys.argv[3:]], capture_output=True, text=True)
wall = time.time() - start
use = resource.getrusage(resource.RUSAGE_CHILDREN)
if out.returncode:
    sys.exit(out.stderr)
fit = json.loads(out.stdout)
cpu = use.ru_utime + use.ru_stime
ess = min(fit["min_ess_bulk"], fit["min_ess_tail"])
print(f"{sys.argv[2]:<12} {wall:8.2f}s {cpu:8.2f}s {ess:12.0f} {ess / cpu:12.0f} {use.ru_maxrss / 1024:9.0f}"
      f"   R-hat {fit['max_rhat']:.3f}, {fit['divergences']} divergences, bulk ESS {fit['min_ess_bulk']:.0f}")
