// The pybind11 includes and the parts of the module. Every binding file includes this first.
#pragma once

#include <pybind11/functional.h>
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

namespace py = pybind11;

void bind_registry(py::module_& m);
void bind_runtime(py::module_& m);
void bind_network(py::module_& m);
void bind_loss(py::module_& m);
void bind_optimizer(py::module_& m);
void bind_full_batch(py::module_& m);
void bind_lbfgs(py::module_& m);
void bind_training(py::module_& m);
void bind_estimator(py::module_& m);
void bind_reference(py::module_& m);
void bind_schedule(py::module_& m);
void bind_perceptron(py::module_& m);
