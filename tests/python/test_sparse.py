"""Sparse input: the bits of the dense rows whatever the format, and what is refused."""

import numpy as np
import pytest
from scipy import sparse

import cmlp
from cmlp import nn, optim

RNG = np.random.default_rng(0)
DENSE = np.where(RNG.random((150, 40)) < 0.1, RNG.normal(size=(150, 40)), 0)
DENSE[3], DENSE[:, 7] = 0, 0  # a row and a column without entries
Y = RNG.integers(0, 3, 150)
FORMATS = [sparse.csr_matrix, sparse.csr_array, sparse.csc_matrix, sparse.coo_array, sparse.lil_matrix]
FORMATS += [sparse.dok_array, sparse.bsr_matrix]


def network(dtype="float32", **options):
    layers = nn.Linear(40, 33, **options), nn.ReLU(), nn.Dropout(0.1), nn.Linear(33, 3)
    return nn.Sequential(*layers, seed=1, dtype=dtype)


def same(a, b):
    b = b.state_dict()
    return all(np.array_equal(value, b[name]) for name, value in a.state_dict().items())


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("kind", FORMATS)
def test_predictions_have_the_bits_of_the_dense_rows(kind, dtype):
    net = network(dtype)
    assert np.array_equal(net.predict(kind(DENSE)), net.predict(DENSE))
    assert np.array_equal(net.predict(kind(DENSE.astype("float32"))), net.predict(DENSE.astype("float32")))
    loss = "cross_entropy"
    assert net.evaluate(kind(DENSE), Y, loss=loss) == net.evaluate(DENSE, Y, loss=loss)


@pytest.mark.parametrize("parametrization", ["standard", "ntk"])
def test_forward_and_backward(parametrization):
    a, b = (network(parametrization=parametrization).eval() for _ in range(2))
    x = sparse.csr_array(DENSE)
    assert np.array_equal(a(DENSE), b(x))
    dy = RNG.normal(size=(150, 3))
    assert np.array_equal(a.backward(dy), b.backward(dy))
    assert all(np.array_equal(p.grad, q.grad) for p, q in zip(a.parameters(), b.parameters(), strict=True))
    name, value = b.trace(x)[0]
    assert name == "input"
    assert value is x


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_step(dtype):
    nets = [network(dtype) for _ in range(2)]
    losses = []
    for net, x in zip(nets, (DENSE, sparse.csr_array(DENSE)), strict=True):
        adam = optim.Adam(net.parameters())
        losses.append([net.train_step(x, Y, nn.CrossEntropyLoss(), adam) for _ in range(3)])
    assert losses[0] == losses[1]
    assert same(*nets)


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize(
    "options",
    [
        {"batch_size": 16},
        {"batch_size": 64, "shuffle": False},
        {"validation_split": 0.2, "accumulate_steps": 2},
        {"optimizer": "lbfgs"},
    ],
    ids=str,
)
def test_a_fit(options, threads):
    nets, before = [network(), network()], cmlp.get_num_threads()
    cmlp.set_num_threads(threads)
    try:
        for net, x in zip(nets, (DENSE, sparse.coo_array(DENSE)), strict=True):
            held = {} if "validation_split" in options else {"validation_data": (x, Y)}
            net.fit(x, Y, loss="cross_entropy", epochs=3, metrics=["accuracy"], **options, **held)
    finally:
        cmlp.set_num_threads(before)
    a, b = (net.history.history for net in nets)
    assert same(*nets)
    assert all(a[key] == b[key] for key in a if key != "seconds")


def test_levenberg_marquardt():
    nets = [nn.Sequential(nn.Linear(40, 2), nn.Tanh(), nn.Linear(2, 1), dtype="float64") for _ in range(2)]
    for net, x in zip(nets, (DENSE, sparse.csr_array(DENSE)), strict=True):
        net.fit(x, Y / 2, loss="mse", optimizer="levenberg_marquardt", epochs=3)
    assert same(*nets)


def test_disordered_entries_are_put_in_order_in_a_copy():
    columns, values = np.array([5, 2, 2, 0]), np.array([1.0, 2.0, 3.0, 4.0])
    x = sparse.csr_array((values, columns, [0, 3, 4]), shape=(2, 40))
    net = network()
    assert np.array_equal(net.predict(x), net.predict(x.toarray()))
    assert x.indices.tolist() == [5, 2, 2, 0]
    assert x.data.tolist() == [1, 2, 3, 4]


def test_wide_indices_integers_and_booleans():
    x = sparse.csr_array(DENSE)
    wide = sparse.csr_array(DENSE)
    wide.indices, wide.indptr = x.indices.astype("int64"), x.indptr.astype("int64")
    net = network()
    assert np.array_equal(net.predict(wide), net.predict(DENSE))
    assert np.array_equal(net.predict(x != 0), net.predict(DENSE != 0))


def broken(**arrays):
    x = sparse.csr_array(DENSE)
    for name, (at, value) in arrays.items():
        array = getattr(x, name).astype("int64" if name != "data" else float)
        array[at] = value
        setattr(x, name, array)
    return x


def fit(x, y=Y, net=None, **options):
    return (net or network()).fit(x, y, loss="cross_entropy", **options)


X = sparse.csr_array(DENSE)
ROW, COLUMN = X.tocoo().coords[0][9], X.indices[9]
CASES = {
    "activation": (lambda: nn.Sequential(nn.ReLU(), nn.Linear(40, 3))(X), "only a Linear takes it"),
    "columns": (lambda: network().predict(X[:, :5]), "x has 5 columns, the layer '0' expects 40"),
    "mixup": (lambda: fit(X, mixup=1.0), "fit: x is sparse and takes no mixup"),
    "noise": (lambda: fit(X, input_noise=1.0), "fit: x is sparse and takes no input_noise"),
    "nan": (lambda: fit(broken(data=(9, np.nan))), f"fit: x has nan at row {ROW}, column {COLUMN}"),
    "infinity": (lambda: network().predict(broken(data=(9, np.inf))), "predict: x has infinity at row"),
    "complex": (lambda: network()(X * 1j), "forward: x has dtype complex128"),
    "column": (lambda: network()(broken(indices=(0, 40))), "has an entry in column 40, there are 40"),
    "far_column": (lambda: network()(broken(indices=(0, 2**32))), "has an entry in column 2147483647"),
    "starts": (lambda: network()(broken(indptr=(1, 9999))), "row 1 starts at 9999 and ends at"),
    "rows": (lambda: fit(X, Y[:9]), "x has 150 rows, y has 9"),
    "no_rows": (lambda: fit(X[:0], Y[:0]), "fit: x has no rows"),
    "sparse_y": (lambda: network().fit(X, X[:, :3], loss="mse"), "fit: y is sparse, it must be dense"),
    "gradcheck": (
        lambda: cmlp.gradcheck(network("float64").eval(), X, Y, nn.CrossEntropyLoss()),
        "gradcheck: x is sparse, it must be dense",
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_what_is_refused(case):
    call, text = CASES[case]
    with pytest.raises(ValueError, match=text):
        call()
