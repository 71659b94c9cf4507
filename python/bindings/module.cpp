// The module's table of contents.
#include <cmlp/base/error.hpp>

#include <new>
#include <stdexcept>

#include "bindings.hpp"

namespace {

// What the allocator and the containers of the standard library say of sizes that no memory holds.
void translate_memory(std::exception_ptr error) {
    try {
        std::rethrow_exception(error);
    } catch (const std::bad_alloc&) {
        PyErr_SetString(PyExc_MemoryError, "there is not enough memory");
    } catch (const std::length_error&) {
        PyErr_SetString(PyExc_MemoryError, "there is not enough memory: a size is beyond any");
    }
}

}  // namespace

PYBIND11_MODULE(_core, m) {
    m.doc() = "The C++ core of cmlp. Its public face is the package: cmlp.nn, cmlp.optim, cmlp.Perceptron.";
    py::register_exception<cmlp::NonFiniteError>(m, "NonFiniteError", PyExc_FloatingPointError).doc() =
        "Training computed a NaN or an infinity; the weights are the last finite ones.";
    py::register_exception_translator(&translate_memory);
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
