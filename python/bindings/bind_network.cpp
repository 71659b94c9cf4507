// Network in both precisions: layers from their fields, passes with the GIL released, parameters as zero-copy views.
#include <cmlp/files/serialize.hpp>
#include <cmlp/train/trainer.hpp>

#include <type_traits>

#include "array.hpp"
#include "file_state.hpp"
#include "input.hpp"
#include "layer_fields.hpp"
#include "network_passes.hpp"

namespace {

using namespace cmlp;
using cmlp::layer_fields::describe;
using cmlp::layer_fields::make_named;

template <class T>
using Net = std::shared_ptr<Network<T>>;

template <class T>
Net<T> make_network(const std::vector<std::tuple<std::string, std::string, py::dict>>& layers,
                    std::uint64_t seed) {
    std::vector<NamedLayer> named;
    for (const auto& [name, type, fields] : layers) named.push_back(make_named(name, type, fields));
    return std::make_shared<Network<T>>(std::move(named), seed);
}

// ---- parameters: (name, layer, value, gradient), zero-copy, the network as their base; buffers without a gradient

template <class T>
py::object shown(const Net<T>& net, const Parameter<const T>& p, MatrixView<const T> x) {
    Array<T> values = ::shown<T>(x, p.spec.transposed, p.spec.vector, py::cast(net));
    const py::object array = net->is_read_only() ? read_only<T>(std::move(values)) : values;
    return p.spec.scalar ? py::object(array.attr("reshape")(py::tuple())) : array;
}

// Zeros that cannot be written and take no memory.
py::object no_gradient(const py::object& values) {
    const py::object zero = values.attr("dtype").attr("type")(0);
    return py::module_::import("numpy").attr("broadcast_to")(zero, values.attr("shape"));
}

template <class T>
py::list parameters_of(const Net<T>& net) {
    py::list all;
    for (const auto& p : std::as_const(*net).parameters()) {
        const py::object values = shown<T>(net, p, p.value);
        const py::object grad = net->is_read_only() ? no_gradient(values) : shown<T>(net, p, p.grad);
        all.append(py::make_tuple(p.name, p.layer, values, grad));
    }
    return all;
}

template <class T>
py::list buffers_of(const Net<T>& net) {
    py::list all;
    for (const auto& b : std::as_const(*net).buffers())
        all.append(py::make_tuple(b.name, b.layer, shown<T>(net, b, b.value)));
    return all;
}

// Columns of the output of each layer, 0 where they are not known.
template <class T>
std::vector<Index> widths(const Network<T>& net) {
    std::vector<Index> all;
    std::vector<Index> inputs;  // of the ensembles that have begun
    Index width = net.input_width();
    for (const NamedLayer& named : net.layers()) {
        if (std::holds_alternative<EnsembleBegin>(named.layer)) inputs.push_back(width);
        if (std::holds_alternative<EnsembleNext>(named.layer)) width = inputs.back();
        if (std::holds_alternative<EnsembleEnd>(named.layer)) inputs.pop_back();
        if (width == 0) width = input_width(named.layer);
        if (width > 0) width = output_width(named.layer, width, named.name);
        all.push_back(width);
    }
    return all;
}

template <class T>
void initialize_parameter(Network<T>& net, Index index, std::string_view initializer,
                          const Settings& settings, std::uint64_t seed) {
    require(index >= 0 && index < std::ssize(net.parameters()), "initialize: there is no parameter ", index);
    const Exclusively<T> only(net, "initialize");
    const auto& p = net.parameters()[static_cast<size_t>(index)];
    Rng rng(seed, Stream::init, static_cast<std::uint64_t>(index));
    const auto kind = parse<Initializer>(initializer);
    if (p.spec.transposed)
        initialize_transposed(p.value, kind, settings, rng);
    else
        initialize(p.value, kind, settings, rng);
}

template <class T>
void initialize_from(Network<T>& net, const py::object& x, std::uint64_t seed, Index first, Index last) {
    const Rows<T> in = matrix<T>(x, "data_driven_: x");
    const WithoutGil released;
    net.initialize_from(in.view, seed, first, end_of(net, last));
}

template <class T>
void save_network(const Network<T>& net, const std::string& path, const py::object& state, bool mappable) {
    const FileState beside = state_from(state);
    const WithoutGil released;
    const typename Network<T>::Shared reader(net, "save");
    save(net, path, beside, {.mappable = mappable});
}

template <class T, class Other>
void define(py::class_<Network<T>, Net<T>> network) {
    using N = Network<T>;
    network
        .def(py::init(&make_network<T>), py::arg("layers"), py::arg("seed") = 0,
             "layers: (name, type, fields) each; the parameters are drawn from the seed.")
        .def("forward", &forward<T>, py::arg("x"), py::arg("first") = 0, py::arg("last") = -1,
             "Output of the layers first ... last for x (batch, in), keeping what backward needs.")
        .def("backward", &backward<T>, py::arg("dy"), py::arg("first") = 0, py::arg("last") = -1,
             "Gradient of the input from that of the last output; adds to those of the parameters.")
        .def("predict", &predict<T>, py::arg("x"), py::arg("first") = 0, py::arg("last") = -1,
             "Output in evaluation mode; keeps nothing and may run in many threads at once.")
        .def("outputs", &outputs<T>, py::arg("first") = 0, py::arg("last") = -1,
             "The input of the last forward, then the output of each layer.")
        .def("trace", &trace<T>, py::arg("x"), py::arg("first") = 0, py::arg("last") = -1,
             "A forward that returns the input and the output of each layer.")
        .def(
            "reading",
            [](const Net<T>& net, std::string what) { return Hold<T>(net, std::move(what), false); },
            py::arg("what"), "A with block in which no other thread changes the network.")
        .def(
            "changing",
            [](const Net<T>& net, std::string what) { return Hold<T>(net, std::move(what), true); },
            py::arg("what"), "A with block in which no other thread reads or changes the network.")
        .def("parameters", &parameters_of<T>,
             "(name, index of its layer, value, gradient) of each parameter, as zero-copy views.")
        .def("buffers", &buffers_of<T>,
             "(name, index of its layer, value) of what is kept but not trained, as zero-copy views.")
        .def("widths", &widths<T>, "Columns of the output of each layer, 0 where any will do.")
        .def(
            "layers", [](const N& net) { return describe(net.layers()); },
            "(name, type, fields) of each layer.")
        .def_property(
            "precision",
            [](const N& self) {
                return self.precision() == Precision::bf16 ? "bf16"
                       : std::is_same_v<T, float>          ? "float32"
                                                           : "float64";
            },
            [](N& self, std::string_view name) {
                const std::string_view own = std::is_same_v<T, float> ? "float32" : "float64";
                require(name == own || name == "bf16", "unknown precision '", name, "'; choose from ", own,
                        ", bf16");
                const Exclusively<T> only(self, "precision");
                self.set_precision(name == own ? Precision::own : Precision::bf16);
            },
            "How linear layers multiply.")
        .def_property(
            "dropout", &N::dropout,
            [](N& net, double factor) {
                const Exclusively<T> only(net, "dropout");
                net.set_dropout(factor);
            },
            "Factor of p of every dropout layer.")
        .def("initialize", &initialize_parameter<T>, py::arg("index"), py::arg("initializer"),
             py::arg("settings"), py::arg("seed"), "Draws one parameter again.")
        .def("initialize_from", &initialize_from<T>, py::arg("x"), py::arg("seed"), py::arg("first") = 0,
             py::arg("last") = -1, "Draws the linear layers first ... last by the rows of x.")
        .def(
            "reset_parameters",
            [](N& net, std::uint64_t seed) {
                const Exclusively<T> only(net, "reset_parameters");
                net.reset_parameters(seed);
            },
            py::arg("seed"), "Draws all parameters again.")
        .def(
            "set_layer",
            [](N& net, Index layer, const std::string& type, const py::dict& fields) {
                const Exclusively<T> only(net, "set_layer");
                net.set_layer(layer, make_named("", type, fields).layer);
            },
            py::arg("layer"), py::arg("type"), py::arg("fields"),
            "Takes the settings of a layer of the same kind and sizes.")
        .def(
            "zero_grad",
            [](N& net) {
                const Exclusively<T> only(net, "zero_grad");
                net.zero_grad();
            },
            "Sets all gradients to zero.")
        .def(
            "output_width", [](const N& net, Index in) { return net.output_width(in, 0, net.layer_count()); },
            py::arg("x_columns"), "Columns of the output for an input with that many.")
        .def(
            "copy",
            [](const N& net) {
                const typename N::Shared reader(net, "copy");
                return std::make_shared<N>(net);
            },
            "A deep copy.")
        .def(
            "convert",
            [](const N& net) {
                const typename N::Shared reader(net, "convert");
                return std::make_shared<Network<Other>>(net);
            },
            "The same network in the other precision.")
        .def(
            "to_bytes",
            [](const N& net) {
                const typename N::Shared reader(net, "to_bytes");
                return py::bytes(to_bytes(net));
            },
            "The bytes of a model file.")
        .def("save", &save_network<T>, py::arg("path"), py::arg("state") = py::none(),
             py::arg("mappable") = false,
             "Replaces the model file at path in one step. state: a text and a dict of arrays beside the "
             "network.\nmappable: load_with_state can map its weights.")
        .def(
            "flat_state",
            [](const N& net) { return std::vector<double>(net.state().begin(), net.state().end()); },
            "Parameters and buffers as they lie in memory.")
        .def_property(
            "training", &N::training,
            [](N& net, bool on) {
                if (net.training() == on) return;
                const Exclusively<T> only(net, on ? "train" : "eval");
                net.set_training(on);
            },
            "Whether dropout draws.")
        .def_property("step", &N::pass_count, &N::set_pass_count, "Forward passes in training mode so far.")
        .def_property_readonly("seed", &N::seed, "What the parameters were drawn from.")
        .def_readwrite("metadata", &N::metadata, "Text kept with the model when it is saved.");
}

template <class T>
void bind_hold(py::module_& m, const char* name) {
    py::class_<Hold<T>>(m, name, "The right to read or to change a network for several steps.")
        .def("__enter__", &Hold<T>::enter)
        .def("__exit__",
             [](Hold<T>& self, const py::object&, const py::object&, const py::object&) { self.exit(); });
}

py::object as_python(AnyNetwork network) {
    return std::visit(
        [](auto net) {
            using N = decltype(net);
            return py::cast(std::make_shared<N>(std::move(net)));
        },
        std::move(network));
}

}  // namespace

