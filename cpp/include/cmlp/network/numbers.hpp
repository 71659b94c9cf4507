// Layers, numbers and settings of a network: what can be read and set without a pass.
#pragma once

#include <cmlp/network/parameter.hpp>
#include <cmlp/ops/precision.hpp>

#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace cmlp::inline v0_1 {

namespace detail {

template <class T>
struct NetworkParts;

}  // namespace detail

/// The numbers of a network as its state() has them, in memory that others own and nobody changes: on a 64-byte
/// boundary, kept by the owner. Without an owner there are none.
template <class T>
struct SharedState {
    std::span<const T> values;
    std::shared_ptr<const void> owner;
};

/// The part of Network<T> that holds its state. Of a network that has been moved from, all throw std::invalid_argument;
/// so does what returns a parameter, a buffer or their memory to be written, of a network that is read-only.
template <class T>
class NetworkNumbers {
public:
    [[nodiscard]] const std::vector<NamedLayer>& layers() const;
    [[nodiscard]] Index layer_count() const { return static_cast<Index>(layers().size()); }
    [[nodiscard]] const std::vector<Parameter<T>>& parameters();
    [[nodiscard]] const std::vector<Parameter<const T>>& parameters() const;
    /// Numbers that layers keep beside their parameters, such as running means: saved, never trained.
    [[nodiscard]] const std::vector<Parameter<T>>& buffers();
    [[nodiscard]] const std::vector<Parameter<const T>>& buffers() const;
    /// All parameters, and their gradients, as the optimizers see them.
    [[nodiscard]] std::span<T> values();
    [[nodiscard]] std::span<const T> values() const;
    [[nodiscard]] std::span<T> grads();
    [[nodiscard]] std::span<const T> grads() const;
    /// All parameters, then all buffers: what a checkpoint holds.
    [[nodiscard]] std::span<T> state();
    [[nodiscard]] std::span<const T> state() const;
    /// Whether the numbers are a SharedState: they cannot be changed and have no gradients.
    [[nodiscard]] bool is_read_only() const;
    /// Columns the network insists on, 0 when its layers take any.
    [[nodiscard]] Index input_width() const;

    /// Number of parameters, padding not counted.
    [[nodiscard]] Index parameter_count() const;
    /// Whether a row's prediction depends on the rows beside it: there is a BatchNorm1d without running statistics.
    [[nodiscard]] bool takes_batch_statistics() const;
    /// Multiplications or so of the largest layer's pass over that many rows.
    [[nodiscard]] double pass_work(Index rows) const;

    /// Whether dropout draws and norms take the batch's statistics; prediction never does.
    [[nodiscard]] bool training() const;
    void set_training(bool on);
    [[nodiscard]] std::uint64_t seed() const;
    /// Forward passes in training mode so far: the random numbers of the next one follow from it.
    [[nodiscard]] std::uint64_t pass_count() const;
    void set_pass_count(std::uint64_t count);

    /// How linear layers multiply; throws on bf16 unless T is float. Saved.
    [[nodiscard]] Precision precision() const;
    void set_precision(Precision precision);
    /// Factor of p of every dropout layer, at first 1: what a schedule moves; throws outside [0, 1]. Not saved.
    [[nodiscard]] double dropout() const;
    void set_dropout(double factor);

    /// Text kept with the model when it is saved.
    std::map<std::string, std::string> metadata;

protected:
    explicit NetworkNumbers(std::vector<NamedLayer> layers, SharedState<T> shared = {});
    NetworkNumbers(NetworkNumbers&& other) noexcept;
    NetworkNumbers& operator=(NetworkNumbers&& other) noexcept;
    ~NetworkNumbers();

    detail::NetworkParts<T>& parts() {
        require(parts_ != nullptr, "Network: it has been moved from");
        return *parts_;
    }
    const detail::NetworkParts<T>& parts() const {
        require(parts_ != nullptr, "Network: it has been moved from");
        return *parts_;
    }

    std::unique_ptr<detail::NetworkParts<T>> parts_;  // in the heap: views of it outlive a move
};

extern template class NetworkNumbers<float>;
extern template class NetworkNumbers<double>;

}  // namespace cmlp::inline v0_1
