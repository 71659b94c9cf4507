// Rules that see all rows at once: what they share, and Levenberg-Marquardt. L-BFGS is in bind_lbfgs.cpp.
#include "bind_full_batch.hpp"

namespace {

using namespace cmlp;

template <class T>
struct PyLevenbergMarquardt : PyFullBatch<T> {
    LevenbergMarquardtRule<T> own;

    explicit PyLevenbergMarquardt(const FullBatchMembers<T>& members)
        : PyFullBatch<T>(members), own(parameters_of<T>(members)) {}
    FullBatchRule<T>& rule() override { return own; }
};

template <class T>
void bind(py::module_& m, const char* base, const char* levenberg_marquardt) {
    py::class_<PyFullBatch<T>>(m, base, "A rule that sees all rows at once, with its state.");
    using L = PyLevenbergMarquardt<T>;
    py::class_<L, PyFullBatch<T>>(m, levenberg_marquardt, "Levenberg-Marquardt with its damping.")
        .def(py::init<const FullBatchMembers<T>&>(), py::arg("members"),
             "Over parameters: (network, index) each.")
        .def(
            "set",
            [](L& self, double factor, double max_damping, double tolerance_grad) {
                self.own.settings = {self.own.settings.damping, factor, max_damping, tolerance_grad};
            },
            py::arg("factor"), py::arg("max_damping"), py::arg("tolerance_grad"),
            "Settings of the epochs to come; they are checked there.")
        .def_property(
            "damping", [](const L& self) { return self.own.settings.damping; },
            [](L& self, double value) { self.own.settings.damping = value; }, "As it is now.");
}

}  // namespace

void bind_full_batch(py::module_& m) {
    bind<float>(m, "FullBatch32", "LevenbergMarquardt32");
    bind<double>(m, "FullBatch64", "LevenbergMarquardt64");
}
