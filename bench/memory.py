"""Peak memory of fit beside the formula of docs/performance.md, each net in a process of its own.

python bench/memory.py prints a table. The peak is what the resident set of the process grew by in fit.
"""

import subprocess
import sys
from itertools import pairwise

NETS = {
    "20-64-64-2, 10 000 rows, 32 a batch": ((20, 64, 64, 2), 10_000, 32),
    "784-512-512-10, 60 000 rows, 128 a batch": ((784, 512, 512, 10), 60_000, 128),
    "784-2048-2048-10, 20 000 rows, 256 a batch": ((784, 2048, 2048, 10), 20_000, 256),
}
CODE = """
import resource, sys
import numpy as np
from cmlp import nn, optim
widths, rows, batch = {case}
def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
x = np.random.default_rng(0).random((rows, widths[0]), np.float32)
y = np.arange(rows) % widths[-1]
before = peak()
modules = [m for a, b in zip(widths, widths[1:]) for m in (nn.Linear(a, b), nn.ReLU())]
net = nn.Sequential(*modules[:-1])
net.fit(x, y, loss="cross_entropy", optimizer=optim.Adam(net.parameters()), epochs=1, batch_size=batch)
print(peak() - before)
"""


def formula(widths: tuple[int, ...], rows: int, batch: int) -> int:
    """Bytes beside the data: parameters four times (weights, gradients, Adam's two), one batch, the order."""
    pairs = list(pairwise(widths))
    parameters = sum((a + 1) * b for a, b in pairs)
    turned = max(min(a, 64) * b if 4 * a * b >= 1 << 19 else a * b for a, b in pairs[1:])
    hidden = sum(widths[1:-1])  # before and after each activation, and on the way back
    return 4 * (4 * parameters + turned + batch * (widths[0] + 3 * hidden + 2 * widths[-1])) + 16 * rows


def main() -> None:
    print("| net | data, MB | formula, MB | measured, MB |")
    print("|---|---|---|---|")
    for name, case in NETS.items():
        command = [sys.executable, "-c", CODE.format(case=case)]
        grown = int(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
        data = case[1] * (4 * case[0][0] + 8)
        print(f"| {name} | {data / 1e6:.1f} | {formula(*case) / 1e6:.1f} | {grown / 1e6:.1f} |", flush=True)


if __name__ == "__main__":
    main()
