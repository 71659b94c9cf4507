// Sums, extremes, rowwise() and colwise(). Part of matrix.hpp.
//
// The order of every fold is fixed, so that equal elements give equal bits. In a row, element j goes to lane j % 16 and
// each lane takes its elements in order; then lane i takes in lane i + 8, then i + 4, i + 2, i + 1. A
// complete matrix folds each row, then the rows' results by the same rule. A column is folded from the top
// down. Sums start from 0. A NaN among the elements makes the result NaN.
#pragma once

#include <cmlp/base/buffer.hpp>
#include <cmlp/base/error.hpp>

#include <functional>
#include <vector>

namespace cmlp::inline v0_1 {

template <class T>
class Matrix;
template <class E>
class Expression;

namespace detail {

template <class A>
void require_elements(const char* what, const A& a) {
    require(a.rows() > 0 && a.cols() > 0, what, ": ", a.rows(), "x", a.cols(), " has no elements");
}

/// The smaller or larger of two; NaN if either is.
struct Smaller {
    template <class T>
    T operator()(T a, T b) const {
        return a < b || a != a ? a : b;
    }
};
struct Larger {
    template <class T>
    T operator()(T a, T b) const {
        return a > b || a != a ? a : b;
    }
};

/// start, element(0), ..., element(n - 1) folded by f in 16 lanes.
template <class T, class F, class Element>
T fold(Index n, T start, F f, Element element) {
    constexpr Index lanes = 16;
    T lane[lanes];
    for (T& value : lane) value = start;
    const Index full = n - n % lanes;
    for (Index j = 0; j < full; j += lanes)
        for (Index l = 0; l < lanes; ++l) lane[l] = f(lane[l], element(j + l));
    for (Index l = 0; l < n - full; ++l) lane[l] = f(lane[l], element(full + l));
    for (Index half = lanes / 2; half > 0; half /= 2)
        for (Index l = 0; l < half; ++l) lane[l] = f(lane[l], lane[l + half]);
    return lane[0];
}

template <class T, class A, class F>
T fold_row(const A& a, Index i, T start, F f) {
    return fold(a.cols(), start, f, [&](Index j) { return a(i, j); });
}

template <class T, class A, class F>
T fold_all(const A& a, T start, F f) {
    return fold(a.rows(), start, f, [&](Index i) { return fold_row(a, i, start, f); });
}

}  // namespace detail

/// One row used as `count` equal rows, or one column used as `count` equal columns.
template <class A, bool by_row>
class Repeated : public Expression<Repeated<A, by_row>> {
public:
    using Scalar = typename A::Scalar;
    using Operand = Repeated;

    Repeated(const A& a, Index count) : a_(a), count_(count) {}
    Index rows() const { return by_row ? count_ : a_.rows(); }
    Index cols() const { return by_row ? a_.cols() : count_; }
    Scalar operator()(Index i, Index j) const { return by_row ? a_(0, j) : a_(i, 0); }
    bool disturbed_by(const auto& target, bool) const { return a_.disturbed_by(target, true); }

private:
    A a_;
    Index count_;
};

/// a.rowwise() or a.colwise(): `+ - * /` apply a row to each row (a column to each column), element by element and
/// lazily; the folds give one number a row (rows, 1) or one a column (1, cols), immediately.
template <class A, bool by_row>
class Vectorwise {
    using T = typename A::Scalar;

public:
    explicit Vectorwise(const A& a) : a_(a) {}

    /// These four throw std::invalid_argument unless v is 1 x cols (rowwise) or rows x 1 (colwise).
    auto operator+(const auto& v) const { return apply(std::plus<>(), v); }
    auto operator-(const auto& v) const { return apply(std::minus<>(), v); }
    auto operator*(const auto& v) const { return apply(std::multiplies<>(), v); }
    auto operator/(const auto& v) const { return apply(std::divides<>(), v); }

    Matrix<T> sum() const { return fold(std::plus<>(), true); }
    /// The others throw std::invalid_argument when there are no elements.
    Matrix<T> mean() const {
        detail::require_elements("mean", a_);
        return sum() / (by_row ? a_.cols() : a_.rows());
    }
    Matrix<T> max_coeff() const { return extreme("max_coeff", detail::Larger()); }
    Matrix<T> min_coeff() const { return extreme("min_coeff", detail::Smaller()); }

    /// Where each row has its maximum: the first of equals, the first NaN if there is one.
    std::vector<Index> arg_max() const
        requires by_row
    {
        detail::require_elements("arg_max", a_);
        std::vector<Index> best;
        for (Index i = 0; i < a_.rows(); ++i) {
            Index at = 0;
            for (Index j = 1; j < a_.cols(); ++j)
                if (a_(i, at) == a_(i, at) && !(a_(i, j) <= a_(i, at))) at = j;
            best.push_back(at);
        }
        return best;
    }

private:
    template <class F, class V>
    auto apply(F f, const V& v) const {
        const Index rows = by_row ? 1 : a_.rows(), cols = by_row ? a_.cols() : 1;
        require(v.rows() == rows && v.cols() == cols, by_row ? "rowwise" : "colwise", ": the matrix is ",
                a_.rows(), "x", a_.cols(), by_row ? ", the row is " : ", the column is ", v.rows(), "x",
                v.cols());
        return a_.binary_expr(Repeated<typename V::Operand, by_row>(v, by_row ? a_.rows() : a_.cols()), f);
    }
    template <class F>
    Matrix<T> extreme(const char* what, F f) const {
        detail::require_elements(what, a_);
        return fold(f, false);
    }
    template <class F>
    Matrix<T> fold(F f, bool from_zero) const {
        Matrix<T> result(by_row ? a_.rows() : 1, by_row ? 1 : a_.cols());
        T* out = result.data();
        for (Index k = 0; k < result.size() && !from_zero; ++k) out[k] = by_row ? a_(k, 0) : a_(0, k);
        for (Index i = 0; i < a_.rows(); ++i) {
            if constexpr (by_row) {
                out[i] = detail::fold_row(a_, i, out[i], f);
            } else {
                for (Index j = 0; j < a_.cols(); ++j) out[j] = f(out[j], a_(i, j));
            }
        }
        return result;
    }

    A a_;
};

}  // namespace cmlp::inline v0_1
