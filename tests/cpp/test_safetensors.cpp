// The safetensors container and atomic files: round trips, refusals, and no crash on damaged bytes.
#include <doctest/doctest.h>

#include <sys/stat.h>
#include <unistd.h>

#include <cstdint>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <functional>
#include <random>
#include <stdexcept>
#include <string>

#include "base/crc64.hpp"
#include "files/safetensors.hpp"

namespace {

namespace st = cmlp::safetensors;
namespace fs = std::filesystem;

std::string error_of(const std::function<void()>& call) {
    try {
        call();
    } catch (const std::invalid_argument& error) {
        return error.what();
    }
    return "";
}

bool contains(const std::string& text, std::string_view part) { return text.find(part) != std::string::npos; }

template <class T>
st::Tensor tensor(std::string name, std::string dtype, std::vector<cmlp::Index> shape,
                  const std::vector<T>& values) {
    st::Tensor result{std::move(name), std::move(dtype), std::move(shape), {}};
    result.data.resize(values.size() * sizeof(T));
    if (!values.empty()) std::memcpy(result.data.data(), values.data(), result.data.size());
    return result;
}

st::File sample() {
    return {{tensor<float>("0.weight", "F32", {3, 1}, {1, 2, 3}), tensor<double>("0.bias", "F64", {}, {0.1}),
             tensor<std::int64_t>("steps \"\xC3\xA9\"", "I64", {2}, {-1, 1LL << 60}),
             tensor<float>("empty", "F32", {0, 5}, {})},
            {{"layers", "[\"Linear\"]"}, {"note", "line\nline \xE2\x82\xAC \x01"}}};
}

// The file with its checksum among the metadata, as one that was read has it.
st::File with_checksum(st::File file) {
    file.metadata[std::string(st::checksum_key)] = st::checksum(file);
    return file;
}

// A file from a header and so many bytes of data, consistent or not.
std::string raw(const std::string& header, std::size_t data_bytes, std::int64_t length = -1) {
    const std::uint64_t stated = length < 0 ? header.size() : static_cast<std::uint64_t>(length);
    return std::string(reinterpret_cast<const char*>(&stated), 8) + header + std::string(data_bytes, 'x');
}

std::string one(const std::string& dtype, const std::string& shape, const std::string& offsets) {
    return R"({"a":{"dtype":")" + dtype + R"(","shape":)" + shape + R"(,"data_offsets":)" + offsets + "}}";
}

// A folder of its own for one test.
struct Folder {
    fs::path path = fs::temp_directory_path() / ("cmlp-test-" + std::to_string(::getpid()));
    Folder() { fs::create_directory(path); }
    ~Folder() { fs::remove_all(path); }
    std::string file(const char* name) const { return (path / name).string(); }
    auto count() const { return std::distance(fs::directory_iterator(path), fs::directory_iterator()); }
};

}  // namespace

TEST_CASE("safetensors: a file holds what was put in, aligned") {
    const std::string bytes = st::to_bytes(sample());
    CHECK(st::from_bytes(bytes) == with_checksum(sample()));
    CHECK(st::from_bytes(st::to_bytes({})) == with_checksum({}));
    CHECK(st::to_bytes(with_checksum(sample())) == bytes);
    std::uint64_t length = 0;
    std::memcpy(&length, bytes.data(), 8);
    CHECK(length % 8 == 0);
    CHECK(contains(bytes, R"("0.weight":{"dtype":"F32","shape":[3,1],"data_offsets":[24,36]})"));
    CHECK(bytes.size() == 8 + length + 36);
}

TEST_CASE("safetensors: what does not fit is not written") {
    st::File file = sample();
    file.tensors[0].data.pop_back();
    CHECK(contains(error_of([&] { st::to_bytes(file); }), "has 11 bytes, its shape needs 12"));
    file = sample();
    file.tensors[1].name = "empty";
    CHECK(error_of([&] { st::to_bytes(file); }) == "save: two tensors have the name \"empty\"");
    file.tensors[1].name = "__metadata__";
    CHECK(contains(error_of([&] { st::to_bytes(file); }), "two tensors have the name"));
    file.tensors[1] = {"a", "C64", {}, {}};
    CHECK(contains(error_of([&] { st::to_bytes(file); }), "unknown element type \"C64\""));
}

