"""Types of the extension module that its bindings cannot express: of lists, dicts, arrays and callables.

``{T}`` is the element type of a class whose name ends in 32 or 64.
"""

ARRAY32, ARRAY64 = "numpy.typing.NDArray[numpy.float32]", "numpy.typing.NDArray[numpy.float64]"
OWN = "numpy.typing.NDArray[{T}]"
ROWS = "list[dict[str, typing.Any]]"
EPOCHS = "tuple[list[float], list[float], list[float]]"
NETWORK = "Network32 | Network64"

# Returns by function, or by class (without 32 or 64) and method.
RETURNS = {
    "Network.parameters": f"list[tuple[str, int, {OWN}, {OWN}]]",
    "Network.buffers": f"list[tuple[str, int, {OWN}]]",
    "Network.layers": "list[tuple[str, str, dict[str, typing.Any]]]",
    "Network.outputs": f"list[{OWN}]",
    "Network.trace": f"list[{OWN}]",
    "Loss.__call__": f"float | {ARRAY32} | {ARRAY64}",
    "Loss.backward": f"{ARRAY32} | {ARRAY64}",
    "Optimizer.state": f"list[{OWN}]",
    "LBFGS.state": "dict[str, typing.Any]",
    "EstimatorFit.epochs": EPOCHS,
    "FitRows.predict": OWN,
    "Perceptron.mistakes": "numpy.typing.NDArray[numpy.int64]",
    "Perceptron.path": ARRAY64,
    "Perceptron.squared_error": ARRAY64,
    "Perceptron.weights": ARRAY64,
    "activations": ROWS,
    "functions": ROWS,
    "initializers": ROWS,
    "losses": ROWS,
    "metrics": ROWS,
    "optimizers": ROWS,
    "perceptron_rules": ROWS,
    "schedules": ROWS,
    "from_bytes": NETWORK,
    "load_with_state": f"tuple[{NETWORK}, tuple[str, dict[str, numpy.typing.NDArray[typing.Any]]]]",
    "in_team": "object",
    "function": f"{ARRAY32} | {ARRAY64}",
    "perceptron_decision_function": ARRAY64,
    "full_batch_pass": f"tuple[float, {ARRAY64}]",
}
# Parameters by name, or by function and name.
PARAMETERS = {
    "closure": "Callable[[], float]",
    "in_team.function": "Callable[[], typing.Any]",
    "options": "dict[str, typing.Any]",
    "rules": "dict[str, typing.Any]",
    "report": "dict[str, typing.Any]",
    "set_state.state": "dict[str, typing.Any]",
    "fields": "dict[str, typing.Any]",
    "layers": "Sequence[tuple[str, str, dict[str, typing.Any]]]",
}
