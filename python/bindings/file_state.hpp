// What a file holds beside a network: text and arrays, from Python and back.
#pragma once

#include <cmlp/base/error.hpp>
#include <cmlp/files/serialize.hpp>

#include <cstring>

#include "array.hpp"

namespace file_state {

struct ElementType {
    const char *dtype, *numpy;
};
constexpr ElementType element_types[] = {{"F64", "<f8"}, {"F32", "<f4"}, {"F16", "<f2"}, {"I64", "<i8"},
                                         {"I32", "<i4"}, {"I16", "<i2"}, {"I8", "|i1"},  {"U64", "<u8"},
                                         {"U32", "<u4"}, {"U16", "<u2"}, {"U8", "|u1"},  {"BOOL", "|b1"}};

inline cmlp::FileArray array_from(const std::string& name, const AnyArray& array) {
    const std::string numpy = py::cast<std::string>(array.dtype().attr("str"));
    for (const auto& [dtype, own] : element_types) {
        if (numpy != own) continue;
        const auto* bytes = static_cast<const std::byte*>(array.data());
        return {name, dtype, {array.shape(), array.shape() + array.ndim()}, {bytes, bytes + array.nbytes()}};
    }
    cmlp::fail("save: array ", name, " has dtype ", numpy, ", which no file holds");
}

inline AnyArray array_of(const cmlp::FileArray& array) {
    for (const auto& [dtype, numpy] : element_types) {
        if (array.dtype != dtype) continue;
        AnyArray made(py::dtype(numpy), array.shape);
        std::memcpy(made.mutable_data(), array.data.data(), array.data.size());
        return made;
    }
    cmlp::fail("load: array ", array.name, " has elements of type ", array.dtype, ", which NumPy has not");
}

}  // namespace file_state

/// None: nothing beside the network; else a text and a dict of arrays in C order.
inline cmlp::FileState state_from(const py::object& given) {
    cmlp::FileState state;
    if (given.is_none()) return state;
    const auto [text, arrays] = py::cast<std::pair<std::string, py::dict>>(given);
    state.text = text;
    for (const auto& [name, array] : arrays)
        state.arrays.push_back(
            file_state::array_from(py::cast<std::string>(name), AnyArray::ensure(array, AnyArray::c_style)));
    return state;
}

inline py::tuple as_python(const cmlp::FileState& state) {
    py::dict arrays;
    for (const cmlp::FileArray& array : state.arrays)
        arrays[py::str(array.name)] = file_state::array_of(array);
    return py::make_tuple(state.text, arrays);
}
