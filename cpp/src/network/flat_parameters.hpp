// The numbers of a network in two flat buffers: parameters with buffers behind them, and the gradients of the
// parameters.
#pragma once

#include "network/structure.hpp"

namespace cmlp::inline v0_1::detail {

template <class T>
class FlatParameters {
public:
    /// All zero.
    explicit FlatParameters(const Structure& structure);
    FlatParameters(const FlatParameters&) = delete;

    /// Draws the parameters of all layers.
    void reset(const Structure& structure, std::uint64_t seed);
    /// Whether both have the same parameters in the same places.
    bool same_layout(const FlatParameters& other) const;
    /// Takes numbers and gradients of the same layout.
    void copy(const FlatParameters& other);
    /// Takes the numbers of a network in the other precision, rounded; gradients stay.
    void convert(const auto& other) {
        for (size_t p = 0; p < parameters_.size(); ++p)
            round(parameters_[p].value, other.parameters()[p].value);
        for (size_t b = 0; b < buffers_.size(); ++b) round(buffers_[b].value, other.buffers()[b].value);
    }

    const std::vector<Parameter<T>>& parameters() { return parameters_; }
    const std::vector<Parameter<T>>& buffers() { return buffers_; }
    const std::vector<Parameter<const T>>& parameters() const { return shown_parameters_; }
    const std::vector<Parameter<const T>>& buffers() const { return shown_buffers_; }
    std::span<T> state() { return values_.span(); }
    std::span<const T> state() const { return values_.span(); }
    std::span<T> grads() { return grads_.span(); }
    std::span<const T> grads() const { return grads_.span(); }
    /// Of the layer, in the order of its specs; a layer writes its running statistics.
    const std::vector<MatrixView<T>>& values_of(Index layer) const { return values_by_layer_[size_t(layer)]; }
    const std::vector<MatrixView<T>>& grads_of(Index layer) const { return grads_by_layer_[size_t(layer)]; }
    /// Number of parameters, padding not counted.
    Index count() const;
    /// Multiplications or so of the largest layer's pass over that many rows.
    double pass_work(Index rows) const { return double(rows) * double(largest_); }

private:
    static void round(MatrixView<T> to, auto from) {
        for (Index i = 0; i < from.rows(); ++i)
            for (Index j = 0; j < from.cols(); ++j) to(i, j) = static_cast<T>(from(i, j));
    }
    Index place(const Structure& structure, bool trainable, Index offset);
    void look_at_buffers(std::vector<Parameter<T>>& all, std::vector<Parameter<const T>>& shown);

    std::vector<Parameter<T>> parameters_, buffers_;
    std::vector<Parameter<const T>> shown_parameters_, shown_buffers_;          // the same, not to be written
    std::vector<std::vector<MatrixView<T>>> values_by_layer_, grads_by_layer_;  // views by layer
    Index largest_ = 0;         // numbers of the largest parameter
    Buffer<T> values_, grads_;  // parameters then buffers; parameters alone
};

}  // namespace cmlp::inline v0_1::detail
