// Parameters as Python names them: of which network, and which of its parameters.
#pragma once

#include <cmlp/network/network.hpp>

#include <memory>
#include <utility>
#include <vector>

template <class T>
using Member = std::pair<std::shared_ptr<cmlp::Network<T>>, cmlp::Index>;
template <class T>
using Members = std::vector<Member<T>>;

template <class T>
const cmlp::Parameter<T>& parameter_of(const Member<T>& member) {
    cmlp::require(member.first != nullptr, "a parameter is that of a network, not of None");
    return member.first->parameters().at(static_cast<std::size_t>(member.second));
}
