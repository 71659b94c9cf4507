// Matrix products and noalias(). Part of matrix.hpp.
#pragma once

#include <cmlp/base/expressions.hpp>

namespace cmlp::inline v0_1 {

template <class T>
class MatrixView;

/// c = op(a) op(b), or c += op(a) op(b) to accumulate, where op transposes if the flag is set; c shares no
/// memory with a or b.
/// Defined in the library for float and double; throws std::invalid_argument unless the shapes agree.
template <class T>
void multiply(MatrixView<const T> a, bool transpose_a, MatrixView<const T> b, bool transpose_b,
              MatrixView<T> c, bool accumulate);

namespace detail {

/// A matrix or the transpose of one, as a factor of a product.
template <class T>
struct Factor {
    Factor(MatrixView<const T> a) : matrix(a), transposed(false) {}
    Factor(const Transpose<MatrixView<const T>>& a) : matrix(a.transpose()), transposed(true) {}
    Index rows() const { return transposed ? matrix.cols() : matrix.rows(); }
    Index cols() const { return transposed ? matrix.rows() : matrix.cols(); }

    MatrixView<const T> matrix;
    bool transposed;
};

}  // namespace detail

/// a * b, computed when it is assigned; as a part of a larger expression it is computed first, into a Matrix.
template <class T>
class Product : public Expression<Product<T>> {
public:
    using Scalar = T;
    using Operand = Matrix<T>;

    /// Throws std::invalid_argument unless a has as many columns as b has rows.
    Product(detail::Factor<T> a, detail::Factor<T> b) : a_(a), b_(b) {
        require(a.cols() == b.rows(), "operator*: left is ", a.rows(), "x", a.cols(), ", right is ", b.rows(),
                "x", b.cols());
    }
    Index rows() const { return a_.rows(); }
    Index cols() const { return b_.cols(); }
    void multiply_into(MatrixView<T> c, bool accumulate) const {
        detail::require_same_shape(accumulate ? "operator+=" : "operator=", c.rows(), c.cols(), rows(),
                                   cols());
        multiply<T>(a_.matrix, a_.transposed, b_.matrix, b_.transposed, c, accumulate);
    }

private:
    detail::Factor<T> a_;
    detail::Factor<T> b_;
};

/// c.noalias(): what is assigned goes straight into c, on the promise that it does not read c elsewhere.
template <class T>
class NoAlias {
public:
    explicit NoAlias(MatrixView<T> c) : c_(c) {}

    /// All three throw std::invalid_argument unless the shapes agree.
    void operator=(const Product<T>& ab) const { ab.multiply_into(c_, false); }
    void operator+=(const Product<T>& ab) const { ab.multiply_into(c_, true); }
    template <class E>
    void operator=(const Expression<E>& e) const {
        static_assert(std::is_same_v<typename E::Scalar, T>, "mixed types: use cast<T>()");
        const auto x = e.operand();
        detail::require_same_shape("operator=", c_.rows(), c_.cols(), x.rows(), x.cols());
        for (Index i = 0; i < x.rows(); ++i) {
            T* out = c_.data() + i * c_.row_stride();
            for (Index j = 0; j < x.cols(); ++j) out[j] = x(i, j);
        }
    }

private:
    MatrixView<T> c_;
};

/// The left side of a compound assignment: a Matrix, or a view of elements that are not const.
template <class C>
concept Writable = requires(C& c) { c.noalias(); };

/// `c += e` is `c = c + e`, one loop. `*=` with a matrix is element by element, unlike Eigen's.
auto& operator+=(Writable auto&& c, const auto& e) {
    c.view().assign(c + e);
    return c;
}
auto& operator-=(Writable auto&& c, const auto& e) {
    c.view().assign(c - e);
    return c;
}
auto& operator*=(Writable auto&& c, const auto& e) {
    c.view().assign(c.cwise_product(e));
    return c;
}
auto& operator/=(Writable auto&& c, const auto& e) {
    c.view().assign(c.cwise_quotient(e));
    return c;
}

}  // namespace cmlp::inline v0_1
