// The reference trainings with their hashes, and teams of any size: what shows that bits are the same everywhere.
#include <cmlp/runtime/runtime.hpp>
#include <cmlp/train/reference_trainings.hpp>

#include <tuple>

#include "gil.hpp"

void bind_reference(py::module_& m) {
    m.def(
        "reference_trainings",
        [] {
            std::vector<std::tuple<std::string, std::string, std::string>> rows;
            for (const auto& row : cmlp::reference_trainings())
                rows.emplace_back(row.name, row.hash, row.definition);
            return rows;
        },
        "The rows of trainings.def: name, hash, definition.");
    m.def("training_hash", &cmlp::training_hash, py::arg("name"), py::call_guard<WithoutGil>(),
          "Runs a reference training: the hash of the bits it leaves.");
    m.def(
        "in_team",
        [](int threads, const py::function& function, bool std_threads) {
            py::object result;
            const auto kind = std_threads ? cmlp::TeamKind::std_thread : cmlp::TeamKind::of_build;
            cmlp::run_in_team(threads, [&] { result = function(); }, kind);
            return result;
        },
        py::arg("threads"), py::arg("function"), py::arg("std_threads") = false,
        "Calls a function with a team of exactly so many threads for all calls in it, for tests.");
}
