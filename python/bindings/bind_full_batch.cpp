// Optimizers that take all rows at once: what they share, a pass for SciPy's minimisers, Levenberg-Marquardt (L-BFGS:
// bind_lbfgs.cpp).
#include "bind_full_batch.hpp"

#include "training.hpp"

namespace {

using namespace cmlp;

template <class T>
struct PyLevenbergMarquardt : PyFullBatch<T> {
    LevenbergMarquardtRule<T> own;

    explicit PyLevenbergMarquardt(const Members<T>& members)
        : PyFullBatch<T>(members), own(parameters_of<T>(members)) {}
    FullBatchRule<T>& rule() override { return own; }
};

// The loss of all rows with its penalty and gradient, at the parameters `members` given as one vector.
template <class T>
py::tuple full_batch_pass(Network<T>& network, const std::vector<Index>& members, const Array<double>& packed,
                          const py::object& x, const py::object& y, const py::object& weight,
                          const PyLoss& loss, double l2) {
    const Held<T> held(loss, x, y, weight, "fit");
    const Data<T> data = held.data();
    std::vector<Parameter<T>> chosen;
    for (const Index i : members) chosen.push_back(network.parameters().at(size_t(i)));
    const ParameterVector<T> parameters(chosen, "fit");
    require(packed.size() == parameters.size(), "fit: there are ", packed.size(),
            " weights, the network has ", parameters.size());
    Array<double> gradient(packed.size());
    const std::span<double> g(gradient.mutable_data(), size_t(gradient.size()));
    LossResult<T> result;
    double value = 0;
    {
        const WithoutGil released;
        const typename Network<T>::Exclusive only(network, "fit");
        const typename Network<T>::ForgetAtEnd after(network);
        loss.loss.check<T>(data.rows(), network.output_width(data.x, 0, network.layer_count()), data.target,
                           data.weight, "fit");
        parameters.place({packed.data(), size_t(packed.size())});
        const std::uint64_t step = network.pass_count();
        FullBatch<T> rows{network,
                          data,
                          loss.loss,
                          parameters,
                          l2,
                          result,
                          1,
                          [&](Index i) { network.set_pass_count(step + std::uint64_t(i)); },
                          [](const Data<T>&) {},
                          [](double) {},
                          [] {},
                          {}};
        value = rows.value_and_gradient();
        parameters.gradient(g);
    }
    return py::make_tuple(value, gradient);
}

// What fit checks, for minimisers of others.
template <class T>
void check_rows(const Network<T>& network, const py::object& x, const py::object& y, const py::object& weight,
                const PyLoss& loss) {
    const Held<T> held(loss, x, y, weight, "fit");
    const Data<T> data = held.data();
    check_data(data, "fit");
    loss.loss.check<T>(data.rows(), network.output_width(data.x, 0, network.layer_count()), data.target,
                       data.weight, "fit");
}

template <class T>
void bind(py::module_& m, const char* base, const char* levenberg_marquardt) {
    py::class_<PyFullBatch<T>>(m, base, "A rule that sees all rows at once, with its state.");
    m.def("full_batch_pass", &full_batch_pass<T>, py::arg("network"), py::arg("members"), py::arg("packed"),
          py::arg("x"), py::arg("y"), py::arg("sample_weight"), py::arg("loss"), py::arg("l2"),
          "Loss of all rows, penalty included, and its gradient, at parameters packed in this order.");
    m.def("check_rows", &check_rows<T>, py::arg("network"), py::arg("x"), py::arg("y"),
          py::arg("sample_weight"), py::arg("loss"), "Raises ValueError where fit would refuse these rows.");
    using L = PyLevenbergMarquardt<T>;
    py::class_<L, PyFullBatch<T>>(m, levenberg_marquardt, "Levenberg-Marquardt with its damping.")
        .def(py::init<const Members<T>&>(), py::arg("members"), "Over parameters: (network, index) each.")
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
