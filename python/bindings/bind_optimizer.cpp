// Optimizers over parameters of one or more networks, which they keep alive.
#include "bind_optimizer.hpp"

#include <cmlp/ops/flat.hpp>

#include <algorithm>

#include "array.hpp"
#include "gil.hpp"
#include "members.hpp"

namespace {

using namespace cmlp;

// The run of one parameter in its network's flat buffers, padding included.
template <class T>
typename Optimizer<T>::Segment run_of(const Member<T>& member, bool apart) {
    const Parameter<T>& parameter = parameter_of(member);
    if (apart) return Optimizer<T>::segment_of(parameter);
    const auto& [network, index] = member;
    const auto& all = network->parameters();
    const auto i = static_cast<size_t>(index), begin = static_cast<size_t>(parameter.offset);
    const size_t end = i + 1 < all.size() ? static_cast<size_t>(all[i + 1].offset) : network->values().size();
    return {network->values().subspan(begin, end - begin), network->grads().subspan(begin, end - begin)};
}

// Neighbours in the flat buffer become one segment, so that a network is one loop, unless they are to stay apart.
template <class T>
ParameterGroup<T> group_of(const Members<T>& members, std::vector<double> settings, bool apart) {
    ParameterGroup<T> group{{}, std::move(settings)};
    for (const auto& member : members) {
        const auto run = run_of<T>(member, apart);
        auto* last = group.segments.empty() || apart ? nullptr : &group.segments.back();
        if (last && last->value.data() + last->value.size() == run.value.data()) {
            last->value = {last->value.data(), last->value.size() + run.value.size()};
            last->grad = {last->grad.data(), last->grad.size() + run.grad.size()};
        } else {
            group.segments.push_back(run);
        }
    }
    return group;
}

template <class T>
void hold(std::vector<std::shared_ptr<Network<T>>>& networks, const Members<T>& members) {
    for (const auto& [network, index] : members)
        if (networks.empty() || networks.back() != network) networks.push_back(network);
}

template <class T>
PyOptimizer<T> make(std::string_view kind_name, const std::vector<std::pair<Members<T>, Settings>>& groups) {
    const auto kind = parse<OptimizerKind>(kind_name);
    std::vector<ParameterGroup<T>> made;
    std::vector<std::shared_ptr<Network<T>>> networks;
    for (const auto& [members, settings] : groups) {
        made.push_back(group_of<T>(members, resolve(kind, settings), sees_matrices(kind)));
        hold(networks, members);
    }
    return {Optimizer<T>(kind, std::move(made)), std::move(networks)};
}

template <class T>
void add_group(PyOptimizer<T>& self, const Members<T>& members, const Settings& settings) {
    const auto kind = self.optimizer.kind();
    self.optimizer.add_group(group_of<T>(members, resolve(kind, settings), sees_matrices(kind)));
    hold(self.networks, members);
}

// The gradients of parameters as runs.
template <class T>
std::vector<std::span<T>> gradients_of(const Members<T>& members) {
    std::vector<std::span<T>> runs;
    for (const auto& member : members) {
        const auto& grad = parameter_of(member).grad;
        runs.emplace_back(grad.data(), static_cast<size_t>(grad.rows() * grad.row_stride()));
    }
    return runs;
}

template <class T>
void average(const Members<T>& into, const Members<T>& from, double share) {
    const auto mean = group_of<T>(into, {}, false).segments, x = group_of<T>(from, {}, false).segments;
    require(mean.size() == x.size(), "AveragedModel: the model is not of the same layers");
    for (size_t i = 0; i < mean.size(); ++i)
        average_into<T>(mean[i].value, std::span<const T>(x[i].value), share);
}

template <class T>
using Groups = std::vector<Members<T>>;

// Where the state of each parameter begins, group by group.
template <class T>
std::vector<std::pair<const Parameter<T>*, size_t>> places(const Groups<T>& groups, bool apart) {
    std::vector<std::pair<const Parameter<T>*, size_t>> all;
    size_t begin = 0;
    for (const Members<T>& members : groups)
        for (const auto& member : members) {
            all.emplace_back(&parameter_of(member), begin);
            begin += run_of<T>(member, apart).value.size();
        }
    return all;
}

// The number of parameters, each with the same shape on both sides and its state inside of the arrays.
template <class T, class U>
void check_places(PyOptimizer<T>& to, const Groups<T>& to_groups, PyOptimizer<U>& from,
                  const Groups<U>& from_groups, bool apart) {
    const auto here = places<T>(to_groups, apart);
    const auto there = places<U>(from_groups, apart);
    const auto fits = [](auto& optimizer, const auto& groups, const auto& place) {
        const auto& value = place.first->value;
        const auto end = place.second + static_cast<size_t>(value.rows() * value.row_stride());
        return groups.size() <= optimizer.groups().size() &&
               std::ranges::all_of(optimizer.state(), [&](const auto& array) { return end <= array.size(); });
    };
    bool same = here.size() == there.size() && to_groups.size() == from_groups.size() &&
                to.optimizer.state().size() == from.optimizer.state().size();
    for (size_t p = 0; same && p < here.size(); ++p)
        same = here[p].first->value.rows() == there[p].first->value.rows() &&
               here[p].first->value.cols() == there[p].first->value.cols() &&
               fits(to.optimizer, to_groups, here[p]) && fits(from.optimizer, from_groups, there[p]);
    require(same, "move_state: the two optimizers are not over the same parameters");
}

// The steps, memories and state arrays of an optimizer for another over the same parameters in other networks.
template <class T, class U>
void move_state(PyOptimizer<T>& to, const Groups<T>& to_groups, PyOptimizer<U>& from,
                const Groups<U>& from_groups) {
    const bool apart = sees_matrices(to.optimizer.kind());
    check_places(to, to_groups, from, from_groups, apart);
    const auto here = places<T>(to_groups, apart);
    const auto there = places<U>(from_groups, apart);
    for (size_t slot = 0; slot < to.optimizer.state().size(); ++slot)
        for (size_t p = 0; p < here.size(); ++p) {
            const auto& w = here[p].first->value;
            const auto& v = there.at(p).first->value;
            T* out = to.optimizer.state()[slot].data() + here[p].second;
            const U* in = from.optimizer.state().at(slot).data() + there[p].second;
            for (Index i = 0; i < w.rows(); ++i)
                for (Index j = 0; j < w.cols(); ++j)
                    out[i * w.row_stride() + j] = static_cast<T>(in[i * v.row_stride() + j]);
        }
    for (Index g = 0; g < std::ssize(to_groups); ++g) {
        to.optimizer.memory(g) = from.optimizer.memory(g);
        to.optimizer.joined(g) = from.optimizer.joined(g);
    }
    to.optimizer.set_steps(from.optimizer.steps());
}

template <class T, class U>
void bind_move(py::module_& m) {
    m.def("move_state", &move_state<T, U>, py::arg("to"), py::arg("to_groups"), py::arg("source"),
          py::arg("source_groups"),
          "Gives an optimizer the state of one over the same parameters elsewhere.");
}

template <class T>
py::list state(PyOptimizer<T>& self, const py::object& owner) {
    py::list arrays;
    for (auto& slot : self.optimizer.state())
        arrays.append(shown<T>({slot.data(), 1, slot.size()}, false, true, owner));
    return arrays;
}

template <class T>
void bind(py::module_& m, const char* name) {
    using O = PyOptimizer<T>;
    py::class_<O>(m, name, "An update rule with its state.")
        .def(py::init(&make<T>), py::arg("kind"), py::arg("groups"),
             "groups: ([(network, index) ...], settings) each.")
        .def("add_group", &add_group<T>, py::arg("members"), py::arg("settings"),
             "Takes on another group of parameters, whose state begins now.")
        .def(
            "joined", [](O& self, Index group) { return self.optimizer.joined(group); }, py::arg("group"),
            "Steps that had been taken when a group came.")
        .def(
            "set_joined",
            [](O& self, std::int64_t steps, Index group) { self.optimizer.joined(group) = steps; },
            py::arg("steps"), py::arg("group"), "Puts them back.")
        .def(
            "step",
            [](O& self) {
                const WithoutGil released;
                std::vector<std::unique_ptr<typename Network<T>::Exclusive>> only;
                for (const auto& network : self.networks)
                    only.push_back(std::make_unique<typename Network<T>::Exclusive>(*network, "step"));
                self.optimizer.step();
            },
            "One step of every weight.")
        .def(
            "setting",
            [](const O& self, std::string_view key, Index group) {
                return self.optimizer.setting(key, group);
            },
            py::arg("name"), py::arg("group") = 0, "A setting of one group.")
        .def(
            "set_setting",
            [](O& self, std::string_view key, double value, Index group) {
                self.optimizer.set_setting(key, value, group);
            },
            py::arg("name"), py::arg("value"), py::arg("group") = 0, "Changes a setting of one group.")
        .def(
            "state", [](const py::object& self) { return state<T>(py::cast<O&>(self), self); },
            "The arrays of state over all parameters in order, padding included, as zero-copy views.")
        .def(
            "memory", [](O& self, Index group) { return self.optimizer.memory(group); }, py::arg("group") = 0,
            "Numbers one group's rule keeps from step to step beside its arrays.")
        .def(
            "set_memory",
            [](O& self, const std::array<double, 2>& values, Index group) {
                self.optimizer.memory(group) = values;
            },
            py::arg("values"), py::arg("group") = 0, "Puts them back.")
        .def_property(
            "steps", [](const O& self) { return self.optimizer.steps(); },
            [](O& self, std::int64_t steps) { self.optimizer.set_steps(steps); }, "Steps taken.");
}

template <class T>
void bind_flat(py::module_& m) {
    m.def(
        "clip_grad_norm",
        [](const Members<T>& members, double max_norm, double norm_type) {
            return clip_norm<T>(gradients_of<T>(members), max_norm, norm_type);
        },
        py::arg("members"), py::arg("max_norm"), py::arg("norm_type"),
        "Scales the gradients of ((network, index), ...) to a norm of at most max_norm; the norm before.");
    m.def(
        "grad_norm",
        [](const Members<T>& members, double norm_type) {
            return total_norm<T>(gradients_of<T>(members), norm_type);
        },
        py::arg("members"), py::arg("norm_type"), "Norm of all gradients.");
    m.def(
        "clip_grad_value",
        [](const Members<T>& members, double limit) { clip_value<T>(gradients_of<T>(members), limit); },
        py::arg("members"), py::arg("limit"), "Brings the gradients into [-limit, limit].");
    m.def("average", &average<T>, py::arg("into"), py::arg("members"), py::arg("share"),
          "into += share * (members - into) for the values of parameters.");
}

}  // namespace

void bind_optimizer(py::module_& m) {
    bind<float>(m, "Optimizer32");
    bind<double>(m, "Optimizer64");
    bind_flat<float>(m);
    bind_flat<double>(m);
    bind_move<float, float>(m);
    bind_move<float, double>(m);
    bind_move<double, float>(m);
    bind_move<double, double>(m);
}
