// The GIL, released and taken back. CPython ends a daemon thread that takes it while the interpreter shuts down in the
// middle of its C++ frames, which would end the process; here such a thread sleeps until the process is gone.
#pragma once

#include <chrono>
#include <thread>

#include "bindings.hpp"

#if defined(__GLIBCXX__)
#include <cxxabi.h>
#endif

inline bool is_finalizing() {
#if PY_VERSION_HEX >= 0x030D0000
    return Py_IsFinalizing() != 0;
#else
    return _Py_IsFinalizing() != 0;
#endif
}

[[noreturn]] inline void sleep_to_the_end() {
    for (;;) std::this_thread::sleep_for(std::chrono::hours(1));
}

/// Calls what takes the GIL; returns with it, or not at all.
template <class F>
void take_gil(F take) {
    if (is_finalizing()) sleep_to_the_end();
#if defined(__GLIBCXX__)
    try {
        take();
    } catch (abi::__forced_unwind&) {  // it began to shut down meanwhile: this is pthread_exit
        sleep_to_the_end();
    }
#else
    take();
#endif
}

/// The GIL is released while this exists.
class WithoutGil {
public:
    WithoutGil() : thread_(PyEval_SaveThread()) {}
    ~WithoutGil() {
        take_gil([&] { PyEval_RestoreThread(thread_); });
    }
    WithoutGil(const WithoutGil&) = delete;

private:
    PyThreadState* thread_;
};

/// This thread has the GIL while this exists.
class WithGil {
public:
    WithGil() {
        take_gil([&] { before_ = PyGILState_Ensure(); });
    }
    ~WithGil() { PyGILState_Release(before_); }
    WithGil(const WithGil&) = delete;

private:
    PyGILState_STATE before_;
};
