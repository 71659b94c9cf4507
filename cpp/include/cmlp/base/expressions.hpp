// Lazy arithmetic: `a + b`, `a.transpose()` and `a * b` are nodes until they are assigned, which runs one loop.
// Part of matrix.hpp. A node borrows the matrices it was made of: do not keep one longer than they exist.
#pragma once

// The linker may keep one copy of what is inline here for the core, too: its NaN checks and equal bits would be gone.
#if defined(__FAST_MATH__) && !defined(CMLP_ALLOW_FAST_MATH)
#error \
    "cmlp: this file is compiled with -ffast-math or -Ofast. Add -fno-fast-math for files that include cmlp, or \
define CMLP_ALLOW_FAST_MATH and do without NaN checks and equal bits."
#endif

#include <cmlp/base/buffer.hpp>
#include <cmlp/base/error.hpp>
#include <cmlp/base/vectorwise.hpp>

#include <cmath>
#include <functional>
#include <tuple>
#include <type_traits>
#include <utility>

namespace cmlp::inline v0_1 {

template <class T>
class Product;
template <class F, class... Operands>
class Cwise;
template <class A>
class Transpose;

namespace detail {

inline void require_same_shape(const char* what, Index rows, Index cols, Index other_rows, Index other_cols) {
    require(rows == other_rows && cols == other_cols, what, ": left is ", rows, "x", cols, ", right is ",
            other_rows, "x", other_cols);
}

template <class T>
struct Factor;

}  // namespace detail

/// What matrices, views and nodes share. E defines Scalar, rows(), cols() and Operand, the form in which a
/// node keeps it; an Operand also has (i, j) and disturbed_by(target, moved): would writing target change
/// what is yet to be read? All that takes a second matrix throws std::invalid_argument unless the shapes
/// agree; a number is used as a matrix full of it.
template <class E>
class Expression {
public:
    const E& self() const { return static_cast<const E&>(*this); }
    auto operand() const { return typename E::Operand(self()); }
    /// A Matrix with these elements.
    auto eval() const { return Matrix<typename E::Scalar>(self()); }

    auto transpose() const { return Transpose<typename E::Operand>(self()); }
    auto rowwise() const { return Vectorwise<typename E::Operand, true>(self()); }
    auto colwise() const { return Vectorwise<typename E::Operand, false>(self()); }

    template <class F>
    auto unary_expr(F f) const {
        return Cwise<F, typename E::Operand>(std::move(f), self());
    }
    template <class F>
    auto binary_expr(const auto& b, F f) const {
        return pairwise("binary_expr", std::move(f), b);
    }
    template <class T>
    auto cast() const {
        return unary_expr([](auto x) { return static_cast<T>(x); });
    }

    auto operator-() const { return unary_expr(std::negate<>()); }
    auto operator+(const auto& b) const { return pairwise("operator+", std::plus<>(), b); }
    auto operator-(const auto& b) const { return pairwise("operator-", std::minus<>(), b); }
    auto cwise_product(const auto& b) const { return pairwise("cwise_product", std::multiplies<>(), b); }
    auto cwise_quotient(const auto& b) const { return pairwise("cwise_quotient", std::divides<>(), b); }
    auto cwise_min(const auto& b) const { return pairwise("cwise_min", detail::Smaller(), b); }
    auto cwise_max(const auto& b) const { return pairwise("cwise_max", detail::Larger(), b); }
    auto cwise_abs() const {
        return unary_expr([](auto x) { return std::abs(x); });
    }
    auto cwise_sqrt() const {
        return unary_expr([](auto x) { return std::sqrt(x); });
    }
    auto square() const {
        return unary_expr([](auto x) { return x * x; });
    }

    /// a * number is element by element, a * b the matrix product.
    template <class B>
    auto operator*(const B& b) const {
        if constexpr (std::is_arithmetic_v<B>) {
            return cwise_product(b);
        } else {
            using Factor = detail::Factor<typename E::Scalar>;
            static_assert(
                std::is_convertible_v<decltype(operand()), Factor> &&
                    std::is_convertible_v<decltype(b.operand()), Factor>,
                "a product takes matrices of one element type and their transposes; eval() other factors");
            return Product<typename E::Scalar>(operand(), b.operand());
        }
    }
    template <class B>
        requires std::is_arithmetic_v<B>
    auto operator/(B divisor) const {
        return cwise_quotient(divisor);
    }

    /// Folds of all elements, in the order that vectorwise.hpp describes. Without elements sums are 0, and
    /// mean, max_coeff and min_coeff throw std::invalid_argument.
    auto sum() const { return detail::fold_all(operand(), typename E::Scalar(0), std::plus<>()); }
    auto mean() const {
        detail::require_elements("mean", self());
        return sum() / typename E::Scalar(self().rows() * self().cols());
    }
    auto max_coeff() const { return extreme("max_coeff", detail::Larger()); }
    auto min_coeff() const { return extreme("min_coeff", detail::Smaller()); }
    auto squared_norm() const { return square().sum(); }
    auto norm() const { return std::sqrt(squared_norm()); }

private:
    template <class F, class B>
    auto pairwise(const char* what, F f, const B& b) const {
        if constexpr (std::is_arithmetic_v<B>) {
            return unary_expr([f, b = typename E::Scalar(b)](auto x) { return f(x, b); });
        } else {
            static_assert(std::is_same_v<typename E::Scalar, typename B::Scalar>,
                          "mixed types: use cast<T>()");
            detail::require_same_shape(what, self().rows(), self().cols(), b.rows(), b.cols());
            return Cwise<F, typename E::Operand, typename B::Operand>(std::move(f), self(), b);
        }
    }
    template <class F>
    auto extreme(const char* what, F f) const {
        detail::require_elements(what, self());
        const auto x = operand();
        return detail::fold_all(x, x(0, 0), f);
    }
};

template <class A>
auto operator*(typename A::Scalar factor, const Expression<A>& a) {
    return a * factor;
}

/// f of the operands' elements at one position.
template <class F, class... Operands>
class Cwise : public Expression<Cwise<F, Operands...>> {
public:
    using Scalar = std::decay_t<std::invoke_result_t<const F&, typename Operands::Scalar...>>;
    using Operand = Cwise;

    template <class... Sources>
    explicit Cwise(F f, const Sources&... sources) : f_(std::move(f)), operands_(sources...) {}
    Index rows() const { return std::get<0>(operands_).rows(); }
    Index cols() const { return std::get<0>(operands_).cols(); }
    Scalar operator()(Index i, Index j) const {
        return std::apply([&](const auto&... x) { return f_(x(i, j)...); }, operands_);
    }
    bool disturbed_by(const auto& target, bool moved) const {
        return std::apply([&](const auto&... x) { return (x.disturbed_by(target, moved) || ...); },
                          operands_);
    }

private:
    F f_;
    std::tuple<Operands...> operands_;
};

/// Element (i, j) is the operand's (j, i).
template <class A>
class Transpose : public Expression<Transpose<A>> {
public:
    using Scalar = typename A::Scalar;
    using Operand = Transpose;

    explicit Transpose(const A& a) : a_(a) {}
    A transpose() const { return a_; }
    Index rows() const { return a_.cols(); }
    Index cols() const { return a_.rows(); }
    Scalar operator()(Index i, Index j) const { return a_(j, i); }
    bool disturbed_by(const auto& target, bool) const { return a_.disturbed_by(target, true); }

private:
    A a_;
};

}  // namespace cmlp::inline v0_1
