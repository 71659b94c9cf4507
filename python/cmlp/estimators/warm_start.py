"""Parameters changed between two fits of one network (warm_start, partial_fit): the rule of each."""

from __future__ import annotations

from typing import Any

# The rule of every parameter of every estimator that continues: takes effect, or ValueError. The table of
# docs/sklearn.md is this one.
REFUSED = "ValueError: it would be another network"
LAYERS = "takes effect; weights and optimizer state are kept"
OUTPUTS = "takes effect, `best_loss_` restarts; ValueError if the number of outputs changes"
OPTIMIZER = "takes effect; the optimizer starts without state"
NEXT = "takes effect in the next fit"

RULES: dict[str, str] = {
    **dict.fromkeys(
        ("hidden_layer_sizes", "batch_norm", "layer_norm", "residual", "target_transform"), REFUSED
    ),
    "init": "ValueError: weights are drawn once",
    "dtype": "ValueError; rows of another precision are converted",
    **dict.fromkeys(("activation", "dropout", "input_dropout"), LAYERS),
    **dict.fromkeys(("loss", "quantiles"), OUTPUTS),
    "random_state": "takes effect; a new stream of random numbers",
    "missing": "takes effect; medians are those of the rows of the next fit",
    "scoring": "takes effect, `best_validation_score_` restarts",
    **dict.fromkeys(
        ("solver", "learning_rate", "learning_rate_init", "power_t", "momentum", "nesterovs_momentum"),
        OPTIMIZER,
    ),
    **dict.fromkeys(("beta_1", "beta_2", "epsilon", "schedule"), OPTIMIZER),
    **dict.fromkeys(("alpha", "batch_size", "shuffle", "clip_grad_norm", "class_weight"), NEXT),
    **dict.fromkeys(("max_iter", "tol", "n_iter_no_change", "max_fun", "max_steps", "time_limit"), NEXT),
    **dict.fromkeys(("early_stopping", "validation_fraction", "calibration_fraction"), NEXT),
    **dict.fromkeys(("callbacks", "verbose", "n_threads", "warm_start"), NEXT),
    "transform_layer": "takes effect at once, without a fit",
}


def check_layout(fitted: dict[str, Any], now: dict[str, Any]) -> bool:
    """Return whether layers without weights were changed; raise ValueError where the weights do not fit.

    `fitted`, `now`: settings of the network there is and of the one that the parameters describe.
    """
    changed = [name for name in now if fitted[name] != now[name]]
    for name in changed:
        if RULES.get(name, LAYERS) != LAYERS:
            raise ValueError(
                f"fit: {name} is {now[name]!r}, the network that warm_start or partial_fit continues has"
                f" {fitted[name]!r}; a fit with warm_start=False makes a new one"
            )
    return bool(changed)