TEST_CASE("safetensors: damaged files are refused with one clear error") {
    const std::pair<std::string, const char*> cases[] = {
        {"", "it has 0 bytes"},
        {"1234567", "it has 7 bytes"},
        {raw("{}", 0, 3), "its header would have 3 bytes, 2 are there"},
        {raw("{}", 0, 1LL << 62), "its header would have 4611686018427387904 bytes"},
        {raw(" {}", 0), "does not start with '{'"},
        {raw("{", 0), "json: expected a key at byte 1"},
        {raw("{}", 1), "its arrays take 0 bytes, the file has 1"},
        {raw(one("F32", "[2]", "[0,8]"), 7), "its arrays take 8 bytes, the file has 7"},
        {raw(one("F32", "[2]", "[0,4]"), 4), "has 4 bytes, its shape needs 8"},
        {raw(one("F32", "[1]", "[4,8]"), 8), "overlap or leave a gap at byte 0"},
        {raw(one("F32", "[1]", "[8,4]"), 8), "impossible offsets"},
        {raw(one("F32", "[1]", "[-4,0]"), 8), "impossible offsets"},
        {raw(one("F32", "[1]", "[0]"), 8), "impossible offsets"},
        {raw(one("F32", "[-1]", "[0,4]"), 4), "negative extent"},
        {raw(one("F32", "[4611686018427387904,4]", "[0,4]"), 4), "overflows"},
        {raw(one("F32", "[1.0]", "[0,4]"), 4), "expected an integer, found real"},
        {raw(one("F31", "[1]", "[0,4]"), 4), "unknown element type \"F31\""},
        {raw(R"({"a":{"dtype":"F32","shape":[1]}})", 4), "needs dtype, shape and data_offsets"},
        {raw(R"({"a":1})", 4), "expected an object, found integer"},
        {raw(R"({"__metadata__":{"a":1}})", 0), "expected a string, found integer"},
        {raw(R"({"a":1,"a":1})", 4), "occurs twice"},
        {raw(R"({"a":{"dtype":"U8","shape":[2],"data_offsets":[0,2]},)"
             R"("b":{"dtype":"U8","shape":[2],"data_offsets":[1,3]}})",
             3),
         "overlap or leave a gap at byte 1"}};
    for (const auto& [bytes, message] : cases) {
        CAPTURE(message);
        const std::string error = error_of([&] { st::from_bytes(bytes, "model.safetensors"); });
        CAPTURE(error);
        CHECK(error.starts_with("load: model.safetensors is not a cmlp model: "));
        CHECK(contains(error, message));
    }
}

TEST_CASE("safetensors: the checksum is CRC-64/XZ, whatever the pieces") {
    const std::string text = "123456789";
    for (std::size_t cut = 0; cut <= text.size(); ++cut) {
        cmlp::Crc64 crc;
        crc.add(text.substr(0, cut));
        crc.add(text.substr(cut));
        CHECK(crc.value() == 0x995DC9BBDF1939FA);  // the check value of the catalogue of CRCs
    }
    cmlp::Crc64 once, pieces;
    const std::string bytes = st::to_bytes(sample());
    once.add(bytes);
    for (std::size_t at = 0; at < bytes.size(); at += 7) pieces.add(std::string_view(bytes).substr(at, 7));
    CHECK(once.value() == pieces.value());
}

