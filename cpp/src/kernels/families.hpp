// THE list of the kernels' families: the name of its file and table, and the table's type in kernels.hpp.
//
// Each is one source, family_<name>.cpp, compiled once per instruction set, that exports its table in both number types
// and nothing else; family_bf16.cpp exists in float32 only and is listed separately.
#pragma once

#define CMLP_FAMILIES(FAMILY)        \
    FAMILY(products, Products)       \
    FAMILY(sparse, SparseProducts)   \
    FAMILY(activations, Activations) \
    FAMILY(losses, Losses)           \
    FAMILY(updates, Updates)         \
    FAMILY(functions, Functions)     \
    FAMILY(rows, Rows)               \
    FAMILY(flat, Flat)               \
    FAMILY(embeddings, Embeddings)   \
    FAMILY(random, Random)
