"""The paragraphs that the docstrings of MLPClassifier and MLPRegressor share."""

from __future__ import annotations

import re
import textwrap
from typing import TypeVar

Described = TypeVar("Described")

PARAGRAPHS = {
    "checkpoints": """
checkpoint : path, default=None
    A file ``*.safetensors`` that is written during the fit, atomically: the estimator as it would be if
    the fit ended there (:func:`cmlp.load` reads it; without ``callbacks``), and all that the next epoch
    depends on. For an integer ``random_state``, a ``solver`` that is a name, not "lbfgs", and no
    ``schedule``.
every : int, default=1
    Epochs from one writing of the checkpoint to the next; the last epoch is always written.
resume : bool, default=False
    Continue from the checkpoint, if the file is there, with the bits of the uninterrupted fit. A fit that
    had ended returns at once; a larger ``max_iter`` continues it. A file of other parameters or other data
    is refused.
""",
    "sklearn_parameters": """
hidden_layer_sizes : array-like of int, default=(100,)
    Units of each hidden layer; ``()`` for none.
activation : str, activation of cmlp.nn, or a sequence with one for each hidden layer, default="relu"
    "identity", "logistic", "tanh", "relu" or any of :func:`cmlp.activations`.
solver : str or callable, default="adam"
    "lbfgs", "sgd", "adam" as in scikit-learn, any of :func:`cmlp.optimizers`, or a function of
    (parameters, lr) that returns an optimizer: ``functools.partial(optim.AdamW, weight_decay=0.01)``.
alpha : float, default=0.0001
    L2 penalty: ``alpha / 2 * sum w^2 / n`` joins the mean loss of a batch with n rows.
batch_size : int or "auto", default="auto"
    "auto": ``min(200, n_samples)``; not for lbfgs.
learning_rate : {"constant", "invscaling", "adaptive"}, default="constant"
    For sgd: constant; ``learning_rate_init / (rows counted + 1)^power_t``; or divided by 5 when nothing
    improved for ``n_iter_no_change`` epochs.
learning_rate_init, power_t : float, default=0.001, 0.5
max_iter : int, default=200
    Epochs (lbfgs: iterations).
shuffle : bool, default=True
    A new order of the rows in each epoch.
random_state : int, RandomState or None, default=None
    Of weights, orders, splits and dropout.
tol : float, default=1e-4
    What counts as an improvement.
verbose : bool, int or "bar", default=False
    Print a line for each epoch, or show a progress bar.
warm_start : bool, default=False
    ``fit`` continues from the last one: weights, and the optimizer with its state, unless its settings
    were changed.
momentum, nesterovs_momentum : float, bool, default=0.9, True
    For sgd.
early_stopping : bool, default=False
    Hold out ``validation_fraction`` of the rows (or take ``eval_set``), stop when their score no longer
    improves, and end with the best weights.
validation_fraction : float, default=0.1
beta_1, beta_2, epsilon : float, default=0.9, 0.999, 1e-8
    For adam.
n_iter_no_change : int, default=10
    Training stops after more epochs than these in a row without an improvement.
max_fun : int, default=15000
    Evaluations of the loss, for lbfgs.
""",
    "own_parameters": """
dropout, input_dropout : float, default=0.0
    Share of the units of each hidden layer, and of the features, that a training step leaves out.
batch_norm, layer_norm : bool, default=False
    Normalise before each activation.
residual : bool, default=False
    Add the input of a hidden layer to its output where both have as many units.
init : str, default="sklearn"
    Another of :func:`cmlp.initializers`, or "auto": by the activation that follows.
schedule : callable, default=None
    A function of the optimizer that returns a scheduler of :mod:`cmlp.optim.lr_scheduler`.
clip_grad_norm : float or None, default=0.0
    Largest norm of a step's gradients; None or 0: any.
max_steps : int, default=None
    Ends ``fit`` after so many steps of the optimizer, if ``max_iter`` epochs do not.
scoring : str or callable, default=None
    A scorer of scikit-learn for the validation scores; None: what ``score`` returns.
callbacks : callable or list of callable, default=None
    Called after each epoch (lbfgs: iteration) with a dict: epoch, loss, lr, seconds, estimator, and
    val_loss and val_score where there are rows held out. One that returns False (or another false
    value, not None) ends the training.
missing : {"impute"}, default=None
    "impute": the column's median in the place of NaN; None: NaN is an error.
dtype : {"float32", "float64"}, default=None
    Precision; None: that of X, float64 unless it is float32.
n_threads : int, default=None
    Threads while it works; the numbers are the same for any.
time_limit : float, default=None
    Seconds after which training ends between two steps.
transform_layer : int, default=-1
    The hidden layer whose activations ``transform`` returns.
""",
    "attributes": """
coefs_, intercepts_ : list of ndarray of shape (units in, units out), (units out,)
    Weights and biases of each layer: views; what is written into them counts.
loss_, best_loss_ : float
    Of the last and of the best epoch; best_loss_ is None with early stopping.
loss_curve_ : list of float
    The loss of each epoch (lbfgs: iteration), penalty included.
validation_scores_, validation_loss_curve_ : list of float or None
    Of the held-out rows, where there are some.
best_validation_score_ : float or None
n_iter_, t_ : int
    Epochs (lbfgs: iterations) of the last fit, and the rows of all steps; lbfgs counts no rows.
n_features_in_, feature_names_in_, n_layers_, n_outputs_, out_activation_
    As in scikit-learn.
""",
    "validation": """
eval_set : (X, y), (X, y, sample_weight) or a list of one of these, default=None
    Validation set: its score and loss are recorded, and early stopping goes by its score; no rows are
    held out then.
X_val, y_val, sample_weight_val : as X, y, sample_weight, default=None
    The same as separate arguments, which a Pipeline can transform:
    ``Pipeline(steps, transform_input=["X_val"])``.
""",
}


def documented(described: Described) -> Described:
    """Put the paragraphs in the places of their names in a docstring, lines like ``{attributes}``."""
    if described.__doc__:  # there is none under python -OO
        described.__doc__ = re.sub(r"^( +)\{(\w+)\}$", _paragraph, described.__doc__, flags=re.MULTILINE)
    return described


def _paragraph(name: re.Match[str]) -> str:
    return textwrap.indent(PARAGRAPHS[name[2]].strip("\n"), name[1])
