// Networks over mapped files: the same bits, no change, and the files that are refused.
#include <cmlp/files/serialize.hpp>
#include <cmlp/network/predictor.hpp>
#include <cmlp/train/trainer.hpp>

#include <doctest/doctest.h>

#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <limits>

#include "matrix_helpers.hpp"

namespace {

using namespace cmlp;
using namespace cmlp::test;

struct File {
    std::filesystem::path path = std::filesystem::temp_directory_path() /
                                 ("cmlp-mapped-" + std::to_string(::getpid()) + ".safetensors");
    ~File() { std::filesystem::remove(path); }
};

template <class T>
Network<T> network() {
    Network<T> net({Linear{5, 40}, BatchNorm1d{40}, relu, EnsembleBegin{}, Linear{40, 3}, EnsembleNext{},
                    Linear{40, 3}, EnsembleEnd{}},
                   7);
    for (T& value : net.state()) value = std::abs(value) + T(0.125);
    net.set_training(false);
    return net;
}

template <class T>
Matrix<T> input() {
    Matrix<T> x(9, 5);
    for (Index i = 0; i < x.rows(); ++i)
        for (Index j = 0; j < x.cols(); ++j) x(i, j) = T(i - 2 * j) / 4;
    return x;
}

template <class T>
bool same(const Matrix<T>& a, const Matrix<T>& b) {
    return a.rows() == b.rows() && a.cols() == b.cols() &&
           std::equal(a.view().data(), a.view().data() + a.rows() * a.view().row_stride(), b.view().data());
}

template <class T>
Network<T> mapped(const File& file) {
    return load<T>(file.path, {.map = true});
}

TEST_CASE_TEMPLATE("a mapped network predicts the same bits and moves", T, float, double) {
    const File file;
    const Network<T> net = network<T>();
    save(net, file.path, {}, {.mappable = true});
    Network<T> first = mapped<T>(file);
    Network<T> other = std::move(first);
    CHECK(other.is_read_only());
    CHECK_FALSE(net.is_read_only());
    const Matrix<T> x = input<T>();
    std::filesystem::remove(file.path);
    CHECK(same(other.predict(x), net.predict(x)));
    CHECK(same(Predictor<T>(other).predict(x), net.predict(x)));
    CHECK(to_bytes(other) == to_bytes(net));
    CHECK(std::as_const(other).grads().empty());
    CHECK(std::as_const(other).values().size() == net.values().size());
}

TEST_CASE_TEMPLATE("a copy of a mapped network is trained, the mapped one is not", T, float, double) {
    const File file;
    save(network<T>(), file.path, {}, {.mappable = true});
    Network<T> net = mapped<T>(file);
    Network<T> copy(net), assigned = network<T>();
    std::ranges::fill(assigned.grads(), T(1));
    assigned = net;
    CHECK(std::ranges::count(assigned.grads(), T(0)) == std::ssize(assigned.grads()));
    copy.reset_parameters(3);
    CHECK_FALSE(copy.is_read_only());
    const Matrix<T> x = input<T>();
    const std::string advice =
        "mapped from a file and read-only; net.copy() is a network with memory of its own";
    const auto refused = [&](auto&& change) { return message(change).find(advice) != std::string::npos; };
    CHECK(refused([&] { (void)net.state(); }));
    CHECK(refused([&] { (void)net.values(); }));
    CHECK(refused([&] { (void)net.parameters(); }));
    CHECK(refused([&] { (void)net.buffers(); }));
    CHECK(refused([&] { net.reset_parameters(1); }));
    CHECK(refused([&] { net.initialize_from(x, 1, 0, 1); }));
    CHECK(refused([&] { (void)net.forward(x.view()); }));
    CHECK(refused([&] { (void)net.backward(x.view()); }));
    CHECK(refused([&] { net = copy; }));
    CHECK(refused([&] { Optimizer<T>(OptimizerKind::adam, net); }));
    CHECK(same(net.predict(x), network<T>().predict(x)));
}

TEST_CASE("files and options that are not mapped are refused in words") {
    const File file;
    Network<float> net = network<float>();
    save(net, file.path);
    CHECK(message([&] {
              (void)mapped<float>(file);
          }).ends_with("has no mapped weights; save it with mappable=True"));
    net.state()[0] = std::numeric_limits<float>::infinity();
    save(net, file.path, FileState{"{}", {}}, {.mappable = true});
    CHECK(message([&] { (void)mapped<float>(file); }).find("not finite") != std::string::npos);
    const LoadOptions any{.non_finite = true, .map = true};
    CHECK(load<float>(file.path, any).is_read_only());
    CHECK(load_with_state(file.path, any).state.text.empty());
    CHECK(message([&] { (void)load<double>(file.path, any); }).find("precision F32") != std::string::npos);
    CHECK(message([&] {
              (void)load<double>(file.path, {.convert = true, .map = true});
          }).starts_with("load: map and convert exclude each other"));
    std::ifstream stream(file.path, std::ios::binary);
    CHECK(message([&] { (void)load(stream, any); }) ==
          "load: map is for a file with a path, not for the stream");
}

TEST_CASE("memory of another owner must fit the layers") {
    const Network<float> net = network<float>();
    const auto owner = std::make_shared<int>(0);
    const std::vector<NamedLayer> layers = net.layers();
    CHECK(same(Network<float>(layers, {net.state(), owner}).predict(input<float>()),
               net.predict(input<float>())));
    CHECK(message([&] { Network<float>(layers, {net.state().first(32), owner}); }).find("has 32") !=
          std::string::npos);
    Buffer<float> apart(std::ssize(net.state()) + 1);
    CHECK(message([&] { Network<float>(layers, {apart.span().subspan(1), owner}); }).find("64 bytes") !=
          std::string::npos);
}

}  // namespace
