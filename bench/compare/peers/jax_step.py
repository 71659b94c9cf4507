"""JAX: a compiled step, and a compiled scan over an epoch's steps; both reuse the old state's memory."""

from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
from cases import Case, data, weights

jax.config.update("jax_platforms", "cpu")
RATE, BETA1, BETA2, EPS = 1e-3, 0.9, 0.999, 1e-8
State = tuple[Any, Any, Any, Any]  # layers, m, v, steps taken


def cross_entropy(layers: Any, x: jax.Array, y: jax.Array) -> jax.Array:
    """Return the mean over the batch."""
    for w, b in layers[:-1]:
        x = jax.nn.relu(x @ w + b)
    w, b = layers[-1]
    logs = jax.nn.log_softmax(x @ w + b)
    return -jnp.take_along_axis(logs, y[:, None], axis=1).mean()


def step(state: State, batch: tuple[jax.Array, jax.Array]) -> tuple[State, jax.Array]:
    """Return the state after one step of Adam, and the loss before it."""
    layers, m, v, steps = state
    loss, found = jax.value_and_grad(cross_entropy)(layers, *batch)
    steps = steps + 1
    rate = RATE / (1 - BETA1**steps)
    scale = jax.lax.rsqrt(1 - BETA2**steps)
    m = jax.tree.map(lambda m, g: BETA1 * m + (1 - BETA1) * g, m, found)
    v = jax.tree.map(lambda v, g: BETA2 * v + (1 - BETA2) * g * g, v, found)
    layers = jax.tree.map(lambda w, m, v: w - rate * m / (jnp.sqrt(v) * scale + EPS), layers, m, v)
    return (layers, m, v, steps), loss


@partial(jax.jit, donate_argnums=0)
def jit_step(state: State, x: jax.Array, y: jax.Array) -> tuple[State, jax.Array]:
    """One step."""
    return step(state, (x, y))


@partial(jax.jit, donate_argnums=0)
def jit_scan(state: State, x: jax.Array, y: jax.Array) -> tuple[State, jax.Array]:
    """An epoch: x (batches, batch, in), y (batches, batch)."""
    return jax.lax.scan(step, state, (x, y))


class Scan:
    """One call an epoch."""

    def __init__(self, case: Case, threads: int) -> None:
        x, y = data(case)
        self.case = case
        self.x = jnp.asarray(x.reshape(case.batches, case.rows, -1))
        self.y = jnp.asarray(y.reshape(case.batches, case.rows), jnp.int32)

    def start(self) -> None:
        layers = jax.tree.map(jnp.array, weights(self.case))
        zeros = partial(jax.tree.map, jnp.zeros_like)
        self.state: State = (layers, zeros(layers), zeros(layers), jnp.float32(0))

    def first_loss(self) -> float:
        self.state, losses = jit_scan(self.state, self.x, self.y)
        return float(losses[0])

    def run(self, epochs: int) -> float:
        for _ in range(epochs):
            self.state, losses = jit_scan(self.state, self.x, self.y)
        jax.block_until_ready(self.state)
        return float(losses[-1])


class Step(Scan):
    """One call a step; the loss is read once, at the end."""

    def __init__(self, case: Case, threads: int) -> None:
        super().__init__(case, threads)
        self.batches = list(zip(self.x, self.y, strict=True))

    def first_loss(self) -> float:
        self.state, loss = jit_step(self.state, *self.batches[0])
        return float(loss)

    def run(self, epochs: int) -> float:
        for _ in range(epochs):
            for x, y in self.batches:
                self.state, loss = jit_step(self.state, x, y)
        jax.block_until_ready(self.state)
        return float(loss)
