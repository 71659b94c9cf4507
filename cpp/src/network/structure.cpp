// Layers with matching widths: names, widths, through residuals and ensembles too.
#include "network/structure.hpp"

#include <algorithm>
#include <set>

namespace cmlp::inline v0_1::detail {

Structure::Structure(std::vector<NamedLayer> layers) : layers_(std::move(layers)) {
    require(!layers_.empty(), "Network: there are no layers");
    brackets_ = match_brackets(layers_);
    std::set<std::string_view> names;
    for (const NamedLayer& named : layers_)
        require(names.insert(named.name).second, "Network: two layers are named '", named.name, "'");
    for (const NamedLayer& named : layers_) (void)parameter_specs(named.layer);  // throws on impossible sizes
    Index factor = 1, widest = 0;
    if (const Index in = find_input_width(0, count(), factor)) {
        output_ = walk(in, 0, count(), widest);
        input_ = in;
    }
}

bool Structure::gets_input(Index layer, Index first) const {
    if (layer <= first) return layer == first;
    const Bracket& before = bracket(layer - 1);
    if (before.begin < first || !std::holds_alternative<EnsembleBegin>((*this)[before.begin].layer))
        return false;
    return layer - 1 != before.end && gets_input(before.begin, first);
}

// A member of an ensemble is followed by the layer behind the ensemble.
Activation Structure::activation_after(Index layer) const {
    for (Index l = layer + 1; l < count(); ++l) {
        if (std::holds_alternative<EnsembleNext>((*this)[l].layer)) l = bracket(l).end;
        if (const auto activation = activation_of((*this)[l].layer)) return *activation;
    }
    return Activation::identity;
}

Index Structure::walk(Index in, Index first, Index last, Index& widest) const {
    for (Index l = first; l < last; ++l) {
        in = cmlp::output_width((*this)[l].layer, in, (*this)[l].name);
        const Bracket& group = bracket(l);
        if (group.begin == l && group.end < last) {
            in = walk_group(in, group, widest);
            l = group.end;
        }
        widest = std::max(widest, in);
    }
    return in;
}

// A residual's output must be as wide as its input, those of an ensemble's members as wide as each other.
Index Structure::walk_group(Index in, const Bracket& begin, Index& widest) const {
    const Index out = walk(in, begin.begin + 1, begin.next, widest);
    if (std::holds_alternative<ResidualBegin>((*this)[begin.begin].layer))
        require(out == in, "Residual: its layers turn ", in, " columns into ", out,
                ", the sum needs the same");
    for (Index end = begin.next; end < begin.end; end = bracket(end).next) {
        const Bracket& next = bracket(bracket(end).next);
        const Index width = walk(in, end + 1, bracket(end).next, widest);
        require(width == out, "Ensemble: member ", next.member, " turns ", in, " columns into ", width,
                ", member 0 into ", out, "; the sum needs the same");
    }
    return out;
}

Index Structure::widest(Index in, Index first, Index last) const {
    Index widest = 0;
    walk(in, first, last, widest);
    return widest;
}

bool Structure::takes_batch_statistics(Index first, Index last) const {
    for (Index l = first; l < last; ++l)
        if (const auto* norm = std::get_if<BatchNorm1d>(&(*this)[l].layer))
            if (!norm->track_running_stats) return true;
    return false;
}

Index Structure::find_input_width(Index first, Index last, Index& factor) const {
    for (Index l = first; l < last; ++l) {
        const Bracket& group = bracket(l);
        const Layer& layer = (*this)[l].layer;
        if (std::holds_alternative<EnsembleBegin>(layer)) {
            if (const Index in = member_input_width(group, factor)) return in;
            l = group.end;
            continue;
        }
        if (const Index in = cmlp::input_width(layer)) return size_product("Network", in, factor);
        factor = size_product("Network", factor, narrowing(layer));
        if (factor == 0) return 0;
    }
    return 0;
}

// All members get the same input, so that those that insist on a width agree.
Index Structure::member_input_width(const Bracket& begin, Index& factor) const {
    Index in = 0, by = 0, own_factor = 1;
    for (Index start = begin.begin; start < begin.end; start = bracket(start).next) {
        const Index end = bracket(start).next, member = bracket(end).member;
        own_factor = 1;
        const Index own = find_input_width(start + 1, end, own_factor);
        require(own == 0 || in == 0 || own == in, "Ensemble: member ", member, " takes ", own,
                " columns, member ", by, " takes ", in, "; all members get the same input");
        if (in == 0 && own > 0) in = own, by = member;
    }
    const Index before = factor;
    factor = size_product("Network", before, own_factor);
    return size_product("Network", in, before);
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
    for (Index l = first; l < last; ++l) {
        const Bracket& group = bracket(l);
        if (group.begin < 0 || (first <= group.begin && group.end < last)) continue;
        cmlp::fail(what, ": layers ", first, " to ", last, " are only a part of ",
                   group_name((*this)[l].layer));
    }
}

}  // namespace cmlp::inline v0_1::detail