TEST_CASE("safetensors: content that does not have its checksum is refused, unless it is not verified") {
    const st::File good = sample();
    const std::function<void(st::File&)> changes[] = {
        [](st::File& f) { f.tensors[0].data[5] ^= std::byte{1}; },
        [](st::File& f) { std::swap(f.tensors[0].data[3], f.tensors[0].data[7]); },
        [](st::File& f) { std::swap(f.tensors[0].name, f.tensors[3].name); },
        [](st::File& f) { f.tensors[0].shape = {1, 3}; },
        [](st::File& f) { f.tensors[0].dtype = "I32"; },
        [](st::File& f) { f.tensors.pop_back(); },
        [](st::File& f) { f.metadata["note"] += " "; },
        [](st::File& f) { f.metadata["more"] = ""; },
        [](st::File& f) { f.metadata.erase("note"); }};
    for (const auto& change : changes) {
        st::File other = good;
        change(other);
        CHECK(st::checksum(other) != st::checksum(good));
        std::string bytes = st::to_bytes(other);
        bytes.replace(bytes.find(st::checksum(other)), st::checksum(good).size(), st::checksum(good));
        const std::string error = error_of([&] { st::from_bytes(bytes, "a.safetensors"); });
        CHECK(error.starts_with("load: a.safetensors is damaged: its checksum is "));
        CHECK(contains(error, "copy it again from its source, or load it all the same with verify=False"));
        CHECK(st::from_bytes(bytes, "a.safetensors", false).tensors == other.tensors);
    }
}

TEST_CASE("safetensors: order and spaces of another writer keep the checksum") {
    st::File other = sample();
    std::swap(other.tensors[0], other.tensors[2]);
    CHECK(st::checksum(other) == st::checksum(sample()));
    CHECK(st::from_bytes(st::to_bytes(other)).tensors == other.tensors);
}

TEST_CASE("safetensors: no damage to the bytes crashes the reader") {
    const std::string good = st::to_bytes(sample());
    for (std::size_t size = 0; size < good.size(); ++size)
        CHECK_THROWS_AS(st::from_bytes(std::string_view(good).substr(0, size)), std::invalid_argument);
    std::mt19937 random(2);
    int refused = 0;
    for (int i = 0; i < 5000; ++i) {
        std::string bytes = good;
        for (unsigned k = random() % 4 + 1; k > 0; --k)
            bytes[random() % bytes.size()] = static_cast<char>(random());
        refused += !error_of([&] { st::from_bytes(bytes); }).empty() || bytes == good;
        error_of([&] { st::from_bytes(bytes, "", false); });
    }
    CHECK(refused > 4900);  // the rest lost the key of the checksum, which the format of models needs
}

TEST_CASE("safetensors: writing replaces the file in one step and keeps its mode") {
    const Folder folder;
    const std::string path = folder.file("model.safetensors");
    st::write(path, sample());
    CHECK(st::read(path) == with_checksum(sample()));
    ::chmod(path.c_str(), 0640);
    st::File other = sample();
    other.metadata["more"] = "text";
    st::write(path, other);
    CHECK(st::read(path) == with_checksum(other));
    CHECK((fs::status(path).permissions() & fs::perms::mask) == fs::perms(0640));

    fs::create_symlink("model.safetensors", folder.file("link"));
    st::write(folder.file("link"), sample());
    CHECK(fs::is_symlink(folder.file("link")));
    CHECK(st::read(path) == with_checksum(sample()));
    CHECK(folder.count() == 2);
}

TEST_CASE("safetensors: a write or a read that cannot be says why and leaves nothing behind") {
    const Folder folder;
    st::File bad = sample();
    bad.tensors[0].data.clear();
    CHECK_THROWS_AS(st::write(folder.file("a"), bad), std::invalid_argument);
    CHECK(contains(error_of([&] { st::write(folder.file("no/a"), sample()); }),
                   "save: cannot create a file in"));
    CHECK(contains(error_of([&] { st::write(folder.path.string(), sample()); }), "is not a regular file"));
    CHECK(contains(error_of([&] { st::write("", sample()); }), "is not the name of a file"));
    CHECK(contains(error_of([&] { st::read(folder.file("none")); }), "No such file or directory"));
    CHECK(contains(error_of([&] { st::read(folder.path.string()); }), "is not a regular file"));
    CHECK(folder.count() == 0);
}
