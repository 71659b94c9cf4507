// Models as bytes and files: round trips, the other precision, and every way a file can be damaged.
#include <cmlp/files/serialize.hpp>

#include <doctest/doctest.h>

#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <limits>
#include <new>

#include "files/safetensors.hpp"
#include "kernel_helpers.hpp"
#include "matrix_helpers.hpp"

namespace {

using namespace cmlp;
using namespace cmlp::test;

std::vector<NamedLayer> all_kinds() {
    std::vector<NamedLayer> layers{{"encoder.0", Linear{3, 5, true, Initializer::normal, {{"std", 0.5}}}}};
    for (std::size_t a = 0; a < rows<Activation>().size(); ++a) {
        Settings settings;
        for (const ParameterRow& p : parameters(static_cast<Activation>(a)))
            settings[p.name] = double(1 + settings.size()) / 3;
        layers.push_back(
            {"act \"" + std::to_string(a) + "\" \xC3\xA9", activation(rows<Activation>()[a].name, settings)});
    }
    layers.push_back({"drop", Dropout{0.1}});
    layers.push_back({"", Linear{5, 17, false}});
    layers.push_back({"soft", Softmax{}});
    return layers;
}

template <class T>
bool same_network(const Network<T>& a, const Network<T>& b) {
    const auto spans = std::pair(a.values(), b.values());
    return spans.first.size() == spans.second.size() &&
           first_difference(spans.first.data(), spans.second.data(), std::ssize(spans.first)) == -1 &&
           a.seed() == b.seed() && a.pass_count() == b.pass_count() && a.metadata == b.metadata &&
           to_bytes(a) == to_bytes(b);
}

template <class T>
const Network<T>& as(const AnyNetwork& any) {
    return std::get<Network<T>>(any);
}

std::string small_file() {
    return to_bytes(Network<float>({Linear{2, 1}, activation("leaky_relu"), Dropout{0.5}}, 1));
}

// "" if the bytes are accepted, else the message; any exception but std::invalid_argument is passed on.
std::string refusal(std::string_view bytes, bool verify = true) {
    const std::string text =
        message([&] { (void)from_bytes(bytes, {.non_finite = true, .verify = verify}); });
    return text == "nothing thrown" ? "" : text;
}

std::string replaced(std::string text, std::string_view what, std::string_view with) {
    text.replace(text.find(what), what.size(), with);
    return text;
}

// The small file with one change to the description of its layers.
std::string with_description(std::string_view what, std::string_view with) {
    safetensors::File file = safetensors::from_bytes(small_file());
    file.metadata["cmlp"] = replaced(file.metadata["cmlp"], what, with);
    return safetensors::to_bytes(file);
}

}  // namespace

TEST_CASE_TEMPLATE("serialize: a network comes back bit for bit, in evaluation mode", T, float, double) {
    Network<T> net(all_kinds(), ~std::uint64_t(0) - 3);
    net.set_pass_count(std::uint64_t(1) << 63);
    net.metadata = {{"note", "line\n\"quoted\" \xE2\x82\xAC"}, {"empty", ""}};
    net.parameters()[0].value(0, 0) = std::numeric_limits<T>::denorm_min();
    net.parameters()[0].value(0, 1) = std::numeric_limits<T>::infinity();
    net.parameters()[0].value(0, 2) = T(-0.0);
    const AnyNetwork loaded = from_bytes(to_bytes(net), {.non_finite = true});
    REQUIRE(loaded.index() == (sizeof(T) == 4 ? 0 : 1));
    CHECK(same_network(as<T>(loaded), net));
    CHECK_FALSE(as<T>(loaded).training());
    for (std::size_t l = 0; l < net.layers().size(); ++l) {
        CHECK(as<T>(loaded).layers()[l].name == net.layers()[l].name);
        CHECK(type_name(as<T>(loaded).layers()[l].layer) == type_name(net.layers()[l].layer));
    }
}

TEST_CASE_TEMPLATE("serialize: predictions are the same after a file, also in the other precision", T, float,
                   double) {
    const auto path =
        std::filesystem::temp_directory_path() / ("cmlp-serialize-" + std::to_string(::getpid()));
    const Network<T> net({Linear{3, 33}, activation("gelu"), Linear{33, 2}}, 5);
    save(net, path);
    const auto again = load<T>(path);
    CHECK(same_network(again, net));
    const Matrix<T> x = numbers<T>(6, 3, 1);
    Matrix<T> y(6, 2), z(6, 2);
    net.predict_into(x, y);
    again.predict_into(x, z);
    CHECK((y - z).eval().view().cwise_abs().sum() == 0);
    using Other = std::conditional_t<sizeof(T) == 4, double, float>;
    const auto other = load<Other>(path, {.convert = true});
    for (std::size_t p = 0; p < 4; ++p)
        for (Index i = 0; i < net.parameters()[p].value.rows(); ++i)
            CHECK(other.parameters()[p].value(i, 0) == Other(net.parameters()[p].value(i, 0)));
    std::filesystem::remove(path);
    CHECK(message([&] { (void)load<T>(path); }).find("No such file") != std::string::npos);
}

