# THE list of instruction sets, best first. The kernel sources are compiled once per row with the row's flags;
# each object exports one symbol, its table; cmlp_isas.def repeats the list for dispatch.cpp.
file(GLOB CMLP_KERNEL_SOURCES CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/cpp/src/kernels/table*.cpp)
set(CMLP_ISAS "")

function(cmlp_add_kernels isa)
  add_library(cmlp_kernels_${isa} OBJECT ${CMLP_KERNEL_SOURCES})
  target_compile_features(cmlp_kernels_${isa} PRIVATE cxx_std_20)
  target_compile_definitions(cmlp_kernels_${isa} PRIVATE CMLP_ISA=${isa})
  target_include_directories(cmlp_kernels_${isa} PRIVATE cpp/src cpp/include)
  target_compile_options(cmlp_kernels_${isa} PRIVATE -O3
    -fno-exceptions -fno-rtti -fno-math-errno -fno-trapping-math ${ARGN})
  target_link_libraries(cmlp_kernels_${isa} PRIVATE cmlp_flags)
  if(CMLP_FREE_ARITHMETIC)
    target_compile_options(cmlp_kernels_${isa} PRIVATE -ffast-math -ffp-contract=fast)
  endif()
  set_target_properties(cmlp_kernels_${isa} PROPERTIES CXX_EXTENSIONS OFF POSITION_INDEPENDENT_CODE ON
    CXX_VISIBILITY_PRESET hidden VISIBILITY_INLINES_HIDDEN ON)
  target_sources(cmlp PRIVATE $<TARGET_OBJECTS:cmlp_kernels_${isa}>)
  list(APPEND CMLP_ISAS ${isa})
  set(CMLP_ISAS "${CMLP_ISAS}" PARENT_SCOPE)
endfunction()

# Beside a row: its products of bfloat16 where the processor has the instruction, in an object of their own.
function(cmlp_add_bf16_kernels isa)
  set(CMLP_ISAS "")
  set(CMLP_KERNEL_SOURCES ${PROJECT_SOURCE_DIR}/cpp/src/kernels/bf16_native.cpp)
  cmlp_add_kernels(${isa} ${ARGN})
  target_compile_definitions(cmlp PRIVATE CMLP_BF16_ISA=${isa})
endfunction()

if(CMAKE_SYSTEM_PROCESSOR MATCHES "^(x86_64|AMD64|amd64)$")
  set(avx512 -mavx512f -mavx512bw -mavx512dq -mavx512vl -mfma -mavx2)
  cmlp_add_kernels(avx512 ${avx512})
  cmlp_add_bf16_kernels(avx512bf16 ${avx512} -mavx512bf16)
  cmlp_add_kernels(avx2 -mavx2 -mfma)
elseif(CMAKE_SYSTEM_PROCESSOR MATCHES "^(aarch64|arm64|ARM64)$")
  cmlp_add_kernels(neon)
endif()
cmlp_add_kernels(scalar -DCMLP_SCALAR)

list(TRANSFORM CMLP_ISAS REPLACE "(.+)" "CMLP_ISA_ROW(\\1)\n" OUTPUT_VARIABLE rows)
string(JOIN "" rows ${rows})
file(CONFIGURE OUTPUT ${PROJECT_BINARY_DIR}/generated/cmlp_isas.def
  CONTENT "// The instruction sets in this build, best first; made by cmake/kernels.cmake.\n@rows@\n" @ONLY)
target_include_directories(cmlp PRIVATE ${PROJECT_BINARY_DIR}/generated)
