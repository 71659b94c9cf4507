// What a benchmark reports: rows with one figure each, printed as they come and written as JSON.
#pragma once

#include <cmlp/base/error.hpp>
#include <cmlp/version.hpp>

#include <cstdio>
#include <fstream>
#include <string>
#include <string_view>
#include <vector>

namespace bench {

/// One figure; `share` is that of the peak or of the copy, 0 where there is none.
struct Row {
    std::string isa, group, name, shape;
    double value;
    std::string unit;
    double share;
};

class Report {
public:
    void add(Row row) {
        std::printf("%-7s %-10s %-22s %-22s %10.2f %-8s", row.isa.c_str(), row.group.c_str(),
                    row.name.c_str(), row.shape.c_str(), row.value, row.unit.c_str());
        if (row.share > 0) std::printf(" %5.1f%%", 100 * row.share);
        std::printf("\n");
        std::fflush(stdout);
        rows_.push_back(std::move(row));
    }

    /// Names and shapes are the library's own: no character of them needs escaping.
    void write_json(const std::string& path, int threads) const {
        std::ofstream out(path);
        out << "{\"version\": \"" << cmlp::version << "\", \"threads\": " << threads << ", \"rows\": [\n";
        for (size_t i = 0; i < rows_.size(); ++i) {
            const Row& row = rows_[i];
            out << (i ? ",\n" : "") << "{\"isa\": \"" << row.isa << "\", \"group\": \"" << row.group
                << "\", \"name\": \"" << row.name << "\", \"shape\": \"" << row.shape
                << "\", \"value\": " << row.value << ", \"unit\": \"" << row.unit
                << "\", \"share\": " << row.share << "}";
        }
        out << "\n]}\n";
        out.close();
        cmlp::require(bool(out), "cannot write ", path);
    }

private:
    std::vector<Row> rows_;
};

inline Report report;
inline std::string current_isa;
inline double peak = 0;  // GFLOP/s of all threads

/// One figure of the instruction set in use.
inline void add(const std::string& group, std::string_view name, const std::string& shape, double value,
                const std::string& unit, double share) {
    report.add({current_isa, group, std::string(name), shape, value, unit, share});
}

}  // namespace bench
