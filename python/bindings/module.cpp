// The module's table of contents.
#include <cmlp/base/error.hpp>

#include "bindings.hpp"

PYBIND11_MODULE(_core, m) {
    m.doc() = "The C++ core of cmlp. Its public face is the package: cmlp.nn, cmlp.optim, cmlp.Perceptron.";
    py::register_exception<cmlp::NonFiniteError>(m, "NonFiniteError", PyExc_FloatingPointError).doc() =
        "Training computed a NaN or an infinity; the weights are the last finite ones.";
    bind_registry(m);
    bind_runtime(m);
    bind_network(m);
    bind_loss(m);
    bind_optimizer(m);
    bind_full_batch(m);
    bind_lbfgs(m);
    bind_training(m);
    bind_estimator(m);
    bind_reference(m);
    bind_schedule(m);
    bind_perceptron(m);
}
