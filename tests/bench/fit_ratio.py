"""What fit.sh has measured, side by side: fit_ratio.py BELLWETHER FOLDER."""
import csv, subprocess, sys

bw, folder = sys.argv[1:3]
def rate(line):
    """Bulk effective draws a processor second."""
    return float(line.split("bulk ESS")[1].split(",")[0]) / float(line.split()[2].rstrip("s"))


own = [rate(l) for l in open(f"{folder}/own")]
stan = rate(open(f"{folder}/stan").read())
ratios = sorted(r / stan for r in own)
print(f"bulk effective draws a processor second: {ratios[0]:.1f} to {ratios[-1]:.1f} times Stan")
rows = subprocess.run([bw, "sql", "--format", "csv", "SELECT name, subject, mean, sd FROM latest_estimate WHERE kind = 'fit' "
                       "AND name IN ('param:beta', 'param:adstock', 'param:saturation')"], capture_output=True, text=True).stdout
ours = {(r["name"][6:], r["subject"]): r for r in csv.DictReader(rows.splitlines())}
name = {"beta": "beta", "alpha": "adstock", "lam": "saturation"}
worst = (0, "")
for r in csv.DictReader(open(f"{folder}/stan.csv")):
    word, index = r["name"].rstrip("]").split("[")
    key = (name[word], f"c{int(index) - 1}")
    gap = abs(float(ours[key]["mean"]) - float(r["mean"])) / float(r["sd"])
    worst = max(worst, (gap, " ".join(key)))
print(f"posterior means of the channels' parameters: at most {worst[0]:.2f} sd apart ({worst[1]})")
