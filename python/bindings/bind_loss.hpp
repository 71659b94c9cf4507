// The loss object that Python holds; training takes it too.
#pragma once

#include <cmlp/losses/loss.hpp>

#include <variant>

struct PyLoss {
    cmlp::Loss loss;
    std::variant<std::monostate, cmlp::LossResult<float>, cmlp::LossResult<double>>
        result;  // of the last call

    bool takes_labels() const { return cmlp::output_kind(loss.kind()) == cmlp::OutputKind::class_logits; }
};
