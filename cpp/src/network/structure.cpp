// Layers with matching widths: names, residuals as brackets, widths.
#include "network/structure.hpp"

#include <algorithm>
#include <set>

namespace cmlp::inline v0_1::detail {

Structure::Structure(std::vector<NamedLayer> layers) : layers_(std::move(layers)) {
    require(!layers_.empty(), "Network: there are no layers");
    match_residuals();
    std::set<std::string_view> names;
    for (const NamedLayer& named : layers_)
        require(names.insert(named.name).second, "Network: two layers are named '", named.name, "'");
    for (const NamedLayer& named : layers_) (void)parameter_specs(named.layer);  // throws on impossible sizes
    if (const Index in = find_input_width()) {
        output_ = walk(in, 0, count());
        input_ = in;
    }
}

void Structure::match_residuals() {
    partner_.assign(layers_.size(), -1);
    std::vector<Index> open;
    for (Index l = 0; l < count(); ++l) {
        const auto i = static_cast<size_t>(l);
        if (std::holds_alternative<ResidualBegin>(layers_[i].layer)) open.push_back(l);
        if (!std::holds_alternative<ResidualEnd>(layers_[i].layer)) continue;
        require(!open.empty(), "Network: layer '", layers_[i].name, "' ends a residual that did not begin");
        partner_[i] = open.back();
        partner_[static_cast<size_t>(open.back())] = l;
        open.pop_back();
    }
    require(open.empty(), "Network: a residual does not end");
}

Activation Structure::activation_after(Index layer) const {
    for (Index l = layer + 1; l < count(); ++l)
        if (const auto activation = activation_of((*this)[l].layer)) return *activation;
    return Activation::identity;
}

// A residual is one unit: the output of its layers must be as wide as its input.
Index Structure::walk(Index in, Index first, Index last) const {
    for (Index l = first; l < last; ++l) {
        in = cmlp::output_width((*this)[l].layer, in, (*this)[l].name);
        const Index end = partner(l);
        if (end <= l || end >= last) continue;
        const Index out = walk(in, l + 1, end);
        require(out == in, "Residual: its layers turn ", in, " columns into ", out,
                ", the sum needs the same");
        l = end;
    }
    return in;
}

Index Structure::widest(Index in, Index first, Index last) const {
    Index most = 0;
    for (Index l = first; l < last; ++l) {
        in = cmlp::output_width((*this)[l].layer, in, (*this)[l].name);
        most = std::max(most, in);
    }
    return most;
}

bool Structure::takes_batch_statistics(Index first, Index last) const {
    for (Index l = first; l < last; ++l)
        if (const auto* norm = std::get_if<BatchNorm1d>(&(*this)[l].layer))
            if (!norm->track_running_stats) return true;
    return false;
}

Index Structure::find_input_width() const {
    Index factor = 1;
    for (const NamedLayer& named : layers_) {
        if (const Index in = cmlp::input_width(named.layer)) return size_product("Network", in, factor);
        factor = size_product("Network", factor, narrowing(named.layer));
        if (factor == 0) return 0;
    }
    return 0;
}

namespace {

bool same_specs(const Layer& a, const Layer& b) {
    return std::ranges::equal(parameter_specs(a), parameter_specs(b),
                              [](const ParameterSpec& s, const ParameterSpec& t) {
                                  return s.name == t.name && s.rows == t.rows && s.cols == t.cols;
                              });
}

// Whether they turn every input into an output of the same width. Of layers that take inputs of any width, an Embedding
// alone has settings that decide that of the output beside those that decide the parameters' sizes.
bool same_widths(const Layer& a, const Layer& b) {
    const Index in = cmlp::input_width(a);
    if (in != cmlp::input_width(b)) return false;
    if (in > 0) return cmlp::output_width(a, in, "") == cmlp::output_width(b, in, "");
    const auto *from = std::get_if<Embedding>(&a), *to = std::get_if<Embedding>(&b);
    return !from || from->columns.size() == to->columns.size();
}

// Passes and predictions leave identity out: no other activation takes its place.
bool same_activation(const Layer& a, const Layer& b) {
    const auto *from = std::get_if<ActivationLayer>(&a), *to = std::get_if<ActivationLayer>(&b);
    constexpr auto identity = Activation::identity;
    return !from || (from->parameters.size() == to->parameters.size() &&
                     (from->kind == identity) == (to->kind == identity));
}

}  // namespace

Structure Structure::with_layer(Index layer, const Layer& settings) const {
    require(layer >= 0 && layer < count(), "set_layer: there is no layer ", layer);
    std::vector<NamedLayer> layers = layers_;
    NamedLayer& own = layers[static_cast<size_t>(layer)];
    require(own.layer.index() == settings.index() && same_specs(own.layer, settings) &&
                same_widths(own.layer, settings),
            "set_layer: layer '", own.name, "' is of another kind or size");
    require(same_activation(own.layer, settings), "set_layer: layer '", own.name, "' is another activation");
    own.layer = settings;
    return Structure(std::move(layers));
}

void Structure::require_range(const char* what, Index first, Index last) const {
    require(0 <= first && first < last && last <= count(), what, ": layers ", first, " to ", last, " of ",
            count());
    for (Index l = first; l < last; ++l)
        require(partner(l) < 0 || (first <= partner(l) && partner(l) < last), what, ": layers ", first,
                " to ", last, " are only a part of a residual");
}

}  // namespace cmlp::inline v0_1::detail
