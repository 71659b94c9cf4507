// All of cmlp for C++ programs: #include <cmlp/cmlp.hpp>.
#pragma once

#include <cmlp/base/sparse.hpp>
#include <cmlp/files/serialize.hpp>
#include <cmlp/network/gradcheck.hpp>
#include <cmlp/network/predictor.hpp>
#include <cmlp/ops/flat.hpp>
#include <cmlp/ops/functions.hpp>
#include <cmlp/optim/lbfgs.hpp>
#include <cmlp/optim/schedule.hpp>
#include <cmlp/runtime/runtime.hpp>
#include <cmlp/train/estimator.hpp>
#include <cmlp/train/full_batch.hpp>
#include <cmlp/train/perceptron.hpp>
#include <cmlp/train/reference_trainings.hpp>
#include <cmlp/train/trainer.hpp>
#include <cmlp/version.hpp>
