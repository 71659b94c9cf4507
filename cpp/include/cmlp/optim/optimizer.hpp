// Optimizers: an update rule of optimizers.def, its settings by group of parameters, its flat state and step count.
#pragma once

#include <cmlp/base/matrix.hpp>
#include <cmlp/runtime/registry.hpp>

#include <array>
#include <cstdint>
#include <span>
#include <vector>

namespace cmlp::inline v0_1 {

/// Parameters that share their settings.
template <class T>
struct ParameterGroup {
    /// A run of weights with their gradients, of the same size.
    struct Segment {
        std::span<T> value;
        std::span<const T> grad;
        /// The weight it is, for the rules that see matrices; empty: none.
        MatrixView<T> matrix = {nullptr, 0, 0, 0};
        bool transposed = false;  ///< stored (in, out)
    };
    std::vector<Segment> segments;
    std::vector<double> settings;    ///< in the order of the rule's row
    std::array<double, 2> memory{};  ///< what the rule keeps from step to step beside its arrays
    std::int64_t joined = 0;         ///< steps taken before it came: to its rule the next is the first
};

/// Whether a rule treats weight matrices in another way than other parameters.
inline bool sees_matrices(OptimizerKind kind) { return kind == OptimizerKind::muon; }

/// Applies one rule to the weights of one or more groups. Borrows the weights: they must outlive it.
template <class T>
class Optimizer {
public:
    using Segment = typename ParameterGroup<T>::Segment;
    /// All parameters of a network, or of anything with flat values() and grads(), in one group.
    template <class Net>
        requires requires(Net& net) { net.values().data(), net.grads().data(); }
    Optimizer(OptimizerKind kind, Net& network, const Settings& settings = {})
        : Optimizer(kind, {{segments_of(kind, network), resolve(kind, settings)}}) {}
    /// Any groups; their settings may differ, but not in what makes a rule keep more or less state.
    Optimizer(OptimizerKind kind, std::vector<ParameterGroup<T>> groups);

    /// Takes on another group, whose state begins now; throws as the constructor does.
    void add_group(ParameterGroup<T> group);

    /// One step of every weight, from the gradients as they are.
    void step();
    /// The same, unless it leaves a weight that is not finite: then all is as before, and it returns false. `small`: no
    /// element of the gradients exceeds small_gradient.
    bool try_step(bool small);
    /// To be called before try_step where others may have set weights since the last step.
    void expect_other_weights() { weights_known_ = false; }
    static constexpr T small_gradient = T(1e8);

    /// Whether all its weights lie in that buffer.
    bool is_over(std::span<const T> values) const;

    OptimizerKind kind() const { return kind_; }
    const std::vector<ParameterGroup<T>>& groups() const { return groups_; }
    /// Reads or sets a setting of one group by name; throws std::invalid_argument on an unknown one or a
    /// value outside its range.
    double setting(std::string_view name, Index group = 0) const;
    void set_setting(std::string_view name, double value, Index group = 0);

    /// What the rule of one group keeps from step to step beside its arrays.
    std::array<double, 2>& memory(Index group = 0) {
        steps_in_range_ = 0;
        return groups_.at(static_cast<size_t>(group)).memory;
    }

    /// Steps that had been taken when a group came.
    std::int64_t& joined(Index group) {
        steps_in_range_ = 0;
        return groups_.at(static_cast<size_t>(group)).joined;
    }

    /// Steps taken, and the arrays of state over all segments in order (padding included).
    std::int64_t steps() const { return steps_; }
    void set_steps(std::int64_t steps) {
        steps_in_range_ = 0;
        steps_ = steps;
    }
    std::vector<Buffer<T>>& state() {
        steps_in_range_ = 0;
        return state_;
    }

    /// One parameter of a network on its own.
    static Segment segment_of(const auto& parameter) {
        const auto& w = parameter.value;
        const auto size = static_cast<size_t>(w.rows() * w.row_stride());
        if (parameter.spec.vector) return {{w.data(), size}, {parameter.grad.data(), size}};
        return {{w.data(), size}, {parameter.grad.data(), size}, w, parameter.spec.transposed};
    }

private:
    template <class Net>
    static std::vector<Segment> segments_of(OptimizerKind kind, Net& network) {
        if constexpr (requires { network.parameters().front().spec; }) {
            std::vector<Segment> segments;
            if (sees_matrices(kind))
                for (const auto& parameter : network.parameters()) segments.push_back(segment_of(parameter));
            if (!segments.empty()) return segments;
        }
        return {{network.values(), network.grads()}};
    }
    /// Copies of all numbers that a step changes, in memory that is reused.
    struct Snapshot {
        Buffer<T> numbers;  // weights, then the state
        std::vector<std::array<double, 2>> memory;
    };

    void check(const ParameterGroup<T>& group) const;
    void allocate();
    void update();
    void take_snapshot();
    void restore_snapshot();
    void step_group(ParameterGroup<T>& group, Index& offset);
    void step_matrix(const ParameterGroup<T>& group, const Segment& segment, T* state);
    size_t index_of(std::string_view name) const;
    bool cannot_overflow(bool small);
    bool has_ordinary_settings();

    OptimizerKind kind_;
    std::vector<ParameterGroup<T>> groups_;
    std::vector<Buffer<T>> state_;  // one a slot
    std::int64_t steps_ = 0;
    std::vector<std::vector<double>> ordinary_;  // settings, by group, that has_ordinary_settings() has taken
    int steps_in_range_ = 0;                     // steps to come that cannot leave the range of T
    bool weights_known_ = false;                 // nobody else has set weights since steps_in_range_ was
    Snapshot before_;
};

}  // namespace cmlp::inline v0_1
