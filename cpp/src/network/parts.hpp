// What a Network is made of: the model, its passes, and memory for predictions, in one place that never
// moves.
#pragma once

#include <cmlp/network/network.hpp>

#include "network/access.hpp"
#include "network/pass_log.hpp"
#include "network/prediction.hpp"

namespace cmlp::inline v0_1::detail {

/// Memory that predictions borrow and return without a lock: at most as many as predict at the same time, and none
/// that is large.
template <class T>
class MemoryPool {
public:
    using Memory = PredictionMemory<T>;

    MemoryPool() = default;
    MemoryPool(const MemoryPool&) = delete;
    ~MemoryPool() {
        for (auto& slot : slots_) delete slot.load(std::memory_order_acquire);
    }
    std::unique_ptr<Memory> take() {
        for (auto& slot : slots_)
            if (slot.load(std::memory_order_relaxed))
                if (Memory* memory = slot.exchange(nullptr, std::memory_order_acquire))
                    return std::unique_ptr<Memory>(memory);
        return std::make_unique<Memory>();
    }
    void give(std::unique_ptr<Memory> memory) {
        if (memory->bytes() > most_bytes) return;
        for (auto& slot : slots_) {
            Memory* free = nullptr;
            if (!slot.load(std::memory_order_relaxed) &&
                slot.compare_exchange_strong(free, memory.get(), std::memory_order_release,
                                             std::memory_order_relaxed))
                return static_cast<void>(memory.release());
        }
    }

private:
    static constexpr Index most_bytes = 1 << 20;

    std::array<std::atomic<Memory*>, 16> slots_{};
};

template <class T>
struct NetworkParts {
    explicit NetworkParts(std::vector<NamedLayer> layers, SharedState<T> shared = {})
        : model(std::move(layers), std::move(shared)), chain(model.structure, model.parameters) {}
    NetworkParts(const NetworkParts&) = delete;

    Prediction<T> prediction() const { return {model, chain}; }
    /// Throws std::invalid_argument "<what>: ..." when the numbers are not the network's own.
    Access& access_to_change(const char* what) {
        model.parameters.require_own(what);
        return access;
    }

    Model<T> model;
    Chain<T> chain;
    Workspace<T> workspace;            // of training
    std::vector<InputCopy<T>> inputs;  // what keep() was given, by layer
    PassLog<T> passes;
    mutable MemoryPool<T> memories;
    mutable Access access;
};

/// Network's forward and backward for callers that hold it exclusively.
template <class T>
struct Passes {
    static NetworkParts<T>& of(Network<T>& network) { return network.parts(); }
    static MatrixView<const T> forward(NetworkParts<T>& parts, const Input<T>& x, Index first, Index last,
                                       bool training);
    static MatrixView<const T> backward(NetworkParts<T>& parts, MatrixView<const T> dy, Index first,
                                        Index last, bool accumulate, bool input_gradient);
};

/// Network::initialize_from; the caller has checked the range.
template <class T>
void initialize_from(NetworkParts<T>& parts, MatrixView<const T> x, std::uint64_t seed, Index first,
                     Index last);

}  // namespace cmlp::inline v0_1::detail