void bind_network(py::module_& m) {
    // Both are declared before either is defined, so that each knows the other's Python name.
    constexpr const char* doc = "Layers in order with their parameters in one flat buffer.";
    py::class_<Network<float>, Net<float>> network32(m, "Network32", doc);
    py::class_<Network<double>, Net<double>> network64(m, "Network64", doc);
    bind_hold<float>(m, "Hold32");
    bind_hold<double>(m, "Hold64");
    define<float, double>(network32);
    define<double, float>(network64);
    m.def(
        "layer_parameters",
        [](const std::string& type, const py::dict& fields) {
            std::vector<std::string> names;
            for (const ParameterSpec& spec : parameter_specs(make_named("", type, fields).layer))
                names.push_back(spec.name);
            return names;
        },
        py::arg("type"), py::arg("fields"),
        "Names of the parameters and buffers of a layer; throws on fields that do not fit.");
    m.def(
        "load_with_state",
        [](const std::string& path, bool verify, bool mmap) {
            NetworkAndState file = load_with_state(path, {.non_finite = true, .verify = verify, .map = mmap});
            return py::make_tuple(as_python(std::move(file.network)), as_python(file.state));
        },
        py::arg("path"), py::arg("verify") = true, py::arg("mmap") = false,
        "The network in a model file, and the text and the arrays beside it.");
    m.def(
        "from_bytes",
        [](const py::bytes& bytes) {
            return as_python(from_bytes(std::string_view(bytes), {.non_finite = true}));
        },
        py::arg("bytes"), "The network in the bytes of a model file.");
}
