"""Settings and rows for quick fits of tabular models."""

QUICK = {"n_threads": 1, "hidden": (64,), "epochs": 120}
QUICKEST = {"preset": "fast", "epochs": 2, "n_threads": 1}
RISING = [1.5 * k for k in range(40)]
