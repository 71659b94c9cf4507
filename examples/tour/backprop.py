"""5. Backpropagation: the gradients, compared with finite differences of the loss.

Left, each dot is one weight: across, its gradient by backpropagation; up, the slope (L(w + h) - L(w - h)) /
2h measured by moving that weight alone. All dots lie on the diagonal. Right, how far the two are apart
(cmlp.gradcheck) for steps h of all sizes, the V curve: a large h misses the curvature (error proportional to
h^2), a tiny h drowns in the rounding of the loss (it grows as 1 / h). Near the bottom the two agree to about
nine digits.
"""

import numpy as np
import style

import cmlp
from cmlp import nn

STEPS = 10.0 ** np.arange(-13, 0.1, 0.25)
rng = np.random.default_rng(0)
x, y = rng.normal(size=(16, 4)), rng.integers(0, 3, 16)
net = nn.Sequential(nn.Linear(4, 8), nn.Tanh(), nn.Linear(8, 8), nn.GELU(), nn.Linear(8, 3), dtype="float64")
criterion = nn.CrossEntropyLoss()


def backpropagated() -> np.ndarray:
    """Return all gradients from one pass forward and one back."""
    net.zero_grad()
    criterion(net(x), y)
    net.backward(criterion.backward())
    return np.concatenate([parameter.grad.ravel() for parameter in net.parameters()])


def measured(h: float = 1e-5) -> np.ndarray:
    """Return the slope of the loss in each parameter: two passes forward for every single one of them."""
    slopes = []
    for parameter in net.parameters():
        for index, value in np.ndenumerate(parameter.data.copy()):
            losses = []
            for moved in (value + h, value - h):
                parameter.data[index] = moved
                losses.append(criterion(net(x), y))
            parameter.data[index] = value
            slopes.append((losses[0] - losses[1]) / (2 * h))
    return np.array(slopes)


figure, grid = style.subplots(1, 2, 4.4)
gradient, slope = backpropagated(), measured()
axes = grid[0, 0]
ends = [1.15 * min(gradient.min(), slope.min()), 1.15 * max(gradient.max(), slope.max())]
axes.plot(ends, ends, color=style.GREY, linewidth=1)
axes.plot(gradient, slope, "o", color=style.BLUE, markersize=5, alpha=0.6)
axes.set(xlabel="gradient by backpropagation", ylabel="measured slope")
axes.set_title(f"{len(gradient)} parameters, two ways")

errors = np.array([cmlp.gradcheck(net, x, y, criterion, h=h).worst for h in STEPS])
best = errors.argmin()
axes = grid[0, 1]
axes.loglog(STEPS, errors, "o-", color=style.BLUE, markersize=4)
axes.loglog(STEPS, 0.2 * STEPS**2, "--", color=style.RED, label="decreases with $h^2$: curvature")
axes.loglog(STEPS, 1e-15 / STEPS, "-.", color=style.GREEN, label="grows as $1/h$: rounding")
axes.set(xlabel="step $h$", ylabel="worst relative error", ylim=(1e-11, 100))
axes.set_title("How far apart, for each step $h$")
arrow = {"arrowstyle": "->"}
axes.annotate(f"best: {errors[best]:.0e}", (STEPS[best], errors[best]), (1e-3, 1e-10), arrowprops=arrow)
axes.legend()

print(f"largest difference at h = 1e-5: {np.abs(gradient - slope).max():.1e}")
print(f"smallest worst error {errors[best]:.1e} at h = {STEPS[best]:.1e}")
print(cmlp.gradcheck(net, x, y, criterion))
style.save(figure, "backprop")
