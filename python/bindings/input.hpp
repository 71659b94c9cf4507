// x as a network takes it: an array, or a SciPy sparse matrix of any format, known by its method tocsr.
#pragma once

#include <cmlp/base/sparse.hpp>

#include <algorithm>
#include <array>
#include <limits>

#include "array.hpp"

/// The arrays of an input kept alive beside its view.
template <class T>
struct HeldInput {
    std::array<py::object, 3> owners;
    cmlp::Input<T> view;  // (rows, columns)
};

/// SciPy's column indices, int32 unless the matrix is huge. One that no int32 holds is out of any range: it is made the
/// largest, and refused with those.
inline Array<std::int32_t> narrowed(const py::object& indices) {
    if (py::isinstance<Array<std::int32_t>>(indices)) return Array<std::int32_t>(indices);
    const Array<std::int64_t> wide(indices);
    Array<std::int32_t> narrow(wide.size());
    using Limits = std::numeric_limits<std::int32_t>;
    std::transform(wide.data(), wide.data() + wide.size(), narrow.mutable_data(), [](std::int64_t index) {
        return static_cast<std::int32_t>(std::clamp<std::int64_t>(index, Limits::min(), Limits::max()));
    });
    return narrow;
}

/// Borrows the arrays of a CSR matrix that have the right types, the others converted once.
template <class T>
HeldInput<T> borrow_csr(const py::object& csr, const std::string& what) {
    const auto [rows, cols] = py::cast<std::pair<cmlp::Index, cmlp::Index>>(csr.attr("shape"));
    const Array<T> values = converted<T>(numbers(csr.attr("data"), what), what);
    const Array<std::int64_t> starts(csr.attr("indptr"));
    const Array<std::int32_t> columns = narrowed(csr.attr("indices"));
    const auto span = [](const auto& a) { return std::span(a.data(), static_cast<size_t>(a.size())); };
    return {{values, starts, columns},
            cmlp::SparseView<T>(rows, cols, span(starts), span(columns), span(values), what)};
}

/// x as (rows, columns). Entries out of order or twice in a place are sorted and summed in a copy.
template <class T>
HeldInput<T> input(const py::object& x, const std::string& what) {
    if (!is_sparse(x)) {
        const Rows<T> rows = matrix<T>(x, what);
        return {{rows.owner}, rows.view};
    }
    if (py::len(x.attr("shape")) != 2)
        cmlp::fail(what, " has shape ", std::string(py::str(x.attr("shape"))),
                   ", it must be (rows, columns)");
    const py::object csr = x.attr("tocsr")();
    HeldInput<T> held = borrow_csr<T>(csr, what);
    if (held.view.sparse().is_canonical()) return held;
    const py::object sorted = csr.attr("copy")();
    sorted.attr("sum_duplicates")();
    return borrow_csr<T>(sorted, what);
}
