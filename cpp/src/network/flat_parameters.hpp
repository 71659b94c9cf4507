// The numbers of a network in two flat buffers: parameters with buffers behind them, and the gradients of the
// parameters.
#pragma once

#include <cmlp/network/numbers.hpp>

#include "network/structure.hpp"

namespace cmlp::inline v0_1::detail {

template <class T>
class FlatParameters {
public:
    /// All zero, or over the shared numbers, which must be as many as the layers have.
    explicit FlatParameters(const Structure& structure, SharedState<T> shared);
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

    /// Throws std::invalid_argument "<what>: ..." when the numbers are shared.
    void require_own(const char* what) const {
        require(!is_read_only(), what, ": the weights of this network are mapped from a file and read-only; ",
                "net.copy() is a network with memory of its own");
    }
    bool is_read_only() const { return owner_ != nullptr; }

    const std::vector<Parameter<T>>& parameters() { return own().parameters_; }
    const std::vector<Parameter<T>>& buffers() { return own().buffers_; }
    const std::vector<Parameter<const T>>& parameters() const { return shown_parameters_; }
    const std::vector<Parameter<const T>>& buffers() const { return shown_buffers_; }
    std::span<T> state() { return own().state_; }
    std::span<const T> state() const { return state_; }
    /// Numbers of the parameters, which come first in state().
    size_t trained() const { return trained_; }
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
    FlatParameters& own() {
        require_own("Network");
        return *this;
    }
    void take_memory(Index count);
    void share(SharedState<T> shared, Index count);
    Index place(const Structure& structure, bool trainable, Index offset);
    void look_at_buffers(std::vector<Parameter<T>>& all, std::vector<Parameter<const T>>& shown);

    std::vector<Parameter<T>> parameters_, buffers_;
    std::vector<Parameter<const T>> shown_parameters_, shown_buffers_;          // the same, not to be written
    std::vector<std::vector<MatrixView<T>>> values_by_layer_, grads_by_layer_;  // views by layer
    Index largest_ = 0;   // numbers of the largest parameter
    size_t trained_ = 0;  // numbers of the parameters
    Buffer<T> values_,
        grads_;           // parameters then buffers; parameters alone; empty when the numbers are shared
    std::span<T> state_;  // the values, or the shared numbers, which nobody writes
    std::shared_ptr<const void> owner_;  // of shared numbers
};

}  // namespace cmlp::inline v0_1::detail
