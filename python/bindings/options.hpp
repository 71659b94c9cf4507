// Options as Python hands them over: a dict whose every key is known to the core.
#pragma once

#include <cmlp/base/error.hpp>

#include <algorithm>
#include <string>
#include <tuple>
#include <vector>

#include "bindings.hpp"

/// The kind of a value, for messages.
inline const char* kind_of(bool) { return "True or False"; }
inline const char* kind_of(double) { return "a number"; }
inline const char* kind_of(cmlp::Index) { return "an integer of 64 bits"; }
inline const char* kind_of(std::uint64_t) { return "an integer in [0, 2^64)"; }
inline const char* kind_of(const std::string&) { return "a name"; }
inline const char* kind_of(const std::vector<std::string>&) { return "a list of names"; }

/// Setting, group, values, whether there is a value for every step.
using ScheduledValues = std::vector<std::tuple<std::string, cmlp::Index, std::vector<double>, bool>>;
inline const char* kind_of(const ScheduledValues&) {
    return "a list of (setting, group, values, every step)";
}

inline const char* kind_of(const std::tuple<cmlp::Index, cmlp::Index, double, std::vector<double>>&) {
    return "(steps, best epoch, best value, best weights)";
}

/// Reads the values of a dict one by one, and knows which of its keys were read.
class OptionReader {
public:
    explicit OptionReader(const py::dict& options) : options_(options) {}

    template <class V>
    void read(const char* key, V& value) {
        if (!options_.contains(key)) return;
        read_.emplace_back(key);
        const py::object given = options_[key];
        const auto refuse = [&] {
            cmlp::fail("fit: ", key, " is ", std::string(py::str(given)), ", it must be ", kind_of(value));
        };
        if (given.is_none()) refuse();  // a bool would take it
        try {
            value = py::cast<V>(given);
        } catch (const py::cast_error&) {
            refuse();
        }
    }
    /// None: the value stays as it is, off.
    template <class V>
    void read_or_off(const char* key, V& value) {
        if (options_.contains(key) && options_[key].is_none())
            read_.emplace_back(key);
        else
            read(key, value);
    }
    /// Throws std::invalid_argument for a key that was not read.
    void refuse_others() const {
        for (const auto& [key, value] : options_) {
            const auto name = std::string(py::str(key));
            cmlp::require(std::find(read_.begin(), read_.end(), name) != read_.end(), "fit: unknown option '",
                          name, "'");
        }
    }

private:
    const py::dict& options_;
    std::vector<std::string> read_;
};
