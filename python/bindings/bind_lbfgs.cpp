// L-BFGS over parameters, with a Python closure that evaluates the network.
#include <cmlp/error.hpp>
#include <cmlp/lbfgs.hpp>
#include <cmlp/network.hpp>

#include <memory>

#include "bindings.hpp"

namespace {

using namespace cmlp;

template <class T>
using Members = std::vector<std::pair<std::shared_ptr<Network<T>>, Index>>;

// The parameters as one vector in double and back; padding of rows is left out.
template <class T>
struct PyLbfgs {
    Members<T> members;
    Lbfgs rule{};

    const Parameter<T>& parameter(size_t i) const {
        return members[i].first->parameters().at(static_cast<size_t>(members[i].second));
    }
    template <class Visit>
    void each(bool grad, Visit visit) {
        for (size_t i = 0, at = 0; i < members.size(); ++i) {
            const auto& view = grad ? parameter(i).grad : parameter(i).value;
            for (Index r = 0; r < view.rows(); ++r)
                for (Index c = 0; c < view.cols(); ++c) visit(view(r, c), at++);
        }
    }
    std::vector<double> values() {
        std::vector<double> x;
        each(false, [&](T& v, size_t) { x.push_back(double(v)); });
        return x;
    }
    void place(std::span<const double> x) {
        each(false, [&](T& v, size_t at) { v = static_cast<T>(x[at]); });
    }
};

template <class T>
double step(PyLbfgs<T>& self, const py::function& closure, const Lbfgs::Limits& limits) {
    require(limits.lr >= 0, "LBFGS: lr is ", limits.lr, ", it must be in [0,inf)");
    require(limits.history_size >= 1, "LBFGS: history_size is ", limits.history_size,
            ", it must be at least 1");
    std::vector<double> x = self.values();
    const double value =
        self.rule.step(x, limits, [&](std::span<const double> at, std::span<double> gradient) {
            self.place(at);
            const double f = py::cast<double>(closure());
            self.each(true, [&](T& v, size_t i) { gradient[i] = double(v); });
            return f;
        });
    self.place(x);
    return value;
}

template <class T>
py::dict state_of(const PyLbfgs<T>& self) {
    const auto& s = self.rule.state;
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
    const size_t size = self.values().size(), kept = s.rho.size();
    bool fits = s.changes.size() == kept && s.steps.size() == kept;
    for (const Vectors& list : {s.changes, s.steps, Vectors{s.direction, s.gradient}})
        for (const Vector& v : list) fits &= v.size() == size || (s.iterations == 0 && v.empty());
    require(fits, "load_state_dict: the state is of other parameters");
    self.rule.state = std::move(s);
}

template <class T>
void bind(py::module_& m, const char* name) {
    using L = PyLbfgs<T>;
    py::class_<L>(m, name, "L-BFGS with what it remembers.")
        .def(py::init([](Members<T> members) { return L{std::move(members)}; }), py::arg("members"),
             "Over parameters: (network, index) each.")
        .def(
            "step",
            [](L& self, const py::function& closure, double lr, std::int64_t max_iter, std::int64_t max_eval,
               double tolerance_grad, double tolerance_change, std::int64_t history_size, bool strong_wolfe) {
                return step<T>(
                    self, closure,
                    {lr, max_iter, max_eval, tolerance_grad, tolerance_change, history_size, strong_wolfe});
            },
            py::arg("closure"), py::arg("lr"), py::arg("max_iter"), py::arg("max_eval"),
            py::arg("tolerance_grad"), py::arg("tolerance_change"), py::arg("history_size"),
            py::arg("strong_wolfe"), "At most max_iter iterations; the loss before.")
        .def("state", &state_of<T>, "What is remembered, under PyTorch's names.")
        .def("set_state", &set_state<T>, py::arg("state"), "Puts it back.");
}

}  // namespace

void bind_lbfgs(py::module_& m) {
    bind<float>(m, "LBFGS32");
    bind<double>(m, "LBFGS64");
}
