// The closed forms of schedules.
#include <cmlp/optim/schedule.hpp>

#include "bindings.hpp"

void bind_schedule(py::module_& m) {
    m.def(
        "schedules",
        [] {
            py::list rows;
            for (const cmlp::ScheduleRow& row : cmlp::schedule_rows()) {
                py::dict fields;
                fields["name"] = row.name, fields["type"] = row.type, fields["parameters"] = row.parameters;
                fields["definition"] = row.definition, fields["source"] = row.source;
                rows.append(fields);
            }
            return rows;
        },
        "Rows of the list of schedules.");
    m.def(
        "schedule_table",
        [](const std::string& name, std::vector<double> parameters, double base, std::int64_t first,
           cmlp::Index count) {
            cmlp::require(count >= 0, "schedule_table: count is ", count, ", it must be at least 0");
            return cmlp::Schedule(cmlp::parse_schedule(name), std::move(parameters))
                .table(base, first, count);
        },
        py::arg("name"), py::arg("parameters"), py::arg("base"), py::arg("first"), py::arg("count"),
        "Values of `count` steps from `first` on.");
}
