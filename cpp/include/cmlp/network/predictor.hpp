// Predictions with memory of their own: for real-time threads, and for whoever predicts many times.
#pragma once

#include <cmlp/network/network.hpp>

namespace cmlp::inline v0_1 {

namespace detail {

template <class T>
struct PredictionMemory;

}  // namespace detail

/// Predicts with a network, which must outlive it (moving it is allowed) and must not be trained meanwhile.
/// One thread at a time; a Predictor for each thread.
template <class T>
class Predictor {
public:
    explicit Predictor(const Network<T>& network);
    explicit Predictor(const Network<T>&& network) = delete;
    Predictor(Predictor&& other) noexcept;
    Predictor& operator=(Predictor&& other) noexcept;
    ~Predictor();

    /// Takes all memory that calls of up to so many dense rows need: from the next call on, nothing is
    /// allocated and no lock taken, as long as the calls run on one thread (num_threads() of 1, or little
    /// work). `columns` is needed for a network that takes any number of them; throws std::invalid_argument
    /// without, and unless rows >= 1.
    void reserve(Index rows, Index columns = 0);

    /// y = the output for x in evaluation mode, the bits those of Network::predict_into; throws as that does.
    void predict_into(const Input<T>& x, MatrixView<T> y, Execution execution = {});
    template <class E>
    void predict_into(const Expression<E>& x, MatrixView<T> y, Execution execution = {}) {
        detail::with_rows<T>(x.self(), [&](const Input<T>& rows) { predict_into(rows, y, execution); });
    }
    void predict_into(std::span<const T> x, std::span<T> y) {
        predict_into(Input<T>(MatrixView<const T>(x.data(), 1, std::ssize(x))),
                     MatrixView<T>(y.data(), 1, std::ssize(y)));
    }
    /// The output in a new matrix.
    [[nodiscard]] Matrix<T> predict(const Input<T>& x, Execution execution = {});
    template <class E>
    [[nodiscard]] Matrix<T> predict(const Expression<E>& x, Execution execution = {}) {
        Matrix<T> y;
        detail::with_rows<T>(x.self(), [&](const Input<T>& rows) { y = predict(rows, execution); });
        return y;
    }
    [[nodiscard]] Matrix<T> predict(std::span<const T> x) {
        return predict(Input<T>(MatrixView<const T>(x.data(), 1, std::ssize(x))));
    }

private:
    const detail::NetworkParts<T>* parts_;
    std::unique_ptr<detail::PredictionMemory<T>> memory_;
};

extern template class Predictor<float>;
extern template class Predictor<double>;

}  // namespace cmlp::inline v0_1
