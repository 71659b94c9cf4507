# THE list of instruction sets, best first. Each family of kernels (cpp/src/kernels/families.hpp) is one
# source, compiled
# once per row with the row's flags; cmlp_isas.def repeats the rows for table.cpp, which joins the families' tables.
file(GLOB families CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/cpp/src/kernels/family_*.cpp)

if(CMAKE_SYSTEM_PROCESSOR MATCHES "^(x86_64|AMD64|amd64)$")
  set(isas avx512 avx2 scalar)
elseif(CMAKE_SYSTEM_PROCESSOR MATCHES "^(aarch64|arm64|ARM64)$")
  set(isas neon scalar)
else()
  set(isas scalar)
endif()
set(flags_avx2 -mavx2 -mfma)
set(flags_avx512 ${flags_avx2} -mavx512f -mavx512bw -mavx512dq -mavx512vl)
set(flags_avx512bf16 ${flags_avx512} -mavx512bf16)
set(flags_neon "")
set(flags_scalar -DCMLP_SCALAR)

# Fewer rows build faster: -DCMLP_ISAS=avx2 while developing.
set(CMLP_ISAS "${isas}" CACHE STRING "Instruction sets to build, of: ${isas}")
foreach(isa IN LISTS CMLP_ISAS)
  if(NOT isa IN_LIST isas)
    message(FATAL_ERROR "cmlp: CMLP_ISAS has '${isa}'; this architecture (${CMAKE_SYSTEM_PROCESSOR}) has: ${isas}")
  endif()
endforeach()
if(NOT CMLP_ISAS)
  message(FATAL_ERROR "cmlp: CMLP_ISAS is empty; choose from: ${isas}")
endif()
set(CMLP_BUILT_ISAS "")  # the chosen rows, best first whatever the order they were named in
foreach(isa IN LISTS isas)
  if(isa IN_LIST CMLP_ISAS)
    list(APPEND CMLP_BUILT_ISAS ${isa})
  endif()
endforeach()

# In a Debug build too: loops of intrinsics that are not inlined take a hundred times as long.
set(CMLP_KERNEL_OPTIMIZATION -O3 CACHE STRING "How the kernels are optimised, whatever the build type")
mark_as_advanced(CMLP_KERNEL_OPTIMIZATION)
# Loops of losses are written in vectors: -O3 makes their code half as large again and no faster.
if(CMLP_KERNEL_OPTIMIZATION STREQUAL "-O3")
  set_source_files_properties(cpp/src/kernels/family_losses.cpp PROPERTIES COMPILE_OPTIONS -O2)
endif()

# The objects of one row: every source named behind it, in the row's namespace and with its flags.
function(cmlp_add_kernels isa)
  add_library(cmlp_kernels_${isa} OBJECT ${ARGN})
  target_compile_features(cmlp_kernels_${isa} PRIVATE cxx_std_20)
  target_compile_definitions(cmlp_kernels_${isa} PRIVATE CMLP_ISA=${isa})
  target_include_directories(cmlp_kernels_${isa} PRIVATE cpp/src cpp/include)
  target_compile_options(cmlp_kernels_${isa} PRIVATE ${CMLP_KERNEL_OPTIMIZATION} ${sections}
    -fno-asynchronous-unwind-tables -fno-exceptions -fno-rtti -fno-math-errno -fno-trapping-math ${flags_${isa}})
  target_link_libraries(cmlp_kernels_${isa} PRIVATE cmlp_flags)
  if(CMLP_FREE_ARITHMETIC)
    target_compile_options(cmlp_kernels_${isa} PRIVATE -ffast-math -ffp-contract=fast)
  endif()
  set_target_properties(cmlp_kernels_${isa} PROPERTIES CXX_EXTENSIONS OFF POSITION_INDEPENDENT_CODE ON
    CXX_VISIBILITY_PRESET hidden VISIBILITY_INLINES_HIDDEN ON)
  target_sources(cmlp PRIVATE $<TARGET_OBJECTS:cmlp_kernels_${isa}>)
endfunction()

foreach(isa IN LISTS CMLP_BUILT_ISAS)
  cmlp_add_kernels(${isa} ${families})
endforeach()
# Beside a row: its products of bfloat16 where the processor has the instruction.
if(avx512 IN_LIST CMLP_BUILT_ISAS)
  cmlp_add_kernels(avx512bf16 cpp/src/kernels/family_bf16.cpp)
  target_compile_definitions(cmlp PRIVATE CMLP_BF16_ISA=avx512bf16)
endif()
target_sources(cmlp PRIVATE cpp/src/kernels/table.cpp)

list(TRANSFORM CMLP_BUILT_ISAS REPLACE "(.+)" "ROW(\\1 __VA_OPT__(,) __VA_ARGS__)" OUTPUT_VARIABLE rows)
string(JOIN " " rows ${rows})
file(CONFIGURE OUTPUT ${PROJECT_BINARY_DIR}/generated/cmlp_isas.def
  CONTENT "\
// The instruction sets in this build, best first; made by cmake/kernels.cmake.
#pragma once
#define CMLP_ISAS(ROW, ...) @rows@
" @ONLY)
target_include_directories(cmlp PRIVATE ${PROJECT_BINARY_DIR}/generated)

list(TRANSFORM families REPLACE ".*/family_(.+)[.]cpp" "\\1" OUTPUT_VARIABLE names)
list(JOIN CMLP_BUILT_ISAS ", " chosen)
list(JOIN names ", " names)
message(STATUS "cmlp: kernels for ${chosen}, each with the families ${names}")
