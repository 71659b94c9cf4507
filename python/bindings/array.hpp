// NumPy arrays to views and back: the only file that names py::array.
//
// The one rule for input: numbers of any kind are taken; an array of the wanted type whose rows are contiguous is
// borrowed (read-only, row-strided and sliced ones too), anything else is converted once.
#pragma once

#include <cmlp/base/error.hpp>
#include <cmlp/base/matrix.hpp>
#include <cmlp/losses/loss.hpp>

#include <pybind11/numpy.h>

#include <bit>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>

#include "bindings.hpp"

/// An array of T in C order, made or converted once.
template <class T>
using Array = py::array_t<T, py::array::c_style | py::array::forcecast>;

// An array of any element type.
using AnyArray = py::array;

/// "(3, 4)"
inline std::string shape_text(const py::array& a) {
    std::string text = "(";
    for (py::ssize_t d = 0; d < a.ndim(); ++d) text += (d ? ", " : "") + std::to_string(a.shape(d));
    return text + (a.ndim() == 1 ? ",)" : ")");
}

/// Whether it is one of SciPy's sparse matrices, which have this method in common.
inline bool is_sparse(const py::object& object) {
    return !py::isinstance<py::array>(object) && py::hasattr(object, "tocsr");
}

/// Whether the elements are real numbers.
inline bool is_numeric(const py::array& a) {
    const char kind = a.dtype().kind();
    return kind == 'f' || kind == 'i' || kind == 'u' || kind == 'b';
}

/// Any object as an array of numbers: tables with columns of several kinds and objects that are numbers are converted;
/// text, dates and complex numbers are refused by name.
inline py::array numbers(const py::object& object, const std::string& what) {
    if (is_sparse(object)) cmlp::fail(what, " is sparse, it must be dense");
    if (py::isinstance<py::array>(object)) {
        auto a = py::reinterpret_borrow<py::array>(object);
        if (is_numeric(a)) return a;
    }
    // Here and below: Python is called for words only where they are needed.
    return py::module_::import("cmlp._arrays").attr("as_numbers")(object, what);
}

/// Whether a conversion to T may have made an infinity of a finite number: there is an infinity or a NaN.
template <class T>
bool overflows(const py::array& from, const T* converted, py::ssize_t count) {
    if (from.dtype().kind() != 'f' || from.itemsize() <= static_cast<py::ssize_t>(sizeof(T))) return false;
    using Bits = std::conditional_t<sizeof(T) == 4, std::uint32_t, std::uint64_t>;
    constexpr auto exponent = std::bit_cast<Bits>(std::numeric_limits<T>::infinity());
    Bits special = 0;  // not a bool: the loop runs on vectors
    for (py::ssize_t i = 0; i < count; ++i)
        special |= (std::bit_cast<Bits>(converted[i]) & exponent) == exponent ? ~Bits(0) : Bits(0);
    return special != 0;
}

/// The array in T, C order; a finite number that T cannot hold is refused.
template <class T>
Array<T> converted(const py::array& a, const std::string& what) {
    Array<T> result(a);
    if (overflows(a, result.data(), result.size()))
        py::module_::import("cmlp._arrays").attr("check_range")(a, result, what);
    return result;
}

/// An array kept alive beside the view of its elements.
template <class T>
struct Rows {
    py::array owner;
    cmlp::MatrixView<const T> view;  // (rows, cols)
};

template <class T>
Rows<T> borrow(const py::array& a, cmlp::Index rows, cmlp::Index cols, const std::string& what) {
    const bool contiguous_rows = a.ndim() == 2 && a.dtype().is(py::dtype::of<T>()) &&
                                 (a.strides(1) == sizeof(T) || a.shape(1) <= 1) && a.strides(0) > 0 &&
                                 a.strides(0) % static_cast<py::ssize_t>(sizeof(T)) == 0 &&
                                 reinterpret_cast<std::uintptr_t>(a.data()) % sizeof(T) == 0;
    if (contiguous_rows) {
        const cmlp::Index stride = a.strides(0) / static_cast<py::ssize_t>(sizeof(T));
        if (stride >= cols || rows <= 1) return {a, {static_cast<const T*>(a.data()), rows, cols, stride}};
    }
    Array<T> own = converted<T>(a, what);
    return {own, {own.data(), rows, cols}};
}