TEST_CASE("serialize: weights are stored as they are shown, (out, in) without gaps") {
    Network<float> net({Linear{3, 17}}, 1);
    const safetensors::File file = safetensors::from_bytes(to_bytes(net));
    REQUIRE(file.tensors.size() == 2);
    CHECK(file.tensors[0].name == "0.weight");
    CHECK(file.tensors[0].shape == std::vector<Index>{17, 3});
    CHECK(file.tensors[1].shape == std::vector<Index>{17});
    std::vector<float> weight(51);
    std::memcpy(weight.data(), file.tensors[0].data.data(), 51 * sizeof(float));
    for (Index out = 0; out < 17; ++out)
        for (Index in = 0; in < 3; ++in)
            CHECK(weight[std::size_t(out * 3 + in)] == net.parameters()[0].value(in, out));
}

TEST_CASE("serialize: every truncation is refused") {
    const std::string good = small_file();
    REQUIRE(refusal(good) == "");
    for (std::size_t size = 0; size < good.size(); ++size) {
        CAPTURE(size);
        CHECK(refusal(std::string_view(good).substr(0, size))
                  .starts_with("load: the byte string is not a cmlp model: "));
    }
    CHECK(refusal(good + "x") != "");
}

TEST_CASE("serialize: every flipped bit is refused") {
    const std::string good = small_file();
    for (std::size_t bit = 0; bit < 8 * good.size(); ++bit) {
        std::string bad = good;
        bad[bit / 8] = static_cast<char>(bad[bit / 8] ^ 1 << bit % 8);
        CAPTURE(bit);
        CHECK(refusal(bad) != "");
    }
}

TEST_CASE("serialize: a file without a checksum is taken in the format that has none") {
    const auto without_checksum = [](std::string bytes) {
        return replaced(std::move(bytes), safetensors::checksum_key, "cmlp.checksun");
    };
    CHECK(refusal(without_checksum(small_file()))
              .starts_with("load: the byte string is damaged: its checksum is missing"));
    CHECK(refusal(without_checksum(small_file()), false) == "");
    CHECK(refusal(without_checksum(with_description("\"format\":2", "\"format\":1"))) == "");
}

TEST_CASE("serialize: without verification a changed byte is refused or gives a network that can be used") {
    const std::string good = small_file();
    int taken = 0;
    Matrix<float> x{{1, 2}};
    for (std::size_t at = 0; at < good.size(); ++at)
        for (const int change : {1, 2, 4, 8, 16, 32, 64, 128, 255}) {
            std::string bad = good;
            bad[at] = static_cast<char>(bad[at] ^ change);
            if (!refusal(bad, false).empty()) continue;
            ++taken;
            const AnyNetwork net = from_bytes(bad, {.non_finite = true, .verify = false});
            if (net.index() == 0 && as<float>(net).input_width() == 2) {
                Matrix<float> y(1, 1);
                as<float>(net).predict_into(x, y);
            }
        }
    CHECK(taken > 12 * 9);  // at least the numbers themselves may be any
}

TEST_CASE("serialize: descriptions that lie are refused") {
    REQUIRE(refusal(with_description("Linear", "Linear")) == "");
    const std::pair<const char*, const char*> lies[] = {
        {"\"in_features\":2", "\"in_features\":1"},
        {"\"in_features\":2", "\"in_features\":4611686018427387904"},
        {"\"in_features\":2", "\"in_features\":-2"},
        {"\"in_features\":2", "\"in_features\":2.5"},
        {"\"bias\":true", "\"bias\":false"},
        {"\"bias\":true", "\"bias\":1"},
        {"\"Linear\"", "\"Conv\""},
        {"\"leaky_relu\"", "\"leaky\""},
        {"\"negative_slope\"", "\"slope\""},
        {"\"F32\"", "\"F64\""},
        {"\"format\":2", "\"format\":3"},
        {"\"format\":2", "\"format\":0"},
        {"\"layers\":[", "\"layers\":[1,"},
        {"\"name\":\"0\"", "\"name\":\"1\""},
        {"\"auto\"", "\"he\""},
        {"\"p\":0.5", "\"p\":7"},
        {"\"seed\":1", "\"seed\":\"1\""}};
    for (const auto& [what, with] : lies) {
        CAPTURE(with);
        CHECK(
            refusal(with_description(what, with)).starts_with("load: the byte string is not a cmlp model: "));
    }
}

TEST_CASE("serialize: metadata may have any key but the library's own") {
    Network<float> net({Linear{1, 1}}, 1);
    net.metadata["cmlp"] = "{}";
    CHECK(message([&] { (void)to_bytes(net); }) == "save: metadata must not have the key 'cmlp'");
    net.metadata = {{"cmlp.checksum", ""}};
    CHECK(message([&] { (void)to_bytes(net); }) == "save: metadata must not have the key 'cmlp.checksum'");
}
