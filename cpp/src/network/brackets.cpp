// Matches the brackets of residuals and ensembles.
#include "network/brackets.hpp"

namespace cmlp::inline v0_1::detail {
namespace {

constexpr Index most_nested = 100;  // groups within each other: functions that go through them are recursive

template <class L>
bool is(const NamedLayer& named) {
    return std::holds_alternative<L>(named.layer);
}

bool begins(const NamedLayer& named) { return is<ResidualBegin>(named) || is<EnsembleBegin>(named); }
bool ends(const NamedLayer& named) { return is<ResidualEnd>(named) || is<EnsembleEnd>(named); }

class Matching {
public:
    explicit Matching(const std::vector<NamedLayer>& layers) : layers_(layers), all_(layers.size()) {}

    std::vector<Bracket> result() {
        for (Index l = 0; l < std::ssize(layers_); ++l) {
            if (begins(at(l))) open(l);
            if (is<EnsembleNext>(at(l)) || ends(at(l))) append(l);
            if (ends(at(l))) close(l);
        }
        require(last_.empty(), "Network: ", last_.empty() ? "" : group_name(at(last_.back()).layer),
                " does not end");
        return std::move(all_);
    }

private:
    const NamedLayer& at(Index l) const { return layers_[static_cast<size_t>(l)]; }
    Bracket& bracket(Index l) { return all_[static_cast<size_t>(l)]; }

    void open(Index l) {
        require(std::ssize(last_) < most_nested, "Network: layer '", at(l).name, "' begins ",
                group_name(at(l).layer), " within ", most_nested, " others, these are too many");
        bracket(l).begin = l;
        last_.push_back(l);
    }

    void append(Index l) {
        const std::string_view group = group_name(at(l).layer);
        require(!last_.empty() && group_name(at(last_.back()).layer) == group, "Network: layer '", at(l).name,
                "' is of ", group, " that did not begin");
        const Index previous = std::exchange(last_.back(), l);
        const Index member = bracket(previous).member + 1;
        require(is<ResidualEnd>(at(l)) || previous + 1 < l, "Ensemble: member ", member, " has no layers");
        bracket(l) = {bracket(previous).begin, -1, previous, -1, member};
        bracket(previous).next = l;
    }

    void close(Index l) {
        for (Index b = l; b >= 0; b = bracket(b).previous) bracket(b).end = l;
        last_.pop_back();
    }

    const std::vector<NamedLayer>& layers_;
    std::vector<Bracket> all_;
    std::vector<Index> last_;  // bracket so far of each group that is open
};

}  // namespace

const char* group_name(const Layer& bracket) {
    const bool residual =
        std::holds_alternative<ResidualBegin>(bracket) || std::holds_alternative<ResidualEnd>(bracket);
    return residual ? "a residual" : "an ensemble";
}

std::vector<Bracket> match_brackets(const std::vector<NamedLayer>& layers) {
    return Matching(layers).result();
}

}  // namespace cmlp::inline v0_1::detail