/// x as (rows, columns); `what` names it in messages: "forward: x".
template <class T>
Rows<T> matrix(const py::object& object, const std::string& what) {
    const py::array a = numbers(object, what);
    if (a.ndim() != 2) cmlp::fail(what, " has shape ", shape_text(a), ", it must be (rows, columns)");
    return borrow<T>(a, a.shape(0), a.shape(1), what);
}

/// One number a row.
template <class T>
Rows<T> vector(const py::object& object, const std::string& what) {
    const py::array a = numbers(object, what);
    if (a.ndim() != 1) cmlp::fail(what, " has shape ", shape_text(a), ", it must be (rows,)");
    Array<T> own = converted<T>(a, what);
    return {own, {own.data(), a.shape(0), 1}};
}

template <class T>
std::span<const T> span_of(const Rows<T>& rows) {
    return {rows.view.data(), static_cast<size_t>(rows.view.rows())};
}

/// Sample weights, or nothing.
template <class T>
Rows<T> optional_vector(const py::object& object, const std::string& what) {
    return object.is_none() ? Rows<T>{} : vector<T>(object, what);
}

/// Targets kept alive beside their view.
template <class T>
struct Targets {
    py::array owner;
    cmlp::Target<T> view;
};

/// y for a loss: integers of shape (rows,) or (rows, 1) become class indices where the loss takes them, anything
/// else a matrix; (rows,) stands for one column.
template <class T>
Targets<T> targets(const py::object& object, bool takes_labels, const std::string& what) {
    const py::array a = numbers(object, what);
    const bool column = a.ndim() == 2 && a.shape(1) == 1;
    if (a.ndim() != 1 && a.ndim() != 2)
        cmlp::fail(what, " has shape ", shape_text(a), ", it must be (rows,) or (rows, columns)");
    if (takes_labels && (a.ndim() == 1 || (column && a.dtype().kind() != 'f'))) {
        if (a.dtype().kind() == 'f')
            cmlp::fail(what, " has dtype ", std::string(py::str(a.dtype())),
                       ", class indices must be integers");
        Array<std::int64_t> label(a);
        const std::span<const std::int64_t> span(label.data(), static_cast<size_t>(label.size()));
        return {label, {{}, span}};
    }
    const Rows<T> rows = borrow<T>(a, a.shape(0), a.ndim() == 1 ? 1 : a.shape(1), what);
    return {rows.owner, {rows.view, {}}};
}

/// A new array with the view's elements.
template <class T>
Array<T> copied(cmlp::MatrixView<const T> x) {
    Array<T> out({x.rows(), x.cols()});
    cmlp::MatrixView<T>(out.mutable_data(), x.rows(), x.cols()).assign(x);
    return out;
}

/// A new array (rows, cols) to be written, with its view.
template <class T>
std::pair<Array<T>, cmlp::MatrixView<T>> new_matrix(cmlp::Index rows, cmlp::Index cols) {
    Array<T> out({rows, cols});
    return {out, {out.mutable_data(), rows, cols}};
}

/// The array, which NumPy refuses to write from here on.
template <class T>
Array<T> read_only(Array<T> array) {
    py::detail::array_proxy(array.ptr())->flags &= ~py::detail::npy_api::NPY_ARRAY_WRITEABLE_;
    return array;
}

/// An array over memory that `owner` keeps alive, as a parameter is shown: transposed, or one-dimensional.
template <class T>
Array<T> shown(cmlp::MatrixView<const T> x, bool transposed, bool one_dimensional, py::handle owner) {
    const py::ssize_t item = sizeof(T), row = x.row_stride() * item;
    if (one_dimensional) return Array<T>({x.cols()}, {item}, x.data(), owner);
    if (transposed) return Array<T>({x.cols(), x.rows()}, {item, row}, x.data(), owner);
    return Array<T>({x.rows(), x.cols()}, {row, item}, x.data(), owner);
}
