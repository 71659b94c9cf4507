// L-BFGS over parameters, with a Python closure that evaluates the network.
#include <cmlp/base/error.hpp>

#include "bind_full_batch.hpp"

namespace {

using namespace cmlp;

template <class T>
struct PyLbfgs : PyFullBatch<T> {
    LbfgsRule<T> own;

    explicit PyLbfgs(const Members<T>& members) : PyFullBatch<T>(members), own(parameters_of<T>(members)) {}
    FullBatchRule<T>& rule() override { return own; }
};

template <class T>
double step(PyLbfgs<T>& self, const py::function& closure) {
    self.own.limits.check();
    const auto& parameters = self.own.parameters();
    std::vector<double> x = parameters.values();
    const auto objective = [&](std::span<const double> at, std::span<double> gradient) {
        parameters.place(at);
        const double f = py::cast<double>(closure());
        parameters.gradient(gradient);
        return f;
    };
    try {
        const double value = self.own.rule.step(x, self.own.limits, objective);
        parameters.place(x);
        return value;
    } catch (...) {
        parameters.place(x);
        throw;
    }
}

template <class T>
py::dict state_of(const PyLbfgs<T>& self) {
    const auto& s = self.own.rule.state;
    py::dict state;
    state["n_iter"] = s.iterations;
    state["func_evals"] = s.evaluations;
    state["t"] = s.t;
    state["H_diag"] = s.diagonal;
    state["d"] = s.direction;
    state["prev_flat_grad"] = s.gradient;
    state["ro"] = s.rho;
    state["old_dirs"] = s.changes;
    state["old_stps"] = s.steps;
    return state;
}

template <class T>
void set_state(PyLbfgs<T>& self, const py::dict& state) {
    using Vector = std::vector<double>;
    using Vectors = std::vector<Vector>;
    Lbfgs::State s{state["n_iter"].cast<std::int64_t>(),
                   state["func_evals"].cast<std::int64_t>(),
                   state["t"].cast<double>(),
                   state["H_diag"].cast<double>(),
                   state["d"].cast<Vector>(),
                   state["prev_flat_grad"].cast<Vector>(),
                   state["ro"].cast<Vector>(),
                   state["old_dirs"].cast<Vectors>(),
                   state["old_stps"].cast<Vectors>()};
    const size_t size = size_t(self.own.parameters().size()), kept = s.rho.size();
    bool fits = s.changes.size() == kept && s.steps.size() == kept;
    for (const Vectors& list : {s.changes, s.steps, Vectors{s.direction, s.gradient}})
        for (const Vector& v : list) fits &= v.size() == size || (s.iterations == 0 && v.empty());
    require(fits, "load_state_dict: the state is of other parameters");
    self.own.rule.state = std::move(s);
}

template <class T>
void bind(py::module_& m, const char* name) {
    using L = PyLbfgs<T>;
    py::class_<L, PyFullBatch<T>>(m, name, "L-BFGS with what it remembers.")
        .def(py::init<const Members<T>&>(), py::arg("members"), "Over parameters: (network, index) each.")
        .def("step", &step<T>, py::arg("closure"), "At most max_iter iterations; the loss before.")
        .def(
            "set",
            [](L& self, double lr, std::int64_t max_iter, std::int64_t max_eval, double tolerance_grad,
               double tolerance_change, std::int64_t history_size, bool strong_wolfe) {
                self.own.limits = {lr,           max_iter,    max_eval, tolerance_grad, tolerance_change,
                                   history_size, strong_wolfe};
            },
            py::arg("lr"), py::arg("max_iter"), py::arg("max_eval"), py::arg("tolerance_grad"),
            py::arg("tolerance_change"), py::arg("history_size"), py::arg("strong_wolfe"),
            "Settings of the steps to come; they are checked there.")
        .def("state", &state_of<T>, "What is remembered, under PyTorch's names.")
        .def("set_state", &set_state<T>, py::arg("state"), "Puts it back.");
}

}  // namespace

void bind_lbfgs(py::module_& m) {
    bind<float>(m, "LBFGS32");
    bind<double>(m, "LBFGS64");
}
