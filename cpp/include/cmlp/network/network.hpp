// A network: layers in order, their numbers in one flat buffer (what is trained first) and the gradients in
// another.
#pragma once

#include <cmlp/base/sparse.hpp>
#include <cmlp/network/numbers.hpp>
#include <cmlp/runtime/runtime.hpp>
#include <cmlp/runtime/seed.hpp>

namespace cmlp::inline v0_1 {

namespace detail {

class Access;
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
/// them, optimizers and predictors stay valid, and what is left behind can only be assigned or destroyed.
/// Prediction is const, takes no lock and is safe from many threads; all else is for one thread at a time,
/// and throws std::runtime_error where two of them train.
template <class T>
class Network : public NetworkNumbers<T> {
    static_assert(std::is_same_v<T, float> || std::is_same_v<T, double>,
                  "Network<T>: T is the type of the network's numbers, float or double");

public:
    using NetworkNumbers<T>::layer_count;
    using NetworkNumbers<T>::metadata;

    /// Draws the parameters from the seed, or leaves them 0; throws std::invalid_argument when sizes do not
    /// fit.
    explicit Network(std::vector<NamedLayer> layers, Seed seed = 0, bool draw = true);
    /// The same with layers named "0", "1", ...
    explicit Network(std::vector<Layer> layers, Seed seed = 0);
    /// Over numbers in memory of another owner, not drawn and never written: such a network predicts, can be copied and
    /// saved, and throws std::invalid_argument where it would change. Throws it too when they are not as many as the
    /// layers' numbers, or not on a 64-byte boundary.
    Network(std::vector<NamedLayer> layers, SharedState<T> shared, Seed seed = 0);
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
    /// Throws on a sparse x unless the first layer is a Linear.
    MatrixView<const T> forward(const Input<T>& x, Execution execution = {}) {
        return forward(x, 0, layer_count(), execution);
    }
    /// The same for layers first ... last - 1 alone.
    MatrixView<const T> forward(const Input<T>& x, Index first, Index last, Execution execution = {});
    /// Gradient of the input from dy, that of the output; the parameters' gradients are added to, or set.
    MatrixView<const T> backward(MatrixView<const T> dy, Execution execution = {}) {
        return backward(dy, 0, layer_count(), true, true, execution);
    }
    MatrixView<const T> backward(MatrixView<const T> dy, Index first, Index last, bool accumulate = true,
                                 bool input_gradient = true, Execution execution = {});
    /// A copy of x in the network's own memory, for callers whose x may be gone before backward.
    Input<T> keep(const Input<T>& x, Index first = 0);
    /// Input of layer first in its last forward (of a sparse one its numbers()), then the outputs from there
    /// to layer last - 1.
    [[nodiscard]] std::vector<MatrixView<const T>> outputs(Index first, Index last) const;
    /// Output of the last forward.
    [[nodiscard]] MatrixView<const T> output() const;
    /// Drops the passes so far, and with them all views of callers' memory: backward throws until the next.
    void forget();
    /// Forgets when it goes out of scope: for callers whose memory the passes look at, whatever is thrown.
    class ForgetAtEnd {
    public:
        explicit ForgetAtEnd(Network& network) : network_(network) {}
        ~ForgetAtEnd() { network_.forget(); }
        ForgetAtEnd(const ForgetAtEnd&) = delete;

    private:
        Network& network_;
    };
    /// y = the output for x in evaluation mode as predict_into gives it, by any number of threads at once. Of
    /// the pass a copy of x is kept, from which backward repeats it: by the thread that made the network's
    /// last pass.
    void call_into(const Input<T>& x, MatrixView<T> y, Index first, Index last);
    /// A call in the network's mode with the input of layer first (of a sparse one its numbers()), then the
    /// output of each layer; in evaluation mode by any number of threads at once.
    [[nodiscard]] std::vector<Matrix<T>> trace(const Input<T>& x, Index first, Index last);
    /// Repeats the passes of call_into, so that outputs() has them; backward does so itself. Throws
    /// std::runtime_error when another thread has made a pass since the last one of this thread.
    void repeat_calls(const char* what);

    /// y = the output for x in evaluation mode, layers first ... last - 1; throws on a wrong shape, and when
    /// x and y share memory. Small networks take none for a few rows; for the rest see Predictor.
    void predict_into(const Input<T>& x, MatrixView<T> y, Execution execution = {}) const {
        predict_into(x, y, 0, layer_count(), execution);
    }
    void predict_into(const Input<T>& x, MatrixView<T> y, Index first, Index last,
                      Execution execution = {}) const;
    /// The same for a matrix or an expression.
    template <class E>
    void predict_into(const Expression<E>& x, MatrixView<T> y, Execution execution = {}) const {
        detail::with_rows<T>(x.self(), [&](const Input<T>& rows) { predict_into(rows, y, execution); });
    }
    /// The same for one row.
    void predict_into(std::span<const T> x, std::span<T> y) const {
        predict_into(Input<T>(MatrixView<const T>(x.data(), 1, std::ssize(x))),
                     MatrixView<T>(y.data(), 1, std::ssize(y)));
    }
    /// The output in a new matrix.
    [[nodiscard]] Matrix<T> predict(const Input<T>& x, Execution execution = {}) const {
        Matrix<T> y(x.rows(), output_width(x, 0, layer_count()));
        predict_into(x, y.view(), execution);
        return y;
    }
    template <class E>
    [[nodiscard]] Matrix<T> predict(const Expression<E>& x, Execution execution = {}) const {
        Matrix<T> y;
        detail::with_rows<T>(x.self(), [&](const Input<T>& rows) { y = predict(rows, execution); });
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
    /// Takes the settings of a layer of the same kind, sizes and widths, such as another p of a Dropout; throws
    /// std::invalid_argument otherwise. Backward through the layer needs another forward pass. Waits for those
    /// that hold a Shared; predictions that hold none must not run meanwhile.
    void set_layer(Index layer, const Layer& settings);
    void zero_grad();
    /// Draws the parameters again.
    void reset_parameters(Seed seed);
    /// Initialises the linear layers first ... last - 1 from the rows of x, the input of layer first, one after
    /// the other: each output has standard deviation 1 before its bias, which puts 0 amid the rows. Buffers
    /// and gradients stay. Throws std::invalid_argument when x has no rows, another width or an element that
    /// is not finite.
    void initialize_from(MatrixView<const T> x, Seed seed, Index first, Index last);

    /// Names of the rows that the next passes draw dropout by, borrowed until forget(); empty: their places
    /// in the batch.
    void name_rows(std::span<const std::uint64_t> names);
    /// Held by the thread that changes the network (again by its own callbacks), in whichever Network it
    /// moves to; throws std::runtime_error while another thread holds it, and waits for those that hold a
    /// Shared. Training takes it by itself.
    class Exclusive {
    public:
        Exclusive(Network& network, const char* what);
        ~Exclusive();
        Exclusive(const Exclusive&) = delete;

    private:
        detail::Access& access_;
        bool nested_;
    };
    /// Held by threads that read the network, where others might change it meanwhile; throws
    /// std::runtime_error while another thread holds it exclusively. Predictions do not take it by
    /// themselves. Not for a thread that then changes the network.
    class Shared {
    public:
        Shared(const Network& network, const char* what);
        ~Shared();
        Shared(const Shared&) = delete;

    private:
        detail::Access& access_;
        unsigned process_;  // that counts it
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

}  // namespace cmlp::inline v0_1
