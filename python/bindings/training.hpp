// What the bindings of training share: rows kept alive, options, calls back into Python.
#pragma once

#include <cmlp/train/trainer.hpp>

#include "array.hpp"
#include "bind_loss.hpp"
#include "gil.hpp"
#include "input.hpp"

/// Data kept alive beside their views.
template <class T>
struct Held {
    HeldInput<T> x;
    Targets<T> y;
    Rows<T> weight;
    Array<std::uint64_t> name{0};  // rows to draw dropout by

    Held(const PyLoss& loss, const py::object& x_, const py::object& y_, const py::object& weight_,
         const std::string& what)
        : x(input<T>(x_, what + ": x")),
          y(targets<T>(y_, loss.takes_labels(), what + ": y")),
          weight(optional_vector<T>(weight_, what + ": sample_weight")) {}
    void name_rows(const py::object& names) {
        if (names.is_none()) return;
        name = Array<std::uint64_t>(numbers(names, "fit: row_names"));
        cmlp::require(name.size() == x.view.rows(), "fit: there are ", name.size(), " row_names for ",
                      x.view.rows(), " rows");
    }
    cmlp::Data<T> data() const {
        return {x.view, y.view, span_of(weight), {name.data(), size_t(name.size())}};
    }
};

/// The rows of a fit as Python holds them: converted once, for the training and for what is measured of them.
template <class T>
using FitRows = std::shared_ptr<Held<T>>;

std::vector<cmlp::MetricKind> metric_kinds(const std::vector<std::string>& names);
py::dict progress_of(const cmlp::Progress& progress);
const char* name_of(cmlp::Stop stop);
/// Raises what a signal's handler raised.
void check_signals();
/// Calls a function of the user's; false: what it returned is neither None nor true, and the training stops.
bool continues(const py::object& function, const py::dict& values);
/// Options by their names in net.fit; those that are not there stay, and a name that is none of them is refused.
/// None is "off" for the options that can be off.
cmlp::FitOptions options_from(const py::dict& o);
