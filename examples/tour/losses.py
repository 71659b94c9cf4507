"""6. Losses: what an error costs, and how hard it pulls.

Above, the loss of one prediction as it moves, below, its gradient as criterion.backward() returns it. The
squared error pulls in proportion to the error. Cross-entropy of a probability turns infinitely steep at a
confident mistake; taken of the logit (the sigmoid built in) the same loss is gentle: its pull never passes 1.
The last column is the same for three classes, and what label smoothing adds: being too sure costs as well.
"""

import numpy as np
import style

from cmlp import nn

Curves = tuple[np.ndarray, np.ndarray]
logits, values = np.linspace(-6, 6, 601), np.linspace(-2, 4, 601)
probabilities = np.linspace(0.005, 0.995, 601)


def binary(criterion: nn.Loss, y: np.ndarray, target: float) -> Curves:
    """Return loss and gradient of each element of y on its own."""
    loss = criterion(y[:, None], np.full((len(y), 1), target))
    return np.asarray(loss).ravel(), criterion.backward().ravel()


def classes(smoothing: float, y: np.ndarray) -> Curves:
    """Return cross-entropy and its gradient by the true class's logit y, the two other logits being 0."""
    criterion = nn.CrossEntropyLoss(reduction="none", label_smoothing=smoothing)
    rows = np.stack([y, np.zeros_like(y), np.zeros_like(y)], axis=1)
    loss = criterion(rows, np.zeros(len(y), int))
    return np.asarray(loss), criterion.backward()[:, 0]


def draw(column: np.ndarray, x: np.ndarray, curves: dict[str, Curves], **settings: str) -> None:
    """Draw the values above and the gradients below."""
    for k, (label, (value, gradient)) in enumerate(curves.items()):
        column[0].plot(x, value, label=label, **style.look(k))
        column[1].plot(x, gradient, **style.look(k))
    column[1].axhline(0, color=style.GREY, linewidth=0.8, zorder=1)
    column[0].set(title=settings["title"])
    column[1].set(xlabel=settings["xlabel"])
    column[0].legend(loc=settings.get("loc", "upper center"), handlelength=1.6)


def of_targets(criterion: nn.Loss, y: np.ndarray) -> dict[str, Curves]:
    """Return the curves for both targets of a binary loss."""
    return {f"target {target}": binary(criterion, y, target) for target in (1, 0)}


figure, grid = style.subplots(2, 4, 5.2, sharex="col")
mse, bce, with_logits = (kind(reduction="none") for kind in (nn.MSELoss, nn.BCELoss, nn.BCEWithLogitsLoss))
draw(grid[:, 0], values, {"target 1": binary(mse, values, 1)}, title="MSELoss", xlabel="prediction")
draw(grid[:, 1], probabilities, of_targets(bce, probabilities), title="BCELoss", xlabel="probability")
draw(grid[:, 2], logits, of_targets(with_logits, logits), title="BCEWithLogitsLoss", xlabel="logit")
curves = {f"smoothing {share:g}": classes(share, logits) for share in (0, 0.2)}
draw(
    grid[:, 3], logits, curves, title="CrossEntropyLoss", xlabel="logit of the true class", loc="upper right"
)
grid[1, 1].set_ylim(-30, 30)
grid[0, 3].set_ylim(top=9.5)  # space for the legend
grid[0, 0].set_ylabel("loss")
grid[1, 0].set_ylabel("gradient")
style.save(figure, "losses")
