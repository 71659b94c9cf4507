"""THE list of what cmlp promises: each promise with the tests that hold it, and what peers do."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Promise:
    """One promise: a sentence, how it is tested, by which tests, and the figures of peers if known."""

    says: str
    how: str
    tests: tuple[str, ...]  # "tests/python/test_saving.py::test_name"; a file alone means all of its tests
    peers: str = ""


PROMISES: dict[str, tuple[Promise, ...]] = {
    "Files": (
        Promise(
            "A damaged model file is refused, and cannot end or hang the process",
            "files mutated at random (bits, blocks, truncation, extreme numbers) are loaded",
            ("tests/python/test_mutated_files.py",),
            "of 1500 files: LightGBM (text) 1010 crashes, XGBoost (UBJSON) 169, ONNX Runtime 0",
        ),
        Promise(
            "Every change of a bit of a file is found",
            "each bit of a file is flipped in turn; the file is refused each time",
            ("tests/python/test_checksums.py::test_every_flipped_bit_of_a_file_is_refused",),
        ),
        Promise(
            "A file of every earlier format loads",
            "golden files: the bits of predictions, and of a fit that is resumed",
            (
                "tests/python/test_checksums.py::test_files_of_every_format_load",
                "tests/python/test_checksums.py::test_estimators_of_every_version_load",
                "tests/python/test_checksums.py::test_checkpoints_of_every_version_are_resumed",
            ),
        ),
        Promise(
            "Every model of the public interface is saved and read back, and no file runs code",
            "each class with a fit, and each module: predictions, parameters, and the bytes of a second file",
            ("tests/python/test_every_saved_model.py",),
        ),
        Promise(
            "A save that is killed or fails leaves the old file or the new one, complete",
            "SIGKILL at random instants of saves; each system call fails in turn with ENOSPC, EIO and EDQUOT;"
            " the order of the system calls is compared",
            ("tests/python/test_saving.py",),
            "killed over a good file: torch.save lost 38 of 40, joblib 39 of 40",
        ),
        Promise(
            "A fit that is cut short and resumed in another process has the bits of the uninterrupted one",
            "random networks, optimizers, schedulers, options and split points",
            (
                "tests/python/test_checkpoints.py::test_resumed_in_another_process",
                "tests/python/test_checkpoints.py::test_many_resumed_in_another_process",
                "tests/python/test_checkpoints.py::test_37_epochs_and_63_elsewhere_are_100",
                "tests/python/test_estimator_checkpoints.py::test_resumed_in_another_process",
            ),
        ),
        Promise(
            "A fit that is killed several times and resumed has the bits of the uninterrupted one",
            "SIGKILL at random instants of a process that trains with checkpoint= and resume=True",
            (
                "tests/python/test_checkpoints.py::test_killed_and_resumed",
                "tests/python/test_checkpoints.py::test_killed_often_and_resumed",
            ),
        ),
        Promise(
            "Processes that map a model share its weights, and none can change them",
            "the bits of every kind of layer; memory of three processes with one model; every way to write is"
            " tried; damaged and foreign files",
            ("tests/python/test_mapped_files.py",),
        ),
        Promise(
            "Loading takes at most the file's size and 16 MiB of memory, whatever the file claims",
            "mutated files are loaded with the address space limited to that",
            ("tests/python/test_load_memory.py",),
        ),
        Promise(
            "No bytes make the loader fail other than by an error",
            "libFuzzer on the C++ loader under ASan and UBSan, atheris on cmlp.load and on tables",
            ("tests/trust/test_fuzz.py",),
        ),
        Promise(
            "No text from a file acts on the terminal or in the HTML report",
            "escapes, markup, formulas, bidirectional marks and more as names, cells, classes and metadata,"
            " through every command; output by its bytes, reports by their tags",
            ("tests/python/test_hostile_text.py",),
        ),
    ),
    "Build and dispatch": (
        Promise(
            "Objects of one instruction set share no symbol with those of another",
            "nm over the archive of the wheel",
            ("tests/repo/test_kernel_symbols.py",),
        ),
        Promise(
            "Code outside of the kernels runs on every x86-64 processor",
            "objdump over the archive: no ymm, zmm or VEX; C++ tests under qemu-user -cpu Nehalem",
            (
                "tests/trust/test_build.py::test_objects_of_the_baseline_have_no_wide_instructions",
                "tests/trust/test_build.py::test_a_processor_without_avx",
            ),
        ),
        Promise(
            "The extension is hardened and needs few libraries",
            "readelf: stack protector, fortified functions, read-only relocations, no executable stack",
            (
                "tests/trust/test_build.py::test_the_extension_is_hardened",
                "tests/trust/test_build.py::test_the_extension_needs_few_libraries",
                "tests/trust/test_build.py::test_the_extension_names_no_folder_of_its_build",
            ),
        ),
    ),
    "Tests": (
        Promise(
            "Wrong calls of the core are errors",
            "random wrong kinds, shapes and values for every function and class of cmlp._core",
            ("tests/python/test_core_calls.py",),
        ),
        Promise(
            "The C++ tests alone find most small faults of the core",
            "mutants of kernels, operations, layers, losses, optimizers and training, each run against them",
            ("tests/trust/test_mutants.py",),
        ),
    ),
    "Same bits": (
        Promise(
            "A training leaves the same bits with any threads, on any instruction set, on a busy machine",
            "random trainings with every layer, loss, rule and precision, sparse rows and tables; teams of"
            " 1, 2, 3, 4, 8 and 16 threads of OpenMP and of std::thread; every processor busy, two"
            " threads predict",
            (
                "tests/python/test_same_bits.py::test_random_trainings_small",
                "tests/python/test_same_bits.py::test_random_trainings",
                "tests/python/test_same_bits.py::test_the_random_trainings_have_everything",
            ),
            "scikit-learn on 784 inputs: other weights with 1 and 2 BLAS threads; NumPy: 80 % of the elements"
            " of a product over 784 terms differ",
        ),
        Promise(
            "Every machine computes the published hashes (`cmlp verify`)",
            "15 reference trainings on each instruction set of the machine and in a forked child",
            (
                "tests/python/test_cli_verify.py::test_this_machine_computes_the_published_bits",
                "tests/python/test_same_bits.py::test_the_reference_trainings_in_a_forked_child",
            ),
        ),
        Promise(
            "NEON and a processor without fused multiply-add compute the published hashes",
            "the same trainings under qemu: 64-bit Arm, and x86-64 as an Ivy Bridge",
            ("tests/trust/test_other_processors.py",),
        ),
        Promise(
            "A row alone is predicted as the same row in any batch",
            "six networks: each row alone, and in random batches of 1 to 1000 rows with random teams",
            ("tests/python/test_same_bits.py::test_a_row_alone_is_that_row_in_any_batch",),
            "NumPy and PyTorch: a row alone differs on every shape tried; scikit-learn: 92 % of the"
            " probabilities differ; ONNX Runtime: equal",
        ),
        Promise(
            "The same training is the same every time, on any processors",
            "one training with random CPU affinity and random teams while every processor is busy",
            ("tests/python/test_same_bits.py::test_one_training_again_and_again",),
        ),
    ),
    "Properties": (
        Promise(
            "Inputs that change in a known way change the result in the known way",
            "hypothesis: permuted units and rows, split batches, powers of two, columns of zeros, weight 2,"
            " layouts; equal bits where no sum changes its order, else the bound of the rounding errors",
            ("tests/python/test_metamorphic.py",),
        ),
        Promise(
            "Any shape, stride and numbers give the reference's results within the tolerances",
            "hypothesis against the references in NumPy",
            ("tests/python/test_properties.py",),
        ),
    ),
    "Memory": (
        Promise(
            "Out of memory is std::bad_alloc in C++ and MemoryError in Python, and the model stays valid",
            "each allocation of load, save, fit, predict and copies fails in turn, in Python those of 256"
            " bytes and more",
            ("tests/python/test_failing_allocations.py",),
        ),
        Promise(
            "1000 fits leave memory, files and threads as they were",
            "resident memory grows by less than 4 MiB: networks, estimators, L-BFGS",
            ("tests/python/test_fit_memory.py::test_many_fits_leave_memory_flat",),
        ),
        Promise(
            "The memory of a fit is that of its parameters and a batch",
            "peak memory against the formula, within 15 % and 4 MB",
            ("tests/python/test_fit_memory.py::test_peak_of_fit",),
        ),
    ),
    "Processes": (
        Promise(
            "Forked children train and predict, also forked in the middle of a fit",
            "bits of the child's training against the parent's; 30 s are a hang",
            ("tests/python/test_fork.py",),
            "scikit-learn's gradient boosting, LightGBM, XGBoost and PyTorch hang after a parallel region",
        ),
        Promise(
            "Workers of each start method and of joblib have the results of one process",
            "multiprocessing by fork, spawn and forkserver; joblib's loky, threading and multiprocessing",
            ("tests/python/test_worker_processes.py",),
        ),
        Promise(
            "Predictions of 32 threads at once are those of one",
            "10 000 calls a thread, bits compared, both precisions",
            ("tests/python/test_concurrency.py::test_predict_from_32_threads_equals_serial",),
        ),
        Promise(
            "Beside a fit in another thread every call is refused by name or right",
            "each method of a network and of an estimator; callbacks may call",
            (
                "tests/python/test_two_threads.py",
                "tests/python/test_concurrency.py::test_a_second_fit_from_another_thread_is_refused",
                "tests/python/test_estimator_memory.py::test_a_second_thread_is_refused_while_the_first_fits",
            ),
        ),
        Promise(
            "Ctrl-C ends a training soon, and the model is as after a number of complete steps",
            "SIGINT at random instants; the weights are those of an uninterrupted fit after as many steps",
            ("tests/python/test_interrupts.py::test_ctrl_c_leaves_a_network_as_after_a_complete_step",),
        ),
        Promise(
            "A process may end while its threads train or predict",
            "daemon threads; the last line, sys.exit, an exception, os._exit, atexit: exit code and stderr",
            ("tests/python/test_exits.py",),
        ),
        Promise(
            "Import starts no thread; import and training leave the process as it was",
            "signal handlers, random numbers, locale, warnings, environment, rounding, subnormals",
            (
                "tests/python/test_process.py::test_import_starts_no_thread",
                "tests/python/test_process.py::test_import_and_training_leave_the_process_as_it_was",
                "tests/python/test_process.py::test_import_and_training_leave_rounding_and_subnormals_alone",
            ),
        ),
    ),
    "Bad data": (
        Promise(
            "Extreme and wrong data train or are refused as docs/bad-data.md says",
            "each row of that page for a network, an estimator and a tabular estimator",
            ("tests/trust/test_bad_data_table.py",),
        ),
        Promise(
            "A refusal names the function, the value and its place, and changes nothing",
            "each case with its message",
            ("tests/python/test_bad_data.py",),
        ),
        Promise(
            "An overflow is reported with step and layer, and the last finite weights are kept",
            "train_step, fit, both precisions; the weights are compared",
            (
                "tests/python/test_concurrency.py::test_a_loss_that_overflows_keeps_the_last_finite_weights",
                "tests/python/test_overflow.py",
            ),
        ),
    ),
}
