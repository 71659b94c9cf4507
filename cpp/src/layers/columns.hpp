// Which columns of its input a layer embeds. In the output their numbers take their place, the other columns pass.
#pragma once

#include "layers/common.hpp"

namespace cmlp::inline v0_1::layer {

inline void require_columns(std::string_view type, const std::vector<Index>& columns) {
    for (size_t i = 0; i < columns.size(); ++i)
        require(columns[i] >= 0 && (i == 0 || columns[i - 1] < columns[i]), type,
                ": columns must be increasing and not negative");
}

/// Columns of an input of which `columns` (none: all) become `dim` numbers each.
struct EmbeddedColumns {
    const std::vector<Index>& columns;
    Index in, dim;

    Index count() const { return columns.empty() ? in : std::ssize(columns); }
    /// Column of the input, and first column of the output, of embedded column i.
    Index from(Index i) const { return columns.empty() ? i : columns[size_t(i)]; }
    Index to(Index i) const { return from(i) + i * (dim - 1); }

    /// Columns of the output; throws where the input of layer `name` lacks one.
    Index width(std::string_view type, std::string_view name) const {
        if (columns.empty()) return size_product(type, in, dim);
        require(columns.back() < in, type, ".forward: x has ", in, " columns, the layer '", name,
                "' reads column ", columns.back());
        return in + size_product(type, count(), dim - 1);
    }

    /// f(first, count) for each stretch of embedded columns from begin to end that are beside each other.
    template <class F>
    void each_run(Index begin, Index end, F f) const {
        for (Index i = begin, next; i < end; i = next) {
            for (next = i + 1; next < end && from(next) == from(next - 1) + 1;) ++next;
            f(i, next - i);
        }
    }
    /// f(first column of the input, first column of the output, columns) for each stretch of columns that pass.
    template <class F>
    void each_passed(F f) const {
        if (columns.empty()) return;
        Index begin = 0;
        for (Index i = 0; i <= count(); ++i) {
            const Index end = i < count() ? from(i) : in;
            if (begin < end) f(begin, begin + i * (dim - 1), end - begin);
            begin = end + 1;
        }
    }
    template <class T>
    void pass(In<T> x, MatrixView<T> y) const {
        each_passed([&](Index own, Index out, Index cols) {
            y.middle_cols(out, cols).assign(x.middle_cols(own, cols));
        });
    }
    template <class T>
    void pass_back(In<T> dy, MatrixView<T> dx) const {
        each_passed([&](Index own, Index out, Index cols) {
            dx.middle_cols(own, cols).assign(dy.middle_cols(out, cols));
        });
    }
};

}  // namespace cmlp::inline v0_1::layer
