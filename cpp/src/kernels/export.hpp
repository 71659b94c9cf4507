// How a family's file exports its table, for both number types: table_<name>_float and table_<name>_double.
#pragma once

#include "kernels.hpp"

#define CMLP_EXPORT(name, Type)                            \
    extern const Type<float> table_##name##_float;         \
    extern const Type<double> table_##name##_double;       \
    const Type<float> table_##name##_float = table<float>; \
    const Type<double> table_##name##_double = table<double>;
