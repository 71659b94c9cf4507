"""Memory of fit beside the formula of docs/performance.md, and of predictions, a process for each net.

python bench/memory.py prints two tables. The peak is what the resident set of the process grew by in the
call; what stays is what it is larger by after it, the result not counted.
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


PREDICTIONS = {
    "1024-1024x3-10, ReLU": ("nn.Linear({i}, 1024), nn.ReLU()", 13_000),
    "1024-1024x3-10, LayerNorm and ReLU": ("nn.Linear({i}, 1024), nn.LayerNorm(1024), nn.ReLU()", 13_000),
    "1024-1024x3-10, residual": ("nn.Linear({i}, 1024), nn.Residual(nn.LayerNorm(1024), nn.ReLU())", 13_000),
    "8-512x3-10, PeriodicEmbedding": (
        "nn.PeriodicEmbedding(8, 16, 64), nn.Linear(512, 8), nn.ReLU()",
        100_000,
    ),
}
PREDICT = """
import ctypes, re
import numpy as np
from cmlp import nn
def kilobytes(name):
    return 1024 * int(re.search(name + r":\\s+(\\d+)", open("/proc/self/status").read())[1])
layers = {layers!r}
first = 8 if "Periodic" in layers else 1024
stack = [layer for _ in range(3) for layer in eval("[" + layers.format(i=first) + "]")]
net = nn.Sequential(*stack, nn.Linear(first, 10)).eval()
x = np.random.default_rng(0).random(({rows}, first), np.float32)
net.{call}(x[:1])
ctypes.CDLL(None).malloc_trim(0)  # free memory is returned, so that only the memory of the call is counted
before = kilobytes("VmRSS")
open("/proc/self/clear_refs", "w").write("5")  # the peak begins here
y = net.{call}(x)
print(kilobytes("VmHWM") - before, kilobytes("VmRSS") - before - y.nbytes)
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
    print("\n| net | call | peak, MB | stays, MB |")
    print("|---|---|---|---|")
    for name, (layers, rows) in PREDICTIONS.items():
        for call in ("predict", "__call__"):
            code = PREDICT.format(layers=layers, rows=rows, call=call)
            command = [sys.executable, "-c", code]
            grown = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()
            print(f"| {name} | {call} | {int(grown[0]) / 1e6:.1f} | {int(grown[1]) / 1e6:.1f} |", flush=True)


if __name__ == "__main__":
    main()
