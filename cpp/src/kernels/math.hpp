// The vector functions: namespace math over any Vec, accurate to the bounds of functions.def on every input.
#pragma once

#include "math_erf.hpp"
#include "math_exp.hpp"
#include "math_log.hpp"
#include "math_trig.hpp"
