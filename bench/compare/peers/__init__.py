"""The one list of peers. Each is imported in its own process alone: a missing package costs only itself."""

from dataclasses import dataclass, field
from importlib import import_module
from typing import Any

OURS = "cmlp"


@dataclass(frozen=True)
class Peer:
    """A way to train or to predict: the class of a module of this folder, in an environment of its own.

    The class takes a case and the number of threads. For training it has ``start()`` (the starting weights,
    Adam's state empty), ``first_loss()`` (of the first batch, from the start) and ``run(epochs)``, which
    returns the last loss. For prediction it has ``run(calls)``, which returns the outputs.
    """

    name: str
    title: str
    classes: dict[str, str]  # by the kind of case
    module: str
    package: str
    versus: str = OURS  # the row of ours that it is compared with
    ours: bool = False
    variant: bool = False  # of ours, in a table of its own
    environment: dict[str, str] = field(default_factory=dict)

    def load(self, kind: str) -> Any:
        """Return the class for cases of that kind."""
        return getattr(import_module(f"peers.{self.module}"), self.classes[kind])

    def about(self) -> dict[str, str]:
        """Return the version of its package and what else it says of itself.

        ImportError when a package is not installed, ValueError when this processor cannot run it.
        """
        for kind in self.classes:
            self.load(kind)
        package = import_module(self.package)
        about = {"version": str(package.__version__)}
        return about | ({"isa": package.runtime.isa()} if self.package == OURS else {})


_FIT = {"train": "Fit", "predict": "Predict"}
_BOTH = {"train": "Train", "predict": "Predict"}
_OWN = {"module": "cmlp_net", "package": OURS, "ours": True}
PEERS = [
    Peer("cmlp", "cmlp fit", _FIT, **_OWN),
    Peer("cmlp-step", "cmlp train_step", {"train": "Step"}, **_OWN),
    Peer("cmlp-shuffled", "cmlp fit, shuffled", {"train": "ShuffledFit"}, variant=True, **_OWN),
    Peer("cmlp-avx2", "cmlp fit, AVX2", _FIT, variant=True, environment={"CMLP_ISA": "avx2"}, **_OWN),
    Peer("torch", "PyTorch", _BOTH, "pytorch", "torch"),
    Peer("jax-scan", "JAX jit scan", {"train": "Scan"}, "jax_step", "jax"),
    Peer("jax-step", "JAX jit step", {"train": "Step"}, "jax_step", "jax", versus="cmlp-step"),
    Peer("sklearn", "scikit-learn", {"train": "Train"}, "sklearn_mlp", "sklearn"),
    Peer("onnxruntime", "ONNX Runtime", {"predict": "Predict"}, "onnx_model", "onnxruntime"),
    Peer("onnxruntime-bound", "ONNX Runtime, bound", {"predict": "Bound"}, "onnx_model", "onnxruntime"),
    Peer("numpy", "NumPy", _BOTH, "numpy_net", "numpy"),
]
BY_NAME = {peer.name: peer for peer in PEERS}
