// The layers of a network without their numbers: how they follow each other, and the widths between them.
#pragma once

#include <cmlp/base/sparse.hpp>
#include <cmlp/network/parameter.hpp>

#include <cstdint>
#include <vector>

#include "network/brackets.hpp"

namespace cmlp::inline v0_1::detail {

class Structure {
public:
    /// Throws std::invalid_argument when there are no layers, two have one name, brackets do not match, or members of
    /// an ensemble take different inputs.
    explicit Structure(std::vector<NamedLayer> layers);

    const std::vector<NamedLayer>& layers() const { return layers_; }
    const NamedLayer& operator[](Index layer) const { return layers_[static_cast<size_t>(layer)]; }
    Index count() const { return static_cast<Index>(layers_.size()); }
    const Bracket& bracket(Index layer) const { return brackets_[static_cast<size_t>(layer)]; }
    /// Whether the input of layer `first` comes to the layer unchanged: it is that layer, or behind a bracket of an
    /// ensemble that gets it.
    bool gets_input(Index layer, Index first) const;
    /// The layer as that kind, or null.
    template <class L>
    const L* as(Index layer) const {
        return layer < 0 || layer >= count() ? nullptr : std::get_if<L>(&(*this)[layer].layer);
    }
    /// The layer as an activation other than identity, or null.
    const ActivationLayer* activation_at(Index layer) const {
        const auto* activation = as<ActivationLayer>(layer);
        return activation && activation->kind != Activation::identity ? activation : nullptr;
    }
    bool is_linear(Index layer) const { return std::holds_alternative<Linear>((*this)[layer].layer); }
    /// The activation that follows a layer, norms and dropout not counted; identity at the end.
    Activation activation_after(Index layer) const;

    /// Columns of the output of layers first ... last - 1; throws when a layer cannot take its input.
    Index output_width(Index in, Index first, Index last) const {
        if (first == 0 && last == count() && input_ > 0 && in == input_) return output_;
        Index widest = 0;
        return walk(in, first, last, widest);
    }
    /// Columns of the widest output of layers first ... last - 1.
    Index widest(Index in, Index first, Index last) const;
    /// Whether a row's output depends on the rows beside it in evaluation mode too: a BatchNorm1d without
    /// running statistics.
    bool takes_batch_statistics(Index first, Index last) const;
    /// Columns the first layer insists on, 0 when the layers take any.
    Index input_width() const { return input_; }
    /// Throws std::invalid_argument unless first ... last - 1 are layers, and residuals and ensembles complete.
    void require_range(const char* what, Index first, Index last) const;

    /// The same with the settings of a layer of the same kind, sizes and widths; throws std::invalid_argument
    /// otherwise.
    Structure with_layer(Index layer, const Layer& settings) const;

private:
    /// Output width of layers first ... last - 1; `widest` becomes that of the widest output if it is more.
    Index walk(Index in, Index first, Index last, Index& widest) const;
    Index walk_group(Index in, const Bracket& begin, Index& widest) const;
    /// Columns that layers first ... last - 1 insist on, each divided by `factor`, the columns of the input for each
    /// at layer first; 0: they take any, and the factor is that behind them.
    Index find_input_width(Index first, Index last, Index& factor) const;
    Index member_input_width(const Bracket& begin, Index& factor) const;

    std::vector<NamedLayer> layers_;
    std::vector<Bracket> brackets_;
    Index input_ = 0, output_ = 0;  // widths of the network, 0: not known beforehand
};

}  // namespace cmlp::inline v0_1::detail
