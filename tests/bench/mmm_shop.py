"""A modelling table for the benchmark: mmm_shop.py WEEKSxCHANNELS[xGEOS] TABLE.csv MAPPING.json."""
import json, math, random, sys

size = [int(n) for n in sys.argv[1].split("x")]
weeks, channels, geos = size[0], size[1], size[2] if len(size) > 2 else 1
random.seed(7)
names = [f"c{i}" for i in range(channels)]
with open(sys.argv[2], "w") as f:
    f.write("week," + ("geo,population," if geos > 1 else "") + "revenue," + ",".join(names) + "\n")
    for g in range(geos):
        people = random.randint(100_000, 2_000_000) if geos > 1 else 1_000_000
        carry = [0.0] * channels
        for w in range(weeks):
            day = __import__("datetime").date(2022, 1, 3) + __import__("datetime").timedelta(weeks=w)
            x = [random.gammavariate(2, people / 1000 / (1 + i)) * (random.random() > 0.15) for i in range(channels)]
            carry = [0.4 * a + 0.6 * s for a, s in zip(carry, x)]
            y = people * (1 + 0.1 * math.sin(2 * math.pi * w / 52.18)) * 0.05 + random.gauss(0, people * 0.002)
            y += sum(3 * people / 1000 * math.tanh(a / (4 * people / 1000 / (1 + i))) for i, a in enumerate(carry))
            f.write(f"{day}," + (f"g{g},{people}," if geos > 1 else "") + f"{y:.2f}," + ",".join(f"{s:.2f}" for s in x) + "\n")
mapping = {"date": "week", "outcome": {"column": "revenue", "kind": "revenue"}, "spend": {n: n for n in names}}
if geos > 1:
    mapping |= {"geo": "geo", "population": "population"}
json.dump(mapping, open(sys.argv[3], "w"))
