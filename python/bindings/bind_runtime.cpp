// The instruction set, the threads, and the vector functions by name.
#include <cmlp/ops/functions.hpp>
#include <cmlp/runtime/rng.hpp>
#include <cmlp/runtime/runtime.hpp>
#include <cmlp/version.hpp>

#include <memory>
#include <vector>

#include "array.hpp"

namespace {

template <class T>
Array<T> evaluate(std::string_view name, const Rows<T>& x) {
    auto [out, y] = new_matrix<T>(x.view.rows(), 1);
    cmlp::apply<T>(cmlp::parse<cmlp::Function>(name), span_of(x), {y.data(), static_cast<size_t>(y.rows())});
    return out.attr("ravel")();
}

// A with block may be entered again inside itself.
struct Execution {
    cmlp::Execution execution;
    std::vector<std::unique_ptr<cmlp::ExecutionScope>> scopes;

    void enter() { scopes.push_back(std::make_unique<cmlp::ExecutionScope>(execution)); }
    void exit() {
        cmlp::require(!scopes.empty(), "Execution: __exit__ without __enter__");
        scopes.pop_back();
    }
};

std::unique_ptr<Execution> make_execution(std::optional<int> threads) {
    cmlp::require(!threads || *threads >= 1, "Execution: threads is ", threads.value_or(0),
                  ", it must be at least 1, or None");
    return std::make_unique<Execution>(Execution{{threads.value_or(0)}, {}});
}

}  // namespace

void bind_runtime(py::module_& m) {
    m.attr("__version__") = CMLP_VERSION;
    m.def("isas", &cmlp::isas, "Instruction sets this build has and this processor can run, best first.");
    m.def("built_isas", &cmlp::built_isas, "All instruction sets in this build, best first.");
    m.def("isa", &cmlp::isa, "The instruction set in use.");
    m.def("set_isa", &cmlp::set_isa, py::arg("name"),
          "Chooses the instruction set for the calls that follow; raises ValueError on one that is not in "
          "isas().");
    m.def("get_num_threads", &cmlp::num_threads, "Threads that a call of this thread uses at most.");
    m.def("set_num_threads", &cmlp::set_num_threads, py::arg("count").none(true),
          "Sets the limit for all threads: at least 1, None for the default.");
    m.def("team_kind", &cmlp::team_kind, "Whose threads a call's team is made of: OpenMP or std::thread.");
    m.def("shutdown", &cmlp::shutdown, "Ends the threads that OpenMP keeps for this thread's next call.");
    py::class_<Execution>(
        m, "Execution",
        "Bounds the threads of this thread's calls in a with block; None: no bound of its own.")
        .def(py::init(&make_execution), py::arg("threads").none(true) = py::none())
        .def("__enter__", &Execution::enter)
        .def("__exit__",
             [](Execution& self, const py::object&, const py::object&, const py::object&) { self.exit(); });
    m.def(
        "function",
        [](std::string_view name, const py::object& x) -> py::object {
            const auto a = numbers(x, "function: x");
            if (a.dtype().is(py::dtype::of<float>()))
                return evaluate<float>(name, vector<float>(a, "function: x"));
            return evaluate<double>(name, vector<double>(a, "function: x"));
        },
        py::arg("name"), py::arg("x"),
        "One of the vector functions on each element of a one-dimensional array.");
    m.def(
        "permutation",
        [](cmlp::Index n, std::uint64_t seed) {
            Array<cmlp::Index> out(n);
            const auto order = cmlp::permutation(n, seed, 0, cmlp::Stream::split);
            std::copy(order.begin(), order.end(), out.mutable_data());
            return out;
        },
        py::arg("n"), py::arg("seed"), "A random order of n rows, from the seed alone.");
}
