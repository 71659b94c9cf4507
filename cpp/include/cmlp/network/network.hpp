// A network: layers in order, their numbers in one flat buffer (what is trained first) and the gradients in another.
#pragma once

#include <cmlp/base/sparse.hpp>
#include <cmlp/network/numbers.hpp>

#include <atomic>
#include <thread>

namespace cmlp {

namespace detail {

template <class T>
struct Passes;

/// f(rows), rows being x itself, or what the expression x evaluates to.
template <class T, class E>
void with_rows(const E& x, auto&& f) {
    if constexpr (std::convertible_to<const E&, MatrixView<const T>>) {
        f(Input<T>(x));
    } else {
        const Matrix<T> rows(x);
        f(Input<T>(rows));
    }
}

}  // namespace detail

template <class T>
class Predictor;

/// Layers in order. Copies are deep; a network that moves keeps its numbers where they are, so that views of
/// them, optimizers
/// and predictors stay valid, and what is left behind can only be assigned or destroyed. Prediction is const,
/// takes no lock
/// and is safe from many threads; all else is for one thread at a time, and throws std::runtime_error where
/// two of them train.
template <class T>
class Network : public NetworkNumbers<T> {
    static_assert(std::is_same_v<T, float> || std::is_same_v<T, double>,
                  "Network<T>: T is the type of the network's numbers, float or double");

public:
    using NetworkNumbers<T>::layer_count;
    using NetworkNumbers<T>::metadata;

    /// Draws the parameters from the seed, or leaves them 0; throws std::invalid_argument when sizes do not fit.
    explicit Network(std::vector<NamedLayer> layers, std::uint64_t seed = 0, bool draw = true);
    /// The same with layers named "0", "1", ...
    explicit Network(std::vector<Layer> layers, std::uint64_t seed = 0);
    template <std::same_as<bool> B>
    explicit Network(std::vector<NamedLayer> layers, B seed, bool draw = true) = delete;
    template <std::same_as<bool> B>
    explicit Network(std::vector<Layer> layers, B seed) = delete;
    Network(const Network& other);
    Network(Network&& other) noexcept;
    /// Of the same layers: numbers are copied in place, and what looks at them stays valid.
    Network& operator=(const Network& other);
    Network& operator=(Network&& other) noexcept;
    ~Network();
    /// The same network in the other precision, parameters rounded.
    template <class U>
        requires(!std::same_as<T, U>)
    explicit Network(const Network<U>& other);

    /// Output, keeping what backward needs; x is borrowed until then. The view is valid until the next pass.
    /// Throws on a
    /// sparse x unless the first layer is a Linear.
    MatrixView<const T> forward(const Input<T>& x) { return forward(x, 0, layer_count()); }
    /// The same for layers first ... last - 1 alone.
    MatrixView<const T> forward(const Input<T>& x, Index first, Index last);
    /// Gradient of the input from dy, that of the output; the parameters' gradients are added to, or set.
    MatrixView<const T> backward(MatrixView<const T> dy) { return backward(dy, 0, layer_count()); }
    MatrixView<const T> backward(MatrixView<const T> dy, Index first, Index last, bool accumulate = true,
                                 bool input_gradient = true);
    /// A copy of x in the network's own memory, for callers whose x may be gone before backward.
    Input<T> keep(const Input<T>& x, Index first = 0);
    /// Input of layer first in its last forward (of a sparse one its numbers()), then the outputs from there
    /// to layer last - 1.
    [[nodiscard]] std::vector<MatrixView<const T>> outputs(Index first, Index last) const;
    /// Output of the last forward.
    [[nodiscard]] MatrixView<const T> output() const;
    /// Drops the passes so far: backward throws until the next.
    void forget();

    /// y = the output for x in evaluation mode, layers first ... last - 1; throws on a wrong shape, and when
    /// x and y share
    /// memory. Small networks take none for a few rows; for the rest see Predictor.
    void predict_into(const Input<T>& x, MatrixView<T> y) const { predict_into(x, y, 0, layer_count()); }
    void predict_into(const Input<T>& x, MatrixView<T> y, Index first, Index last) const;
    /// The same for a matrix or an expression.
    template <class E>
    void predict_into(const Expression<E>& x, MatrixView<T> y) const {
        detail::with_rows<T>(x.self(), [&](const Input<T>& rows) { predict_into(rows, y); });
    }
    /// The same for one row.
    void predict_into(std::span<const T> x, std::span<T> y) const {
        predict_into(Input<T>(MatrixView<const T>(x.data(), 1, std::ssize(x))),
                     MatrixView<T>(y.data(), 1, std::ssize(y)));
    }
    /// The output in a new matrix.
    [[nodiscard]] Matrix<T> predict(const Input<T>& x) const {
        Matrix<T> y(x.rows(), output_width(x, 0, layer_count()));
        predict_into(x, y.view());
        return y;
    }
    template <class E>
    [[nodiscard]] Matrix<T> predict(const Expression<E>& x) const {
        Matrix<T> y;
        detail::with_rows<T>(x.self(), [&](const Input<T>& rows) { y = predict(rows); });
        return y;
    }
    [[nodiscard]] Matrix<T> predict(std::span<const T> x) const {
        return predict(Input<T>(MatrixView<const T>(x.data(), 1, std::ssize(x))));
    }

    /// Columns of the output for an input with `in` columns; throws when a layer cannot take its input.
    [[nodiscard]] Index output_width(Index in) const { return output_width(in, 0, layer_count()); }
    [[nodiscard]] Index output_width(Index in, Index first, Index last) const;
    /// The same for x; throws when it is sparse and layer first no Linear.
    [[nodiscard]] Index output_width(const Input<T>& x, Index first, Index last) const;
    void zero_grad();
    /// Draws the parameters again.
    void reset_parameters(std::uint64_t seed);
    template <std::same_as<bool> B>
    void reset_parameters(B seed) = delete;
    /// Initialises the linear layers first ... last - 1 from the rows of x, the input of layer first, one
    /// after the other:
    /// each output has standard deviation 1 before its bias, which puts 0 amid the rows. Buffers and gradients stay.
    /// Throws std::invalid_argument when x has no rows, another width or an element that is not finite.
    void initialize_from(MatrixView<const T> x, std::uint64_t seed, Index first, Index last);

    /// Names of the rows that the next passes draw dropout by, borrowed until forget(); empty: their places
    /// in the batch.
    void name_rows(std::span<const std::uint64_t> names);
    /// Held by the thread that changes the network (again by its own callbacks), in whichever Network it
    /// moves to; throws
    /// std::runtime_error while another thread holds it. Training takes it by itself.
    class Exclusive {
    public:
        Exclusive(Network& network, const char* what);
        ~Exclusive();
        Exclusive(const Exclusive&) = delete;

    private:
        std::atomic<std::thread::id>& owner_;
        bool nested_;
    };

    [[deprecated("set_training")]] void train(bool on = true) { this->set_training(on); }
    [[deprecated("layer_count")]] Index size() const { return layer_count(); }
    [[deprecated("pass_count")]] std::uint64_t step() const { return this->pass_count(); }
    [[deprecated("set_pass_count")]] void set_step(std::uint64_t count) { this->set_pass_count(count); }

private:
    friend class Predictor<T>;
    friend struct detail::Passes<T>;
    using NetworkNumbers<T>::parts;
    using NetworkNumbers<T>::parts_;
};

extern template class Network<float>;
extern template class Network<double>;

}  // namespace cmlp
