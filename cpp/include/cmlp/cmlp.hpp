// All of cmlp for C++ programs: #include <cmlp/cmlp.hpp>.
#pragma once

#include <cmlp/estimator.hpp>
#include <cmlp/flat.hpp>
#include <cmlp/full_batch.hpp>
#include <cmlp/functions.hpp>
#include <cmlp/gradcheck.hpp>
#include <cmlp/lbfgs.hpp>
#include <cmlp/perceptron.hpp>
#include <cmlp/runtime.hpp>
#include <cmlp/schedule.hpp>
#include <cmlp/serialize.hpp>
#include <cmlp/sparse.hpp>
#include <cmlp/trainer.hpp>
#include <cmlp/version.hpp>
