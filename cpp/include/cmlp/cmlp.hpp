// All of cmlp for C++ programs: #include <cmlp/cmlp.hpp>.
#pragma once

#include <cmlp/functions.hpp>
#include <cmlp/gradcheck.hpp>
#include <cmlp/perceptron.hpp>
#include <cmlp/runtime.hpp>
#include <cmlp/serialize.hpp>
#include <cmlp/trainer.hpp>
#include <cmlp/version.hpp>
