// Trainings whose bits are the same on every machine, with the hashes that they must have.
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace cmlp::inline v0_1 {

/// One row of trainings.def.
struct ReferenceTraining {
    std::string_view name, hash, definition;
};

/// All rows in order.
std::span<const ReferenceTraining> reference_trainings();

/// Trains it and returns "crc64:<16 digits>", the hash of its weights, losses and predictions; on a machine that keeps
/// the numeric contract it equals the row's hash. Throws std::invalid_argument listing the names there are.
std::string training_hash(std::string_view name);

}  // namespace cmlp::inline v0_1
